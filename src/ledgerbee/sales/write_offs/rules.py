"""What an invoice that is given up is booked by, and how that is taken back. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from msgspec.structs import replace as replace_line

from ledgerbee.chart.accounts.model import Account
from ledgerbee.core.errors import check_all, invalid
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import EXACT, ZERO, multiply, round_money, total
from ledgerbee.ledger.entries.model import EntryToPost, EntryType, LineToPost, LineType, Side
from ledgerbee.ledger.entries.rules import Conversion, balance_in_base, other
from ledgerbee.sales.documents.rules import check_date
from ledgerbee.sales.invoices.model import Invoice, InvoiceStatus
from ledgerbee.sales.invoices.rules import write_off as given_up
from ledgerbee.sales.sending.rules import difference_of, entry_text, exchange_difference
from ledgerbee.sales.write_offs.model import (
    BAD_DEBTS,
    FX_GAIN,
    FX_LOSS,
    INVOICE_NOT_WRITTEN_OFF,
    SOURCE_TYPE,
    WRITE_OFF_ACCOUNT_MISSING,
    Charged,
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
    | `WRITE_OFF_ACCOUNT_MISSING` | the loss, or an exchange difference, has no account to stand on |

    The receivable ends at zero in both currencies: the loss takes what rounding leaves. Of a prepayment invoice that
    nothing deducts there is no loss, as there was no sale: what is due leaves prepayments, and what rounding leaves is
    an exchange difference.
    """
    uncollectible = given_up(invoice, now)
    day = given.written_off_on or max(today, invoice.issue_date)
    check_day(day, invoice, today)
    assert invoice.exchange_rate is not None
    conversion = Conversion(invoice.currency, found.base_currency, invoice.exchange_rate)
    due, vat = invoice.amount_due, in_due(invoice, found.charged, conversion)
    base_left = _base_left(invoice, found.settled)
    if found.prepaid:
        prepaid = _prepaid_in_due(invoice, found.prepaid, total([one.amount for one in vat]), conversion)
        lines = _lines_of_prepayment(invoice, prepaid, vat, base_left, found.accounts_by_role)
    else:
        prepaid = ()
        account = _account(found.accounts_by_role, BAD_DEBTS)
        lines = _lines(invoice, account.id, vat, base_left, conversion)
    of_vat = [line for line in lines if line.line_type is LineType.VAT]
    written_off = WriteOff(
        id=WriteOffId(new_id()),
        invoice_id=invoice.id,
        written_off_on=day,
        amount=due,
        vat_amount=total([share.amount for share in vat]),
        base_amount=lines[0].base_amount,
        base_vat_amount=difference_of(of_vat),
        prepaid_amount=total([one.amount for one in prepaid]),
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


def in_due(invoice: Invoice, charged: Iterable[Charged], conversion: Conversion) -> tuple[Charged, ...]:
    """What is due has of what was charged, of its VAT by account, code and rate (momslovens § 27, stk. 6): 80 % of a
    loss at 25 % is its net.

    Of a partly paid invoice it is the share of what was charged, less what was credited, each rounded by itself; of one
    on which nothing is paid, all of it, as it was booked. Sales without VAT have none.
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


def _prepaid_in_due(
    invoice: Invoice, prepaid: Sequence[Charged], vat: Decimal, conversion: Conversion
) -> tuple[Charged, ...]:
    """What is due without its VAT, by account, code and rate: the largest takes what rounding leaves."""
    shares = in_due(invoice, prepaid, conversion) or (replace(prepaid[0], amount=ZERO, base_amount=ZERO),)
    rest = EXACT.subtract(invoice.amount_due, total([vat, *(share.amount for share in shares)]))
    if not rest:
        return shares
    largest = max(shares, key=lambda share: abs(share.amount))
    amount = EXACT.add(largest.amount, rest)
    moved = replace(largest, amount=amount, base_amount=conversion.in_base(amount))
    return tuple(moved if share is largest else share for share in shares)


def _lines_of_prepayment(
    invoice: Invoice,
    prepaid: Sequence[Charged],
    vat: Sequence[Charged],
    base_left: Decimal,
    accounts: Mapping[str, Account],
) -> tuple[LineToPost, ...]:
    """The receivable (first) in credit; prepayments and VAT, each by code as it was booked, in debit."""
    lines = (_receivable(invoice, base_left), *(_debit_prepaid(one) for one in prepaid), *map(_debit_vat, vat))
    difference = difference_of(lines)
    if not difference:
        return lines
    account_id = _account(accounts, FX_GAIN if difference > 0 else FX_LOSS).id
    return (*lines, exchange_difference(difference, account_id, account_id))


def _account(accounts: Mapping[str, Account], role: str) -> Account:
    account = accounts.get(role)
    if account is None:
        raise WRITE_OFF_ACCOUNT_MISSING.error(role=role)
    return account


def _base_left(invoice: Invoice, settled: Decimal) -> Decimal:
    """What is left of the receivable in the company's currency."""
    return max(EXACT.subtract(invoice.base_amount or ZERO, settled), ZERO)


def _lines(
    invoice: Invoice, loss_account_id: UUID, vat: Sequence[Charged], base_left: Decimal, conversion: Conversion
) -> tuple[LineToPost, ...]:
    """The receivable (first) in credit; the loss, and the VAT by code, in debit: the VAT return has it by the code.

    The loss is no sale: it has no code.
    """
    loss = EXACT.subtract(invoice.amount_due, total([share.amount for share in vat]))
    drafted = [
        _receivable(invoice, base_left),
        _debit(loss_account_id, loss, conversion.in_base(loss)),
        *(_debit_vat(share) for share in vat),
    ]
    return balance_in_base(drafted, [_RANKS[line.line_type] for line in drafted], conversion)


def _receivable(invoice: Invoice, base_left: Decimal) -> LineToPost:
    assert invoice.receivable_account_id is not None
    return LineToPost(
        account_id=invoice.receivable_account_id,
        side=Side.CREDIT,
        amount=invoice.amount_due,
        base_amount=base_left,
        line_type=LineType.CONTROL,
    )


def _debit_prepaid(share: Charged) -> LineToPost:
    line = _debit(share.account_id, share.amount, share.base_amount)
    return replace_line(line, vat_code_id=share.vat_code_id, vat_rate=share.vat_rate)


def _debit_vat(share: Charged) -> LineToPost:
    line = _debit(share.account_id, share.amount, share.base_amount)
    return replace_line(line, line_type=LineType.VAT, vat_code_id=share.vat_code_id, vat_rate=share.vat_rate)


def _debit(account_id: UUID, amount: Decimal, base_amount: Decimal) -> LineToPost:
    """A line in debit; a negative amount (what a discount leaves at another rate) stands on the other side."""
    side = Side.DEBIT if amount >= 0 else other(Side.DEBIT)
    return LineToPost(account_id=account_id, side=side, amount=abs(amount), base_amount=abs(base_amount))


def _entry(write_off: WriteOff, invoice: Invoice, found: WriteOffSources, lines: tuple[LineToPost, ...]) -> EntryToPost:
    assert invoice.exchange_rate is not None
    danish = found.language == "da"
    title = "Tab på faktura" if danish else "Loss on invoice"
    if found.prepaid:
        title = "Opgivet forudbetaling, faktura" if danish else "Prepayment given up, invoice"
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
