"""How often somebody may try to sign in: sliding windows, shared by all processes.

A stranger can't lock anybody out. What counts against an account counts by the network that tries, with windows that
grow, and for all unknown browsers together, as one who has many networks would have tries without end otherwise. A
browser in which somebody has signed in to the account before shows that by a cookie (encrypted with the installation's
keys, good for nothing else), and has a count of its own and no other. So the owner comes in from there whatever others
try, and from anywhere by a passkey, or by a mailed link: the browser in which that is opened is a known one from then
on, for the password that there is as for a new one. The page that refuses says so, whoever asks.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ledgerbee.core.addresses import network_of
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.identity.pages.serving import TooManyTriesError
from ledgerbee.identity.sign_in import store
from ledgerbee.platform.connection import Connection
from ledgerbee.platform.secrets import SecretBox

_MINUTE: Final = timedelta(minutes=1)
_QUARTER: Final = timedelta(minutes=15)
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many tries in a period, counted under a name."""

    bucket: str
    hits: int
    period: timedelta


def sign_in_limits(email: str, host: str | None, device: str | None) -> list[Limit]:
    """The windows of a try to sign in with a password; `device` is the known browser's name, for this address."""
    if device is not None:
        return [Limit(f"sign in/device/{device}", 10, _QUARTER)]
    account, network = _account(email), network_of(host)
    return [
        Limit(f"sign in/network/{network}", 40, _QUARTER),
        Limit(f"sign in/minute/{account}/{network}", 5, _MINUTE),
        Limit(f"sign in/quarter/{account}/{network}", 10, _QUARTER),
        Limit(f"sign in/hour/{account}/{network}", 20, _HOUR),
        Limit(f"sign in/account/{account}", 100, _HOUR),
    ]


def second_factor_limits(email: str, device: str | None) -> list[Limit]:
    """Those of a try of a second factor: whoever comes here has shown the password."""
    return [Limit(f"second factor/{device or _account(email)}", 20, _HOUR)]


def passkey_limits(host: str | None) -> list[Limit]:
    """Those of whoever asks for a passkey's challenge, or shows one."""
    return [Limit(f"passkey/network/{network_of(host)}", 40, _QUARTER)]


def reset_limits(host: str | None) -> list[Limit]:
    """Those of whoever asks for links to new passwords."""
    return [Limit(f"reset/network/{network_of(host)}", 10, _QUARTER)]


def reset_mail_limits(email: str) -> list[Limit]:
    """How many of those mails an address gets."""
    return [Limit(f"reset/account/{_account(email)}", 3, _HOUR)]


def password_limits(user_id: object) -> list[Limit]:
    """Those of whoever has a session and shows the password once more."""
    return [Limit(f"password/{user_id}", 10, _QUARTER)]


def _account(email: str) -> str:
    return hashlib.sha256(email.encode()).hexdigest()


async def take(connection: Connection, limits: list[Limit], now: datetime) -> None:
    """Count a try under all these limits. Raises `TooManyTriesError` where one is used up."""
    free_at = await store.take_hits(connection, [(one.bucket, one.hits, one.period) for one in limits], now)
    if free_at is not None:
        raise TooManyTriesError(free_at)


def new_device(box: SecretBox, email: str) -> str:
    """The cookie of a browser in which somebody has just signed in with this address."""
    return box.encrypt(f"device {_account(email)} {secrets.token_hex(16)}".encode()).decode()


def device_of(box: SecretBox, cookie: str | None, email: str) -> str | None:
    """The name of a browser that is known for this address; None for any other."""
    if cookie is None or len(cookie) > 500:
        return None
    try:
        kind, account, name = box.decrypt(cookie.encode()).decode().split(" ")
    except (LedgerBeeError, ValueError):
        return None
    return name if kind == "device" and account == _account(email) else None
