"""What a meter may be called, and what it may count by."""

from ledgerbee.billing.meters.model import Aggregation
from ledgerbee.core.errors import invalid


def check_name(name: str) -> None:
    """A name is one part of a path: `/v1/meters/by-name/{meterName}/subscriptions`. Raises a validation error."""
    if "/" in name or name in {".", ".."}:
        raise invalid(("name", "matches", "name must be a name without slashes, as it stands in a path"))


def check_unique_key(aggregation: Aggregation | None, unique_key: str | None) -> None:
    """Only distinct values have a key that they are distinct by. Raises a validation error."""
    if unique_key is not None and aggregation is not Aggregation.UNIQUE_COUNT:
        raise invalid(("uniqueKey", "isEmpty", "uniqueKey must be empty unless aggregation is UNIQUE_COUNT"))
