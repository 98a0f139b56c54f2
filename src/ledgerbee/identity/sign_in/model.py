"""How people sign in: sessions, passwords, second factors, links (ours: the original has this in its app)."""

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from ledgerbee.identity.pages.rules import form_token
from ledgerbee.identity.users.model import MembershipId, Role, UserId

#: How secrets of browsers and links begin, so that a leaked one is recognised.
SESSION_PREFIX: Final = "lbu_"
STEP_PREFIX: Final = "lbf_"
RESET_PREFIX: Final = "lbr_"

#: How long a session lives, whatever is done with it; the database gives it that.
SESSION_LIFE: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSession:
    """A browser in which a user has signed in. Moments are aware UTC; `secret` is the cookie's, never to be shown.

    It opens each company of the user's (`sessions.as_member`), and nothing by itself.
    """

    id: UUID
    user_id: UserId
    email: str
    name: str
    language: str
    secret: str
    created_at: datetime
    expires_at: datetime

    @property
    def form_token(self) -> str:
        """What the forms of pages send along that this session looks at."""
        return form_token(self.secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyOfUser:
    """A company that a user works in, and as what."""

    company_id: UUID
    name: str
    membership_id: MembershipId
    role: Role
    is_sandbox: bool


class Passkey(Struct, frozen=True, rename="camel"):
    """A passkey of a user's. Moments are aware UTC."""

    id: UUID
    name: str
    credential_id: str
    created_at: datetime
    last_used_at: datetime | None

    @property
    def credential(self) -> bytes:
        """What its authenticator calls it."""
        return base64.b64decode(self.credential_id)


class OpenSession(Struct, frozen=True, rename="camel"):
    """A browser in which the user has signed in. `is_this` is the one that looks."""

    id: UUID
    address: str | None
    user_agent: str | None
    created_at: datetime
    is_this: bool


class Account(Struct, frozen=True, rename="camel"):
    """What belongs to a user's account."""

    has_totp: bool
    recovery_codes: int
    passkeys: list[Passkey]
    sessions: list[OpenSession]

    @property
    def has_second_factor(self) -> bool:
        """Whether signing in takes more than the password."""
        return self.has_totp or bool(self.passkeys)


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey that a browser made."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
