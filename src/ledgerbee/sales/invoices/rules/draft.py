"""What a draft's own fields become, and what its author gave of them. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from ledgerbee.core.changes import Changes
from ledgerbee.core.errors import check_all, check_unique, invalid
from ledgerbee.core.money import EXACT
from ledgerbee.ledger.entries.rules import check_delivery_date
from ledgerbee.parties.customers.model import BillingFacts
from ledgerbee.sales.documents.model import Terms
from ledgerbee.sales.documents.rules import check_date, check_due_date, due_on
from ledgerbee.sales.invoices.model import Invoice, InvoiceFields
from ledgerbee.tenancy.company.model import Company


def check_days(given: InvoiceFields, today: date) -> None:
    """Raises validation errors."""
    check_all(
        lambda: check_date(given.issue_date, today),
        lambda: check_delivery_date(given.delivery_date, given.issue_date),
        lambda: None if given.due_date is None else check_due_date(given.issue_date, given.due_date),
        lambda: check_prepayment(given.prepayment_invoice_ids, is_prepayment=given.is_prepayment),
    )


def check_prepayment(prepayment_invoice_ids: Sequence[UUID], *, is_prepayment: bool) -> None:
    """A prepayment invoice deducts no other, and none is deducted twice. Raises a validation error."""
    check_unique("prepaymentInvoiceIds", prepayment_invoice_ids)
    if is_prepayment and prepayment_invoice_ids:
        text = "prepaymentInvoiceIds must be empty where isPrepayment is true"
        raise invalid(("prepaymentInvoiceIds", "arrayMaxSize", text))


def decide(given: InvoiceFields, company: Company, facts: BillingFacts) -> dict[str, Any]:
    """Terms and due date: what was given, and the customer's or company's word where nothing was.

    Raises validation errors.
    """
    options = (given.payment_terms_days, facts.customer.payment_terms_days, company.payment_terms_days)
    days = next(days for days in options if days is not None)
    due_date = given.due_date or due_on(given.issue_date, days)
    check_due_date(given.issue_date, due_date)
    return {
        "due_date": due_date,
        "delivery_date": given.delivery_date,
        "payment_terms_days": days,
        "is_prepayment": given.is_prepayment,
    }


def given_before(before: Invoice, changes: Changes[InvoiceFields]) -> dict[str, Any]:
    """What a draft's author gave, as far as it survives the changes: a new customer has its own terms, and the due
    date follows date and terms unless it was given."""
    same_customer = changes.fields.get("customer_id", before.customer_id) == before.customer_id
    follows_terms = "payment_terms_days" in changes or _follows_terms(before)
    return {
        "due_date": None if follows_terms else before.due_date,
        "delivery_date": before.delivery_date,
        "payment_terms_days": before.payment_terms_days if same_customer else None,
        "is_prepayment": before.is_prepayment,
    }


def terms(invoice: Invoice) -> Terms:
    """What an invoice says beside what all documents say. Terms are only stated where they lead to the due date.

    Credit of the customer's that was used on it is paid; what was written off the customer still owes.
    """
    return Terms(
        due_date=invoice.due_date,
        delivery_date=invoice.delivery_date,
        payment_terms_days=invoice.payment_terms_days if _follows_terms(invoice) else None,
        amount_paid=EXACT.add(invoice.amount_paid, invoice.applied_credit),
        amount_credited=invoice.credited_amount,
        is_prepayment=invoice.is_prepayment,
    )


def _follows_terms(invoice: Invoice) -> bool:
    return invoice.due_date == due_on(invoice.issue_date, invoice.payment_terms_days)
