"""What is said of an entry that is out of balance by the VAT of its lines."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.test_entering_rules import books, entered, vat_code

from ledgerbee.chart.vat_codes.model import Principle, VatCode, VatCodeId
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries import rules
from ledgerbee.ledger.entries.model import EntryType, LineInput, Side

GROSS = vat_code(Principle.GROSS, Decimal(25))
NET = vat_code(Principle.NET, Decimal(25))
ZERO_RATED = replace(vat_code(Principle.NET, Decimal(0)), id=VatCodeId(new_id()))
REVERSE = vat_code(Principle.NET, Decimal(25), contra=new_id())
COST, SALES, BANK = new_id(), new_id(), new_id()

Given = tuple[Side, str, VatCode | None, bool | None]
D, C = Side.DEBIT, Side.CREDIT


def details_of(*lines: Given) -> dict[str, object]:
    """The details of the refusal of such an entry."""
    codes = {code.id: code for _, _, code, _ in lines if code is not None}
    given = [
        LineInput(COST, side, Decimal(amount), code.id if code else None, vat_included=included)
        for side, amount, code, included in lines
    ]
    with pytest.raises(LedgerBeeError) as caught:
        rules.entry_to_post(entered(EntryType.JOURNAL_ENTRY, Decimal(1), given), books(vat_codes=codes), new_id())
    assert caught.value.code == "JOURNAL_ENTRY_UNBALANCED"
    return caught.value.details


@pytest.mark.parametrize(
    ("lines", "hint"),
    [
        # A cost of 100 and VAT of 25, paid 125, entered without VAT on a code that takes it to be contained.
        ([(D, "100", GROSS, None), (C, "125", None, None)], "vatIncluded false"),
        ([(D, "125", None, None), (C, "100", GROSS, None)], "vatIncluded false"),
        ([(D, "100", NET, True), (C, "125", None, None)], "vatIncluded false"),
        # The same with VAT, on a code that adds it.
        ([(D, "125", NET, None), (C, "125", None, None)], "vatIncluded true"),
        ([(D, "125", None, None), (C, "125", NET, None)], "vatIncluded true"),
        ([(D, "125", GROSS, False), (C, "125", None, None)], "vatIncluded true"),
        # Several lines, a rate of nothing among them.
        ([(D, "60", GROSS, None), (D, "40", GROSS, None), (C, "125", None, None)], "vatIncluded false"),
        ([(D, "60", GROSS, None), (D, "40", ZERO_RATED, None), (C, "115", None, None)], "vatIncluded false"),
        # Rounded line by line, as it would be booked.
        ([(D, "0.99", GROSS, None), (D, "0.99", GROSS, None), (C, "2.48", None, None)], "vatIncluded false"),
        # Out of balance by something else.
        ([(D, "100", GROSS, None), (C, "124.99", None, None)], None),
        ([(D, "100", None, None), (C, "125", None, None)], None),
        ([(D, "100", ZERO_RATED, None), (C, "125", None, None)], None),
        ([(D, "100", REVERSE, None), (C, "125", None, None)], None),
        ([(D, "100", GROSS, None), (C, "75", None, None)], None),
    ],
)
def test_the_vat_of_the_lines_explains_the_difference(lines: list[Given], hint: str | None) -> None:
    told = details_of(*lines)
    assert ("hint" in told) == (hint is not None)
    assert hint is None or hint in str(told["hint"])
    assert told.keys() >= {"property", "currency", "debit", "credit"}
