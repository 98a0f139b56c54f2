"""The Danish public standard chart: which accounts each line of the statements counts.

The scheme is that of annual accounts: årsregnskabsloven annex 2, scheme 3 (income statement by nature of expense) and
scheme 1 (balance sheet), with § 32 for the gross profit. The published list doesn't say which lines are totals.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import combinations

import pytest

from ledgerbee.chart.accounts.model import BOOKABLE
from ledgerbee.chart.seed.loader import seed_for, standard_accounts
from ledgerbee.chart.seed.model import AccountSeed

STANDARD = standard_accounts("DK")
POSTING = [number for number, account in STANDARD.items() if account.ledger_type in BOOKABLE]
TOTALS = [number for number, account in STANDARD.items() if account.sum_from is not None]

#: Totals of accounts: first and last account counted.
LEAVES = {
    1390: (1010, 1300), 1490: (1410, 1460), 1497: (1496, 1496), 1590: (1510, 1550), 1810: (1610, 1807),
    2010: (1850, 2000), 2210: (2030, 2200), 2830: (2230, 2810), 2905: (2845, 2898), 2926: (2910, 2925),
    2948: (2930, 2947), 3100: (3000, 3099), 3140: (3130, 3130), 3175: (3160, 3170), 3190: (3185, 3185),
    3205: (3193, 3200), 3219: (3211, 3217), 3240: (3221, 3230), 3260: (3252, 3252), 3270: (3262, 3262),
    3280: (3272, 3272), 3410: (3380, 3400), 3450: (3440, 3445), 3540: (3470, 3537), 3570: (3560, 3560),
    3600: (3590, 3596), 3700: (3610, 3690), 3790: (3740, 3780), 3820: (3810, 3810),
    5040: (5010, 5032), 5060: (5042, 5057), 5079: (5062, 5077), 5120: (5085, 5112), 5230: (5160, 5220),
    5310: (5240, 5300), 5410: (5320, 5400), 5490: (5420, 5480), 5560: (5500, 5550), 5630: (5570, 5620),
    5680: (5640, 5677), 5695: (5682, 5690), 5770: (5710, 5760), 5840: (5800, 5837), 5850: (5842, 5845),
    5880: (5852, 5872), 5890: (5882, 5885), 5960: (5900, 5950), 5990: (5970, 5985), 6010: (6000, 6000),
    6050: (6020, 6040), 6070: (6061, 6064), 6100: (6080, 6091), 6130: (6110, 6121), 6160: (6140, 6151),
    6180: (6170, 6170), 6210: (6190, 6202), 6250: (6240, 6240), 6260: (6252, 6257), 6270: (6262, 6267),
    6290: (6282, 6287), 6340: (6305, 6330), 6360: (6350, 6350), 6380: (6365, 6376), 6410: (6390, 6400),
    6430: (6420, 6420), 6460: (6450, 6450), 6490: (6470, 6480),
    6530: (6510, 6525), 6550: (6540, 6540), 6570: (6560, 6560), 6930: (6800, 6924), 6950: (6935, 6940),
    6970: (6955, 6960), 6990: (6985, 6985), 7030: (7010, 7010), 7050: (7040, 7040), 7060: (7055, 7055),
    7070: (7065, 7065), 7130: (7110, 7126), 7150: (7145, 7145), 7160: (7155, 7155), 7170: (7165, 7165),
    7180: (7175, 7175), 7190: (7185, 7185), 7260: (7195, 7250), 7270: (7265, 7265), 7290: (7285, 7285),
    7300: (7295, 7295), 7360: (7310, 7350), 7420: (7410, 7410), 7450: (7440, 7440), 7460: (7455, 7456),
    7470: (7465, 7465), 7530: (7510, 7510), 7540: (7535, 7535), 8050: (7590, 8045), 8080: (8070, 8070),
}  # fmt: skip

#: Lines of the statements that are made of other totals.
STATEMENTS = {
    "Andre eksterne omkostninger": (2831, [2010, 2210, 2830]),
    "Eksterne omkostninger (scheme 3, 5)": (2832, [1810, 2831]),
    "Bruttofortjeneste (§ 32: items 1 to 5)": (2840, [1390, 1490, 1497, 1590, 2832]),
    "Personaleomkostninger (6)": (2990, [2905, 2926, 2948]),
    "Indtægter af kapitalandele": (3250, [3205, 3219, 3240]),
    "Øvrige finansielle omkostninger": (3701, [3600, 3700]),
    "Resultat før skat": (
        3702,
        [2840, 2990, 3100, 3140, 3175, 3190, 3250, 3260, 3270, 3280, 3410, 3450, 3540, 3570, 3701],
    ),
    "Årets resultat": (4999, [3702, 3790, 3820]),
    "Immaterielle anlægsaktiver": (5141, [5040, 5060, 5079, 5120]),
    "Materielle anlægsaktiver": (5771, [5230, 5310, 5410, 5490, 5560, 5630, 5680, 5695, 5770]),
    "Finansielle anlægsaktiver": (6071, [5840, 5850, 5880, 5890, 5960, 5990, 6010, 6050, 6070]),
    "Anlægsaktiver i alt": (6072, [5141, 5771, 6071]),
    "Varebeholdninger": (6181, [6100, 6130, 6160, 6180]),
    "Tilgodehavender": (6411, [6210, 6250, 6260, 6270, 6290, 6340, 6360, 6380, 6410]),
    "Værdipapirer og kapitalandele": (6461, [6430, 6460]),
    "Omsætningsaktiver i alt": (6491, [6181, 6411, 6461, 6490]),
    "Aktiver i alt": (6499, [6072, 6491]),
    "Egenkapital i alt": (6971, [6530, 6550, 6570, 6930, 6950, 6970]),
    "Hensatte forpligtelser": (7051, [6990, 7030, 7050]),
    "Langfristede gældsforpligtelser": (7271, [7060, 7070, 7130, 7150, 7160, 7170, 7180, 7190, 7260, 7270]),
    "Kortfristede gældsforpligtelser": (
        9950,
        [7290, 7300, 7360, 7420, 7450, 7460, 7470, 7530, 7540, 8050, 8080],
    ),
    "Passiver i alt": (9999, [6971, 7051, 7271, 9950]),
}


def counted(total: int) -> list[int]:
    """The standard accounts that a total counts."""
    start = STANDARD[total].sum_from
    assert start is not None
    return [number for number in POSTING if start <= number <= total]


def together(totals: Iterable[int]) -> list[int]:
    return [number for total in totals for number in counted(total)]


def test_the_list_is_whole() -> None:
    assert len(STANDARD) == 604
    assert list(STANDARD) == sorted(STANDARD)
    assert (STANDARD[1010].name, STANDARD[9999].name) == ("Salg af varer og ydelser", "PASSIVER I ALT")
    assert (STANDARD[2866].name, STANDARD[1801].name) == (
        "Feriepengeforpligtelse, regulering",
        "Øvrige produktionsomkostninger",
    )
    english = [account.name_en for account in STANDARD.values()]
    assert all(english)
    assert len(set(english)) == len(english)
    assert not standard_accounts("SE")


def test_every_line_is_a_total_of_this_table_or_an_account() -> None:
    assert sorted([*LEAVES, *(total for total, _ in STATEMENTS.values())]) == TOTALS


@pytest.mark.parametrize(("total", "first", "last"), [(total, *ends) for total, ends in LEAVES.items()])
def test_a_total_counts_the_accounts_of_its_item(total: int, first: int, last: int) -> None:
    members = counted(total)
    assert (members[0], members[-1]) == (first, last)
    assert members == [number for number in POSTING if first <= number <= last]


@pytest.mark.parametrize(("total", "parts"), STATEMENTS.values(), ids=STATEMENTS)
def test_a_line_of_the_statements_is_the_sum_of_its_items(total: int, parts: list[int]) -> None:
    assert counted(total) == together(parts)


def test_each_account_lies_in_exactly_one_innermost_total() -> None:
    assert Counter(together(LEAVES)) == Counter(POSTING)
    intervals = [(STANDARD[number].sum_from or 0, number) for number in TOTALS]
    for (first_from, first_to), (second_from, second_to) in combinations(sorted(intervals), 2):
        assert second_from > first_to or second_to <= first_to or first_from == second_from


def test_the_statements_hold_accounts_of_their_own_kind_only() -> None:
    kinds = {total: {STANDARD[number].classification for number in counted(total)} for total in TOTALS}
    assert kinds[4999] == {"REVENUE", "EXPENSE"}
    assert kinds[6499] == {"ASSET"}
    assert kinds[6971] == {"EQUITY"}
    assert kinds[7051] == kinds[7271] == kinds[9950] == {"LIABILITY"}
    assert len(counted(4999)) + len(counted(6499)) + len(counted(9999)) == len(POSTING)


#: Of the income statement: what an account's name says of its side where it isn't its item's.
@pytest.mark.parametrize(
    ("word", "classification"), [("Gevinst ved", "REVENUE"), ("Tab ved", "EXPENSE"), ("Nedskrivning af", "EXPENSE")]
)
def test_gains_are_revenue_and_losses_expense(word: str, classification: str) -> None:
    named = [a for a in STANDARD.values() if a.ledger_type == "PROFIT_AND_LOSS" and a.name.startswith(word)]
    assert named
    assert {account.classification for account in named} == {classification}


def in_new_chart() -> dict[int, AccountSeed]:
    return {account.number: account for account in seed_for("DK").accounts}


def test_a_new_chart_has_the_standards_lines_and_total_where_the_standard_has_them() -> None:
    chart = in_new_chart()
    for number in chart.keys() & STANDARD.keys():
        assert chart[number] == STANDARD[number]
    own = {number: account for number, account in chart.items() if number not in STANDARD}
    assert all(a.standard_number in {*POSTING, a.number} for a in own.values())
    # Totals of ours lie within one total of the standard and cut no other through.
    assert {n: a.sum_from for n, a in own.items() if a.ledger_type.startswith("TOTAL")} == {
        3191: 1001, 6945: None, 7849: 7611, 8036: 7850, 9989: 7052,
    }  # fmt: skip
    posted = [number for number in chart if chart[number].ledger_type in BOOKABLE]
    for number in posted:
        # The item of each account is there, so that the lines above it are made up of lines that can be seen.
        (leaf,) = [total for total, (first, last) in LEAVES.items() if first <= chart[number].standard_number <= last]
        assert leaf in chart, number


@pytest.mark.parametrize(
    ("what", "numbers"),
    [
        ("wages and pension", [2845, 2866, 2897, 2898, 2910, 7860, 7861, 8000]),
        ("payroll tax, AM-bidrag, ATP, holiday pay owed", [7900, 7920, 7940, 7960, 7980, 8010, 8030]),
        ("fixed assets and depreciation", [3050, 3060, 5042, 5043, 5055, 5056, 5570, 5580, 5590, 5602, 5610]),
        ("stock and payments in advance", [1770, 1800, 6140, 6141, 6142, 6170, 7410]),
        ("bad debts and provision", [2280, 2290, 6200, 6201, 6202]),
        ("corporate tax", [3740, 3760, 3780, 6315, 7010, 8041]),
        ("energy duties", [2060, 7780]),
        ("insurance, travel, entertainment, rent, IT", [2180, 2650, 2947, 2000, 2470, 1910, 1930, 2030, 2310]),
        ("banks, loans, clearing", [6480, 6481, 7120, 7330, 7590, 6331, 8042]),
        ("capital, retained earnings, dividends", [6510, 6935, 6940, 6956, 6960]),
        ("VAT", [6320, 7680, 7700, 7720, 7740, 7840]),
    ],
)  # fmt: skip
def test_a_small_company_finds_its_accounts_on_the_first_day(what: str, numbers: list[int]) -> None:
    chart = in_new_chart()
    assert {
        number for number in numbers if number not in chart or chart[number].ledger_type not in BOOKABLE
    } == set(), what
