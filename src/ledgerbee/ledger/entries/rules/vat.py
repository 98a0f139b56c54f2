"""What a VAT code makes of an entered line (decisions "Ledger"). Pure.

The line itself keeps the base: what the VAT is computed of, and what a VAT return counts. The VAT stands on lines of
its own, each with the code: what can be deducted (or is owed) on the code's account, what can't on the line's own
account, and for a reverse charge all of it once more on the other side of the contra account.
"""

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from ledgerbee.chart.vat_codes.model import Principle, VatCode
from ledgerbee.core.money import EXACT, HUNDRED, percent_of, round_money
from ledgerbee.ledger.entries.model import EnteredLine, LineType, NewLine, Side


def split(line: EnteredLine, codes: Mapping[UUID, VatCode], currency: str) -> list[NewLine]:
    """The lines that an entered line is posted as, with the amounts for base amounts (they are in base currency).

    Principle Gross: the amount contains the VAT; Net: the VAT comes on top. The VAT of a line is rounded once, the part
    of it that can be deducted once more; what is left of either is exact, so the lines add up to what was entered.
    """
    code = None if line.vat_code_id is None else codes[line.vat_code_id]
    if code is None or code.rate == 0:
        return [_line(line, line.account_id, line.side, line.amount, line.line_type)]
    if code.principle is Principle.GROSS:
        vat = round_money(_contained(line.amount, code.rate), currency)
        base = EXACT.subtract(line.amount, vat)
    else:
        vat, base = round_money(percent_of(line.amount, code.rate), currency), line.amount
    deductible = round_money(percent_of(vat, code.deductible_percent), currency)
    assert code.account_id is not None, "a code with a rate has an account"
    parts = [
        (line.account_id, line.side, EXACT.subtract(vat, deductible), LineType.VAT),
        (code.account_id, line.side, deductible, LineType.VAT),
    ]
    if code.contra_account_id is not None:
        parts.append((code.contra_account_id, other(line.side), vat, LineType.VAT_CONTRA))
    return [
        _line(line, line.account_id, line.side, base, line.line_type),
        *(_line(line, *part) for part in parts if part[2] != 0),
    ]


def other(side: Side) -> Side:
    """The opposite side."""
    return Side.CREDIT if side is Side.DEBIT else Side.DEBIT


def _contained(gross: Decimal, rate: Decimal) -> Decimal:
    """The VAT in an amount that contains it, unrounded."""
    return EXACT.divide(EXACT.multiply(gross, rate), EXACT.add(HUNDRED, rate))


def _line(line: EnteredLine, account_id: UUID, side: Side, amount: Decimal, line_type: LineType) -> NewLine:
    return NewLine(account_id, side, amount, amount, line_type, line.vat_code_id, line.description, line.tag_ids)
