"""What a new API key may say of itself."""

from datetime import datetime

from ledgerbee.core.errors import invalid


def check_expiry(expires_at: datetime | None, now: datetime) -> None:
    """Raises a validation error for a moment that is past."""
    if expires_at is not None and expires_at <= now:
        raise invalid(("expiresAt", "minDate", "expiresAt must lie in the future"))
