"""What credit notes take of an invoice: never more than there is, and in the end all of it, to the last unit."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.errors import VALIDATION_FAILED, LedgerBeeError
from ledgerbee.core.fields import fields_of
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import ZERO, minor_units, round_money, total
from ledgerbee.sales.credit_notes import rules
from ledgerbee.sales.credit_notes.model import (
    CREDIT_NOTE_EXCEEDS_INVOICE,
    CREDIT_NOTE_LINE_NOT_ON_INVOICE,
    Creditable,
    CreditedLine,
    CreditNoteLine,
    InvoiceLine,
    TakenLine,
)
from ledgerbee.sales.credit_notes.rules.allocation import _period
from ledgerbee.sales.documents.model import DocumentLineType, Line, PeriodLine, ServicePeriod, Tax
from ledgerbee.sales.documents.rules import compute, line_net

D = Decimal
PRODUCT, TEXT = DocumentLineType.PRODUCT, DocumentLineType.TEXT
STANDARD = Tax(new_id(), new_id(), D(25), "S", new_id())
REDUCED = Tax(new_id(), new_id(), D(5), "S", new_id())
EXEMPT = Tax(new_id(), new_id(), ZERO, "E", None, "Insurance", "Forsikring")


def sold(quantity: str, unit_price: str, tax: Tax = STANDARD, discount: str = "0") -> tuple[Line, Tax]:
    net = line_net(D(quantity) * D(unit_price), D(discount), "DKK")
    line = Line(
        new_id(), PRODUCT, "Chair", new_id(), new_id(), "pieces", D(quantity), D(unit_price),
        discount_percent=D(discount), net=net,
    )  # fmt: skip
    return line, tax


def invoice(*lines: tuple[Line, Tax], currency: str = "DKK") -> Creditable:
    taxes = {line.price_id: tax for line, tax in lines if line.price_id is not None}
    computed = compute([line for line, _ in lines], taxes, currency)
    taxed = [InvoiceLine(line, taxes[line.price_id]) for line in computed.lines if line.price_id is not None]
    return Creditable(currency, computed.totals.amount, taxed, ())


@dataclass
class Crediting:
    """An invoice, and the notes on it so far."""

    invoice: Creditable
    notes: list[tuple[CreditNoteLine, ...]] = field(default_factory=list)

    def credit(self, *asked: CreditedLine) -> tuple[CreditNoteLine, ...]:
        """One more note; without lines of all that is left."""
        taken: Sequence[TakenLine] = [it for note in self.notes for it in rules.taken_by(note)]
        now = Creditable(self.invoice.currency, self.invoice.amount, self.invoice.lines, taken)
        note = rules.allocate(now, asked or None)
        self.notes.append(note)
        return note

    def refused(self, *asked: CreditedLine) -> LedgerBeeError:
        with pytest.raises(LedgerBeeError) as raised:
            self.credit(*asked)
        return raised.value

    def attempt(self, *asked: CreditedLine) -> LedgerBeeError | None:
        """One more note, or why not."""
        try:
            self.credit(*asked)
        except LedgerBeeError as fault:
            return fault
        return None

    def line(self, place: int, **fields: Any) -> CreditedLine:
        """A line that credits the invoice's line at a place."""
        return CreditedLine(PRODUCT, self.invoice.lines[place].line.id, **fields)

    @property
    def net(self) -> Decimal:
        return total([line.net or ZERO for note in self.notes for line in note])

    @property
    def vat(self) -> Decimal:
        return total([line.vat or ZERO for note in self.notes for line in note])


def figures(note: Sequence[CreditNoteLine]) -> list[tuple[str, str, str, str]]:
    return [(f"{it.quantity:f}", f"{it.unit_price:f}", f"{it.net:f}", f"{it.vat:f}") for it in note]


def test_the_last_note_takes_the_remainder() -> None:
    """Three lines of 3.33 at 25 %, VAT 2.50: a note for each, a fourth is refused."""
    crediting = Crediting(invoice(*[sold("1", "3.33") for _ in range(3)]))
    notes = [crediting.credit(crediting.line(place)) for place in range(3)]
    assert [note[0].vat for note in notes] == [D("-0.83"), D("-0.83"), D("-0.84")]
    assert (crediting.net, crediting.vat) == (D("-9.99"), D("-2.50"))
    assert crediting.refused(crediting.line(0)).error_code is CREDIT_NOTE_EXCEEDS_INVOICE
    assert crediting.refused().message == "Nothing is left of the invoice to credit"


def test_a_part_of_a_line_is_its_share_and_the_last_part_the_rest() -> None:
    crediting = Crediting(invoice(sold("3", "0.333333333333")))
    one = {"quantity": D(1)}
    notes = [crediting.credit(crediting.line(0, **one)) for _ in range(3)]
    assert [note[0].net for note in notes] == [D("-0.33"), D("-0.33"), D("-0.34")]
    assert figures(notes[0]) == [("1", "0.333333333333", "-0.33", "-0.08")]
    assert figures(notes[2]) == [("1", "0.340000000000", "-0.34", "-0.09")]
    assert crediting.refused(crediting.line(0, **one)).error_code is CREDIT_NOTE_EXCEEDS_INVOICE


def test_a_discount_of_the_invoice_stays() -> None:
    crediting = Crediting(invoice(sold("4", "100", discount="10")))
    note = crediting.credit(crediting.line(0, quantity=D(1)))
    assert figures(note) == [("1", "100", "-90.00", "-22.50")]
    assert note[0].discount_percent == 10


def test_a_reduction_leaves_an_amount_without_a_quantity() -> None:
    crediting = Crediting(invoice(sold("3", "100")))
    reduced = crediting.credit(crediting.line(0, quantity=D(3), unit_price=D(10)))
    assert figures(reduced) == [("3", "10", "-30.00", "-7.50")]
    too_many = crediting.refused(crediting.line(0, quantity=D(1)))
    assert too_many.details == {"property": "lines.0.quantity", "quantityLeft": "0"}
    assert figures(crediting.credit()) == [("3", "90.000000000000", "-270.00", "-67.50")]
    assert (crediting.net, crediting.vat) == (D(-300), D(-75))


def test_a_discount_of_the_note_credits_less() -> None:
    crediting = Crediting(invoice(sold("2", "100")))
    assert figures(crediting.credit(crediting.line(0, discount_percent=D(50)))) == [("2", "100", "-100.00", "-25.00")]
    more = crediting.refused(crediting.line(0, unit_price=D(60)))
    assert more.details == {"property": "lines.0", "totalPriceLeft": "100.00"}


def test_a_price_stands_for_the_first_line_of_it_with_something_left() -> None:
    first, second = sold("1", "10"), sold("2", "10")
    price = first[0].price_id
    twice = invoice(first, (Line(**{**fields_of(second[0], Line), "price_id": price}), STANDARD))
    crediting = Crediting(twice)
    by_price = CreditedLine(PRODUCT, price_id=price)
    lines = [crediting.credit(by_price)[0] for _ in range(2)]
    assert [line.invoice_line_id for line in lines] == [found.line.id for found in twice.lines]
    assert crediting.refused(by_price).details == {"property": "lines.0.priceId"}


@pytest.mark.parametrize(
    "unknown", [CreditedLine(PRODUCT, invoice_line_id=new_id()), CreditedLine(PRODUCT, price_id=new_id())]
)
def test_what_is_not_on_the_invoice_is_not_credited(unknown: CreditedLine) -> None:
    refused = Crediting(invoice(sold("1", "10"))).refused(unknown)
    assert refused.error_code is CREDIT_NOTE_LINE_NOT_ON_INVOICE


def test_a_line_of_another_price_is_refused() -> None:
    crediting = Crediting(invoice(sold("1", "10"), sold("1", "20")))
    same = crediting.line(0, price_id=crediting.invoice.lines[0].line.price_id)
    other = crediting.line(0, price_id=crediting.invoice.lines[1].line.price_id)
    assert crediting.refused(other).error_code is VALIDATION_FAILED
    assert crediting.credit(same)[0].net == -10


@pytest.mark.parametrize("quantity", [D(0), D(-1)])
def test_a_quantity_has_the_sign_of_the_invoices(quantity: Decimal) -> None:
    crediting = Crediting(invoice(sold("2", "10")))
    assert crediting.refused(crediting.line(0, quantity=quantity)).error_code is VALIDATION_FAILED


def test_a_discount_line_goes_with_what_it_is_for() -> None:
    """100 less 30: 100 alone would be more than was charged, the discount alone would be an invoice."""
    crediting = Crediting(invoice(sold("1", "100"), sold("1", "-30")))
    for place in (0, 1):
        refused = crediting.refused(crediting.line(place))
        assert refused.details == {"vatRate": "25", "subtotalLeft": "70.00"}, place
    both = crediting.credit(crediting.line(0), crediting.line(1))
    assert total([line.vat or ZERO for line in both]) == D("-17.50")


def test_never_more_than_the_invoice_in_all() -> None:
    """A discount at another rate: 100 and VAT is more than the 95 that were charged."""
    crediting = Crediting(invoice(sold("1", "100"), sold("1", "-30", EXEMPT)))
    assert crediting.refused(crediting.line(0)).details == {"amountLeft": "95.00"}
    crediting.credit()
    assert (crediting.net, crediting.vat) == (D(-70), D(-25))


def test_what_costs_nothing_can_be_taken_back() -> None:
    crediting = Crediting(invoice(sold("2", "0"), sold("1", "10")))
    assert figures(crediting.credit()) == [("2", "0", "0.00", "0.00"), ("1", "10", "-10.00", "-2.50")]
    assert crediting.refused().error_code is CREDIT_NOTE_EXCEEDS_INVOICE


def test_words_between_the_lines() -> None:
    crediting = Crediting(invoice(sold("1", "10")))
    words, product = crediting.credit(
        CreditedLine(TEXT, description="As agreed"), crediting.line(0, description="Broken")
    )
    assert (words.description, words.net, words.vat) == ("As agreed", None, None)
    assert (product.description, product.net) == ("Broken", D(-10))
    assert crediting.refused(CreditedLine(TEXT, description="Nothing")).error_code is CREDIT_NOTE_EXCEEDS_INVOICE


def test_two_lines_of_a_note_share_what_is_left() -> None:
    crediting = Crediting(invoice(sold("3", "10")))
    two = crediting.line(0, quantity=D(2))
    assert crediting.refused(two, two).details == {"property": "lines.1.quantity", "quantityLeft": "1"}
    assert [line.net for line in crediting.credit(two, crediting.line(0))] == [-20, -10]


def test_the_totals_of_a_note_are_those_of_its_lines() -> None:
    crediting = Crediting(invoice(sold("1", "10"), sold("1", "20", REDUCED), sold("1", "30", EXEMPT)))
    computed = rules.computed_of(crediting.credit(), crediting.invoice.taxes)
    assert [(row.category, row.rate, row.taxable, row.vat) for row in computed.totals.rows] == [
        ("S", D(25), D(-10), D("-2.50")), ("S", D(5), D(-20), D("-1.00")), ("E", D(0), D(-30), D(0)),
    ]  # fmt: skip
    assert computed.totals.rows[2].exemption_reason_da == "Forsikring"
    assert (computed.totals.subtotal, computed.totals.vat, computed.totals.amount) == (D(-60), D("-3.50"), D("-63.50"))


def test_a_note_of_no_invoice_has_the_lines_of_an_invoice_turned_round() -> None:
    words = Line(new_id(), TEXT, "Words")
    product = invoice(sold("2", "10")).lines[0].line
    turned = rules.negated([words, product])
    assert [(line.net, line.vat, line.quantity) for line in turned] == [(None, None, None), (D(-20), D(-5), D(2))]


@st.composite
def invoices(draw: st.DrawFn) -> Creditable:
    """Lines at three rates, some of them discounts, that make no negative sum at any rate or in all."""
    currency = draw(st.sampled_from(["DKK", "JPY", "KWD"]))
    places = minor_units(currency)
    lines: list[tuple[Line, Tax]] = []
    for tax in (STANDARD, REDUCED, EXEMPT):
        for _ in range(draw(st.integers(0, 3))):
            quantity = D(draw(st.integers(1, 5_000))).scaleb(-draw(st.integers(0, 3)))
            price = D(draw(st.integers(0, 10**5))).scaleb(-places)
            net = round_money(quantity * price, currency)
            line = Line(
                new_id(), PRODUCT, "", new_id(), new_id(), None, quantity, price, discount_percent=ZERO, net=net
            )
            lines.append((line, tax))
            if net and draw(st.booleans()):
                part = D(draw(st.integers(1, 100))) / 100
                off = -round_money(net * part, currency)
                lines.append((Line(
                    new_id(), PRODUCT, "", new_id(), new_id(), None, D(1), off, discount_percent=ZERO, net=off,
                ), tax))  # fmt: skip
    return invoice(*lines, currency=currency) if lines else invoice(sold("1", "10"))


@given(invoices(), st.data())
def test_any_sequence_of_notes_ends_at_zero_and_never_goes_below(sale: Creditable, data: st.DataObject) -> None:
    """Whatever is asked for is taken or refused; what is left is never negative; and the rest of it can be taken."""
    crediting = Crediting(sale)
    before = {it.line.id: it for it in sale.lines}
    for _ in range(data.draw(st.integers(0, 6))):
        place = data.draw(st.integers(0, len(sale.lines) - 1))
        source = sale.lines[place].line
        quantity = data.draw(st.none() | st.integers(1, 6_000).map(lambda n: D(n).scaleb(-3)))
        price = data.draw(st.none() | st.integers(0, 10**5).map(lambda n: D(n).scaleb(-2)))
        refused = crediting.attempt(CreditedLine(PRODUCT, source.id, quantity=quantity, unit_price=price))
        assert refused is None or refused.error_code in {CREDIT_NOTE_EXCEEDS_INVOICE, VALIDATION_FAILED}
        assert abs(crediting.net + crediting.vat) <= sale.amount
        taken = [it for note in crediting.notes for it in rules.taken_by(note)]
        left = rules.left_of(Creditable(sale.currency, sale.amount, sale.lines, taken))
        for line_id, it in left.items():
            net = before[line_id].line.net or ZERO
            assert min(net, ZERO) <= it.net <= max(net, ZERO)
        for note in crediting.notes:
            assert total([(line.net or ZERO) + (line.vat or ZERO) for line in note]) <= 0
    refused = crediting.attempt()
    assert refused is None or refused.message == "Nothing is left of the invoice to credit"
    assert crediting.net == -total([it.line.net or ZERO for it in sale.lines])
    assert crediting.vat == -total([it.line.vat or ZERO for it in sale.lines])
    for note in crediting.notes:
        for line in note:
            assert line.quantity is not None
            assert line.unit_price is not None
            assert line.net is not None
            shown = line.quantity * line.unit_price * (100 - (line.discount_percent or ZERO)) / 100
            assert round_money(shown, sale.currency) == -line.net, "what is printed makes the amount"


def test_a_note_says_the_days_that_it_gives_back_of_those_that_the_line_is_for() -> None:
    """All of them where it says none, or none of these."""
    first, last = date(2026, 3, 1), date(2026, 5, 31)
    sold = PeriodLine(new_id(), PRODUCT, service_period_start=first, service_period_end=last)
    for said, days in (
        (None, (first, last)),
        ((date(2026, 4, 1), date(2026, 7, 1)), (date(2026, 4, 1), last)),
        ((date(2026, 6, 1), date(2026, 7, 1)), (first, last)),
    ):
        asked = CreditedLine(PRODUCT, sold.id, service_period=None if said is None else ServicePeriod(*said))
        assert tuple(_period(sold, asked).values()) == days
    bare = PeriodLine(new_id(), PRODUCT)
    assert _period(bare, CreditedLine(PRODUCT, bare.id, service_period=ServicePeriod(first, last))) == {}
