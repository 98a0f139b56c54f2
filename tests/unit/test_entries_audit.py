"""What `verify` says of amounts: nothing, of whatever is booked by the ledger's rules; and what it finds out."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

import asyncpg
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.test_invoices_rules import TAXES, entry_of, product
from tests.unit.test_vat_of_vouchers import BANK, CODE, EXPENSE, PAYABLE, STOCK, bill, code, euros, kroner_rates, rate

from ledgerbee.chart.vat_codes.model import Principle, VatCode
from ledgerbee.core.money import ZERO, round_money, total
from ledgerbee.ledger.entries.audit import fault_in_amounts
from ledgerbee.ledger.entries.model import EntryToPost, LineInput, Side
from ledgerbee.sales.documents.rules import compute

#: 100 % of VAT within a cent is all of it: what is left to be the base is nothing in euros.
ALL_VAT = code(Principle.GROSS, rate("100"))
CODES = [ALL_VAT, code(Principle.GROSS, rate("25")), code(Principle.NET, rate("25"))]


def rows_of(entry: EntryToPost) -> list[dict[str, Any]]:
    """The entry's lines as the database has them: credits below zero."""
    return [
        {
            "line_number": number,
            "line_type": line.line_type.value,
            "is_debit": line.side is Side.DEBIT,
            "amount": line.amount if line.side is Side.DEBIT else -line.amount,
            "base_amount": line.base_amount if line.side is Side.DEBIT else -line.base_amount,
            "vat_rate": line.vat_rate,
            "vat_difference": line.vat_difference,
            "is_control": line.account_id == PAYABLE,
            "is_reverse_charge": False,
        }
        for number, line in enumerate(entry.lines, 1)
    ]


def fault_in(entry: EntryToPost, rows: Sequence[dict[str, Any]] | None = None) -> str | None:
    head = {
        "currency": entry.currency,
        "exchange_rate": entry.exchange_rate,
        "reverses_entry_id": None,
        "source_type": entry.source_type,
    }
    lines = rows_of(entry) if rows is None else rows
    return fault_in_amounts(cast("asyncpg.Record", head), cast("Sequence[asyncpg.Record]", lines), "DKK")


#: Amounts of which VAT may leave nothing, and others.
bought = st.one_of(st.sampled_from([Decimal("0.01"), Decimal("0.02")]), euros)


entered = st.builds(
    LineInput, st.sampled_from([EXPENSE, STOCK, BANK]), st.just(Side.DEBIT), bought, st.sampled_from([CODE, None])
)


@given(st.lists(entered, min_size=1, max_size=6), st.sampled_from(CODES), kroner_rates)
def test_nothing_is_said_of_any_bill(lines: list[LineInput], vat_code: VatCode, at: Decimal) -> None:
    on_top = [one.amount for one in lines if one.vat_code_id and vat_code.principle is Principle.NET]
    owed = total([*(one.amount for one in lines), *(round_money(amount / 4, "EUR") for amount in on_top)])
    assert fault_in(bill(str(owed), *lines, vat=vat_code, currency="EUR", rate=str(at))) is None


def test_a_base_of_nothing_that_takes_what_conversion_leaves_is_no_exchange_difference() -> None:
    """0.01 EUR that is VAT alone: its base is 0.00 EUR, and takes the øre that two amounts at 7.46 are apart."""
    lines = [LineInput(EXPENSE, Side.DEBIT, Decimal("0.01"), CODE), LineInput(BANK, Side.DEBIT, Decimal("0.20"))]
    entry = bill("0.21", *lines, vat=ALL_VAT, currency="EUR", rate="7.46")
    assert [(line.amount, line.base_amount) for line in entry.lines] == [
        (Decimal("0.00"), Decimal("0.01")),
        (Decimal("0.01"), Decimal("0.07")),
        (Decimal("0.20"), Decimal("1.49")),
        (Decimal("0.21"), Decimal("1.57")),
    ]
    assert fault_in(entry) is None


sold = st.lists(st.tuples(st.sampled_from(list(TAXES)), st.one_of(st.just(ZERO), euros)), min_size=1, max_size=8)
GOODS_PRICE, SERVICES_PRICE, REDUCED_PRICE, _ = TAXES
#: Revenue and VAT are four amounts rounded by themselves; the øre they are short of goes to what was given away.
GIVEN_AWAY = [(GOODS_PRICE, Decimal("67.27")), (SERVICES_PRICE, ZERO), (REDUCED_PRICE, Decimal("48.53"))]


@given(sold, kroner_rates)
@example(GIVEN_AWAY, Decimal("7.598334"))
def test_nothing_is_said_of_any_invoice(drawn: list[tuple[Any, Decimal]], at: Decimal) -> None:
    computed = compute([product(price, net) for price, net in drawn], TAXES, "EUR")
    assert fault_in(entry_of(computed, "EUR", at)) is None


def test_an_exchange_difference_on_a_bill_is_told() -> None:
    """What isn't left of balancing: kroner moved from the bill's VAT or from what is owed to a line without euros."""
    lines = [LineInput(EXPENSE, Side.DEBIT, Decimal("0.01"), CODE), LineInput(BANK, Side.DEBIT, Decimal("0.20"))]
    entry = bill("0.21", *lines, vat=ALL_VAT, currency="EUR", rate="7.46")
    base, vat, bank, owed = range(4)
    for taken, given_to, words in (
        (vat, base, "the VAT of line 1 is 0.06"),
        (owed, base, "line 4 is -1.58 in base currency, its amount x rate is -1.57"),
        (base, bank, "further from amount x rate than balancing takes"),
    ):
        rows = rows_of(entry)
        rows[taken]["base_amount"] -= Decimal("0.01") if taken != base else Decimal("0.02")
        rows[given_to]["base_amount"] += Decimal("0.01") if taken != base else Decimal("0.02")
        assert words in str(fault_in(entry, rows))
