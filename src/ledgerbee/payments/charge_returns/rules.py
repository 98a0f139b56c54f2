"""Pure rules of what goes back of a charge: where it is taken from, and what booking it writes."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, Account
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import EXACT, ZERO, format_amount, multiply, round_money, total
from ledgerbee.ledger.entries.model import EntryToPost, EntryType, LineToPost, LineType, Side
from ledgerbee.ledger.entries.rules import Conversion
from ledgerbee.payments.charge_returns.model import (
    CHARGE_CREDIT_USED,
    PAYMENT_FEES,
    ChargeReturn,
    ChargeReturnId,
    ChargeSources,
    GivenBack,
    Parts,
    ReturnBooking,
    ReturnFacts,
)
from ledgerbee.payments.charges.model import Charge
from ledgerbee.payments.customer_payments.model import FX_GAIN, FX_LOSS, UsedExcess
from ledgerbee.payments.customer_payments.rules import role_account
from ledgerbee.sales.invoices.model import Invoice

#: What the journal says of a return, by the source of its entry and the company's language.
_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "refund": ("Tilbagebetaling af korttræk, faktura", "Refund of card charge, invoice"),
    "dispute": ("Tabt indsigelse mod korttræk, faktura", "Lost dispute of card charge, invoice"),
}
_REST: Final = ("heraf ikke af fakturaen", "of which not of the invoice")


def parts_of(amount: Decimal, invoice: Invoice, sources: ChargeSources) -> Parts:
    """Where an amount that goes back of a charge is taken from, the first that has something before the next:

    | from | what |
    | --- | --- |
    | the invoice's credit | what payments and credit notes are more than it is, as far as nobody used it |
    | what the charge was more than was due | it stands on unidentified receipts |
    | what is paid of the invoice | it is due again, no more than the charge paid of it |
    | nothing | what is left is nobody's to say: unidentified receipts |

    Where credit of the invoice was used elsewhere, that much of it stays paid.
    """
    takeable = min(EXACT.subtract(sources.paid, sources.settled), invoice.amount_paid)
    free = max(EXACT.subtract(invoice.excess, sources.used.amount), ZERO)
    if sources.used.amount:
        takeable = min(takeable, free)
    credit = min(amount, takeable, free)
    left = EXACT.subtract(amount, credit)
    unapplied = min(left, EXACT.subtract(sources.unapplied, sources.unapplied_gone))
    left = EXACT.subtract(left, unapplied)
    opened = min(left, EXACT.subtract(takeable, credit))
    return Parts(credit, opened, unapplied, EXACT.subtract(left, opened))


def is_covered(amount: Decimal, invoice: Invoice, sources: ChargeSources) -> bool:
    """Whether all of an amount that is to go back can be taken off something."""
    return not parts_of(amount, invoice, sources).unidentified


def check_covered(amount: Decimal, invoice: Invoice, sources: ChargeSources) -> None:
    """Refuse to give back what a credit note made a credit of that was used. `amount` is all that is to go back.

    Raises `CHARGE_CREDIT_USED`.
    """
    if not is_covered(amount, invoice, sources):
        raise CHARGE_CREDIT_USED.error(
            creditUsed=format_amount(sources.used.amount, invoice.currency),
            creditLeft=format_amount(max(EXACT.subtract(invoice.excess, sources.used.amount), ZERO), invoice.currency),
        )


def base_reopened(
    invoice: Invoice, amount: Decimal, settled: Decimal, used: UsedExcess, conversion: Conversion
) -> Decimal:
    """What comes back onto the receivable in the company's currency when `amount` less is paid of an invoice.

    `settled` is what was taken off it so far. What stays off is the share of the booked amount that stays settled, as
    `customer_payments.rules.base_settled` has it: so whatever is paid and given back, the last of it leaves nothing.
    What is more than the invoice stays at its rate, and never less than what was `used` of it. Never negative.
    """
    if not amount:
        return ZERO
    booked = invoice.base_amount or ZERO
    closed = EXACT.subtract(invoice.settled_amount, amount)
    if closed < invoice.amount:
        stays = round_money(EXACT.divide(multiply(booked, closed), invoice.amount), conversion.base_currency)
    else:
        excess, credit = EXACT.subtract(closed, invoice.amount), used.base_amount
        if used.amount < excess:
            credit = max(credit, conversion.in_base(excess))
        stays = EXACT.add(booked, credit)
    return max(EXACT.subtract(settled, stays), ZERO)


def base_unapplied(amount: Decimal, sources: ChargeSources, base_currency: str) -> Decimal:
    """What of what a charge was more than was due goes back, in the company's currency, at the charge's own rate.

    What went back in all follows its share, so that the last of it leaves nothing. Never negative.
    """
    gone = EXACT.add(sources.unapplied_gone, amount)
    share = round_money(EXACT.divide(multiply(sources.base_unapplied, gone), sources.unapplied), base_currency)
    return max(EXACT.subtract(share, sources.base_unapplied_gone), ZERO)


def fee_account(account_id: UUID | None, named: Mapping[UUID, Account], by_role: Mapping[str, Account]) -> Account:
    """The account that a provider's fees stand on. Raises `PAYMENT_ACCOUNT_MISSING`, `ACCOUNT_NOT_BOOKABLE`."""
    account = role_account(by_role, PAYMENT_FEES) if account_id is None else named[account_id]
    if not account.is_bookable:
        raise ACCOUNT_NOT_BOOKABLE.error(accountId=str(account.id))
    return account


def book(
    given: GivenBack,
    parts: Parts,
    charge: Charge,
    invoice: Invoice,
    sources: ChargeSources,
    found: ReturnFacts,
    today: date,
    now: datetime,
) -> ReturnBooking:
    """All there is to write of what goes back of a charge but for the invoice, which is as it was before.

    Raises `PAYMENT_ACCOUNT_MISSING` when an exchange difference has no account to stand on.
    """
    assert invoice.exchange_rate is not None
    day = Conversion(charge.currency, found.books.base_currency, found.rate)
    own = Conversion(charge.currency, found.books.base_currency, invoice.exchange_rate)
    settled = EXACT.add(parts.credit, parts.opened)
    gone = ChargeReturn(
        id=ChargeReturnId(new_id()),
        charge_id=charge.id,
        invoice_id=charge.invoice_id,
        customer_id=charge.customer_id,
        refund_id=given.refund_id,
        dispute_id=given.dispute_id,
        returned_on=today,
        amount=given.amount,
        currency=charge.currency,
        exchange_rate=found.rate,
        base_amount=day.in_base(given.amount),
        settled_amount=settled,
        base_settled=base_reopened(invoice, settled, found.books.settled, sources.used, own),
        unapplied_amount=parts.unapplied,
        base_unapplied=base_unapplied(parts.unapplied, sources, day.base_currency) if parts.unapplied else ZERO,
        unidentified_amount=parts.unidentified,
        base_unidentified=day.in_base(parts.unidentified),
        unidentified_account_id=found.unidentified.id if parts.unidentified else None,
        fee=given.fee,
        base_fee=day.in_base(given.fee),
        fee_account_id=found.fees.id if found.fees is not None else None,
        clearing_account_id=found.clearing.id,
        journal_entry_id=new_id(),
        created_at=now,
    )
    return ReturnBooking(gone, _entry(given, gone, invoice, sources, found))


def _entry(
    given: GivenBack, gone: ChargeReturn, invoice: Invoice, sources: ChargeSources, found: ReturnFacts
) -> EntryToPost:
    """The entry of a return: what it is taken from against clearing; a difference of rates is a gain or a loss."""
    debits = (
        (invoice.receivable_account_id, LineType.CONTROL, gone.settled_amount, gone.base_settled),
        (sources.unapplied_account_id, LineType.ENTERED, gone.unapplied_amount, gone.base_unapplied),
        (gone.unidentified_account_id, LineType.ENTERED, gone.unidentified_amount, gone.base_unidentified),
        (gone.fee_account_id, LineType.ENTERED, gone.fee, gone.base_fee),
    )
    lines = [
        LineToPost(account_id, Side.DEBIT, amount, line_type=kind, base_amount=base_amount)
        for account_id, kind, amount, base_amount in debits
        if amount and account_id is not None
    ]
    lines += [
        LineToPost(gone.clearing_account_id, Side.CREDIT, amount, base_amount=base_amount)
        for amount, base_amount in ((gone.amount, gone.base_amount), (gone.fee, gone.base_fee))
        if amount
    ]
    loss = EXACT.subtract(gone.base_amount, total([gone.base_settled, gone.base_unapplied, gone.base_unidentified]))
    if loss:
        role, side = (FX_LOSS, Side.DEBIT) if loss > 0 else (FX_GAIN, Side.CREDIT)
        lines.append(LineToPost(role_account(found.accounts_by_role, role).id, side, ZERO, base_amount=abs(loss)))
    return EntryToPost(
        id=gone.journal_entry_id,
        entry_type=EntryType.CUSTOMER_PAYMENT,
        date=gone.returned_on,
        currency=gone.currency,
        exchange_rate=gone.exchange_rate,
        lines=tuple(lines),
        original_amount=gone.amount,
        description=_text(given, gone, invoice, found),
        reference=given.reference,
        customer_id=gone.customer_id,
        journal_category_id=found.books.journal_category_id,
        source_type=given.source_type,
        source_id=gone.refund_id or gone.dispute_id,
    )


def _text(given: GivenBack, gone: ChargeReturn, invoice: Invoice, found: ReturnFacts) -> str:
    """What the journal says of a return: whose it is, and what of it is none of the invoice's."""
    place = 0 if found.books.language == "da" else 1
    text = f"{_TEXTS[given.source_type][place]} {invoice.number}, {found.books.customer_name}"
    if gone.unidentified_amount:
        rest = format_amount(gone.unidentified_amount, gone.currency)
        text += f" ({_REST[place]}: {rest} {gone.currency})"
    return text
