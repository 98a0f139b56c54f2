"""Pure rules of customers' credit: what is taken of which source, and what booking it writes."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_FOUND, Account
from ledgerbee.core.errors import check_all, invalid
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import EXACT, ONE, ZERO, format_amount, multiply, round_money, total
from ledgerbee.ledger.entries.model import EntryToPost, EntryType, LineToPost, LineType, Side
from ledgerbee.payments.customer_credit.model import (
    CREDIT_EXCEEDS_INVOICE,
    CUSTOMER_CREDIT_INSUFFICIENT,
    SOURCE_TYPE,
    CreditBooking,
    CreditFacts,
    CreditPart,
    CreditSource,
    CreditUse,
    CreditUseId,
    RefundFields,
)
from ledgerbee.payments.customer_payments.model import BANK, FX_GAIN, FX_LOSS
from ledgerbee.payments.customer_payments.rules import base_settled, check_account, role_account
from ledgerbee.sales.documents.rules import check_date, check_precision
from ledgerbee.sales.invoices.model import Invoice
from ledgerbee.sales.invoices.rules import PAYABLE, apply_credit, require_status
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING


def book_application(
    invoice: Invoice, amount: Decimal | None, found: CreditFacts, today: date, now: datetime
) -> CreditBooking:
    """All there is to write of credit that is used on an invoice (`amount` None: as much as there is and is due).

    | refused, in this order | why |
    | --- | --- |
    | `INVOICE_INVALID_STATE` | the invoice is a draft, or nothing is due on it |
    | a validation error | the amount is finer than the currency |
    | `CREDIT_EXCEEDS_INVOICE` | less is due |
    | `CUSTOMER_CREDIT_INSUFFICIENT` | there is less credit in the invoice's currency, or none |
    | `PAYMENT_ACCOUNT_MISSING` | an exchange difference has no account to stand on |
    """
    require_status(invoice, PAYABLE)
    assert invoice.exchange_rate is not None
    assert invoice.receivable_account_id is not None
    assert found.settled is not None
    wanted = _wanted(invoice, amount, found.sources)
    parts = take(found.sources, wanted, invoice.currency, found.base_currency)
    base_given = base_settled(invoice, wanted, found.settled, found.base_currency)
    use = CreditUse(
        id=CreditUseId(new_id()),
        customer_id=invoice.customer_id,
        invoice_id=invoice.id,
        account_id=None,
        used_on=max(today, invoice.issue_date, _since(parts)),
        amount=wanted,
        currency=invoice.currency,
        exchange_rate=invoice.exchange_rate,
        base_taken=total([part.base_amount for part in parts]),
        base_given=base_given,
        reference=None,
        journal_entry_id=new_id() if _moves(parts, invoice, base_given) else None,
        created_at=now,
    )
    what = "Modregning på faktura" if found.language == "da" else "Credit used on invoice"
    text = f"{what} {invoice.number}, {found.customer_name}"
    control = LineType.CONTROL
    entry = _entry(use, parts, (invoice.receivable_account_id, control), found, text=text, reference=invoice.number)
    return CreditBooking(use, parts, entry, apply_credit(invoice, wanted, now))


def _wanted(invoice: Invoice, amount: Decimal | None, sources: Sequence[CreditSource]) -> Decimal:
    """How much is used, where it can be. Raises validation errors, `CREDIT_EXCEEDS_INVOICE`."""
    due = invoice.amount_due
    if amount is None:
        return min(due, total([source.left for source in sources]))
    check_precision(amount, invoice.currency, "amount")
    if amount > due:
        raise CREDIT_EXCEEDS_INVOICE.error(
            amount=format_amount(amount, invoice.currency), amountDue=format_amount(due, invoice.currency)
        )
    return amount


def _moves(parts: Sequence[CreditPart], invoice: Invoice, base_given: Decimal) -> bool:
    """Whether anything is to be booked: the credit stands on another account than the invoice, or at other rates."""
    accounts = {part.source.receivable_account_id for part in parts}
    return accounts != {invoice.receivable_account_id} or total([part.base_amount for part in parts]) != base_given


def book_refund(
    given: RefundFields, customer_id: UUID, found: CreditFacts, today: date, now: datetime
) -> CreditBooking:
    """All there is to write of credit that is paid back, or the first refusal, in this order:

    | refused | why |
    | --- | --- |
    | validation errors | date, amount or rate can't be of the currency |
    | `CUSTOMER_CREDIT_INSUFFICIENT` | there is less credit in the currency, or none |
    | a validation error | the day is before there was what is paid back |
    | `ACCOUNT_NOT_FOUND`, `PAYMENT_ACCOUNT_MISSING` | the named account, or one with the role BANK, isn't there |
    | `ACCOUNT_NOT_BOOKABLE`, `PAYMENT_ACCOUNT_INVALID` | money isn't paid from there |
    | `EXCHANGE_RATE_MISSING` | no rate of the day leads to the company's currency |
    | `PAYMENT_ACCOUNT_MISSING` | an exchange difference has no account to stand on |
    """
    check_all(
        lambda: check_date(given.refunded_on, today),
        lambda: check_precision(given.amount, given.currency, "amount"),
        lambda: _check_rate(given, found.base_currency),
    )
    parts = take(found.sources, given.amount, given.currency, found.base_currency)
    if given.refunded_on < _since(parts):
        raise invalid(("date", "minDate", "date must not be before there was the credit"))
    account = _account(given, found)
    check_account(account)
    rate = given.exchange_rate or _rate(given, found)
    use = CreditUse(
        id=CreditUseId(new_id()),
        customer_id=customer_id,
        invoice_id=None,
        account_id=account.id,
        used_on=given.refunded_on,
        amount=given.amount,
        currency=given.currency,
        exchange_rate=rate,
        base_taken=total([part.base_amount for part in parts]),
        base_given=round_money(multiply(given.amount, rate), found.base_currency),
        reference=given.reference,
        journal_entry_id=new_id(),
        created_at=now,
    )
    what = "Udbetaling af tilgodehavende" if found.language == "da" else "Credit paid back"
    text = f"{what}, {found.customer_name}"
    entry = _entry(use, parts, (account.id, LineType.ENTERED), found, text=text, reference=given.reference)
    return CreditBooking(use, parts, entry)


def _check_rate(given: RefundFields, base_currency: str) -> None:
    if given.currency == base_currency and given.exchange_rate not in {None, ONE}:
        raise invalid(("exchangeRate", "isIn", "exchangeRate must be 1 in the company's own currency"))


def _account(given: RefundFields, found: CreditFacts) -> Account:
    if given.account_id is None:
        return role_account(found.accounts_by_role, BANK)
    if found.account is None:
        raise ACCOUNT_NOT_FOUND.missing("accountId", "accountId", given.account_id)
    return found.account


def _rate(given: RefundFields, found: CreditFacts) -> Decimal:
    if found.rate is None:
        raise EXCHANGE_RATE_MISSING.error(
            currency=given.currency, baseCurrency=found.base_currency, date=given.refunded_on.isoformat()
        )
    return found.rate.value


def take(sources: Sequence[CreditSource], amount: Decimal, currency: str, base_currency: str) -> tuple[CreditPart, ...]:
    """What `amount` takes of sources of the currency, in their order: all of the first before any of the next.

    Raises `CUSTOMER_CREDIT_INSUFFICIENT`, also for nothing at all.
    """
    available = total([source.left for source in sources])
    if not 0 < amount <= available:
        raise CUSTOMER_CREDIT_INSUFFICIENT.error(currency=currency, available=format_amount(available, currency))
    parts: list[CreditPart] = []
    missing = amount
    for source in sources:
        if not missing:
            break
        if not source.left:
            continue
        taken = min(source.left, missing)
        parts.append(CreditPart(source, taken, base_taken(source, taken, base_currency)))
        missing = EXACT.subtract(missing, taken)
    return tuple(parts)


def _since(parts: Sequence[CreditPart]) -> date:
    """The day from which on there was all that is taken."""
    return max(part.source.since for part in parts)


def base_taken(source: CreditSource, amount: Decimal, base_currency: str) -> Decimal:
    """What `amount` of a source takes off the receivable in the company's currency, at the source's own rate.

    What is used in all follows the share of its credit, so that the last part leaves nothing. Never negative.
    """
    used = EXACT.add(source.used, amount)
    share = source.base_amount
    if used != source.amount:
        share = round_money(EXACT.divide(multiply(source.base_amount, used), source.amount), base_currency)
    return max(EXACT.subtract(share, source.base_used), ZERO)


def _entry(
    use: CreditUse,
    parts: Sequence[CreditPart],
    given: tuple[UUID, LineType],
    found: CreditFacts,
    *,
    text: str,
    reference: str | None,
) -> EntryToPost | None:
    """The entry of a use: receivables of the sources against what was `given`; a difference of rates is a gain or loss.

    None where the use has none. Raises `PAYMENT_ACCOUNT_MISSING` when a difference has no account to stand on.
    """
    if use.journal_entry_id is None:
        return None
    account_id, line_type = given
    lines = [
        *_debits(parts),
        LineToPost(account_id, Side.CREDIT, use.amount, line_type=line_type, base_amount=use.base_given),
    ]
    difference = use.exchange_difference
    if difference > 0:
        lines.append(_difference(found.accounts_by_role, FX_GAIN, Side.CREDIT, difference))
    elif difference < 0:
        lines.append(_difference(found.accounts_by_role, FX_LOSS, Side.DEBIT, -difference))
    return EntryToPost(
        id=use.journal_entry_id,
        entry_type=EntryType.CUSTOMER_PAYMENT,
        date=use.used_on,
        currency=use.currency,
        exchange_rate=use.exchange_rate,
        lines=tuple(lines),
        original_amount=use.amount,
        description=text,
        reference=reference,
        customer_id=use.customer_id,
        journal_category_id=found.journal_category_id,
        source_type=SOURCE_TYPE,
        source_id=use.id,
    )


def _debits(parts: Sequence[CreditPart]) -> list[LineToPost]:
    """One line for each receivable account that credit stands on."""
    accounts = dict.fromkeys(part.source.receivable_account_id for part in parts)
    return [
        LineToPost(
            account_id,
            Side.DEBIT,
            total([part.amount for part in parts if part.source.receivable_account_id == account_id]),
            line_type=LineType.CONTROL,
            base_amount=total([part.base_amount for part in parts if part.source.receivable_account_id == account_id]),
        )
        for account_id in accounts
    ]


def _difference(accounts: Mapping[str, Account], role: str, side: Side, amount: Decimal) -> LineToPost:
    return LineToPost(role_account(accounts, role).id, side, ZERO, base_amount=amount)
