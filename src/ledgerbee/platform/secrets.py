"""Secrets that have to be read again (signing keys, tokens of providers): encrypted with the installation's keys.

What only has to be recognised is kept as a hash instead (`platform.credentials`).
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ledgerbee.core.errors import ErrorCode

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

SECRET_UNREADABLE = ErrorCode(
    "SECRET_UNREADABLE",
    500,
    "A stored secret can't be read with the keys of this installation (`LEDGERBEE_SECRET_KEYS`).",
)


class SecretBox:
    """Encrypts with the first of the installation's keys, decrypts with any of them.

    `load` gives the keys (Fernet's: 32 bytes as URL-safe base64) when the first secret is met: most meet none.
    """

    def __init__(self, load: Callable[[], Sequence[str]]) -> None:
        self._load = load

    @cached_property
    def _keys(self) -> "MultiFernet":
        # Here, for the sake of the start.
        from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415

        return MultiFernet([Fernet(key) for key in self._load()])

    def encrypt(self, secret: bytes) -> bytes:
        """A secret as it is stored."""
        return self._keys.encrypt(secret)

    def decrypt(self, stored: bytes) -> bytes:
        """A stored secret as it was. Raises `SECRET_UNREADABLE` when none of the keys is its own."""
        from cryptography.fernet import InvalidToken  # noqa: PLC0415

        try:
            return self._keys.decrypt(stored)
        except InvalidToken:
            raise SECRET_UNREADABLE.error() from None


def new_key() -> str:
    """A fresh key, as text."""
    from cryptography.fernet import Fernet  # noqa: PLC0415

    return Fernet.generate_key().decode()
