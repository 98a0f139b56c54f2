"""Posting on a real database: places in the books, refusals, concurrency, rollback."""

import asyncio
import hashlib
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
import pytest_asyncio
from msgspec.structs import replace
from tests.conftest import Api
from tests.ledger_books import BANK, CAPITAL, OUTPUT_VAT, PAYABLES, RECEIVABLES, SALES, Books, books_of, post

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries import rules
from ledgerbee.ledger.entries.model import EntryToPost, LineToPost
from ledgerbee.ledger.entries.store.arrays import POST
from ledgerbee.platform.context import Context


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    return await books_of(api)


async def refusal(books: Books, *entries: EntryToPost) -> LedgerBeeError:
    """The error that posting these entries raises; the books must not have moved."""
    before = await books.verify()
    with pytest.raises(LedgerBeeError) as refused:
        await books.post(*entries)
    after = await books.verify()
    assert after.passed
    assert after == before
    return refused.value


async def test_entries_take_numbers_positions_and_hashes_in_order(books: Books) -> None:
    entries = [books.sale("2026-02-01", "100.00"), books.sale("2026-01-31", "0.01"), books.sale("2026-02-28", "5.00")]
    posted = await books.post(*entries)
    assert [one.id for one in posted] == [entry.id for entry in entries]
    assert [one.entry_number for one in posted] == [1, 2, 3]
    assert [one.chain_position for one in posted] == [1, 2, 3]
    assert posted[0].previous_hash == rules.genesis(books.api.company_id)
    assert [one.previous_hash for one in posted[1:]] == [one.hash for one in posted[:-1]]
    (fourth,) = await books.post(books.sale("2026-01-01", "1.00"))
    assert (fourth.entry_number, fourth.chain_position, fourth.previous_hash) == (4, 4, posted[2].hash)
    result = await books.verify()
    assert result.passed, result.fault
    assert (result.entries, result.lines, result.fiscal_years) == (4, 8, 1)


async def test_the_hash_follows_from_the_wire_form_of_the_chain(books: Books) -> None:
    entry = books.sale("2026-02-01", "100.00")
    (posted,) = await books.post(entry)
    shown = (await books.api.get(f"/v1/journal-entries/{entry.id}")).json()
    line_ids = [UUID(line["id"]) for line in shown["lines"]]
    digest = rules.digest(books.api.company_id, entry, line_ids, posted.posted_at)
    place = (1).to_bytes(8, "big") + (1).to_bytes(8, "big")
    assert shown["hash"] == hashlib.sha256(bytes.fromhex(shown["previousHash"]) + place + digest).hexdigest()


async def test_numbers_start_again_in_every_fiscal_year(books: Books) -> None:
    await books.open_years(2019)
    days = ["2026-12-31", "2027-01-01", "2025-12-31", "2026-01-01", "2019-06-15", "2027-05-05"]
    posted = await books.post(*[books.sale(day, "1.00") for day in days])
    assert [one.entry_number for one in posted] == [1, 1, 1, 2, 1, 2]
    years = (await books.api.get("/v1/fiscal-years")).json()
    assert [(year["startDate"], year["endDate"]) for year in years] == [
        (f"{year}-01-01", f"{year}-12-31") for year in range(2019, 2028)
    ]
    assert [year["lastEntryNumber"] for year in years] == [1, 0, 0, 0, 0, 0, 1, 2, 2]
    result = await books.verify()
    assert result.passed, result.fault


async def test_an_unbalanced_entry_names_its_index(books: Books) -> None:
    wrong = books.entry("2026-01-01", [books.line(BANK, "100.00"), books.line(SALES, "-99.99")])
    refused = await refusal(books, books.sale("2026-01-01", "1.00"), wrong)
    assert refused.code == "JOURNAL_ENTRY_UNBALANCED"
    assert refused.details == {
        "property": "entries.1.lines", "currency": "entry", "debit": "100.00", "credit": "99.99",
    }  # fmt: skip


async def test_a_huge_amount_is_refused_clearly(books: Books) -> None:
    refused = await refusal(books, books.sale("2026-01-01", "1" + "0" * 18))
    assert refused.code == "SHARED_VALIDATION_FAILED"
    assert refused.details["validationErrors"][0]["property"] == "entries.0.originalAmount"


async def test_the_largest_amounts_add_up(books: Books) -> None:
    largest = "9999999999999.99"
    await books.post(*[books.sale("2026-01-01", largest) for _ in range(20)])
    result = await books.verify()
    assert result.passed, result.fault


@pytest.mark.parametrize("number", [1002, 1390])
async def test_headings_and_totals_take_no_lines(books: Books, number: int) -> None:
    entry = books.entry("2026-01-01", [books.line(BANK, "1.00"), books.line(number, "-1.00")])
    refused = await refusal(books, entry)
    assert refused.code == "ACCOUNT_NOT_BOOKABLE"
    assert refused.details == {"property": "entries.0.lines.1.accountId", "accountId": str(books.accounts[number])}


async def test_an_inactive_account_takes_only_reversals(books: Books) -> None:
    entry = books.sale("2026-01-01", "1.00")
    await books.post(entry)

    async def deactivate(context: Context) -> None:
        await context.connection.execute(
            "UPDATE accounts SET is_active = false WHERE company_id = $1 AND number = $2", context.company_id, SALES
        )

    await books.api.run(deactivate)
    refused = await refusal(books, books.sale("2026-01-02", "1.00"))
    assert refused.code == "ACCOUNT_NOT_BOOKABLE"
    lines = [books.line(SALES, "1.00"), books.line(BANK, "-1.00")]
    await books.post(books.entry("2026-01-02", lines, reverses_entry_id=entry.id))
    assert (await books.verify()).passed


async def test_an_entry_is_reversed_once_and_linked_both_ways(books: Books) -> None:
    entry = books.sale("2026-01-01", "1.00")
    await books.post(entry)
    back = books.entry("2026-01-02", [books.line(SALES, "1.00"), books.line(BANK, "-1.00")], reverses_entry_id=entry.id)
    await books.post(back)
    assert (await refusal(books, replace(back, id=new_id()))).code == "JOURNAL_ENTRY_ALREADY_REVERSED"
    assert (await refusal(books, back)).code in {"JOURNAL_ENTRY_ALREADY_POSTED", "JOURNAL_ENTRY_ALREADY_REVERSED"}
    shown = (await books.api.get(f"/v1/journal-entries/{entry.id}")).json()
    assert (shown["reversesEntryId"], shown["reversedByEntryId"]) == (None, str(back.id))
    shown = (await books.api.get(f"/v1/journal-entries/{back.id}")).json()
    assert (shown["reversesEntryId"], shown["reversedByEntryId"]) == (str(entry.id), None)
    refused = await refusal(books, replace(back, id=new_id(), reverses_entry_id=new_id()))
    assert refused.code == "JOURNAL_ENTRY_NOT_FOUND"


async def test_an_entry_is_posted_once(books: Books) -> None:
    entry = books.sale("2026-01-01", "1.00")
    await books.post(entry)
    assert (await refusal(books, entry)).code == "JOURNAL_ENTRY_ALREADY_POSTED"


@pytest.mark.parametrize(("number", "field"), [(RECEIVABLES, "customerId"), (PAYABLES, "vendorId")])
async def test_a_control_account_needs_its_own_kind_of_party(books: Books, number: int, field: str) -> None:
    lines = [books.line(number, "1.00"), books.line(BANK, "-1.00")]
    parties = {"customer_id": await books.customer(), "vendor_id": await books.vendor()}
    wanted = "customer_id" if field == "customerId" else "vendor_id"
    others = {name: party for name, party in parties.items() if name != wanted}
    refused = await refusal(books, books.entry("2026-01-01", lines, **others))
    assert refused.code == "JOURNAL_ENTRY_PARTY_REQUIRED"
    assert refused.details == {
        "property": "entries.0.lines.0", "field": field, "accountId": str(books.accounts[number]),
    }  # fmt: skip
    await books.post(books.entry("2026-01-01", lines, **parties))
    assert (await books.verify()).passed


async def test_another_companys_things_are_unknown_here(books: Books, other_api: Api) -> None:
    theirs = await books_of(other_api)
    customer, vendor = await theirs.customer(), await theirs.vendor()
    foreign_line = replace(books.line(SALES, "-1.00"), account_id=theirs.accounts[SALES])
    refused = await refusal(books, books.entry("2026-01-01", [books.line(BANK, "1.00"), foreign_line]))
    assert refused.code == "ACCOUNT_NOT_FOUND"
    assert refused.details == {"property": "entries.0.lines.1.accountId", "accountId": str(theirs.accounts[SALES])}
    refused = await refusal(books, books.invoice("2026-01-01", customer))
    assert (refused.code, refused.details["property"]) == ("CUSTOMER_NOT_FOUND", "entries.0.customerId")
    refused = await refusal(books, books.sale("2026-01-01", "1.00", vendor_id=vendor))
    assert refused.code == "VENDOR_NOT_FOUND"
    refused = await refusal(books, books.sale("2026-01-01", "1.00", journal_category_id=new_id()))
    assert refused.code == "JOURNAL_CATEGORY_NOT_FOUND"
    with_vat = [books.line(BANK, "1.00"), books.line(SALES, "-1.00", vat_code_id=new_id())]
    refused = await refusal(books, books.entry("2026-01-01", with_vat))
    assert (refused.code, refused.details["property"]) == ("VAT_CODE_NOT_FOUND", "entries.0.lines.1.vatCodeId")


async def test_base_currency_amounts_are_their_own_base_amounts(books: Books) -> None:
    lines = [books.line(BANK, "1.00", "2.00"), books.line(SALES, "-1.00", "2.00")]
    refused = await refusal(books, books.entry("2026-01-01", lines))
    assert (refused.code, refused.details["property"]) == ("JOURNAL_ENTRY_AMOUNT_INVALID", "entries.0.lines.0")
    refused = await refusal(books, books.sale("2026-01-01", "1.00", exchange_rate=Decimal("7.46")))
    assert refused.code == "JOURNAL_ENTRY_AMOUNT_INVALID"
    too_fine = [books.line(BANK, "1.00", "7.465"), books.line(SALES, "-1.00", "7.465")]
    refused = await refusal(books, books.entry("2026-01-01", too_fine, currency="EUR", exchange_rate=Decimal("7.465")))
    assert refused.code == "JOURNAL_ENTRY_AMOUNT_INVALID"


async def test_a_foreign_currency_balances_in_both(books: Books) -> None:
    lines = [books.line(BANK, "100.01"), books.line(SALES, "-33.34"), books.line(SALES, "-66.67")]
    conversion = rules.Conversion("EUR", "DKK", Decimal("7.4605"))
    lines = [replace(line, base_amount=conversion.in_base(line.amount)) for line in lines]
    lines = list(rules.balance_in_base(lines, [0, 0, 0], conversion))
    lines += [books.line(BANK, "0.00", "0.05"), books.line(SALES, "-0.00", "0.05")]
    entry = books.entry("2026-01-01", lines, currency="EUR", exchange_rate=Decimal("7.4605"))
    # What is in the company's currency alone is an exchange difference of a document.
    entry = replace(entry, source_type="credit_note", source_id=new_id())
    await books.post(entry)
    shown = (await books.api.get(f"/v1/journal-entries/{entry.id}")).json()
    assert shown["exchangeRate"] == "7.4605"
    assert [(line["side"], line["amount"], line["amountInBaseCurrency"]) for line in shown["lines"]] == [
        ("DEBIT", "100.01", "746.12"),
        ("CREDIT", "33.34", "248.73"),
        ("CREDIT", "66.67", "497.39"),
        ("DEBIT", "0.00", "0.05"),
        ("CREDIT", "0.00", "0.05"),
    ]
    assert (await books.verify()).passed


async def test_a_locked_period_is_refused_and_the_lock_moves_back_only_on_purpose(books: Books) -> None:
    await books.lock("2026-01-31")
    refused = await refusal(books, books.sale("2026-02-01", "1.00"), books.sale("2026-01-31", "1.00"))
    assert refused.code == "PERIOD_LOCKED"
    assert refused.details == {"property": "entries.1.date", "date": "2026-01-31", "lockedThrough": "2026-01-31"}
    for earlier in ("2026-01-30", None):
        answer = await books.api.put("/v1/ledger/lock-date", {"lockedThrough": earlier})
        assert (answer.status_code, answer.json()["code"]) == (409, "LOCK_DATE_MOVES_BACK")
        assert answer.json()["details"] == {"lockedThrough": "2026-01-31"}
    await books.lock("2026-01-31")
    await books.lock("2026-01-30", reopen=True)
    await books.post(books.sale("2026-01-31", "1.00"))
    assert (await books.api.get("/v1/ledger/lock-date")).json() == {"lockedThrough": "2026-01-30"}
    await books.lock(None, reopen=True)
    await books.lock("2026-12-31")
    assert [year["isLocked"] for year in (await books.api.get("/v1/fiscal-years")).json()] == [True]

    async def told(context: Context) -> list[tuple[str | None, str | None]]:
        rows = await context.connection.fetch(
            "SELECT data FROM events WHERE company_id = $1 AND type = 'ledger.lock_date_changed' ORDER BY sequence",
            context.company_id,
        )
        return [(row["data"]["previouslyLockedThrough"], row["data"]["lockedThrough"]) for row in rows]

    assert await books.api.run(told) == [
        (None, "2026-01-31"), ("2026-01-31", "2026-01-30"), ("2026-01-30", None), (None, "2026-12-31"),
    ]  # fmt: skip


@pytest.mark.parametrize("day", ["1899-12-31", "3000-01-01", "2026-02-30", "yesterday", 5])
async def test_a_lock_date_is_a_sensible_day(api: Api, day: object) -> None:
    answer = await api.put("/v1/ledger/lock-date", {"lockedThrough": day})
    assert answer.status_code == 400
    assert answer.json()["details"]["validationErrors"][0]["property"] == "lockedThrough"


async def test_a_posting_under_way_comes_before_the_lock(books: Books) -> None:
    """Whoever sets the lock date waits; afterwards nothing in the period can still commit."""
    entry_is_in, may_commit = asyncio.Event(), asyncio.Event()

    async def slow(context: Context) -> None:
        await post(context, [books.sale("2026-01-15", "1.00")])
        entry_is_in.set()
        await may_commit.wait()

    posting = asyncio.create_task(books.api.run(slow))
    await entry_is_in.wait()
    locking = asyncio.create_task(books.lock("2026-01-31"))
    await asyncio.sleep(0.2)
    assert not locking.done()
    may_commit.set()
    await asyncio.gather(posting, locking)
    assert (await books.verify()).entries == 1
    assert (await refusal(books, books.sale("2026-01-15", "1.00"))).code == "PERIOD_LOCKED"


async def test_twenty_at_once_leave_no_gap(books: Books) -> None:
    results = await asyncio.gather(*[books.post(books.sale("2026-01-15", f"{n}.00")) for n in range(1, 21)])
    posted = sorted((one for result in results for one in result), key=lambda one: one.chain_position)
    assert [one.entry_number for one in posted] == list(range(1, 21))
    assert [one.previous_hash for one in posted[1:]] == [one.hash for one in posted[:-1]]
    result = await books.verify()
    assert result.passed, result.fault
    assert result.entries == 20


async def test_what_rolls_back_leaves_no_hole(books: Books) -> None:
    await books.post(books.sale("2026-01-01", "1.00"))

    async def fails(context: Context) -> None:
        await post(context, [books.sale("2026-01-02", "1.00"), books.sale("2027-01-02", "1.00")])
        raise LookupError

    with pytest.raises(LookupError):
        await books.api.run(fails)
    (posted,) = await books.post(books.sale("2026-01-03", "1.00"))
    assert (posted.entry_number, posted.chain_position) == (2, 2)
    assert len((await books.api.get("/v1/fiscal-years")).json()) == 1
    assert (await books.verify()).passed


async def test_two_posts_in_one_transaction_follow_each_other(books: Books) -> None:
    async def twice(context: Context) -> list[int]:
        first = await post(context, [books.sale("2026-01-02", "1.00")])
        second = await post(context, [books.sale("2026-01-02", "1.00")])
        assert await post(context, []) == []
        return [first[0].entry.entry_number, second[0].entry.entry_number]

    assert await books.api.run(twice) == [1, 2]
    assert (await books.verify()).passed


async def test_a_batch_of_five_hundred(books: Books) -> None:
    customer = await books.customer()
    entries = [books.invoice(date(2026, 1 + n % 12, 1 + n % 28), customer) for n in range(500)]
    posted = await books.post(*entries)
    assert [one.entry_number for one in posted] == list(range(1, 501))
    result = await books.verify()
    assert result.passed, result.fault
    assert (result.entries, result.lines, result.account_months) == (500, 1500, 36)


async def test_an_entry_of_ten_thousand_lines(books: Books) -> None:
    lines: list[LineToPost] = [books.line(SALES, "-0.01") for _ in range(9999)]
    await books.post(books.entry("2026-01-01", [books.line(BANK, "99.99"), *lines]))
    result = await books.verify()
    assert result.passed, result.fault
    assert result.lines == 10_000


async def test_the_event_tells_what_a_read_would_show(books: Books) -> None:
    customer = await books.customer()
    tag, other_tag = await books.tag(), await books.tag(dimension="Channel")
    lines = [
        books.line(RECEIVABLES, "1250.00", description="løbende"),
        books.line(CAPITAL, "-1000.00", tag_ids=(tag,)),
        books.line(OUTPUT_VAT, "-250.00"),
    ]
    entry = books.entry(
        "2026-01-01", lines, customer_id=customer, description="<b>'; DROP", reference="F-1", tag_ids=(tag, other_tag),
        external_system_id="x-1", source_type="invoice", source_id=new_id(),
    )  # fmt: skip
    await books.post(books.sale("2026-01-01", "1.00"), entry)

    async def told(context: Context) -> dict[str, object]:
        row = await context.connection.fetchrow(
            "SELECT data, sequence FROM events WHERE company_id = $1 AND type = 'journal_entry.posted'"
            " AND object_id = $2",
            context.company_id,
            entry.id,
        )
        assert row is not None
        assert row["sequence"] == 1
        data: dict[str, object] = row["data"]
        return data

    assert await books.api.run(told) == (await books.api.get(f"/v1/journal-entries/{entry.id}")).json()


async def test_posting_is_one_round_trip(books: Books) -> None:
    """Invoices are sent inside bigger transactions: every further statement would hold the counter row longer.

    Only a year's first entry asks whether the year is new.
    """

    async def statements(context: Context) -> list[str]:
        sent: list[str] = []
        with context.connection.query_logger(lambda record: sent.append(record.query)):
            await post(context, [books.sale("2026-01-01", "1.00") for _ in range(3)])
        return sent

    first, second = [await books.api.run(statements) for _ in range(2)]
    assert (first[0], len(first)) == (POST, 2)
    assert second == [POST]
