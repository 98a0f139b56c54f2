"""Charts of earlier releases are brought to the totals of this one (revision 0018)."""

from collections.abc import Sequence
from datetime import date
from importlib.resources import files
from uuid import UUID

import asyncpg
from tests import patient
from tests.conftest import Api, SteeredClock, allow_any_moment, new_company
from tests.ledger_books import Books, books_of

from ledgerbee.app.reactions import REACTIONS
from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.accounts.actions import create
from ledgerbee.chart.accounts.model import Account, NewAccount
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.periods import actions as period_actions
from ledgerbee.ledger.reports.trial_balance.actions import trial_balance
from ledgerbee.ledger.reports.trial_balance.model import NO_BALANCES
from ledgerbee.migrations.migrate import migrate
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import Database

#: Headings and totals that Danish charts had before revision 0018: number, type, first number that is summed.
OLD_LINES = """
1001 HEADING_BREAK; 1002 HEADING; 1390 TOTAL_FROM 1002; 1501 HEADING; 1599 TOTAL_FROM 1501; 1601 HEADING;
1789 TOTAL_FROM 1601; 1799 TOTAL_FROM 1001; 1801 HEADING; 2840 TOTAL_FROM 1801; 2901 HEADING; 2999 TOTAL_FROM 2901;
3399 TOTAL_FROM 1001; 3401 HEADING; 3799 TOTAL_FROM 3401; 4999 TOTAL_FROM 1001; 5001 HEADING_BREAK; 6101 HEADING;
6399 TOTAL_FROM 6101; 6401 HEADING; 6489 TOTAL_FROM 6401; 6499 TOTAL_FROM 5001; 6501 HEADING_BREAK; 6502 HEADING;
6979 TOTAL_FROM 6502; 6986 HEADING; 7601 HEADING; 7849 TOTAL_FROM 7601; 7901 HEADING; 8099 TOTAL_FROM 7901;
9989 TOTAL_FROM 6986; 9999 TOTAL_FROM 6501
"""


#: What was added to every kind of chart by that revision.
_NEW_LINES = "DELETE FROM accounts WHERE role = 'RESULT_IN_EQUITY'; UPDATE accounts SET role = NULL WHERE sum_from > 0"


async def give_old_lines(owner: asyncpg.Connection, api: Api, country: str) -> None:
    """Give a company the headings and totals that its chart had before revision 0018, each named by its number."""
    await owner.execute("SELECT set_config('app.company_id', $1, false)", str(api.company_id))
    await owner.execute(_NEW_LINES)
    if country != "DK":
        return
    await owner.execute("DELETE FROM accounts WHERE classification IS NULL OR number = 1801")
    for line in OLD_LINES.replace("\n", " ").split(";"):
        number, kind, *start = line.split()
        await owner.execute(
            "INSERT INTO accounts (company_id, id, number, name, standard_number, ledger_type, sum_from, created_at)"
            " VALUES ($1, $2, $3, $4, $3, $5, $6, now())",
            api.company_id,
            new_id(),
            int(number),
            number,
            kind,
            int(start[0]) if start else None,
        )


async def upgrade_statements(owner: asyncpg.Connection) -> None:
    """What revision 0018 does."""
    await owner.execute("SELECT set_config('app.company_id', '', false)")
    script = files("ledgerbee.migrations").joinpath("sql", "0018_statements.sql")
    await owner.execute(script.read_text("utf-8"))


async def chart_of(context: Context) -> dict[UUID, Account]:
    return {account.id: account for account in await accounts.list_all(context)}


async def test_totals_of_charts_in_use_are_corrected(own_database: str) -> None:
    """Danish in two languages, one with numbers taken and lines changed, and one of another country."""
    await migrate(own_database)
    await allow_any_moment(own_database)
    database, owner = await Database.open(own_database, reactions=REACTIONS), await asyncpg.connect(own_database)
    async with patient.async_client() as http:
        danish, english, busy, american = [
            await books_of(await new_company(http, database, SteeredClock(), country, preferred_language=language))
            for country, language in (("DK", "da"), ("DK", "en"), ("DK", "da"), ("US", "en"))
        ]
    companies = (danish, english, busy, american)
    for books in companies:
        await give_old_lines(owner, books.api, "US" if books is american else "DK")
    await owner.execute("SELECT set_config('app.company_id', $1, false)", str(busy.api.company_id))
    await owner.execute("UPDATE accounts SET sum_from = 2902 WHERE number = 2999")
    for number in (3191, 6945):
        await busy.api.run(
            lambda context, number=number: create(context, NewAccount(number=number, standard_number=2847))
        )
    before = [await books.api.run(chart_of) for books in companies]

    await upgrade_statements(owner)

    after = [await books.api.run(chart_of) for books in companies]
    added = [[chart[one] for one in chart.keys() - old.keys()] for chart, old in zip(after, before, strict=True)]
    assert [[(line.number, line.name, line.role) for line in lines] for lines in added] == [
        [(6945, "Årets resultat", "RESULT_IN_EQUITY")],
        [(6945, "Result for the year", "RESULT_IN_EQUITY")],
        [(6946, "Årets resultat", "RESULT_IN_EQUITY")],
        [(2695, "Result for the year", "RESULT_IN_EQUITY")],
    ]
    for chart, old in zip(after, before, strict=True):
        for account in old.values():
            now = chart[account.id]
            assert now == account or (not account.is_bookable and now.name == account.name)
    places = [
        {line.name: (line.number, line.sum_from) for line in chart.values() if line.name.isdecimal()} for chart in after
    ]
    assert places[0] == places[1] == MOVED
    kept = {"2999": (2999, 2902), "3399": (3399, 1001)}
    assert places[2] == MOVED | kept
    await upgrade_statements(owner)  # nothing is done twice
    assert [await books.api.run(chart_of) for books in companies] == after
    for books in companies:
        await assert_statements_agree(books)
    await assert_losses_get_an_account(owner, companies)
    await assert_prepayments_get_an_account(owner, companies)
    await assert_deferred_revenue_gets_its_role(owner, companies)
    await assert_accounts_of_providers_get_their_roles(owner, companies)
    await owner.close()
    await database.close()


async def assert_losses_get_an_account(owner: asyncpg.Connection, companies: Sequence[Books]) -> None:
    """What revision 0033 does: the chart's own account, also with another number, else a new one (of the last two)."""
    _, english, busy, american = companies
    for books in companies:
        await owner.execute("SELECT set_config('app.company_id', $1, false)", str(books.api.company_id))
        await owner.execute("UPDATE accounts SET role = NULL WHERE role = 'BAD_DEBTS'")
        if books is english:
            await owner.execute("UPDATE accounts SET number = 2299 WHERE number = 2280")
        elif books is busy:
            await owner.execute("UPDATE accounts SET standard_number = 2450 WHERE number = 2280")
        elif books is american:
            await owner.execute("UPDATE accounts SET is_active = false WHERE number = 6700")
    script = files("ledgerbee.migrations").joinpath("sql", "0033_invoice_ends.sql").read_text("utf-8")
    _, _, of_losses = script.partition("-- The account of losses on customers")
    for _ in range(2):  # nothing is done twice
        await owner.execute(f"--{of_losses}")
        charts = [(await books.api.run(chart_of)).values() for books in companies]
        found = [[one for one in chart if one.role == "BAD_DEBTS"] for chart in charts]
        assert [[(one.number, one.standard_number, one.name) for one in accounts] for accounts in found] == [
            [(2280, 2280, "Tab på tilgodehavender fra salg og tjenesteydelser")],
            [(2299, 2280, "Bad debts")],
            [(2281, 2280, "Tab på tilgodehavender fra salg og tjenesteydelser")],
            [(6701, 6701, "Bad debts")],
        ]
        assert all(one.is_bookable for accounts in found for one in accounts)


async def assert_prepayments_get_an_account(owner: asyncpg.Connection, companies: Sequence[Books]) -> None:
    """What revision 0040 does, as for losses."""
    _, english, busy, american = companies
    for books in companies:
        await owner.execute("SELECT set_config('app.company_id', $1, false)", str(books.api.company_id))
        await owner.execute("UPDATE accounts SET role = NULL WHERE role = 'CUSTOMER_PREPAYMENTS'")
        if books is english:
            await owner.execute("UPDATE accounts SET number = 7419 WHERE number = 7410")
        elif books is busy:
            await owner.execute("UPDATE accounts SET standard_number = 7440 WHERE number = 7410")
        elif books is american:
            await owner.execute("UPDATE accounts SET is_active = false WHERE number = 2200")
    script = files("ledgerbee.migrations").joinpath("sql", "0040_prepayments.sql").read_text("utf-8")
    _, _, of_prepayments = script.partition("-- The account of prepayments received")
    for _ in range(2):  # nothing is done twice
        await owner.execute(f"--{of_prepayments}")
        charts = [(await books.api.run(chart_of)).values() for books in companies]
        found = [[one for one in chart if one.role == "CUSTOMER_PREPAYMENTS"] for chart in charts]
        assert [[(one.number, one.standard_number, one.classification) for one in accounts] for accounts in found] == [
            [(7410, 7410, "LIABILITY")],
            [(7419, 7410, "LIABILITY")],
            [(7411, 7410, "LIABILITY")],
            [(2201, 2201, "LIABILITY")],
        ]
        assert all(one.is_bookable for accounts in found for one in accounts)


async def assert_deferred_revenue_gets_its_role(owner: asyncpg.Connection, companies: Sequence[Books]) -> None:
    """What revision 0045 does: the account that a Danish chart has gets the role, and none is added."""
    _, english, busy, _ = companies
    for books in companies:
        await owner.execute("SELECT set_config('app.company_id', $1, false)", str(books.api.company_id))
        # The chart of an earlier release has no account of its own for it.
        await owner.execute("UPDATE accounts SET role = NULL, standard_number = 8040 WHERE role = 'DEFERRED_REVENUE'")
        if books is english:
            await owner.execute("UPDATE accounts SET number = 8079 WHERE number = 8070")
        elif books is busy:
            await owner.execute("UPDATE accounts SET is_active = false WHERE number = 8070")
    script = files("ledgerbee.migrations").joinpath("sql", "0045_deferrals.sql").read_text("utf-8")
    _, _, of_deferrals = script.partition("-- In Denmark the account of short-term accruals")
    for _ in range(2):  # nothing is done twice
        await owner.execute(f"--{of_deferrals}")
        charts = [(await books.api.run(chart_of)).values() for books in companies]
        found = [[one.number for one in chart if one.role == "DEFERRED_REVENUE"] for chart in charts]
        assert found == [[8070], [8079], [], []]


async def assert_accounts_of_providers_get_their_roles(owner: asyncpg.Connection, companies: Sequence[Books]) -> None:
    """What revision 0055 does: the accounts that a Danish chart has get their roles, and none is added."""
    _, english, busy, _ = companies
    roles = ("PAYMENT_CLEARING", "PAYMENT_FEES", "UNIDENTIFIED_RECEIPTS")
    for books in companies:
        await owner.execute("SELECT set_config('app.company_id', $1, false)", str(books.api.company_id))
        await owner.execute("UPDATE accounts SET role = NULL WHERE role = ANY($1)", list(roles))
        if books is english:
            await owner.execute("UPDATE accounts SET number = 8049 WHERE number = 8042")
        elif books is busy:
            await owner.execute("UPDATE accounts SET is_active = false WHERE number = 6331")
    script = files("ledgerbee.migrations").joinpath("sql", "0055_sandbox_provider.sql").read_text("utf-8")
    of_accounts, _, _ = script.partition("-- The provider that is built in")
    for _ in range(2):  # nothing is done twice
        await owner.execute(of_accounts)
        charts = [(await books.api.run(chart_of)).values() for books in companies]
        found = [{one.number: one.role for one in chart if one.role in roles} for chart in charts]
        both = {6331: "PAYMENT_CLEARING", 8042: "UNIDENTIFIED_RECEIPTS"}
        assert found == [both, {6331: both[6331]}, {8042: both[8042]}, {}]


async def assert_statements_agree(books: Books) -> None:
    """Entries on every account of the chart, in two years: assets equal equity and liabilities."""
    chart = await books.api.run(chart_of)
    numbers = [one.number for one in chart.values() if one.is_bookable and not one.control_account_type]
    books = await books_of(books.api)
    await books.api.run(lambda context: period_actions.open_year(context, date(2025, 1, 1), None))
    for place, number in enumerate(numbers[1:]):
        lines = [books.line(numbers[place], f"{place + 1}.00"), books.line(number, f"-{place + 1}.00")]
        await books.post(books.entry(f"{2025 + place % 2}-02-0{1 + place % 9}", lines))
    report = await books.api.run(trial_balance)
    figures = {chart[row.account_id].role: row.balances for row in report.rows}
    assets, whole = figures["TOTAL_ASSETS"], figures["TOTAL_EQUITY_AND_LIABILITIES"]
    assert (assets.opening, assets.closing) == (-whole.opening, -whole.closing)
    assert figures["RESULT"] == figures["RESULT_IN_EQUITY"] != NO_BALANCES
    assert assets.closing != 0


#: Where each old line stands after the revision, and from where it sums.
MOVED = {
    "1001": (1001, None), "1002": (1002, None), "1390": (1390, 1002), "1501": (1501, None), "1599": (1590, 1501),
    "1601": (1601, None), "1789": (1810, 1601), "1799": (1811, 1001), "1801": (1812, None), "2840": (2831, 1812),
    "2901": (2841, None), "2999": (2990, 2841), "3399": (3191, 1001), "3401": (3192, None), "3799": (3701, 3192),
    "4999": (4999, 1001), "5001": (5001, None), "6101": (6182, None), "6399": (6411, 6182), "6401": (6462, None),
    "6489": (6490, 6462), "6499": (6499, 5001), "6501": (6501, None), "6502": (6502, None), "6979": (6971, 6502),
    "6986": (7052, None), "7601": (7611, None), "7849": (7849, 7611), "7901": (7850, None), "8099": (8050, 7850),
    "9989": (9989, 7052), "9999": (9999, 6501),
}  # fmt: skip
