"""Passwords: which are taken, and what is computed of them (Argon2id, RFC 9106), beside the event loop.

The SHA-256 of what comes of it goes to the database, which compares; the program never sees what a password is
checked by.
"""

import asyncio
import hashlib
import re
import secrets
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 256
#: The work of one password, as OWASP recommends: 19 MiB, two passes, one lane.
PARAMETERS: Final = "m=19456,t=2,p=1"
_PARAMETERS: Final = re.compile(r"m=([0-9]{4,7}),t=([0-9]{1,3}),p=([0-9]{1,2})")
#: Passwords that are computed at the same time in a process; others wait for their turn. It bounds the memory (two
#: times 19 MiB) and leaves the other cores and the event loop to everybody else.
AT_ONCE: Final = 2
#: Those that may wait; more are asked to come again.
MAX_WAITING: Final = 50


class TooBusyError(Exception):
    """So many passwords wait to be computed that one more would take too long."""


@dataclass(frozen=True, slots=True)
class PasswordRecord:
    """What is kept of a password: `check` is the SHA-256 of what Argon2id makes of it with this salt."""

    salt: bytes
    parameters: str
    check: bytes


def normalised(password: str) -> str:
    """A password as it is computed: the same however a keyboard writes its letters (NFKC)."""
    return unicodedata.normalize("NFKC", password)


def fault_of(password: str, email: str) -> str | None:
    """Why a password is not taken, as the name of a text; None where it is.

    12 to 256 characters, neither the e-mail address nor a part of it, none of the commonest (NIST SP 800-63B, 5.1.1.2).
    """
    text = normalised(password)
    if len(text) < MIN_LENGTH:
        return "password_short"
    if len(text) > MAX_LENGTH or len(password) > MAX_LENGTH:
        return "password_long"
    plain = "".join(text.casefold().split())
    if plain in {email.casefold(), email.casefold().partition("@")[0]}:
        return "password_is_email"
    if plain in _commonest() or len(set(plain)) < 5:
        return "password_common"
    return None


@cache
def _commonest() -> frozenset[str]:
    lines = files("ledgerbee.identity.users").joinpath("common_passwords.txt").read_text("utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")


_waiting = 0


async def password_check(password: str, salt: bytes, parameters: str) -> bytes:
    """What the database compares: the SHA-256 of Argon2id over the password. Takes some 50 ms of one core.

    Raises `TooBusyError`.
    """
    global _waiting  # noqa: PLW0603  the pool is the process's
    if _waiting >= MAX_WAITING:
        raise TooBusyError
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_pool(), compute, password, salt, parameters)
    finally:
        _waiting -= 1


def compute(password: str, salt: bytes, parameters: str) -> bytes:
    """As `password_check`, at once."""
    from argon2.low_level import Type, hash_secret_raw  # noqa: PLC0415  for the sake of the start

    found = _PARAMETERS.fullmatch(parameters)
    assert found is not None, "parameters are ours"
    memory, passes, lanes = map(int, found.groups())
    secret = normalised(password[:MAX_LENGTH]).encode("utf-8", "surrogatepass")
    return hashlib.sha256(hash_secret_raw(secret, salt, passes, memory, lanes, 32, Type.ID)).digest()


async def new_record(password: str) -> PasswordRecord:
    """What is kept of a new password. Raises `TooBusyError`."""
    salt = secrets.token_bytes(16)
    return PasswordRecord(salt, PARAMETERS, await password_check(password, salt, PARAMETERS))
