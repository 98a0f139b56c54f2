"""What is decided of order confirmations. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from ledgerbee.core.changes import Changes
from ledgerbee.parties.customers.model import BillingFacts
from ledgerbee.sales.documents.model import Terms
from ledgerbee.sales.documents.rules import check_date
from ledgerbee.sales.order_confirmations.model import (
    OrderConfirmation,
    OrderConfirmationDisplayStatus,
    OrderConfirmationFields,
    OrderConfirmationStatus,
)
from ledgerbee.tenancy.company.model import Company

#: Statuses of what can be converted.
CONVERTIBLE: Final = frozenset({OrderConfirmationStatus.SENT})


def check_days(given: OrderConfirmationFields, today: date) -> None:
    """Raises a validation error."""
    check_date(given.issue_date, today)


def decide(given: OrderConfirmationFields, company: Company, facts: BillingFacts) -> Mapping[str, Any]:  # noqa: ARG001
    """The columns of order confirmations alone: their authors give none."""
    return {}


def given_before(
    before: OrderConfirmation,  # noqa: ARG001
    changes: Changes[OrderConfirmationFields],  # noqa: ARG001
) -> Mapping[str, Any]:
    """What a draft's author gave of them."""
    return {}


def terms(order_confirmation: OrderConfirmation) -> Terms:  # noqa: ARG001
    """What an order confirmation says beside what all documents say: nothing."""
    return Terms()


def display_status(order_confirmation: OrderConfirmation) -> OrderConfirmationDisplayStatus:
    """The status as it is shown."""
    if order_confirmation.is_converted:
        return OrderConfirmationDisplayStatus.CONVERTED
    return OrderConfirmationDisplayStatus(order_confirmation.status.value)
