"""References of ours that providers know things by (decisions "Payments": short, letters and digits)."""

import secrets
from string import ascii_uppercase, digits
from typing import Final

_ALPHABET: Final = ascii_uppercase + digits
_LENGTH: Final = 16


def new_reference() -> str:
    """A fresh reference: 16 upper-case letters and digits, by chance, so that none tells how many there are."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
