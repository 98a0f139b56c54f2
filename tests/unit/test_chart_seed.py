"""The seed of a new company's books refers only to what is there, and follows the rules of VAT it is used under."""

from decimal import Decimal
from fractions import Fraction
from itertools import combinations

import pytest

from ledgerbee.chart.accounts.model import BOOKABLE, Classification, ControlAccountType, LedgerType, StatementLine
from ledgerbee.chart.journal_categories.model import JournalType
from ledgerbee.chart.seed.loader import seed_for
from ledgerbee.chart.seed.model import AccountSeed, ChartSeed, VatCodeSeed
from ledgerbee.chart.vat_codes.model import BASE_BOXES, RETURN_BOXES, EInvoiceCategory
from ledgerbee.sales.templates.model import TemplateType

LEDGER_TYPES = frozenset(LedgerType)
CLASSIFICATIONS = frozenset(Classification)
CONTROL_ACCOUNT_TYPES = frozenset(ControlAccountType)
#: Accounts that posting finds by itself. Every chart has each of them exactly once.
ROLES = frozenset(
    {
        "BAD_DEBTS",
        "BANK",
        "CUSTOMER_PREPAYMENTS",
        "DEFERRED_REVENUE",
        "FX_GAIN",
        "FX_LOSS",
        "PAYMENT_CLEARING",
        "PAYMENT_FEES",
        "ROUNDING",
        "RETAINED_EARNINGS",
        "UNIDENTIFIED_RECEIPTS",
        "VAT_SETTLEMENT",
    }
)
#: Totals that reports find by themselves. Every chart has each of them exactly once.
STATEMENT_LINES = frozenset(StatementLine)
JOURNAL_TYPES = frozenset(JournalType)
DOCUMENT_TYPES = frozenset(TemplateType)
EINVOICE_CATEGORIES = frozenset(EInvoiceCategory)


def words(text: str) -> list[str]:
    return text.split()


EU = words(
    """
    AT BE BG CY CZ DE EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK
    """
)
WITH_VAT = ["CH", "GB", "IS", "LI", "NO"]
WITHOUT_VAT = ["US", "GL"]
COUNTRIES = ["DK", *EU, *WITH_VAT, *WITHOUT_VAT]

DANISH_CODES = words(
    """
    S01 S02 S81 S82 S83 S84 S85 S86 S87 S88 S21 S22 S23 S24 S25 S41 S42 S43 S61 S62 S63 S64 S65
    K010 K020 K030 K610 K040 K050 K060 K070 K080 K090 K100 K110 K120 K130 K620 K630 K640 K650 K660 K670 K680 K690
    K700 K710 K720 K210 K220 K230 K240 K250 K260 K270 K280 K290 K300 K310 K320 K330 K340
    K410 K420 K430 K440 K450 K460 K470 K480 K490 K500
    """
)

STANDARD_ACCOUNTS = words(
    """
    1010 1050 1100 1150 1200 1210 1250 1550 1610 1630 1650 1660 1710 1740 1745 1760 1850 1910 2030 2050 2280 2310 2390
    2410 2450 2510 2670 2720 2845 3470 3490 3535 3610 3650 3670 6190 6320 6330 6390 6470 6480 6510 6935 7330 7410 7440
    7680 7700 7720 7740 7840 7920 8040 8070
    """
)

#: Margin-scheme sales: the entered amount contains its VAT.
MARGIN_SCHEME = {"S83", "S84", "S85", "S86"}
WITH_REASON = {"E", "AE", "K", "G", "O"}


@pytest.fixture(params=COUNTRIES)
def seed(request: pytest.FixtureRequest) -> ChartSeed:
    return seed_for(request.param)


def accounts_of(seed: ChartSeed) -> dict[int, AccountSeed]:
    return {account.number: account for account in seed.accounts}


def vat_codes_of(seed: ChartSeed) -> dict[str, VatCodeSeed]:
    return {vat_code.code: vat_code for vat_code in seed.vat_codes}


def test_numbers_codes_and_names_are_unique_and_filled(seed: ChartSeed) -> None:
    for keys in (
        [account.number for account in seed.accounts],
        [vat_code.code for vat_code in seed.vat_codes],
        [category.name for category in seed.journal_categories],
        [group.number for group in seed.customer_groups],
        [group.number for group in seed.vendor_groups],
        [group.number for group in seed.product_groups],
        [(template.document_type, template.language) for template in seed.document_templates],
    ):
        assert len(keys) == len(set(keys)) > 0
    names = [name for account in seed.accounts for name in (account.name, account.name_en)]
    names += [name for vat_code in seed.vat_codes for name in (vat_code.name, vat_code.name_en)]
    assert all(name and name == name.strip() for name in names)


def test_account_kinds_are_known(seed: ChartSeed) -> None:
    for account in seed.accounts:
        assert account.ledger_type in LEDGER_TYPES
        assert account.control_account_type is None or account.control_account_type in CONTROL_ACCOUNT_TYPES
        if account.ledger_type not in BOOKABLE:
            extras = (account.classification, account.control_account_type, account.vat_code)
            assert extras == (None, None, None)
        else:
            assert account.classification in CLASSIFICATIONS
            result = account.classification in {"REVENUE", "EXPENSE"}
            assert result == (account.ledger_type == "PROFIT_AND_LOSS")


def test_the_chart_sorts_as_it_reads(seed: ChartSeed) -> None:
    """The account list is sorted by standard number, then number: headings and totals must keep their places."""
    in_file = [account.number for account in seed.accounts]
    in_list = [a.number for a in sorted(seed.accounts, key=lambda a: (a.standard_number, a.number))]
    assert in_file == sorted(in_file) == in_list


def test_standard_numbers_exist(seed: ChartSeed) -> None:
    accounts = accounts_of(seed)
    for account in seed.accounts:
        standard = accounts[account.standard_number]
        assert standard.standard_number == standard.number
        assert (standard.ledger_type, standard.classification) == (account.ledger_type, account.classification)


def test_each_role_and_control_account_is_there_once(seed: ChartSeed) -> None:
    assert sorted(a.role for a in seed.accounts if a.role) == sorted(ROLES | STATEMENT_LINES)
    controls = [a.control_account_type for a in seed.accounts if a.control_account_type]
    assert sorted(controls) == sorted(CONTROL_ACCOUNT_TYPES)
    by_role = {account.role: account.classification for account in seed.accounts if account.role in ROLES}
    assert by_role == {
        "BAD_DEBTS": "EXPENSE",
        "BANK": "ASSET",
        "CUSTOMER_PREPAYMENTS": "LIABILITY",
        "DEFERRED_REVENUE": "LIABILITY",
        "FX_GAIN": "REVENUE",
        "FX_LOSS": "EXPENSE",
        "PAYMENT_CLEARING": "ASSET",
        "PAYMENT_FEES": "EXPENSE",
        "ROUNDING": "EXPENSE",
        "RETAINED_EARNINGS": "EQUITY",
        "UNIDENTIFIED_RECEIPTS": "LIABILITY",
        "VAT_SETTLEMENT": "LIABILITY",
    }
    lines = {account.role: account for account in seed.accounts if account.role in STATEMENT_LINES}
    result = lines.pop("RESULT_IN_EQUITY")
    assert result.ledger_type == "TOTAL_INTERVALS"
    assert {line.ledger_type for line in lines.values()} == {"TOTAL_FROM"}
    whole = lines["TOTAL_EQUITY_AND_LIABILITIES"]
    assert whole.sum_from is not None
    assert whole.sum_from < result.number < whole.number
    equity = {a.number for a in seed.accounts if a.classification == "EQUITY"}
    assert min(equity) < result.number, "the result stands in equity"


def test_the_statements_hold_every_account_of_their_kind_and_no_other(seed: ChartSeed) -> None:
    """What a total of a statement sums by kind is what a reader of the chart sees in its interval."""
    for role, kinds in {
        "RESULT": {"REVENUE", "EXPENSE"},
        "TOTAL_ASSETS": {"ASSET"},
        "TOTAL_EQUITY_AND_LIABILITIES": {"EQUITY", "LIABILITY"},
    }.items():
        (total,) = [account for account in seed.accounts if account.role == role]
        start = total.sum_from or 0
        inside = {a.number for a in seed.accounts if a.classification and start <= a.standard_number <= total.number}
        assert inside == {a.number for a in seed.accounts if a.classification in kinds}


def test_totals_sum_real_intervals_of_one_statement(seed: ChartSeed) -> None:
    intervals = []
    for account in seed.accounts:
        assert (account.sum_from is not None) == (account.ledger_type == "TOTAL_FROM")
        if account.sum_from is None:
            continue
        summed = [a for a in seed.accounts if account.sum_from <= a.standard_number < account.number]
        kinds = {a.ledger_type for a in summed} & BOOKABLE
        assert len(kinds) == 1, account
        intervals.append((account.sum_from, account.number))
    for (first_from, first_to), (second_from, second_to) in combinations(sorted(intervals), 2):
        apart, inside = second_from > first_to, second_to <= first_to
        assert apart or inside or first_from == second_from, "totals overlap without one holding the other"


def test_every_bookable_account_is_in_a_total(seed: ChartSeed) -> None:
    totals = [(a.sum_from, a.number) for a in seed.accounts if a.sum_from is not None]
    for account in seed.accounts:
        if account.ledger_type in BOOKABLE:
            assert any(start <= account.standard_number < end for start, end in totals), account


def test_only_bookable_accounts_are_referred_to(seed: ChartSeed) -> None:
    referred = {group.account_number for group in (*seed.customer_groups, *seed.vendor_groups)}
    for group in seed.product_groups:
        referred |= {group.domestic, group.eu, group.abroad, group.domestic_without_vat}
    for vat_code in seed.vat_codes:
        referred |= {n for n in (vat_code.account_number, vat_code.contra_account_number) if n is not None}
    accounts = accounts_of(seed)
    assert {number for number in referred if accounts[number].ledger_type not in BOOKABLE} == set()


def test_accounts_carry_vat_codes_of_their_own_side(seed: ChartSeed) -> None:
    vat_codes = vat_codes_of(seed)
    for account in seed.accounts:
        if account.vat_code is not None:
            expected = "SALES" if account.classification == "REVENUE" else "PURCHASE"
            assert vat_codes[account.vat_code].type == expected, account


def test_party_groups_have_control_accounts(seed: ChartSeed) -> None:
    accounts = accounts_of(seed)
    for groups, control in (
        (seed.customer_groups, "ACCOUNTS_RECEIVABLE"),
        (seed.vendor_groups, "ACCOUNTS_PAYABLE"),
    ):
        assert {accounts[group.account_number].control_account_type for group in groups} == {control}


def test_product_groups_sell_under_sales_vat_codes_fit_for_invoices(seed: ChartSeed) -> None:
    accounts, vat_codes = accounts_of(seed), vat_codes_of(seed)
    for group in seed.product_groups:
        for number in (group.domestic, group.eu, group.abroad, group.domestic_without_vat):
            account = accounts[number]
            assert account.classification == "REVENUE"
            assert account.vat_code is not None
            vat_code = vat_codes[account.vat_code]
            assert vat_code.type == "SALES"
            assert vat_code.einvoice_category is not None
            assert vat_code.rate == 0 or number == group.domestic


def test_vat_codes_are_well_formed(seed: ChartSeed) -> None:
    for vat_code in seed.vat_codes:
        assert vat_code.type in {"SALES", "PURCHASE"}
        assert 0 <= vat_code.rate < 100
        assert 0 <= vat_code.deductible_share <= 1
        assert set(vat_code.return_boxes) <= RETURN_BOXES, vat_code
        assert vat_code.return_box != ""
        category = vat_code.einvoice_category
        assert category is None or (category in EINVOICE_CATEGORIES and vat_code.type == "SALES")
        if category is not None:
            assert (category == "S") == (vat_code.rate > 0), vat_code
        reasons = {bool(vat_code.exemption_reason), bool(vat_code.exemption_reason_da)}
        assert reasons == {category in WITH_REASON}, vat_code


def test_sales_codes_book_output_vat_and_nothing_else(seed: ChartSeed) -> None:
    for vat_code in (code for code in seed.vat_codes if code.type == "SALES"):
        with_vat = vat_code.rate > 0
        assert ("OUTPUT_VAT" in vat_code.return_boxes) == with_vat
        assert (vat_code.account_number is not None) == with_vat
        assert vat_code.contra_account_number is None
        assert vat_code.principle == ("Gross" if vat_code.code in MARGIN_SCHEME else "Net")


def test_purchase_codes_book_input_vat_and_reverse_charge_both_sides(seed: ChartSeed) -> None:
    contra_box = {
        7680: "OUTPUT_VAT",
        7700: "FOREIGN_GOODS_VAT",
        7720: "FOREIGN_SERVICES_VAT",
        2310: "REVERSE_CHARGE_VAT",
    }
    for vat_code in (code for code in seed.vat_codes if code.type == "PURCHASE"):
        reverse_charge = vat_code.contra_account_number is not None
        assert vat_code.principle == ("Net" if reverse_charge else "Gross")
        assert (vat_code.account_number is not None) == (vat_code.rate > 0)
        assert ("INPUT_VAT" in vat_code.return_boxes) == (vat_code.deductible_share > 0)
        boxes = set(vat_code.return_boxes) & set(contra_box.values())
        assert boxes == ({contra_box[vat_code.contra_account_number]} if vat_code.contra_account_number else set())


def test_the_default_journal_category_takes_every_entry_type(seed: ChartSeed) -> None:
    (default,) = [category for category in seed.journal_categories if category.is_default]
    assert set(default.allowed_types) == JOURNAL_TYPES
    for category in seed.journal_categories:
        assert set(category.allowed_types) <= JOURNAL_TYPES
        assert len(set(category.allowed_types)) == len(category.allowed_types) > 0


def test_each_document_type_has_a_default_in_the_charts_language(seed: ChartSeed) -> None:
    assert {t.document_type for t in seed.document_templates} == DOCUMENT_TYPES
    assert {t.language for t in seed.document_templates} == {"da", "en"}
    defaults = [t for t in seed.document_templates if t.is_default]
    assert {t.document_type for t in defaults} == DOCUMENT_TYPES
    assert len(defaults) == len(DOCUMENT_TYPES)
    assert {t.language for t in defaults} == {seed.language} == {"da" if seed.country == "DK" else "en"}


def test_denmark_has_the_public_vat_codes_and_accounts() -> None:
    seed = seed_for("DK")
    assert len(DANISH_CODES) == 72
    assert sorted(code.code for code in seed.vat_codes) == sorted(DANISH_CODES)
    accounts = accounts_of(seed)
    assert len(STANDARD_ACCOUNTS) == 54
    for number in map(int, STANDARD_ACCOUNTS):
        assert accounts[number].standard_number == number
        assert accounts[number].ledger_type in BOOKABLE
    in_equity = [n for n, account in accounts.items() if account.classification == "EQUITY"]
    assert all(6510 <= number <= 6971 for number in in_equity)


@pytest.mark.parametrize(
    ("box", "codes"),
    [
        ("OUTPUT_VAT", "S01 S83 S84 S85 S86 S87 K660 K670 K680 K690 K700"),
        ("FOREIGN_GOODS_VAT", "K210 K220 K230 K240 K250 K410 K420 K430 K440 K450"),
        ("FOREIGN_SERVICES_VAT", "K260 K270 K280 K290 K300 K310 K320 K330 K460 K470 K480 K490 K500"),
        ("RUBRIK_A_GOODS", "K210 K220 K230 K240 K250 S65"),
        ("RUBRIK_A_SERVICES", "K260 K270 K280 K290 K300 K310 K320 K330"),
        ("RUBRIK_B_GOODS", "S21"),
        ("RUBRIK_B_GOODS_UNLISTED", "S22 S62"),
        ("RUBRIK_B_SERVICES", "S23"),
        ("RUBRIK_C", "S02 S41 S42 S61 S63"),
        ("OSS_RETURN", "S61 S62 S63 S64 S65"),
        ("EU_LIST_TRIANGULAR", "S25"),
        ("SPECIAL_BASIS", "K620 K630 K640 K650"),
        ("FOREIGN_VAT_REFUND", "K710"),
        ("PUBLIC_VAT_REFUND", "K720"),
    ],
)
def test_danish_codes_feed_their_boxes(box: str, codes: str) -> None:
    assert {c.code for c in seed_for("DK").vat_codes if box in c.return_boxes} == set(codes.split())


def test_danish_codes_outside_every_report() -> None:
    outside = {code.code for code in seed_for("DK").vat_codes if code.return_box is None}
    assert outside == {"S81", "S82", "S88", "S24", "S43", "K030", "K340"}


@pytest.mark.parametrize(
    ("code", "share"),
    [
        ("K010", Fraction(1)),
        ("K040", Fraction(1, 2)),
        ("K060", Fraction(1, 3)),
        ("K070", Fraction(1, 4)),
        ("K230", Fraction(0)),
        ("K330", Fraction(1, 3)),
        ("K610", Fraction(2, 3)),
        ("K690", Fraction(0)),
    ],
)
def test_danish_deductions(code: str, share: Fraction) -> None:
    assert vat_codes_of(seed_for("DK"))[code].deductible_share == share


@pytest.mark.parametrize(
    ("group", "codes"),
    [(1, ("S01", "S21", "S41", "S02")), (2, ("S01", "S23", "S42", "S82"))],
    ids=["goods", "services"],
)
def test_danish_products_by_zone(group: int, codes: tuple[str, ...]) -> None:
    seed = seed_for("DK")
    accounts = accounts_of(seed)
    (found,) = [g for g in seed.product_groups if g.number == group]
    zones = (found.domestic, found.eu, found.abroad, found.domestic_without_vat)
    assert tuple(accounts[number].vat_code for number in zones) == codes


def test_other_countries_charge_their_standard_rate() -> None:
    rates = {country: vat_codes_of(seed_for(country))["V-STD"].rate for country in (*EU, *WITH_VAT, *WITHOUT_VAT)}
    assert rates["NL"] == 21
    assert rates["FI"] == Decimal("25.5")
    assert rates["GB"] == 20
    assert rates["CH"] == Decimal("8.1")
    assert all(rates[country] > 0 for country in (*EU, *WITH_VAT))
    assert all(rates[country] == 0 for country in WITHOUT_VAT)


def test_only_member_states_make_intra_community_supplies() -> None:
    for country in COUNTRIES:
        categories = {code.einvoice_category for code in seed_for(country).vat_codes}
        assert ("K" in categories) == (country in {"DK", *EU})
        reasons = " ".join(code.exemption_reason or "" for code in seed_for(country).vat_codes)
        assert ("Directive" in reasons) == (country in {"DK", *EU})


def test_generic_charts_differ_in_nothing_but_vat() -> None:
    dutch, american = seed_for("NL"), seed_for("US")
    assert dutch.accounts == american.accounts
    assert [code.code for code in dutch.vat_codes] == [code.code for code in american.vat_codes]
    assert not any(name.isascii() is False for name in (account.name for account in dutch.accounts))


def test_the_seed_of_a_country_is_read_once() -> None:
    assert seed_for("DK") is seed_for("DK")


@pytest.mark.parametrize("country", ["", "D", "dk", "DNK", "D1", "Ø1", "DK\n"])
def test_only_country_codes(country: str) -> None:
    with pytest.raises(ValueError, match="country code"):
        seed_for(country)


def test_every_box_is_used_by_some_code() -> None:
    used = {box for country in COUNTRIES for code in seed_for(country).vat_codes for box in code.return_boxes}
    assert used == RETURN_BOXES
    assert used >= BASE_BOXES
