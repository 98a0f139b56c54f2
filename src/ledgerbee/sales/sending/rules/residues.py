"""What conversion leaves on the accounts of a document of which nothing is left. Pure.

In a foreign currency each document is converted by itself (docs/decisions/0018): parts of an invoice that are taken
back may be some smallest units off what it was booked at. Whatever takes the last of an account and VAT code takes
these with it, as an exchange difference, so that nothing stays there (decisions "Documents").
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from ledgerbee.core.money import EXACT, ZERO, total
from ledgerbee.ledger.entries.model import LineToPost, LineType, Side
from ledgerbee.sales.documents.rules import sums_by
from ledgerbee.sales.sending.model import BookedLeft, BookedOn


def residues(lines: Sequence[LineToPost], left: Mapping[BookedOn, BookedLeft]) -> list[LineToPost]:
    """Lines in the company's currency alone that empty what `lines` take the last of; `left` is what was there before.

    What is left of VAT isn't VAT of a supply: it has no code. They are not balanced.
    """
    keys = [(BookedOn(line.line_type, line.account_id, line.vat_code_id, line.vat_rate), line) for line in lines]
    amounts = sums_by((key, _in_debit(line, line.amount)) for key, line in keys)
    base_amounts = sums_by((key, _in_debit(line, line.base_amount)) for key, line in keys)
    found = []
    for key, of in left.items():
        rest = EXACT.subtract(of.base_amount, base_amounts.get(key, ZERO))
        if not of.amount or amounts.get(key) != of.amount or not rest:
            continue
        is_vat = key.line_type is LineType.VAT
        found.append(
            LineToPost(
                key.account_id,
                Side.DEBIT if rest > 0 else Side.CREDIT,
                ZERO,
                base_amount=abs(rest),
                vat_code_id=None if is_vat else key.vat_code_id,
                vat_rate=None if is_vat else key.vat_rate,
            )
        )
    return found


def difference_of(lines: Iterable[LineToPost]) -> Decimal:
    """Debits less credits in the company's currency."""
    return total([_in_debit(line, line.base_amount) for line in lines])


def exchange_difference(difference: Decimal, gain_account_id: UUID, loss_account_id: UUID) -> LineToPost:
    """The line that balances lines that are more in debit by `difference`, which isn't zero: a gain, or a loss."""
    if difference > 0:
        return LineToPost(gain_account_id, Side.CREDIT, ZERO, base_amount=difference)
    return LineToPost(loss_account_id, Side.DEBIT, ZERO, base_amount=-difference)


def _in_debit(line: LineToPost, amount: Decimal) -> Decimal:
    return amount if line.side is Side.DEBIT else -amount
