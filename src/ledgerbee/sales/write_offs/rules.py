"""What an invoice that is given up is booked by, and how that is taken back. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from msgspec.structs import replace as replace_line

from ledgerbee.core.errors import check_all, invalid
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import EXACT, ZERO, multiply, round_money, total
from ledgerbee.ledger.entries.model import EntryToPost, EntryType, LineToPost, LineType, Side
from ledgerbee.ledger.entries.rules import Conversion, balance_in_base, other
from ledgerbee.sales.documents.rules import check_date
from ledgerbee.sales.invoices.model import Invoice, InvoiceStatus
from ledgerbee.sales.invoices.rules import write_off as given_up
from ledgerbee.sales.sending.rules import entry_text
from ledgerbee.sales.write_offs.model import (
    BAD_DEBTS,
    INVOICE_NOT_WRITTEN_OFF,
    SOURCE_TYPE,
    WRITE_OFF_ACCOUNT_MISSING,
    ChargedVat,
    WriteOff,
    WriteOffBooking,
    WriteOffFields,
    WriteOffId,
    WriteOffSources,
)

#: Which lines take what is left when amounts are converted one by one: the loss, then the VAT, never the receivable.
_RANKS: Final[Mapping[LineType, int]] = {LineType.ENTERED: 0, LineType.VAT: 1, LineType.CONTROL: 2}


def book(
    given: WriteOffFields, invoice: Invoice, found: WriteOffSources, today: date, now: datetime
) -> WriteOffBooking:
    """All there is to write of an invoice that is given up, or the first refusal, in this order:

    | refused | why |
    | --- | --- |
    | `INVOICE_INVALID_STATE` | nothing is due: a draft, paid, credited, or given up before |
    | validation errors | the day is before the invoice's, or more than a year ahead |
    | `WRITE_OFF_ACCOUNT_MISSING` | the loss has no account to stand on |

    The receivable ends at zero in both currencies: the loss takes what rounding leaves.
    """
    uncollectible = given_up(invoice, now)
    day = given.written_off_on or max(today, invoice.issue_date)
    check_day(day, invoice, today)
    account = found.accounts_by_role.get(BAD_DEBTS)
    if account is None:
        raise WRITE_OFF_ACCOUNT_MISSING.error(role=BAD_DEBTS)
    assert invoice.exchange_rate is not None
    conversion = Conversion(invoice.currency, found.base_currency, invoice.exchange_rate)
    due, vat = invoice.amount_due, vat_in_due(invoice, found.charged, conversion)
    lines = _lines(invoice, account.id, vat, _base_left(invoice, found.settled), conversion)
    of_vat = [line for line in lines if line.line_type is LineType.VAT]
    written_off = WriteOff(
        id=WriteOffId(new_id()),
        invoice_id=invoice.id,
        written_off_on=day,
        amount=due,
        vat_amount=total([share.amount for share in vat]),
        base_amount=lines[0].base_amount,
        base_vat_amount=total([line.base_amount if line.side is Side.DEBIT else -line.base_amount for line in of_vat]),
        description=given.description,
        journal_entry_id=new_id(),
        created_at=now,
    )
    return WriteOffBooking(written_off, _entry(written_off, invoice, found, lines), uncollectible)


def check_day(day: date, invoice: Invoice, today: date) -> None:
    """Refuse a day before the invoice's, or more than a year ahead. Raises validation errors."""
    check_all(lambda: check_date(day, today), lambda: _check_not_before(day, invoice.issue_date))


def _check_not_before(day: date, issued: date) -> None:
    if day < issued:
        raise invalid(("date", "minDate", "date must not be before the invoice's date"))


def vat_in_due(invoice: Invoice, charged: Iterable[ChargedVat], conversion: Conversion) -> tuple[ChargedVat, ...]:
    """The VAT in what is due, by account, code and rate (momslovens § 27, stk. 6): 80 % of a loss at 25 % is its net.

    Of a partly paid invoice it is the share of the VAT that was charged, less what was credited, each rounded by
    itself; of one on which nothing is paid, all of it, as it was booked. Sales without VAT have none.
    """
    due, whole = invoice.amount_due, EXACT.subtract(invoice.amount, invoice.credited_amount)
    if due == whole:
        return tuple(one for one in charged if one.amount)
    shares = []
    for one in charged:
        amount = round_money(EXACT.divide(multiply(one.amount, due), whole), invoice.currency)
        if amount:
            shares.append(replace(one, amount=amount, base_amount=conversion.in_base(amount)))
    return tuple(shares)


def _base_left(invoice: Invoice, settled: Decimal) -> Decimal:
    """What is left of the receivable in the company's currency."""
    return max(EXACT.subtract(invoice.base_amount or ZERO, settled), ZERO)


def _lines(
    invoice: Invoice, loss_account_id: UUID, vat: Sequence[ChargedVat], base_left: Decimal, conversion: Conversion
) -> tuple[LineToPost, ...]:
    """The receivable (first) in credit; the loss, and the VAT by code, in debit: the VAT return has it by the code.

    The loss is no sale: it has no code.
    """
    assert invoice.receivable_account_id is not None
    loss = EXACT.subtract(invoice.amount_due, total([share.amount for share in vat]))
    drafted = [
        LineToPost(
            account_id=invoice.receivable_account_id,
            side=Side.CREDIT,
            amount=invoice.amount_due,
            base_amount=base_left,
            line_type=LineType.CONTROL,
        ),
        _debit(loss_account_id, loss, conversion.in_base(loss)),
        *(_debit_vat(share) for share in vat),
    ]
    return balance_in_base(drafted, [_RANKS[line.line_type] for line in drafted], conversion)


def _debit_vat(share: ChargedVat) -> LineToPost:
    line = _debit(share.account_id, share.amount, share.base_amount)
    return replace_line(line, line_type=LineType.VAT, vat_code_id=share.vat_code_id, vat_rate=share.vat_rate)


def _debit(account_id: UUID, amount: Decimal, base_amount: Decimal) -> LineToPost:
    """A line in debit; a negative amount (what a discount leaves at another rate) stands on the other side."""
    side = Side.DEBIT if amount >= 0 else other(Side.DEBIT)
    return LineToPost(account_id=account_id, side=side, amount=abs(amount), base_amount=abs(base_amount))


def _entry(write_off: WriteOff, invoice: Invoice, found: WriteOffSources, lines: tuple[LineToPost, ...]) -> EntryToPost:
    assert invoice.exchange_rate is not None
    title = "Tab på faktura" if found.language == "da" else "Loss on invoice"
    return EntryToPost(
        id=write_off.journal_entry_id,
        entry_type=EntryType.JOURNAL_ENTRY,
        date=write_off.written_off_on,
        currency=invoice.currency,
        exchange_rate=invoice.exchange_rate,
        lines=lines,
        original_amount=write_off.amount,
        description=entry_text(f"{title} {invoice.number}, {found.customer_name}", write_off.description),
        reference=invoice.number,
        customer_id=invoice.customer_id,
        journal_category_id=found.journal_category_id,
        source_type=SOURCE_TYPE,
        source_id=write_off.id,
    )


def require_written_off(found: WriteOff | None, status: InvoiceStatus) -> WriteOff:
    """The write-off that stands, of an invoice of that status. Raises `INVOICE_NOT_WRITTEN_OFF`."""
    if found is None:
        raise INVOICE_NOT_WRITTEN_OFF.error(status=status.value)
    return found
