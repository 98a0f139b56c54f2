"""Prepayment invoices, and what the final invoice deducts of them. Pure.

VAT is due when a prepayment is invoiced (momslovens § 23, stk. 2); the final invoice charges what is left.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from ledgerbee.chart.accounts.model import Account
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import EXACT, ONE, ZERO
from ledgerbee.sales.documents.model import Carried, Computed, DocumentLineType, Line, Tax
from ledgerbee.sales.documents.rules import sums_by
from ledgerbee.sales.invoices.model import (
    INVOICE_INVALID_STATE,
    INVOICE_PREPAYMENT_ACCOUNT_MISSING,
    INVOICE_PREPAYMENT_DEDUCTED,
    INVOICE_PREPAYMENT_UNUSABLE,
    Booked,
    DeductionLine,
    Invoice,
    InvoiceStatus,
    Prepayment,
)
from ledgerbee.sales.invoices.rules.states import PAYABLE

#: Role of the account of prepayments received from customers (chart/seed).
PREPAYMENTS: Final = "CUSTOMER_PREPAYMENTS"
#: What can be deducted: booked, and neither credited in full nor given up.
_DEDUCTIBLE: Final = PAYABLE | {InvoiceStatus.PAID}

#: What is said of an invoice that deducts what was given up.
_LOST: Final = (
    "A prepayment invoice that the invoice deducts is written off: take that back first (POST .../write-off/reverse)"
)

#: Account, VAT code and rate.
_Key = tuple[UUID | None, UUID | None, Decimal | None]


def given_by_added(added: Sequence[Line]) -> Mapping[str, Any]:
    """Which prepayment invoices the author of a draft named, by its deductions."""
    ids = dict.fromkeys(line.prepayment_invoice_id for line in added if isinstance(line, DeductionLine))
    return {"prepayment_invoice_ids": tuple(one for one in ids if one is not None)}


def prepayments_account(accounts: Mapping[str, Account]) -> Account:
    """Raises `INVOICE_PREPAYMENT_ACCOUNT_MISSING`."""
    return _account(accounts, PREPAYMENTS)


def _account(accounts: Mapping[str, Account], role: str) -> Account:
    account = accounts.get(role)
    if account is None:
        raise INVOICE_PREPAYMENT_ACCOUNT_MISSING.error(role=role)
    return account


def booked_on(account_id: UUID, taxes: Mapping[UUID, Tax]) -> dict[UUID, Tax]:
    """Taxes of a prepayment invoice: as those of the sales, but booked on the account of prepayments."""
    return {key: replace(tax, account_id=account_id) for key, tax in taxes.items()}


def carrying(
    lines: Sequence[Line],
    taxes: Mapping[UUID, Tax],
    booked: Mapping[Booked, Decimal],
    accounts: Mapping[str, Account],
) -> dict[UUID, Tax]:
    """The taxes of lines, by `tax_key`, with what is taken out of prepayments in the company's currency.

    `booked` is what prepayments in a foreign currency were booked at, by invoice, account, VAT code and rate (None
    without a code). Raises `INVOICE_PREPAYMENT_ACCOUNT_MISSING` where exchange differences have no account.
    """
    found = dict(taxes)
    for line in lines:
        if not isinstance(line, DeductionLine) or line.prepayment_invoice_id is None:
            continue
        tax = found[line.id]
        rate = tax.rate if tax.vat_code_id else None
        base_net = booked.get(Booked(line.prepayment_invoice_id, tax.account_id, tax.vat_code_id, rate))
        if base_net is not None:
            found[line.id] = replace(
                tax, carried=Carried(base_net, _account(accounts, "FX_GAIN").id, _account(accounts, "FX_LOSS").id)
            )
    return found


def check_deductible(
    prepayment: Prepayment, customer_id: UUID, currency: str, issue_date: date, draft_id: UUID | None
) -> None:
    """Refuse what a final invoice of this customer, currency and day can't deduct; `draft_id` is its own.

    Paid or not: the VAT is due either way, and what isn't paid of a prepayment invoice stays due on it. What is not
    charged yet isn't taken out of prepayments. Raises `INVOICE_PREPAYMENT_UNUSABLE`, `INVOICE_PREPAYMENT_DEDUCTED`.
    """
    it = prepayment.invoice
    reasons = {
        "isPrepayment": it.is_prepayment,
        "status": it.status in _DEDUCTIBLE,
        "customerId": it.customer_id == customer_id,
        "currency": it.currency == currency,
        "date": it.issue_date <= issue_date,
        "creditNotes": not prepayment.has_pending_note,
        "amount": any(_nets_left(prepayment).values()),
    }
    for reason, holds in reasons.items():
        if not holds:
            raise INVOICE_PREPAYMENT_UNUSABLE.error(
                property="prepaymentInvoiceIds", invoiceId=str(it.id), reason=reason, status=it.status.value
            )
    if it.deducted_by_invoice_id not in {None, draft_id}:
        raise INVOICE_PREPAYMENT_DEDUCTED.error(
            property="prepaymentInvoiceIds", invoiceId=str(it.id), deductedByInvoiceId=str(it.deducted_by_invoice_id)
        )


def check_not_deducted(it: Invoice) -> None:
    """Refuse to credit a prepayment invoice that an invoice deducts: credit that one, or take it out of the draft.

    Raises `INVOICE_PREPAYMENT_DEDUCTED`.
    """
    if it.deducted_by_invoice_id is not None:
        raise INVOICE_PREPAYMENT_DEDUCTED.error(
            invoiceId=str(it.id), deductedByInvoiceId=str(it.deducted_by_invoice_id)
        )


def check_given_back(it: Invoice) -> None:
    """Refuse to give back the deduction of a prepayment invoice that was written off as a loss: it is none any more.

    Raises `INVOICE_INVALID_STATE`.
    """
    if it.status is InvoiceStatus.UNCOLLECTIBLE:
        raise INVOICE_INVALID_STATE.in_state(it.status.value, _LOST, invoiceId=str(it.id))


def deductions(prepayments: Iterable[Prepayment], language: str, before: Sequence[Line]) -> tuple[DeductionLine, ...]:
    """What the final invoice takes off for each prepayment invoice: a line for each VAT code and rate.

    Its net is that of the prepayment's lines less what of them is credited. Lines that were there before keep their
    ids.
    """
    known = {(line.prepayment_invoice_id, *_key(line)): line.id for line in before if isinstance(line, DeductionLine)}
    made = []
    for it in prepayments:
        for (account_id, code_id, rate), net in _nets_left(it).items():
            if not net:
                continue
            first = next(
                line
                for line in _sold(it)
                if (line.account_id, line.vat_code_id, line.vat_rate) == (account_id, code_id, rate)
            )
            made.append(
                DeductionLine(
                    id=known.get((it.invoice.id, account_id, code_id, rate)) or new_id(),
                    line_type=DocumentLineType.PRODUCT,
                    description=_words(it.invoice, language),
                    price_id=first.price_id,
                    product_id=first.product_id,
                    quantity=-ONE,
                    unit_price=net,
                    unit_price_given=True,
                    discount_percent=ZERO,
                    discount_given=True,
                    net=-net,
                    vat_rate=rate,
                    account_id=account_id,
                    vat_code_id=code_id,
                    prepayment_invoice_id=it.invoice.id,
                )
            )
    return tuple(made)


def _sold(prepayment: Prepayment) -> list[Line]:
    return [line for line in prepayment.lines if line.price_id is not None]


def _key(line: Line) -> _Key:
    return line.account_id, line.vat_code_id, line.vat_rate


def _nets_left(prepayment: Prepayment) -> dict[_Key, Decimal]:
    """What is charged and not credited, by account, VAT code and rate."""
    return sums_by(
        (_key(line), EXACT.add(line.net or ZERO, prepayment.credited.get(line.id, ZERO))) for line in _sold(prepayment)
    )


def _words(prepayment: Invoice, language: str) -> str:
    day = prepayment.issue_date
    if language == "da":
        return f"Forudbetalt, faktura {prepayment.number} af {day:%d.%m.%Y}"
    return f"Prepaid, invoice {prepayment.number} of {day.isoformat()}"


def with_lines(computed: Computed, added: Sequence[DeductionLine]) -> tuple[Line, ...]:
    """The lines of a draft with its deductions, which come last."""
    return (*computed.lines, *added)
