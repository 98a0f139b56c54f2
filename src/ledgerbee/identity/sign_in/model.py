"""How people sign in: sessions, passwords, second factors, links (ours: the original has this in its app)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

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
