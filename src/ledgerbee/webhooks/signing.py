"""Signatures of deliveries and the secrets behind them, by Standard Webhooks (contract 1.8).

`v1` is HMAC-SHA256 with a secret that the receiver has too (`whsec_...`), `v1a` Ed25519: the receiver has the public
half (`whpk_...`) of a key (`whsk_...`) that never leaves the installation.
"""

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 a prefix, not a secret
PRIVATE_PREFIX: Final = "whsk_"
PUBLIC_PREFIX: Final = "whpk_"
#: Random bytes of a secret; the standard asks for 24 to 64.
SECRET_BYTES: Final = 32


class SignatureType(StrEnum):
    """How deliveries are signed: with a secret that both sides know, or with a key whose public half the receiver has.

    Standard Webhooks: `v1` is HMAC-SHA256, `v1a` Ed25519.
    """

    SYMMETRIC = "v1"
    ASYMMETRIC = "v1a"


def new_secret(kind: SignatureType) -> str:
    """A fresh secret, as text with the prefix of its kind."""
    prefix = SECRET_PREFIX if kind is SignatureType.SYMMETRIC else PRIVATE_PREFIX
    return prefix + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def public_key(secret: str) -> str | None:
    """What the receiver verifies with, of a `v1a` key; None of a `v1` secret, which both sides have."""
    if not secret.startswith(PRIVATE_PREFIX):
        return None
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415  slow to load

    key = Ed25519PrivateKey.from_private_bytes(_bytes_of(secret, PRIVATE_PREFIX)).public_key()
    return PUBLIC_PREFIX + base64.b64encode(key.public_bytes_raw()).decode()


def signed_headers(event_id: UUID, at: datetime, body: bytes, signing: Sequence[str]) -> dict[str, str]:
    """The headers of one attempt at `at` (aware UTC), signed with each of the secrets, the newest first."""
    return {
        "webhook-id": str(event_id),
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(_signature(event_id, at, body, secret) for secret in signing),
    }


def _signature(event_id: UUID, at: datetime, body: bytes, secret: str) -> str:
    if secret.startswith(SECRET_PREFIX):
        from standardwebhooks import Webhook  # noqa: PLC0415  slow to load

        return Webhook(secret).sign(str(event_id), at.astimezone(UTC), body.decode())
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415  slow to load

    key = Ed25519PrivateKey.from_private_bytes(_bytes_of(secret, PRIVATE_PREFIX))
    signature = key.sign(f"{event_id}.{int(at.timestamp())}.".encode() + body)
    return f"v1a,{base64.b64encode(signature).decode()}"


def _bytes_of(secret: str, prefix: str) -> bytes:
    return base64.b64decode(secret.removeprefix(prefix))
