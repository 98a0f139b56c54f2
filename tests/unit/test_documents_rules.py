"""Line nets, VAT and totals of billing documents: EN 16931's arithmetic, to the last unit."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.catalog.model import CatalogStatus, ProductId
from ledgerbee.catalog.prices.model import (
    PRODUCT_PRICE_QUANTITY_INVALID,
    BillingPeriodType,
    Price,
    PricingModel,
    SoldProduct,
    Tier,
    ZoneSale,
)
from ledgerbee.chart.vat_codes.model import SINCE_EVER, Principle, VatCode, VatRate, VatType
from ledgerbee.core.errors import VALIDATION_FAILED, LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import MAX_AMOUNT, ZERO, minor_units, percent_of, round_money, total
from ledgerbee.parties.customers.model import VatZone
from ledgerbee.sales.documents import rules
from ledgerbee.sales.documents.model import (
    MAX_DUE_DAYS,
    MAX_LINES,
    SALES_DOCUMENT_AMOUNT_TOO_LARGE,
    SALES_DOCUMENT_VAT_CODE_UNUSABLE,
    DocumentLineType,
    Line,
    LineInput,
    ServicePeriod,
    Tax,
    TaxedAmount,
    period_of,
)

NOW = datetime(2026, 3, 16, tzinfo=UTC)
ACCOUNT = new_id()
DAY = date(2026, 3, 16)

currencies = st.sampled_from(["DKK", "EUR", "JPY", "KWD", "CLF"])
taxes = st.sampled_from(
    [
        Tax(ACCOUNT, new_id(), Decimal(25), "S", new_id()),
        Tax(ACCOUNT, new_id(), Decimal("5.5"), "S", new_id()),
        Tax(ACCOUNT, new_id(), Decimal(25), "S", new_id()),
        Tax(ACCOUNT, new_id(), ZERO, "K", None, "exempt", "fritaget"),
        Tax(ACCOUNT, None, ZERO, "Z"),
    ]
)


@st.composite
def taxed_amounts(draw: st.DrawFn) -> tuple[str, list[TaxedAmount]]:
    currency = draw(currencies)
    units = st.integers(-(10**9), 10**9).map(lambda n: Decimal(n).scaleb(-minor_units(currency)))
    return currency, draw(st.lists(st.builds(TaxedAmount, units, taxes), min_size=1, max_size=40))


@given(taxed_amounts())
def test_totals_are_exact_sums(drawn: tuple[str, list[TaxedAmount]]) -> None:
    currency, amounts = drawn
    totals = rules.compute_totals(amounts, currency)
    assert totals.subtotal == total([amount.net for amount in amounts])
    assert totals.vat == total([row.vat for row in totals.rows])
    assert totals.amount == totals.subtotal + totals.vat
    for row in totals.rows:
        members = [a for a in amounts if (a.tax.category, a.tax.rate) == (row.category, row.rate)]
        assert row.taxable == total([member.net for member in members])
        assert row.vat == round_money(percent_of(row.taxable, row.rate), currency)


@given(taxed_amounts())
def test_every_line_has_its_share_of_the_vat(drawn: tuple[str, list[TaxedAmount]]) -> None:
    currency, amounts = drawn
    totals = rules.compute_totals(amounts, currency)
    unit = Decimal(1).scaleb(-minor_units(currency))
    for row in totals.rows:
        members = [
            (amount, vat)
            for amount, vat in zip(amounts, totals.line_vat, strict=True)
            if (amount.tax.category, amount.tax.rate) == (row.category, row.rate)
        ]
        assert total([vat for _, vat in members]) == row.vat
        for amount, vat in members:
            assert vat == round_money(vat, currency)
            assert vat * amount.net >= 0, "VAT has its net's sign"
            assert abs(vat - percent_of(amount.net, row.rate)) < 3 * unit


@given(taxed_amounts(), st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_matter(drawn: tuple[str, list[TaxedAmount]], random: Any) -> None:
    currency, amounts = drawn
    shuffled = list(amounts)
    random.shuffle(shuffled)
    before, after = rules.compute_totals(amounts, currency), rules.compute_totals(shuffled, currency)
    assert (before.subtotal, before.vat, before.amount) == (after.subtotal, after.vat, after.amount)
    figures = [(row.category, row.rate, row.taxable, row.vat) for row in before.rows]
    assert figures == [(row.category, row.rate, row.taxable, row.vat) for row in after.rows]


def test_vat_is_on_the_sum_not_on_each_line() -> None:
    tax = Tax(ACCOUNT, new_id(), Decimal(25), "S", new_id())
    totals = rules.compute_totals([TaxedAmount(Decimal("0.33"), tax)] * 3, "DKK")
    assert totals.vat == Decimal("0.25")  # 0.99 x 25 %; line by line it would be 0.24
    assert totals.line_vat == (Decimal("0.09"), Decimal("0.08"), Decimal("0.08"))


def test_codes_of_one_category_and_rate_share_a_row() -> None:
    first, second = (Tax(ACCOUNT, new_id(), Decimal(25), "S", new_id()) for _ in range(2))
    totals = rules.compute_totals([TaxedAmount(Decimal("0.01"), first), TaxedAmount(Decimal("0.01"), second)], "DKK")
    assert [(row.taxable, row.vat) for row in totals.rows] == [(Decimal("0.02"), Decimal("0.01"))]
    assert totals.line_vat == (Decimal("0.01"), ZERO)


def test_supplies_without_vat_stand_apart_by_reason() -> None:
    # momsbekendtgørelsen § 58, stk. 3. Goods and services abroad share category and rate (G, 0 %).
    goods, services, bare = (
        Tax(ACCOUNT, new_id(), ZERO, "G", None, english, danish)
        for english, danish in (("Export of goods", "Eksport"), ("Service", None), (None, None))
    )
    amounts = [TaxedAmount(Decimal(net), tax) for net, tax in ((1, goods), (2, services), (4, bare), (8, goods))]
    assert [
        (row.exemption_reason, row.exemption_reason_da, row.taxable)
        for row in rules.compute_totals(amounts, "DKK").rows
    ] == [
        (None, None, Decimal(4)),
        ("Export of goods", "Eksport", Decimal(9)),
        ("Service", "Service", Decimal(2)),
    ]


def test_a_reason_splits_no_rate() -> None:
    """What is charged is computed on the sum of its rate, whatever its code says beside it."""
    taxes = [Tax(ACCOUNT, new_id(), Decimal(25), "S", new_id(), reason) for reason in (None, "Of its own")]
    totals = rules.compute_totals([TaxedAmount(Decimal("0.01"), tax) for tax in taxes], "DKK")
    assert [(row.taxable, row.vat) for row in totals.rows] == [(Decimal("0.02"), Decimal("0.01"))]


@given(taxed_amounts())
def test_each_line_belongs_to_the_row_of_its_treatment(drawn: tuple[str, list[TaxedAmount]]) -> None:
    currency, amounts = drawn
    rows = {rules.treatment_of(row): row for row in rules.compute_totals(amounts, currency).rows}
    for treatment, row in rows.items():
        members = [amount.net for amount in amounts if rules.treatment_of(amount.tax) == treatment]
        assert members
        assert total(members) == row.taxable


@pytest.mark.parametrize(
    ("own", "country", "expected"),
    [("en", "DK", "en"), ("da", "US", "da"), (None, "DK", "da"), (None, "GL", "da"), (None, "FO", "da"),
     (None, "SE", "en"), (None, "DE", "en"), (None, "US", "en")],
)  # fmt: skip
def test_a_buyer_is_written_to_in_its_own_language_else_its_countrys(
    own: str | None, country: str, expected: str
) -> None:
    assert rules.buyer_language(own, country) == expected


def test_rows_stand_by_rate() -> None:
    rates = [ZERO, Decimal(25), Decimal(12)]
    amounts = [TaxedAmount(Decimal(1), Tax(ACCOUNT, None, rate, "S" if rate else "Z")) for rate in rates]
    assert [row.rate for row in rules.compute_totals(amounts, "DKK").rows] == [25, 12, 0]


def test_a_return_takes_its_vat_back() -> None:
    tax = Tax(ACCOUNT, new_id(), Decimal(25), "S", new_id())
    totals = rules.compute_totals([TaxedAmount(Decimal(100), tax), TaxedAmount(Decimal(-100), tax)], "DKK")
    assert (totals.amount, totals.line_vat) == (ZERO, (Decimal(25), Decimal(-25)))


@pytest.mark.parametrize(
    ("gross", "discount", "currency", "net"),
    [
        ("10.005", "0", "DKK", "10.01"),
        ("-10.005", "0", "DKK", "-10.01"),
        ("298.50", "10", "DKK", "268.65"),
        ("100.5", "0", "JPY", "101"),
        ("1.0005", "0", "KWD", "1.001"),
        ("99.99", "100", "DKK", "0"),
    ],
)
def test_a_net_is_rounded_once(gross: str, discount: str, currency: str, net: str) -> None:
    assert rules.line_net(Decimal(gross), Decimal(discount), currency) == Decimal(net)


def test_amounts_beyond_the_books_are_refused() -> None:
    tax = Tax(ACCOUNT, new_id(), Decimal(25), "S", new_id())
    with pytest.raises(LedgerBeeError) as refusal:
        rules.compute_totals([TaxedAmount(MAX_AMOUNT.quantize(Decimal(1)) - 1, tax)], "DKK")
    assert refusal.value.error_code is SALES_DOCUMENT_AMOUNT_TOO_LARGE


def price(**fields: Any) -> Price:
    values: dict[str, Any] = {
        "id": new_id(),
        "product_id": new_id(),
        "billing_period_type": BillingPeriodType.ONE_TIME,
        "pricing_model": PricingModel.FLAT_RATE,
        "nickname": None,
        "currency": "DKK",
        "unit_amount": Decimal(100),
        "tiers": (),
        "billing_interval": None,
        "billing_interval_count": None,
        "meter_id": None,
        "status": CatalogStatus.ACTIVE,
        "is_default": True,
        "is_locked": False,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Price(**(values | fields))


PRODUCT = SoldProduct(
    id=ProductId(new_id()), number="P1", name="Consulting", description=None, product_group_id=new_id(), unit="hours",
    status=CatalogStatus.ACTIVE, zones={},
)  # fmt: skip
GRADUATED = price(
    pricing_model=PricingModel.GRADUATED,
    unit_amount=None,
    tiers=(Tier(Decimal(10), Decimal(5), ZERO), Tier(None, Decimal(3), Decimal(1))),
)


def test_a_line_says_which_days_it_is_for() -> None:
    period = ServicePeriod(date(2026, 3, 1), date(2026, 3, 31))
    line = product_line(LineInput(DocumentLineType.PRODUCT, new_id(), Decimal(3), service_period=period))
    assert period_of(line) == period
    assert rules.as_input(line).service_period == period
    assert period_of(product_line(LineInput(DocumentLineType.PRODUCT, new_id()))) is None


def product_line(line: LineInput, of: Price | None = None, discount: str = "0") -> Line:
    return rules.product_line(
        line, of or price(), PRODUCT, line_id=new_id(), currency="DKK", group_discount=Decimal(discount)
    )


def test_a_line_takes_what_its_author_left_open() -> None:
    line = product_line(LineInput(DocumentLineType.PRODUCT, new_id(), Decimal(3)), discount="10")
    assert (line.description, line.unit, line.unit_price, line.net) == (
        "Consulting",
        "hours",
        Decimal(100),
        Decimal(270),
    )
    assert (line.discount_percent, line.discount_given, line.unit_price_given) == (Decimal(10), False, False)


def test_a_discount_of_zero_is_a_discount() -> None:
    line = product_line(LineInput(DocumentLineType.PRODUCT, new_id(), Decimal(3), discount_percent=ZERO), discount="10")
    assert (line.net, line.discount_given) == (Decimal(300), True)


def test_a_tiered_price_shows_the_average_unit() -> None:
    line = product_line(LineInput(DocumentLineType.PRODUCT, new_id(), Decimal(12)), GRADUATED)
    assert (line.net, line.unit_price) == (Decimal(57), Decimal("4.75"))


def test_an_override_makes_a_tiered_price_flat() -> None:
    line = product_line(
        LineInput(DocumentLineType.PRODUCT, new_id(), Decimal(-12), unit_price=Decimal("0.5")), GRADUATED
    )
    assert (line.net, line.unit_price, line.unit_price_given) == (Decimal(-6), Decimal("0.5"), True)


def test_tiers_have_no_price_for_a_return() -> None:
    with pytest.raises(LedgerBeeError) as refusal:
        product_line(LineInput(DocumentLineType.PRODUCT, new_id(), Decimal(-1)), GRADUATED)
    assert refusal.value.error_code is PRODUCT_PRICE_QUANTITY_INVALID


@given(st.decimals("-1e6", "1e6", places=6), st.decimals("-1e6", "1e6", places=12), st.decimals(0, 100, places=4))
def test_what_the_author_gave_survives(quantity: Decimal, unit_price: Decimal, discount: Decimal) -> None:
    given_line = LineInput(DocumentLineType.PRODUCT, PRODUCT.id, quantity, unit_price, "As agreed", discount)
    line = rules.product_line(
        given_line, price(id=PRODUCT.id), PRODUCT, line_id=new_id(), currency="DKK", group_discount=ZERO
    )
    assert rules.as_input(line) == given_line


def vat_code(**fields: Any) -> VatCode:
    values: dict[str, Any] = {
        "id": new_id(),
        "code": "S01",
        "name": "Domestic",
        "type": VatType.SALES,
        "principle": Principle.NET,
        "rates": (VatRate(SINCE_EVER, Decimal(25), Fraction(1)),),
        "account_id": new_id(),
        "contra_account_id": None,
        "return_box": None,
        "einvoice_category": "S",
        "exemption_reason": None,
        "exemption_reason_da": None,
        "is_active": True,
        "created_at": NOW,
    }
    return VatCode(**(values | fields))


def test_a_sale_is_taxed_by_its_accounts_code() -> None:
    code = vat_code()
    tax = rules.tax_of(ZoneSale(ACCOUNT, code), VatZone.DOMESTIC, DAY)
    assert tax == Tax(ACCOUNT, code.id, Decimal(25), "S", code.account_id)


def test_a_reverse_charge_charges_nothing() -> None:
    code = vat_code(contra_account_id=new_id(), einvoice_category="AE", exemption_reason="Reverse charge")
    tax = rules.tax_of(ZoneSale(ACCOUNT, code), VatZone.EU, DAY)
    assert (tax.rate, tax.vat_account_id, tax.category, tax.exemption_reason) == (ZERO, None, "AE", "Reverse charge")


def test_only_domestic_without_vat_goes_without_a_code() -> None:
    assert rules.tax_of(ZoneSale(ACCOUNT, None), VatZone.DOMESTIC_WITHOUT_VAT, DAY) == Tax(ACCOUNT, None, ZERO, "Z")


def test_lines_are_taxed_by_their_prices() -> None:
    price = new_id()
    line = Line(new_id(), DocumentLineType.PRODUCT, price_id=price, net=Decimal(100))
    sales = {price: ZoneSale(ACCOUNT, vat_code(account_id=new_id()))}
    computed = rules.tax([line], sales, VatZone.DOMESTIC, DAY, "DKK")
    assert computed.taxes == {price: rules.tax_of(sales[price], VatZone.DOMESTIC, DAY)}
    assert (computed.totals.vat, computed.totals.amount) == (Decimal(25), Decimal(125))


@pytest.mark.parametrize(
    "code",
    [
        None,
        vat_code(type=VatType.PURCHASE),
        vat_code(is_active=False),
        vat_code(principle=Principle.GROSS),
        vat_code(account_id=None),
    ],
    ids=["none", "purchase", "inactive", "gross", "nowhere-to-book"],
)
def test_codes_that_no_document_can_charge_are_refused(code: VatCode | None) -> None:
    with pytest.raises(LedgerBeeError) as refusal:
        rules.tax_of(ZoneSale(ACCOUNT, code), VatZone.DOMESTIC, DAY)
    assert refusal.value.error_code is SALES_DOCUMENT_VAT_CODE_UNUSABLE
    assert refusal.value.details == {"accountId": str(ACCOUNT)}


def properties(lines: list[LineInput]) -> list[str]:
    with pytest.raises(LedgerBeeError) as refusal:
        rules.check_lines(lines)
    assert refusal.value.error_code is VALIDATION_FAILED
    return [error["property"] for error in refusal.value.details["validationErrors"]]


def test_a_document_sells_something() -> None:
    assert properties(
        [LineInput(DocumentLineType.TEXT, description="Hello"), LineInput(DocumentLineType.SEPARATOR)]
    ) == ["lines"]


def test_lines_name_their_faults() -> None:
    lines = [
        LineInput(DocumentLineType.PRODUCT, new_id()),
        LineInput(DocumentLineType.PRODUCT),
        LineInput(DocumentLineType.TEXT),
    ]
    assert properties(lines) == ["lines.1.priceId", "lines.2.description"]


def test_too_many_lines_are_refused() -> None:
    assert properties([LineInput(DocumentLineType.PRODUCT, new_id())] * (MAX_LINES + 1)) == ["lines"]


@pytest.mark.parametrize(
    ("issued", "terms", "due"),
    [("2026-01-31", 30, "2026-03-02"), ("2026-03-16", 0, "2026-03-16"), ("9999-12-20", 14, "9999-12-31")],
)
def test_the_due_date_follows_the_terms(issued: str, terms: int, due: str) -> None:
    assert rules.due_on(date.fromisoformat(issued), terms) == date.fromisoformat(due)


def test_nothing_is_due_before_it_is_issued() -> None:
    rules.check_due_date(date(2026, 3, 16), date(2026, 3, 16))
    with pytest.raises(LedgerBeeError) as refusal:
        rules.check_due_date(date(2026, 3, 16), date(2026, 3, 15))
    assert refusal.value.details["validationErrors"][0]["property"] == "dueDate"


@pytest.mark.parametrize(
    ("amount", "currency", "fits"),
    [("1.10", "DKK", True), ("1.101", "DKK", False), ("1", "JPY", True), ("1.5", "JPY", False)],
)
def test_amounts_are_as_fine_as_their_currency(amount: str, currency: str, fits: bool) -> None:
    if fits:
        rules.check_precision(Decimal(amount), currency, "amount")
    else:
        with pytest.raises(LedgerBeeError):
            rules.check_precision(Decimal(amount), currency, "amount")


@pytest.mark.parametrize(
    ("issued", "due", "rule"),
    [
        ("2026-03-16", "2026-03-15", "minDate"),
        ("2026-03-16", "2026-03-16", None),
        ("2026-03-16", rules.due_on(date(2026, 3, 16), MAX_DUE_DAYS).isoformat(), None),
        ("2026-03-16", rules.due_on(date(2026, 3, 16), MAX_DUE_DAYS + 1).isoformat(), "maxDate"),
    ],
)
def test_a_due_day_lies_between_the_issue_and_the_longest_terms(issued: str, due: str, rule: str | None) -> None:
    days = date.fromisoformat(issued), date.fromisoformat(due)
    if rule is None:
        rules.check_due_date(*days)
        return
    with pytest.raises(LedgerBeeError) as refusal:
        rules.check_due_date(*days)
    assert list(refusal.value.details["validationErrors"][0]["constraints"]) == [rule]
