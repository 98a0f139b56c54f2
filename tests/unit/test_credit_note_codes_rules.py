"""Two VAT codes of one rate on an invoice in foreign currency, credited in parts: nothing stays on any account."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_credit_note_allocation_rules import PRODUCT, Crediting, invoice, sold
from tests.unit.test_credit_notes_rules import BUYER, RECEIVABLE, booked, given_of
from tests.unit.test_invoices_rules import NOW
from tests.unit.test_payment_entries_rules import ROLES

from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import ZERO, round_money, total
from ledgerbee.ledger.entries.model import LineToPost, LineType, Side
from ledgerbee.ledger.entries.rules import Conversion, check_balanced
from ledgerbee.sales.credit_notes import rules
from ledgerbee.sales.credit_notes.model import Creditable, CreditedInvoice, CreditedLine, CreditNoteLine
from ledgerbee.sales.deferrals.model import CreditedDeferrals
from ledgerbee.sales.documents.model import Tax
from ledgerbee.sales.documents.rules import compute
from ledgerbee.sales.invoices import rules as invoice_rules
from ledgerbee.sales.sending.model import BookedLeft, BookedOn
from ledgerbee.sales.sending.rules import entry_lines

D = Decimal
OUTPUT_VAT = new_id()
#: Of one rate, in one row of the VAT table: at home on a VAT account of its own, or on that of the other.
GOODS = Tax(new_id(), new_id(), D(25), "S", OUTPUT_VAT)
SERVICES = Tax(new_id(), new_id(), D(25), "S", new_id())
OTHER_GOODS = Tax(new_id(), new_id(), D(25), "S", OUTPUT_VAT)


def signed(line: LineToPost, amount: Decimal) -> Decimal:
    return amount if line.side is Side.DEBIT else -amount


@dataclass
class Books:
    """The entries of an invoice and of the notes on it."""

    sale: Creditable
    conversion: Conversion
    crediting: Crediting = field(init=False)
    lines: list[LineToPost] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.crediting = Crediting(self.sale)
        taxes = {it.line.price_id: it.tax for it in self.sale.lines if it.line.price_id is not None}
        computed = compute([it.line for it in self.sale.lines], taxes, self.sale.currency)
        self._post(entry_lines(computed, self.conversion, RECEIVABLE))
        self.document = booked(self.sale.amount, self.sale.currency, self.conversion.rate)

    def credit(self, *asked: CreditedLine) -> None:
        """One more note, by its rules; without lines of all that is left."""
        lines = self.crediting.credit(*asked)
        full = rules.with_lines(rules.of_invoice(given_of(self.document), self.document, NOW), lines)
        note = replace(full.document, receivable_account_id=RECEIVABLE, journal_entry_id=new_id())
        settled = self.document.base_amount or ZERO
        settled -= total([signed(line, line.base_amount) for line in self.lines if line.line_type is LineType.CONTROL])
        credited = CreditedInvoice(self.document, BUYER, "da", settled, self._left())
        computed = rules.computed_of(lines, self.sale.taxes)
        self._post(
            rules.entry_lines(note, computed, self.conversion, credited, ROLES, CreditedDeferrals({}, {}, (), ()))
        )
        self.document = invoice_rules.credit(self.document, -note.amount, NOW)

    def _post(self, lines: Sequence[LineToPost]) -> None:
        check_balanced(lines)
        self.lines += lines

    def _left(self) -> dict[BookedOn, BookedLeft]:
        """As the invoice's store asks for it."""
        left: dict[BookedOn, BookedLeft] = {}
        for line in self.lines:
            if line.line_type is not LineType.CONTROL:
                on = BookedOn(line.line_type, line.account_id, line.vat_code_id, line.vat_rate)
                of = left.get(on, BookedLeft(ZERO, ZERO))
                left[on] = BookedLeft(
                    of.amount - signed(line, line.amount), of.base_amount - signed(line, line.base_amount)
                )
        return left

    def stays(self) -> dict[object, Decimal]:
        """What stays: by account in kroner, and by what is booked together in the invoice's currency."""
        stays: dict[object, Decimal] = defaultdict(Decimal)
        differences = {ROLES["FX_GAIN"].id, ROLES["FX_LOSS"].id}
        for line in self.lines:
            if line.account_id not in differences:
                stays[line.account_id] += signed(line, line.base_amount)
                stays[line.line_type, line.account_id, line.vat_code_id] += signed(line, line.amount)
        return {key: amount for key, amount in stays.items() if amount}


def vat_of(lines: Sequence[CreditNoteLine]) -> list[str]:
    return [f"{line.vat:f}" for line in lines]


def test_each_code_gives_back_what_it_was_charged() -> None:
    """25 % of 0.04 is 0.01, which one of two codes has: the other has nothing to give back, whoever comes first."""
    books = Books(
        invoice(sold("1", "0.02", GOODS), sold("1", "0.02", SERVICES), currency="EUR"),
        Conversion("EUR", "DKK", D("7.46")),
    )
    assert [it.line.vat for it in books.sale.lines] == [D("0.01"), ZERO]
    books.credit(books.crediting.line(1))
    books.credit(books.crediting.line(0))
    assert [vat_of(note) for note in books.crediting.notes] == [["0.00"], ["-0.01"]]
    assert books.stays() == {}


def test_what_a_code_cannot_give_another_does() -> None:
    """The VAT of a note is that of its net, as long as there is so much at all."""
    sale = invoice(sold("1", "0.02", GOODS), sold("2", "0.02", SERVICES), sold("1", "0.02", OTHER_GOODS))
    crediting = Crediting(sale)
    assert [it.line.vat for it in sale.lines] == [D("0.01"), D("0.01"), ZERO]
    note = crediting.credit(crediting.line(1, quantity=D(1)), crediting.line(2))
    assert total([line.vat or ZERO for line in note]) == D("-0.01")
    assert note[1].vat == 0
    crediting.credit()
    assert crediting.vat == D("-0.02")


def test_what_a_note_of_earlier_rules_took_of_another_code_is_not_given_twice() -> None:
    """It gave 0.01 for the code that had been charged nothing: at the rate nothing is left."""
    sale = invoice(sold("1", "0.02", GOODS), sold("1", "0.01", SERVICES), sold("1", "0.01", OTHER_GOODS))
    assert [it.line.vat for it in sale.lines] == [D("0.01"), ZERO, ZERO]
    crediting = Crediting(sale)
    first = crediting.credit(crediting.line(1))
    crediting.notes = [tuple(replace(line, vat=D("-0.01")) for line in first)]
    assert vat_of(crediting.credit(crediting.line(0))) == ["0.00"]
    assert vat_of(crediting.credit()) == ["0.00"]
    assert crediting.vat == D("-0.01")


def test_all_of_it_is_taken_though_earlier_rules_took_less_of_a_code() -> None:
    crediting = Crediting(invoice(sold("1", "0.02", GOODS), sold("1", "0.02", SERVICES)))
    first = crediting.credit(crediting.line(0))
    crediting.notes = [tuple(replace(line, vat=ZERO) for line in first)]
    assert vat_of(crediting.credit()) == ["-0.01"]


lines_of_codes = st.lists(
    st.tuples(
        st.integers(1, 40), st.integers(0, 3000), st.sampled_from([GOODS, SERVICES, OTHER_GOODS]), st.integers(0, 60)
    ),
    min_size=2,
    max_size=5,
)


@given(lines_of_codes, st.decimals("0.0001", "500", places=6), st.data())
def test_whatever_the_parts_nothing_stays_on_any_account(
    sold_lines: list[tuple[int, int, Tax, int]], of_the_day: Decimal, data: st.DataObject
) -> None:
    """Discounts among them; and no note gives back VAT of another sign than its net."""
    lines = []
    for quantity, cents, tax, off in sold_lines:
        lines.append(sold(str(quantity), f"{D(cents).scaleb(-2):f}", tax))
        if off and cents:
            discount = round_money(D(quantity * cents * off).scaleb(-4), "EUR")
            lines.append(sold("1", f"{-discount:f}", tax))
    sale = invoice(*lines, currency="EUR")
    if not sale.amount:
        return
    books = Books(sale, Conversion("EUR", "DKK", of_the_day))
    for _ in range(data.draw(st.integers(0, 5))):
        places = data.draw(st.lists(st.integers(0, len(lines) - 1), min_size=1, max_size=3, unique=True))
        asked = [
            CreditedLine(PRODUCT, sale.lines[place].line.id, quantity=data.draw(st.none() | st.integers(1, 40).map(D)))
            for place in places
        ]
        probe = Crediting(sale, list(books.crediting.notes))
        if probe.attempt(*asked) is None and total([it.net or ZERO for it in probe.notes[-1]]) < 0:
            books.credit(*asked)
            note = books.crediting.notes[-1]
            assert total([it.vat or ZERO for it in note]) <= 0
    probe = Crediting(sale, list(books.crediting.notes))
    if probe.attempt() is None:
        books.credit()
    assert books.stays() == {}
