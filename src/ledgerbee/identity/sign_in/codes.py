"""One-time passwords (RFC 6238) and recovery codes. Pure, but for randomness."""

import base64
import hashlib
import re
import secrets
from datetime import datetime
from typing import Final

PERIOD_S: Final = 30
#: Codes of the period before and of the one behind are taken too: clocks of phones are a little off.
_WINDOW: Final = 1
_CODE: Final = re.compile(r"[0-9]{6}")
#: Recovery codes: ten, each of 80 bits.
_COUNT: Final = 10
_BYTES: Final = 10
_RECOVERY: Final = re.compile(r"[A-Z2-7]{16}")
_SECRET: Final = re.compile(r"[A-Z2-7]{32}")


def new_totp_secret() -> str:
    """160 random bits in base32, as authenticators take them."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def is_totp_secret(text: str) -> bool:
    """Whether a text is such a secret."""
    return _SECRET.fullmatch(text) is not None


def period_of(secret: str, code: str, now: datetime) -> int | None:
    """Which period a one-time password is of, counted from 1970; None for a wrong one."""
    import pyotp  # noqa: PLC0415  for the sake of the start

    shown = "".join(code.split())
    if not _CODE.fullmatch(shown):
        return None
    totp, current = pyotp.TOTP(secret), int(now.timestamp()) // PERIOD_S
    found = None
    for period in range(current - _WINDOW, current + _WINDOW + 1):
        if secrets.compare_digest(totp.generate_otp(period), shown):
            found = period
    return found


def authenticator_address(secret: str, email: str, issuer: str) -> str:
    """The address that an authenticator reads from a QR code."""
    import pyotp  # noqa: PLC0415  for the sake of the start

    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)


def new_recovery_codes() -> list[str]:
    """Ten codes, in groups of four letters and digits."""
    codes = (base64.b32encode(secrets.token_bytes(_BYTES)).decode() for _ in range(_COUNT))
    return ["-".join(code[start : start + 4] for start in range(0, 16, 4)) for code in codes]


def recovery_hash(code: str) -> bytes | None:
    """What is kept of a recovery code, however it is written; None for what is none."""
    plain = code.upper().replace("-", "").replace(" ", "")
    return hashlib.sha256(plain.encode()).digest() if _RECOVERY.fullmatch(plain) else None
