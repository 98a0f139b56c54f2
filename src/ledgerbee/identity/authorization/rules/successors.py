"""Refresh tokens one after another: what of one leads to the next. Pure.

A client that sends a refresh twice, or from two of its parts at once, must get one chain: whoever shows the token
before within its grace gets the very one that took its place. That one is kept encrypted with the token before, of
which the database has the hash alone: what is stored leads nobody on who hasn't that token.
"""

import hashlib
import hmac
from datetime import datetime

from ledgerbee.identity.authorization.model import ROTATION_GRACE


def seal(token: str, successor: str) -> bytes:
    """`successor`, for whoever has `token`: each token has one successor, so that each pad is used once."""
    text = successor.encode()
    return bytes(a ^ b for a, b in zip(text, _pad(token, len(text)), strict=True))


def unseal(token: str, sealed: bytes) -> str:
    """The successor of `token`."""
    return bytes(a ^ b for a, b in zip(sealed, _pad(token, len(sealed)), strict=True)).decode()


def is_in_grace(rotated_at: datetime, now: datetime) -> bool:
    """Whether a token that was exchanged at `rotated_at` (aware UTC) may still be shown."""
    return now - rotated_at <= ROTATION_GRACE


def _pad(token: str, length: int) -> bytes:
    blocks = (
        hmac.digest(token.encode(), b"successor of a refresh token %d" % number, hashlib.sha256)
        for number in range(-(-length // 32))
    )
    return b"".join(blocks)[:length]
