"""Rules of what came in: whether it adds up, whose it is, and what draft it becomes."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ubl_files import SENDER, entry, line, oioubl, peppol

from ledgerbee.chart.seed.loader import seed_for
from ledgerbee.chart.vat_codes.model import SINCE_EVER, Principle, VatCode, VatCodeId, VatRate, VatType
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import total
from ledgerbee.ledger.entries.model import EntryInput, Side
from ledgerbee.purchases.incoming_documents.model import Problem, ProblemCode, TradingParty
from ledgerbee.purchases.incoming_documents.reading import read
from ledgerbee.purchases.incoming_documents.rules.checks import check, tax_point
from ledgerbee.purchases.incoming_documents.rules.drafting import (
    Accounts,
    Choice,
    Origin,
    draft_of,
    fitting,
    origin_of,
    shares,
)
from ledgerbee.purchases.incoming_documents.rules.parties import (
    Known,
    canonical_number,
    check_parties,
    find_vendor,
    sender_id,
)

D = Decimal
DAY = date(2026, 3, 16)
NOW = datetime(2026, 3, 16, tzinfo=UTC)
VENDOR, OTHER, SUPPLIES, RENT = new_id(), new_id(), new_id(), new_id()


def codes(country: str = "DK") -> list[VatCode]:
    """The VAT codes that a new company has."""
    return [
        VatCode(
            id=VatCodeId(new_id()),
            created_at=NOW,
            code=one.code,
            name=one.name,
            type=VatType(one.type),
            principle=Principle(one.principle),
            account_id=new_id() if one.account_number else None,
            contra_account_id=new_id() if one.contra_account_number else None,
            return_box=one.return_box,
            rates=(VatRate(SINCE_EVER, one.rate, one.deductible_share),),
        )
        for one in seed_for(country).vat_codes
    ]


CODES = codes()
BY_CODE = {code.code: code for code in CODES}


def problems(raw: bytes, base_rate: tuple[str, Decimal] | None = None) -> list[ProblemCode]:
    return [problem.code for problem in check(read(raw), base_rate)]


def draft(
    raw: bytes, *, accounts: Accounts | None = None, origin: Origin = Origin.DOMESTIC
) -> tuple[EntryInput | None, list[Problem]]:
    found = accounts or Accounts((), SUPPLIES, {SUPPLIES: None, RENT: None})
    return draft_of(read(raw), VENDOR, found, CODES, origin, "da")


def drafted(raw: bytes, **options: Any) -> EntryInput:
    made, _ = draft(raw, **options)
    assert made is not None
    return made


def sums(made: EntryInput) -> Decimal:
    """Debits less credits of what was entered, with the VAT that comes on top."""
    sign = {Side.DEBIT: D(1), Side.CREDIT: D(-1)}
    return total([sign[one.side] * (one.amount + (one.vat_amount or D(0))) for one in made.lines])


TWO = (line("100.00"), line("50.00", category="Z", rate="0"))


@pytest.mark.parametrize(
    ("raw", "codes"),
    [
        (peppol(*TWO), []),
        (oioubl(*TWO), []),
        (peppol(*TWO, lines_total="150.01", exclusive="150.00"), ["TOTALS_DIFFER"]),
        (peppol(*TWO, exclusive="149.00", gross="175.00"), ["TOTALS_DIFFER"] * 2),
        (peppol(*TWO, gross="176.00"), ["TOTALS_DIFFER"]),
        (peppol(*TWO, vat="26.00"), ["TOTALS_DIFFER"]),
        (peppol(*TWO, payable="1.00"), ["PAYABLE_DIFFERS"]),
        (peppol(*TWO, prepaid="75.00", rounding="0.25"), []),
        (peppol(*[line("99.99")] * 3), []),  # A5: 74.99, not three times 25.00
        (peppol(*[line("99.99")] * 3, taxes=[{"category": "S", "rate": "25", "taxable": "299.97", "tax": "75.00"}]),
         ["VAT_DIFFERS"]),
        (peppol(*TWO, taxes=[{"category": "S", "rate": "25", "taxable": "100.00", "tax": "25.00"}]), []),
        (peppol(line("100.00"), taxes=[{"category": "S", "rate": "25", "taxable": "90.00", "tax": "22.50"}]),
         ["VAT_DIFFERS"]),
        (peppol(line("100.00"), taxes=[{"category": "Z", "rate": "0", "taxable": "0", "tax": "0"}]), ["VAT_DIFFERS"]),
        # A14: the line's amount is BT-131, whatever its parts.
        (peppol(line("0.30", price="0", entries=[entry("charge", "0.20"), entry("charge", "0.10")])), []),
        (peppol(line("950.00", quantity="5", price="200",
                     entries=[entry("charge", "50"), entry("allowance", "100")])), []),
        (peppol(line("-0.30", price="0.00", entries=[entry("allowance", "0.30")])), []),
        (peppol(line("0.60", price="0", entries=[entry("charge", "0.20"), entry("charge", "0.10")])),
         ["LINE_AMOUNT_DIFFERS"]),
        (oioubl(line("80.00", price="80", entries=[entry("allowance", "20")])), []),
        (peppol(line("100.00", base="2", price="200")), []),
        (peppol(line("100.00"), entries=[entry("charge", "10"), entry("allowance", "5")]), []),
        (peppol(line("100.001", price="100")), ["AMOUNT_TOO_FINE"]),
        (peppol(*[line("1.001", price="1")] * 6, gross="7.51"), ["AMOUNT_TOO_FINE", "TOTALS_DIFFER"]),
        (peppol(line("100.00", category="X")), ["LINE_VAT_UNKNOWN"]),
        (peppol(line("100.00", category="X"), taxes=[]), ["LINE_VAT_UNKNOWN", "VAT_DIFFERS"]),
        (peppol(currency="XXX"), ["CURRENCY_UNKNOWN"]),
        (peppol(number="A\u200bB"), ["NUMBER_UNREADABLE"]),
        (peppol(delivered="2026-03-01"), []),
        (peppol(delivered="2016-01-01"), ["DATES_UNLIKELY"]),
        (peppol(delivered="2027-04-01"), ["DATES_UNLIKELY"]),
    ],
    ids=range(29),
)  # fmt: skip
def test_what_does_not_add_up_is_shown(raw: bytes, codes: list[str]) -> None:
    assert problems(raw) == codes


@pytest.mark.parametrize(
    ("vat_in", "base", "codes"),
    [
        (("DKK", "1865.00"), ("DKK", D("7.46")), []),  # A18
        (("DKK", "1870.00"), ("DKK", D("7.46")), []),
        (("DKK", "2500.00"), ("DKK", D("7.46")), ["VAT_IN_BASE_DIFFERS"]),
        (("DKK", "2500.00"), None, []),
        (("SEK", "2500.00"), ("DKK", D("7.46")), []),
    ],
)
def test_vat_in_the_companys_currency_is_compared(
    vat_in: tuple[str, str], base: tuple[str, Decimal] | None, codes: list[str]
) -> None:
    assert problems(peppol(currency="EUR", vat_in=vat_in), base) == codes


def test_delivery_decides_the_vat_unless_it_can_not_be() -> None:
    assert tax_point(read(peppol(delivered="2026-03-01"))) == date(2026, 3, 1)
    assert tax_point(read(peppol(delivered="2016-01-01"))) == DAY


@given(
    st.lists(st.decimals(min_value="-10000", max_value="10000", places=2), min_size=1, max_size=30),
    st.sampled_from([D(25), D(12), D("5.5"), D(0)]),
)
def test_the_vat_of_a_category_is_shared_by_its_lines(nets: list[Decimal], rate: Decimal) -> None:
    tax = (total(nets) * rate / 100).quantize(D("0.01"), rounding="ROUND_HALF_UP")
    parts = shares(tax, nets, rate, "DKK")
    if parts is None:  # a line of a cent or less has no room for the difference
        assert min(abs(net) for net in nets) < D("0.10")
        return
    assert total(parts) == tax
    assert all(abs(part - net * rate / 100) <= D("0.015") for part, net in zip(parts, nets, strict=True))


@pytest.mark.parametrize("tax", ["30.00", "25.001", "-25.00"])
def test_other_vat_than_that_of_the_lines_is_not_shared(tax: str) -> None:
    assert shares(D(tax), [D("100.00")], D(25), "DKK") is None


def test_a_share_never_has_the_other_sign() -> None:
    assert shares(D("-0.01"), [D("0.01")], D(25), "DKK") is None


@pytest.mark.parametrize(
    ("origin", "category", "rate", "wanted"),
    [
        (Origin.DOMESTIC, "S", 25, ["K010", "K020"]),
        (Origin.DOMESTIC, "S", 12, []),
        (Origin.DOMESTIC, "Z", 0, ["K030", "K340"]),
        (Origin.DOMESTIC, "E", 0, ["K030", "K340"]),
        (Origin.DOMESTIC, "AE", 0, ["K660", "K670"]),
        (Origin.DOMESTIC, None, 0, []),
        (Origin.EU, "S", 21, ["K710"]),
        (Origin.EU, "K", 0, ["K210", "K220"]),
        (Origin.EU, "AE", 0, ["K260", "K270"]),
        (Origin.EU, "E", 0, ["K030", "K340"]),
        (Origin.ABROAD, "G", 0, ["K410", "K420"]),
        (Origin.ABROAD, "AE", 0, ["K460", "K470"]),
        (Origin.ABROAD, "O", 0, ["K460", "K470"]),
        (Origin.ABROAD, "S", 25, ["K710"]),
    ],
)
def test_purchase_codes_of_the_danish_chart(origin: Origin, category: str, rate: int, wanted: list[str]) -> None:
    assert [code.code for code in fitting(CODES, origin, (category, D(rate)), DAY)][:2] == wanted


def test_purchase_codes_of_another_chart() -> None:
    swedish = codes("SE")
    found = {
        (origin, category): [code.code for code in fitting(swedish, origin, (category, D(rate)), DAY)]
        for origin, category, rate in [(Origin.DOMESTIC, "S", 25), (Origin.EU, "K", 0), (Origin.EU, "AE", 0)]
    }
    assert list(found.values()) == [["P-STD"], ["P-EU"], ["P-EU-SVC"]]


def test_codes_that_are_not_in_use_are_none() -> None:
    unused = [replace(code, is_active=False) for code in CODES]
    assert fitting(unused, Origin.DOMESTIC, ("S", D(25)), DAY) == []


@pytest.mark.parametrize(
    ("sender", "company", "origin"),
    [("DK", "DK", "domestic"), ("SE", "DK", "eu"), ("NO", "DK", "abroad"), ("DK", "NO", "abroad")],
)
def test_where_a_sender_is(sender: str, company: str, origin: str) -> None:
    assert origin_of(sender, company) == origin


def test_a_bill_becomes_a_balanced_draft() -> None:
    raw = peppol(*[line("99.99")] * 3, line("50.00", category="Z", rate="0"), rounding="0.04", delivered="2026-03-01")
    made = drafted(raw)
    assert [one.vat_amount for one in made.lines] == [D("24.99"), D("25.00"), D("25.00"), None, None]
    assert [one.vat_code_id for one in made.lines[:1] + made.lines[3:]] == [
        BY_CODE["K010"].id, BY_CODE["K030"].id, None
    ]  # fmt: skip
    assert sums(made) == made.original_amount == D("425.00")
    assert (made.date, made.delivery_date, made.vendor_id) == (DAY, date(2026, 3, 1), VENDOR)
    assert (made.reference, made.owes_control_line, made.lines[-1].description) == ("F-1001", True, "Afrunding")


def test_a_credit_note_is_its_opposite() -> None:
    made = drafted(peppol(line("100.00"), line("-20.00"), line("0.00"), kind="CreditNote"))
    assert [one.side for one in made.lines] == [Side.CREDIT, Side.DEBIT]
    assert sums(made) == made.original_amount == D("-100.00")


@pytest.mark.parametrize(
    ("origin", "category", "rate", "code", "amount", "noticed"),
    [
        (Origin.EU, "AE", "0", "K260", "100.00", []),
        (Origin.EU, "S", "21", "K710", "121.00", ["VAT_OF_ANOTHER_COUNTRY"]),
        (Origin.DOMESTIC, "S", "12", None, "112.00", ["VAT_CODE_MISSING"]),
        (Origin.DOMESTIC, "X", "0", None, "100.00", ["VAT_CODE_MISSING"]),
    ],
)
def test_what_is_owed_is_what_was_charged(
    origin: Origin, category: str, rate: str, code: str | None, amount: str, noticed: list[str]
) -> None:
    made, found = draft(peppol(line("100.00", category=category, rate=rate)), origin=origin)
    assert made is not None
    assert made.lines[0].vat_code_id == (BY_CODE[code].id if code else None)
    assert made.lines[0].amount == made.original_amount == D(amount)
    assert [problem.code for problem in found] == noticed


def test_vat_that_is_not_that_of_the_rate_is_computed_when_it_is_booked() -> None:
    taxes = [{"category": "S", "rate": "25", "taxable": "100.00", "tax": "30.00"}]
    made = drafted(peppol(line("100.00"), taxes=taxes))
    assert (made.lines[0].vat_amount, made.original_amount) == (None, D("130.00"))
    missing = drafted(peppol(line("100.00", rate="12"), taxes=[{**taxes[0], "rate": "12"}]))
    assert missing.lines[0].amount == D("112.00")


def test_lines_go_where_they_went_last_time() -> None:
    rent, half = BY_CODE["K030"].id, BY_CODE["K040"].id
    known = Accounts(
        (
            Choice("Afrunding", OTHER, None),
            Choice("A1 Tømmer", RENT, half),
            Choice("Leje", RENT, rent),
            Choice("Bil", UUID(int=7), half),  # an account that can't be booked on any more
        ),
        SUPPLIES,
        {SUPPLIES: None, RENT: BY_CODE["K070"].id},
    )
    raw = peppol(
        line("10.00", item="A1"), line("20.00", name="Nyt"), line("30.00", name="Leje"),
        line("40.00", name="Andet", category="E", rate="0"), line("50.00", name="Afgift", category="AE", rate="0"),
    )  # fmt: skip
    found = {one.description: (one.account_id, one.vat_code_id) for one in drafted(raw, accounts=known).lines}
    assert found == {
        "A1 Tømmer": (RENT, half),
        "Nyt": (RENT, half),  # as other lines at that rate
        "Leje": (RENT, BY_CODE["K070"].id),  # its code doesn't fit what has VAT: the account's own does
        "Andet": (RENT, rent),
        "Afgift": (SUPPLIES, BY_CODE["K660"].id),
    }


def test_without_an_account_there_is_no_draft() -> None:
    made, found = draft(peppol(), accounts=Accounts((), None, {}))
    assert made is None
    assert [problem.code for problem in found] == ["ACCOUNT_UNKNOWN"]
    nothing, _ = draft(peppol(line("0.00"), rounding="0.10"), accounts=Accounts((), None, {}))
    assert nothing is not None
    assert nothing.lines == ()


@pytest.mark.parametrize(
    ("number", "country", "canonical"),
    [
        ("DK13585628", "DK", "DK13585628"), (" 13 58 56 28 ", "DK", "DK13585628"), ("dk-13585628", "DK", "DK13585628"),
        ("NO990399123MVA", "NO", "NO990399123"), ("990399123", "NO", "NO990399123"), ("123456789", "GR", "EL123456789"),
    ],
)  # fmt: skip
def test_a_number_has_one_form(number: str, country: str, canonical: str) -> None:
    assert canonical_number(number, country) == canonical


SOMEBODY = TradingParty("Tømmer ApS", "DK", ("DK25313763",))


def test_a_vendor_is_found_by_its_number_and_nothing_else() -> None:
    mine = Known(VENDOR, "25 31 37 63", "DK")
    others = [Known(OTHER, "13585628", "DK"), Known(OTHER, "25313763", "SE"), Known(OTHER, None, "DK")]
    assert find_vendor(SOMEBODY, [*others, mine], None) == find_vendor(SOMEBODY, [mine], OTHER)
    assert find_vendor(SOMEBODY, [mine], None).vendor_id == VENDOR
    unknown = find_vendor(SOMEBODY, others, None)
    assert (unknown.vendor_id, [one.code for one in unknown.problems]) == (None, ["VENDOR_UNKNOWN"])
    assert find_vendor(SOMEBODY, others, OTHER).vendor_id == OTHER
    twice = find_vendor(SOMEBODY, [mine, replace(mine, id=OTHER)], None)
    assert (twice.vendor_id, [one.code for one in twice.problems]) == (None, ["VENDOR_AMBIGUOUS"])
    assert find_vendor(SOMEBODY, [mine, replace(mine, id=OTHER)], OTHER).vendor_id == OTHER


@pytest.mark.parametrize(
    ("sender", "wanted"),
    [
        (SOMEBODY, "DK25313763"),
        (replace(SOMEBODY, numbers=(), endpoint="0088:5798009811578"), "0088:5798009811578"),
        (replace(SOMEBODY, numbers=()), "DK tømmer aps"),
    ],
)
def test_what_a_sender_is_known_by(sender: TradingParty, wanted: str) -> None:
    assert sender_id(sender) == wanted


COMPANY = Known(new_id(), "13585628", "DK")


@pytest.mark.parametrize(
    ("sender", "receiver", "company", "wanted"),
    [
        (SOMEBODY, TradingParty("x", "DK", ("DK13585628",)), COMPANY, []),
        (SOMEBODY, TradingParty("Nordlys ApS", "DK", ("DK99999999",)), COMPANY, ["RECEIVER_DIFFERS"]),
        (SOMEBODY, TradingParty("NORDLYS APS", "DK", endpoint="0088:5798009811578"), COMPANY, []),
        (SOMEBODY, TradingParty("x", "DK"), COMPANY, ["RECEIVER_UNCERTAIN"]),
        # Addressed to another company's number, whatever else it says.
        (SOMEBODY, TradingParty("Nordlys ApS", "DK", ("DK13585628", "DK31119103"), endpoint="0184:31119103"), COMPANY,
         ["RECEIVER_DIFFERS"]),
        (SOMEBODY, TradingParty("x", "DE", ("DK13585628",), endpoint="9930:DE136695976"), COMPANY,
         ["RECEIVER_DIFFERS"]),
        (SOMEBODY, TradingParty("x", "DK", endpoint="0184:13585628"), COMPANY, []),
        (SOMEBODY, TradingParty("x", "NO", endpoint="0192:923609016"), Known(new_id(), "NO923609016MVA", "NO"), []),
        (SOMEBODY, TradingParty("x", "SE", endpoint="0007:5566778899"), Known(new_id(), "SE556677889901", "SE"), []),
        (SOMEBODY, TradingParty("x", "DK", endpoint="0184:12345674"), replace(COMPANY, vat_number=None),
         ["RECEIVER_UNCERTAIN"]),
        (SOMEBODY, TradingParty("x", "DK", ("DK13585628",)), replace(COMPANY, vat_number=None), ["RECEIVER_UNCERTAIN"]),
        (replace(SOMEBODY, numbers=("DK13585628",)), TradingParty("x", "DK", ("DK13585628",)), COMPANY,
         ["SENDER_IS_COMPANY"]),
    ],
)  # fmt: skip
def test_whose_it_is(sender: TradingParty, receiver: TradingParty, company: Known, wanted: list[str]) -> None:
    assert [problem.code for problem in check_parties(sender, receiver, company, "Nordlys ApS")] == wanted


def test_a_sender_says_who_it_is() -> None:
    assert read(peppol()).sender.vat_number == SENDER["vat"]
