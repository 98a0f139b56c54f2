"""The journal entry of a credit note: its invoice's accounts and VAT codes, the sides swapped. Pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from ledgerbee.chart.accounts.model import Account
from ledgerbee.core.fields import replace
from ledgerbee.core.money import EXACT, ZERO
from ledgerbee.ledger.entries.model import LineToPost, LineType, Side
from ledgerbee.ledger.entries.rules import Conversion
from ledgerbee.sales.credit_notes.model import CREDIT_NOTE_ACCOUNT_MISSING, CreditedInvoice, CreditNote
from ledgerbee.sales.deferrals.model import CreditedDeferrals
from ledgerbee.sales.documents.model import Computed
from ledgerbee.sales.documents.rules import sums_by
from ledgerbee.sales.sending import rules

#: Roles of the accounts of exchange differences (chart/seed).
FX_GAIN: Final = "FX_GAIN"
FX_LOSS: Final = "FX_LOSS"


def entry_text(note: CreditNote, customer_name: str, language: str) -> str:
    """What the journal says of a note: its own description, if any, then what it is, of what and for whom."""
    danish = language == "da"
    title = f"{'Kreditnota' if danish else 'Credit note'} {note.number}"
    if note.invoice_number is not None:
        title += f" {'til faktura' if danish else 'on invoice'} {note.invoice_number}"
    return rules.entry_text(f"{title}, {customer_name}", note.description)


def entry_lines(
    note: CreditNote,
    computed: Computed,
    conversion: Conversion,
    credited: CreditedInvoice | None,
    accounts: Mapping[str, Account],
    taken: CreditedDeferrals,
) -> tuple[LineToPost, ...]:
    """The lines of a note's entry, the receivable (first) in credit.

    In a foreign currency revenue and VAT are each amount x rate, the invoice's. What settles an invoice takes off the
    receivable all that is left of it in the company's currency, and what takes the last of an account and VAT code all
    that is left there (`sending.rules.residues`): the difference is a gain or a loss by exchange rates. So does what
    is `taken` off deferred revenue.
    Raises `CREDIT_NOTE_ACCOUNT_MISSING` when a difference has no account to stand on.
    """
    assert note.receivable_account_id is not None
    lines = rules.entry_lines(computed, conversion, note.receivable_account_id, taken.deferred)
    if credited is None or conversion.is_base:
        return lines
    taken_off = base_amount(-note.amount, credited, conversion)
    booked = _off_deferrals(lines, computed, taken)
    lines = (replace(lines[0], base_amount=taken_off), *booked[1:], *rules.residues(booked, credited.left))
    difference = rules.difference_of(lines)
    if not difference:
        return lines
    role = FX_GAIN if difference > 0 else FX_LOSS
    account = accounts.get(role)
    if account is None:
        raise CREDIT_NOTE_ACCOUNT_MISSING.error(role=role)
    return (*lines, rules.exchange_difference(difference, account.id, account.id))


def _off_deferrals(lines: Sequence[LineToPost], computed: Computed, taken: CreditedDeferrals) -> tuple[LineToPost, ...]:
    """The lines, those on accounts of deferred revenue at what is taken off there in the company's currency."""
    taxes = {line.id: computed.taxes[line.tax_key] for line in computed.lines if line.tax_key is not None}
    exact = sums_by(
        (
            (
                part.account_id,
                taxes[line_id].vat_code_id,
                taxes[line_id].rate if taxes[line_id].vat_code_id else None,
                Side.CREDIT if part.amount > 0 else Side.DEBIT,
            ),
            abs(taken.base_amounts[line_id]),
        )
        for line_id, part in taken.deferred.items()
    )
    keys = [
        (line.account_id, line.vat_code_id, line.vat_rate, line.side) if line.line_type is LineType.ENTERED else None
        for line in lines
    ]
    return tuple(
        replace(line, base_amount=exact[key]) if key is not None and key in exact else line
        for line, key in zip(lines, keys, strict=True)
    )


def base_amount(amount: Decimal, credited: CreditedInvoice, conversion: Conversion) -> Decimal:
    """What a note of `amount` (positive) takes off its invoice's receivable in the company's currency.

    At the invoice's rate, as long as something is due afterwards, and never more than is left. A note that leaves
    nothing due takes all that is left, and what it exceeds the amount due by at the invoice's rate: that is a credit of
    the customer's.
    """
    before = credited.invoice
    booked = before.base_amount or ZERO
    after = replace(before, credited_amount=EXACT.add(before.credited_amount, amount))
    earlier = conversion.in_base(before.excess)
    settled = EXACT.subtract(credited.settled, earlier)
    left = max(EXACT.subtract(booked, settled), ZERO)
    if after.amount_due:
        return min(conversion.in_base(amount), left)
    return max(EXACT.subtract(EXACT.add(left, conversion.in_base(after.excess)), earlier), ZERO)
