"""What a VAT code makes of an entered line (decisions "Ledger"). Pure.

The line itself keeps the base: what the VAT is computed of, and what a VAT return counts. The VAT stands on lines of
its own, each with the code: what can be deducted (or is owed) on the code's account, what can't on the line's own
account, and for a reverse charge all of it once more on the other side of the contra account.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Final
from uuid import UUID

from msgspec.structs import astuple, replace

from ledgerbee.chart.vat_codes.model import Principle, VatCode, VatRate
from ledgerbee.core.money import EXACT, HUNDRED, ONE, multiply, percent_of, round_money
from ledgerbee.ledger.entries.model import LINE_FIELDS, LineInput, LineToPost, LineType, Side
from ledgerbee.ledger.entries.rules.balance import Conversion

#: The first values of a line, which it has when it is posted too.
_SHARED: Final = len(LINE_FIELDS)
#: How far a stated VAT may be off: by one unit of its currency, or by 1 % of what the rate makes.
_TOLERANCE: Final = ONE


def untaxed(line: LineInput, base_amount: Decimal) -> LineToPost:
    """The line that an entered line without a VAT code is posted as."""
    return LineToPost(*astuple(line)[:_SHARED], base_amount=base_amount)


def split(line: LineInput, code: VatCode, rate: VatRate, conversion: Conversion) -> list[LineToPost]:
    """The lines that a line with a VAT code is posted as; `rate` is the code's on the entry's day.

    The VAT of a line is rounded once, the part of it that can be deducted once more; what is left of either is exact,
    so the lines add up to what was entered. In a foreign currency each amount is converted by itself; the VAT of a
    reverse charge is computed of the converted base, since nobody bills it (momslovens § 46: the buyer states it), also
    where it is less than a cent of that currency: 0.01 EUR of services is 0.07 kroner and owes 0.02. What
    can be deducted is a share of the VAT in the company's currency (momslovens § 42, stk. 2).
    """
    computed = computed_vat(line, code, rate, conversion.currency)
    vat = computed if line.vat_amount is None else line.vat_amount
    base = EXACT.subtract(line.amount, vat) if contains_vat(line, code) else line.amount
    own = _line(line, line.account_id, line.side, base, conversion.in_base(base), line.line_type, rate)
    if line.vat_amount is not None:
        own = replace(own, vat_difference=EXACT.subtract(vat, computed))
    if not vat and (conversion.is_base or code.contra_account_id is None):
        return [own]
    return [own, *_vat_lines(line, code, rate, own, vat, conversion)]


def contains_vat(line: LineInput, code: VatCode) -> bool:
    """True where the entered amount contains its VAT: as the line says, else by the code's principle."""
    return code.principle is Principle.GROSS if line.vat_included is None else line.vat_included


def computed_vat(line: LineInput, code: VatCode, rate: VatRate, currency: str) -> Decimal:
    """The VAT that the rate makes of a line's amount, rounded to the currency."""
    if contains_vat(line, code):
        return round_money(
            EXACT.divide(EXACT.multiply(line.amount, rate.rate), EXACT.add(HUNDRED, rate.rate)), currency
        )
    return round_money(percent_of(line.amount, rate.rate), currency)


def is_near(stated: Decimal, computed: Decimal) -> bool:
    """True if a stated VAT is off by no more than 1 % of the computed one, or by no more than 1.00."""
    off = abs(EXACT.subtract(stated, computed))
    return off <= _TOLERANCE or off <= percent_of(computed, ONE)


def other(side: Side) -> Side:
    """The opposite side."""
    return Side.CREDIT if side is Side.DEBIT else Side.DEBIT


def _vat_lines(
    line: LineInput, code: VatCode, rate: VatRate, own: LineToPost, vat: Decimal, conversion: Conversion
) -> list[LineToPost]:
    """What stands beside a line's base: VAT that can't be deducted, VAT that can (or is owed), a reverse charge."""
    assert code.account_id is not None, "a code with a rate has an account"
    deductible = _share(vat, rate.deductible_share, conversion.currency)
    left = EXACT.subtract(vat, deductible)
    if conversion.is_base:
        base_vat, base_deductible, base_left = vat, deductible, left
    else:
        if code.contra_account_id is None:
            base_vat = conversion.in_base(vat)
        else:
            base_vat = round_money(percent_of(own.base_amount, rate.rate), conversion.base_currency)
        base_deductible = _share(base_vat, rate.deductible_share, conversion.base_currency)
        base_left = EXACT.subtract(base_vat, base_deductible)
    made = [
        _line(line, line.account_id, line.side, left, base_left, LineType.VAT, rate),
        _line(line, code.account_id, line.side, deductible, base_deductible, LineType.VAT, rate),
    ]
    if code.contra_account_id is not None:
        contra = code.contra_account_id
        made.append(_line(line, contra, other(line.side), vat, base_vat, LineType.VAT_CONTRA, rate))
    return [one for one in made if one.amount or one.base_amount]


def _share(vat: Decimal, share: Fraction, currency: str) -> Decimal:
    """A fraction of a VAT, rounded once: two thirds of 150,000,000.00 are 100,000,000.00."""
    if share == 1:
        return vat
    return round_money(EXACT.divide(multiply(vat, Decimal(share.numerator)), Decimal(share.denominator)), currency)


def _line(
    line: LineInput,
    account_id: UUID,
    side: Side,
    amount: Decimal,
    base_amount: Decimal,
    line_type: LineType,
    rate: VatRate,
) -> LineToPost:
    return LineToPost(
        account_id,
        side,
        amount,
        line.vat_code_id,
        line.description,
        line.tag_ids,
        line_type,
        base_amount=base_amount,
        vat_rate=rate.rate,
    )
