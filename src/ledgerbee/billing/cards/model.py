"""What was done to the subscriptions of a customer with a saved card."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Applied:
    """How many subscriptions a card was set on (those that had it already among them), and how many were passed over,
    as a parent pays for them."""

    updated: int
    skipped: int
