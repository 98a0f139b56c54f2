"""What conversion leaves on the accounts of a document of which nothing is left."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.ids import new_id
from ledgerbee.core.money import ZERO, round_money, total
from ledgerbee.ledger.entries.model import LineToPost, LineType, Side
from ledgerbee.ledger.entries.rules import Conversion
from ledgerbee.sales.sending.model import BookedLeft, BookedOn
from ledgerbee.sales.sending.rules import difference_of, exchange_difference, residues

D = Decimal
REVENUE, OUTPUT_VAT, CODE, GAIN, LOSS = (new_id() for _ in range(5))
SOLD, TAXED = BookedOn(LineType.ENTERED, REVENUE, CODE, D(25)), BookedOn(LineType.VAT, OUTPUT_VAT, CODE, D(25))


def line(on: BookedOn, amount: str | Decimal, base_amount: str | Decimal, side: Side = Side.DEBIT) -> LineToPost:
    return LineToPost(
        on.account_id, side, D(amount), base_amount=D(base_amount), line_type=on.line_type,
        vat_code_id=on.vat_code_id, vat_rate=on.vat_rate,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("on", "left", "side", "code", "rate"),
    [
        (SOLD, "368.38", Side.DEBIT, CODE, D(25)),
        (SOLD, "368.36", Side.CREDIT, CODE, D(25)),
        # What is left of VAT is no VAT of a supply.
        (TAXED, "368.38", Side.DEBIT, None, None),
    ],
)
def test_the_last_of_an_account_takes_what_is_left(
    on: BookedOn, left: str, side: Side, code: object, rate: Decimal | None
) -> None:
    [found] = residues([line(on, "58.53", "368.37")], {on: BookedLeft(D("58.53"), D(left))})
    assert (found.account_id, found.side, found.amount, found.base_amount) == (on.account_id, side, ZERO, D("0.01"))
    assert (found.line_type, found.vat_code_id, found.vat_rate) == (LineType.ENTERED, code, rate)


def test_nothing_is_taken_where_something_or_nothing_stays() -> None:
    left = {SOLD: BookedLeft(D("58.54"), D("368.38")), TAXED: BookedLeft(ZERO, D("0.01"))}
    assert residues([line(SOLD, "58.53", "368.37"), line(TAXED, "0", "0")], left) == []
    assert residues([line(SOLD, "58.54", "368.38")], left) == []
    other = SOLD._replace(vat_rate=D(12))
    assert residues([line(other, "58.54", "368.37")], left) == []


def test_a_difference_is_a_gain_or_a_loss() -> None:
    lines = [line(SOLD, "1", "7.46"), line(TAXED, "1", "7.45", Side.CREDIT)]
    assert difference_of(lines) == D("0.01")
    assert exchange_difference(D("0.01"), GAIN, LOSS) == LineToPost(GAIN, Side.CREDIT, ZERO, base_amount=D("0.01"))
    assert exchange_difference(D("-0.01"), GAIN, LOSS) == LineToPost(LOSS, Side.DEBIT, ZERO, base_amount=D("0.01"))


@given(
    st.lists(st.decimals("0.01", "9999", places=2), min_size=1, max_size=8),
    st.decimals("0.0001", "500", places=12),
    st.integers(-9, 9),
)
def test_whatever_the_parts_nothing_is_left(parts: list[Decimal], rate: Decimal, strayed: int) -> None:
    """However far what was booked is off its product."""
    conversion = Conversion("EUR", "DKK", rate)
    amount = total(parts)
    base = round_money(amount * rate, "DKK") + D("0.01") * strayed
    left = BookedLeft(amount, base)
    for place, part in enumerate(parts):
        lines = [line(SOLD, part, conversion.in_base(part))]
        found = residues(lines, {SOLD: left})
        assert not found or place == len(parts) - 1
        left = BookedLeft(left.amount - part, left.base_amount - difference_of([*lines, *found]))
    assert left == (ZERO, ZERO)
