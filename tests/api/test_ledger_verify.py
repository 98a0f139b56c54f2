"""The auditor names what was tampered with. The owner tampers, with every trigger switched off."""

import pytest
from tests.conftest import Api
from tests.ledger_books import BANK, SALES, Books, as_owner, books_of

from ledgerbee.core.changes import Changes
from ledgerbee.ledger.entries import actions as entries
from ledgerbee.ledger.verify import Verification, verify
from ledgerbee.ledger.verify.store import entries as audited
from ledgerbee.ledger.verify.store import totals
from ledgerbee.platform.context import Context

SECOND = "entry_id = (SELECT id FROM journal_entries WHERE company_id = $1 AND chain_position = 2)"


IN_MONTH_OF_RECEIVABLES = (
    "account_months m SET base_debit = m.base_debit + 1 FROM accounts a WHERE m.company_id = $1 AND a.company_id = $1"
    " AND a.id = m.account_id AND a.number = 6190 AND m.month = '2026-03-01'"
)


async def tampered(books: Books, database_url: str, *statements: str) -> Verification:
    owner = await as_owner(database_url)
    try:
        await owner.execute("SET session_replication_role = replica")
        for statement in statements:
            await owner.execute(statement, *([books.api.company_id] if "$1" in statement else []))
    finally:
        await owner.close()
    return await books.verify()


async def three_invoices(api: Api) -> Books:
    books = await books_of(api)
    customer = await books.customer()
    await books.post(*[books.invoice(f"2026-0{month}-15", customer, description=f"no {month}") for month in (1, 2, 3)])
    return books


async def test_untouched_books_pass_and_are_counted(api: Api) -> None:
    books = await three_invoices(api)
    result = await books.verify()
    assert result == Verification(entries=3, lines=9, account_months=9, fiscal_years=1, fault=None)
    assert result.passed


async def test_empty_books_pass(api: Api) -> None:
    assert (await (await books_of(api)).verify()).passed


async def test_a_corrected_reference_is_no_fault(api: Api) -> None:
    books = await three_invoices(api)

    async def correct(context: Context) -> None:
        for number in (1, 3):
            entry_id = await context.connection.fetchval(
                "SELECT id FROM journal_entries WHERE company_id = $1 AND entry_number = $2", context.company_id, number
            )
            changes = {"reference": f"PO {number}", "external_system_id": "e"}
            await entries.update(context, entry_id, Changes(changes))

    await api.run(correct)
    assert (await books.verify()).passed


async def test_a_reference_is_corrected_with_an_event(api: Api) -> None:
    """SQL of the API's role may, as the API does; nobody is told of it."""
    books = await three_invoices(api)

    async def change(context: Context) -> None:
        await context.connection.execute("UPDATE journal_entries SET reference = 'PO 1' WHERE entry_number = 2")

    await api.run(change)
    fault = (await books.verify()).fault
    assert fault is not None
    assert (fault.entry_number, fault.what) == (2, "no event tells of its reference or external system id")


def of_line(number: int, change: str) -> str:
    return f"UPDATE journal_lines SET {change} WHERE company_id = $1 AND {SECOND} AND line_number = {number}"


def of_entry(change: str) -> str:
    return f"UPDATE journal_entries SET {change} WHERE company_id = $1 AND chain_position = 2"


CHANGED = "its hash does not follow from its content: the entry or a line of it was changed"
ALL_LINES = f"journal_lines WHERE company_id = $1 AND {SECOND}"
DOUBLED = "amount = 2 * amount, base_amount = 2 * base_amount"
HEADING = "(SELECT a.id FROM accounts a WHERE a.company_id = $1 AND a.number = 1002)"


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        (of_line(1, "amount = amount + 0.01"), "line 1 is in base currency, yet its base amount differs"),
        (
            of_line(1, "amount = amount + 0.01, base_amount = base_amount + 0.01"),
            "debits and credits differ by 0.0100 DKK",
        ),
        (f"UPDATE journal_lines SET {DOUBLED} WHERE company_id = $1 AND {SECOND}", CHANGED),
        (of_line(2, "description = 'other'"), CHANGED),
        (of_entry("description = 'other'"), CHANGED),
        (of_entry("posted_at = posted_at + interval '1 second'"), CHANGED),
        (of_entry("hash = sha256('')"), CHANGED),
        (of_entry("previous_hash = sha256('')"), "its previous hash is not the hash of the entry before it"),
        (f"DELETE FROM {ALL_LINES} AND line_number = 3", "it has 2 of its 3 lines"),
        (f"DELETE FROM {ALL_LINES}", "it has 0 of its 3 lines"),
        (of_line(1, "entry_date = '2026-02-16'"), "line 1 has another date or currency than its entry"),
        (of_line(1, "customer_id = NULL"), "line 1 has another party than its entry and account call for"),
        (of_line(2, "account_id = id"), "line 2 stands on an account that does not exist"),
        (of_line(2, f"account_id = {HEADING}"), "line 2 stands on account 1002, which takes none"),
        (of_entry("customer_id = NULL"), "line 1 is on a control account, but the entry has no party"),
        (
            of_entry("entry_date = '2027-02-15'"),
            "its date 2027-02-15 is outside its fiscal year 2026-01-01..2026-12-31",
        ),
        (of_entry("entry_number = 9"), "its number is 9 where 2 comes next in the fiscal year that starts 2026-01-01"),
        (of_entry("fiscal_year_id = id"), "its fiscal year does not exist"),
    ],
)
async def test_a_fault_in_an_entry_is_named(api: Api, database_url: str, statement: str, what: str) -> None:
    books = await three_invoices(api)
    result = await tampered(books, database_url, statement)
    assert result.fault is not None
    assert result.fault.what.startswith(what)
    assert result.fault.entry_number == (9 if "entry_number = 9" in statement else 2)
    assert str(result.fault.entry_id) in str(result.fault)
    assert not result.passed


async def test_an_entry_turned_round_is_noticed(api: Api, database_url: str) -> None:
    """All signs swapped and all sides kept: it still balances, and reads the same line by line."""
    books = await three_invoices(api)
    result = await tampered(
        books,
        database_url,
        "ALTER TABLE journal_lines DROP CONSTRAINT journal_lines_sign",
        f"UPDATE journal_lines SET amount = -amount, base_amount = -base_amount WHERE company_id = $1 AND {SECOND}",
        "ALTER TABLE journal_lines ADD CONSTRAINT journal_lines_sign CHECK (CASE WHEN is_debit THEN amount >= 0"
        " AND base_amount >= 0 ELSE amount <= 0 AND base_amount <= 0 END) NOT VALID",
    )
    assert result.fault is not None
    assert result.fault.what == "the amount of line 1 is on the other side than the line"


async def test_a_removed_entry_is_missed(api: Api, database_url: str) -> None:
    books = await three_invoices(api)
    result = await tampered(
        books,
        database_url,
        f"DELETE FROM journal_lines WHERE company_id = $1 AND {SECOND}",
        "DELETE FROM journal_entries WHERE company_id = $1 AND chain_position = 2",
    )
    assert result.fault is not None
    assert result.fault.what == "chain position 3 follows 1: an entry is missing or doubled"


IN_MONTH = "account_months WHERE company_id = $1 AND month"
OF_SALES = (
    "company_id = $1 AND month = '2026-02-01' AND account_id ="
    f" (SELECT a.id FROM accounts a WHERE a.company_id = $1 AND a.number = {SALES})"
)
RAISED = "base_debit = base_debit + 0.01, base_credit = base_credit + 0.01"
THIRD_GONE = "DELETE FROM journal_entries WHERE company_id = $1 AND chain_position = 3"
OVERLAPPING = "VALUES ($1, gen_random_uuid(), '2026-07-01', '2027-06-30')"


@pytest.mark.parametrize(
    ("statements", "what"),
    [
        (
            [f"UPDATE account_months SET {RAISED} WHERE {OF_SALES}"],
            "the total of account 1010 in DKK for 2026-02 is not the sum of its lines",
        ),
        (
            [f"DELETE FROM {IN_MONTH} = '2026-03-01'"],
            "the total of account 1010 in DKK for 2026-03 is not the sum of its lines",
        ),
        (
            ["UPDATE fiscal_years SET last_entry_number = 4 WHERE company_id = $1"],
            "the fiscal year that starts 2026-01-01 counts 4 entries, it has 3",
        ),
        (["UPDATE ledgers SET chain_position = 4 WHERE company_id = $1"], "the ledger counts 4 entries, it has 3"),
        (
            ["UPDATE ledgers SET head_hash = sha256('') WHERE company_id = $1"],
            "the head of the chain is not the hash of the last entry",
        ),
        (["DELETE FROM ledgers WHERE company_id = $1"], "the company has no ledger"),
        (
            [f"INSERT INTO fiscal_years (company_id, id, start_date, end_date) {OVERLAPPING}"],
            "the fiscal years that start 2026-01-01 and 2026-07-01 overlap",
        ),
        ([THIRD_GONE], "3 lines belong to no entry, the first to "),
        (
            [
                "DELETE FROM journal_lines WHERE company_id = $1 AND entry_date = '2026-03-15'",
                THIRD_GONE,
                f"DELETE FROM {IN_MONTH} = '2026-03-01'",
            ],
            "the fiscal year that starts 2026-01-01 counts 3 entries, it has 2",
        ),
    ],
)
async def test_a_fault_in_totals_and_counters_is_named(
    api: Api, database_url: str, statements: list[str], what: str
) -> None:
    books = await three_invoices(api)
    result = await tampered(books, database_url, *statements)
    assert result.fault is not None
    assert result.fault.what.startswith(what)
    assert result.fault.entry_id is None


DAY = "account_days WHERE company_id = $1 AND day"


@pytest.mark.parametrize(
    ("statement", "day"),
    [
        (f"UPDATE account_days SET {RAISED} WHERE company_id = $1 AND day = '2026-02-01'", "2026-02-01"),
        (f"DELETE FROM {DAY} = '2026-02-28'", "2026-02-28"),
        ("UPDATE account_days SET day = '2027-01-01' WHERE company_id = $1 AND day = '2026-02-28'", "2026-02-28"),
        (f"INSERT INTO account_days SELECT company_id, '2025-01-01', account_id, 1, 1 FROM {DAY} = '2026-02-28'",
         "2025-01-01"),
        ("SELECT roll_up_days($1, 256, 256)", "2026-02-04"),
        ("SELECT roll_up_days($1, 257, 257)", "2026-02-05"),
    ],
)  # fmt: skip
async def test_a_fault_in_totals_by_day_is_named(api: Api, database_url: str, statement: str, day: str) -> None:
    books = await books_of(api)
    await books.post(*[books.sale(f"2026-02-{1 + n % 28:02}", "1.00") for n in range(260)])
    assert (await books.verify()).passed
    fault = (await tampered(books, database_url, statement)).fault
    assert str(fault) == f"the total of account 1010 for {day} is not the sum of its lines"


async def tagged_sales(api: Api) -> Books:
    """Two sales with a tag on the entry and one of their lines, and one with another tag on its bank line."""
    books = await books_of(api)
    place, channel = await books.tag(), await books.tag("Shop", "Channel")
    await books.post(
        *[books.entry(day, [books.line(BANK, "10.00", tag_ids=(place,)), books.line(SALES, "-10.00")], tag_ids=(place,))
          for day in ("2026-01-05", "2026-01-06")],
        books.entry("2026-02-01", [books.line(BANK, "7.00", tag_ids=(channel,)), books.line(SALES, "-7.00")]),
    )  # fmt: skip
    return books


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE tag_months SET base_debit = base_debit + 1 WHERE company_id = $1 AND month = '2026-01-01'",
         "the total of Odense on account 1010 for 2026-01 is not the sum of its lines"),
        ("DELETE FROM tag_months WHERE company_id = $1 AND month = '2026-02-01'",
         "the total of Shop on account 6480 for 2026-02 is not the sum of its lines"),
        ("DELETE FROM dimension_values WHERE company_id = $1 AND name = 'Shop'",
         "lines carry the dimension value "),
    ],
)  # fmt: skip
async def test_a_fault_in_totals_by_dimension_is_named(api: Api, database_url: str, statement: str, what: str) -> None:
    books = await tagged_sales(api)
    assert (await books.verify()).passed
    fault = (await tampered(books, database_url, statement)).fault
    assert fault is not None
    assert fault.what.startswith(what)


async def test_a_tag_counts_once_for_a_line_that_carries_it_twice(api: Api) -> None:
    await tagged_sales(api)

    async def totals(context: Context) -> list[tuple[str, str]]:
        rows = await context.connection.fetch(
            "SELECT m.base_debit, m.base_credit FROM tag_months m JOIN accounts a ON a.company_id = m.company_id"
            " AND a.id = m.account_id WHERE m.company_id = $1 ORDER BY m.month, a.number",
            context.company_id,
        )
        return [(f"{row['base_debit']:.2f}", f"{row['base_credit']:.2f}") for row in rows]

    assert await api.run(totals) == [("0.00", "20.00"), ("20.00", "0.00"), ("7.00", "0.00")]


async def test_a_party_that_is_gone_is_named(api: Api, database_url: str) -> None:
    books = await three_invoices(api)
    fault = (await tampered(books, database_url, "DELETE FROM customers WHERE company_id = $1")).fault
    assert str(fault) == "3 lines of account 6190 are of parties that do not exist"


async def test_parties_are_held_against_their_control_account(api: Api, database_url: str) -> None:
    """Asked by itself: with the whole audit, the faults that lead here have been named before."""
    books = await three_invoices(api)
    await tampered(books, database_url, f"UPDATE {IN_MONTH_OF_RECEIVABLES}")
    fault = await api.run(totals.fault_in_parties)
    assert str(fault) == ("the balances of the parties on account 6190 add up to 3750.0000, the account's is 3751.0000")


async def test_progress_is_told_in_chunks(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audited, "CHUNK", 2)
    await three_invoices(api)
    told: list[tuple[int, int]] = []

    async def work(context: Context) -> Verification:
        return await verify(context, lambda done, of: told.append((done, of)))

    assert (await api.run(work, one_snapshot=True)).passed
    assert told == [(2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("statements", "what"),
    [
        ([("DELETE FROM events WHERE company_id = $1 AND object_id = (SELECT id FROM journal_entries"
          " WHERE company_id = $1 AND chain_position = 2)")], "no event tells of it"),
        ([("UPDATE events SET type = 'journal_entry.updated' WHERE company_id = $1 AND type = 'journal_entry.posted'"
          " AND object_id = (SELECT id FROM journal_entries WHERE company_id = $1 AND chain_position = 2)")],
         "no event tells of it"),
        (["UPDATE ledgers SET locked_through = NULL WHERE company_id = $1"],
         "the books are locked through no day; the last event says 2025-12-31"),
        (["UPDATE journal_entries SET posted_at = '2001-01-01' WHERE company_id = $1 AND chain_position = 2"],
         "it says that it was posted at 2001-01-01 00:00:00+00:00, yet it follows an entry that was posted at "),
        (["UPDATE journal_entries SET posted_at = '2049-01-01' WHERE company_id = $1 AND chain_position = 2"],
         "it says that it was posted at 2049-01-01 00:00:00+00:00, which is still to come"),
    ],
)  # fmt: skip
async def test_what_is_told_of_the_books_is_so(api: Api, database_url: str, statements: list[str], what: str) -> None:
    books = await three_invoices(api)
    answer = await api.put("/v1/ledger/lock-date", {"lockedThrough": "2025-12-31"})
    assert answer.status_code == 200, answer.text
    assert (await books.verify()).passed
    fault = (await tampered(books, database_url, *statements)).fault
    assert fault is not None
    assert fault.what.startswith(what)
