"""Invoices that are sent in one transaction: a batch of one request, and requests that come at the same time."""

import asyncio
from typing import Any

import pytest
from tests.conftest import Api
from tests.ledger_books import as_owner
from tests.selling import Shop, line

from ledgerbee.app.verify import verify
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context

BATCH = "/v1/invoices/send-batch"
#: Marks on letters: only setting them shows whether a font can.
MARKED = "שָׁלוֹם"


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


async def drafts(shop: Shop, count: int, **fields: Any) -> list[dict[str, Any]]:
    customer, price = await shop.customer(), await shop.price("100")
    return [await shop.draft(customer, line(price, place), **fields) for place in range(1, count + 1)]


async def sent(shop: Shop, *invoices: dict[str, Any] | str, **options: Any) -> list[dict[str, Any]]:
    ids = [invoice if isinstance(invoice, str) else invoice["id"] for invoice in invoices]
    answer = await shop.ok("POST", BATCH, {"invoiceIds": ids, **options}, status=200)
    assert [one["invoiceId"] for one in answer["results"]] == ids
    results: list[dict[str, Any]] = answer["results"]
    return results


async def numbers(shop: Shop) -> list[int]:
    """The numbers of the company's invoices; the books and the series agree with them."""
    result = await shop.api.run(verify, one_snapshot=True)
    assert result.passed, result

    async def work(context: Context) -> list[int]:
        query = "SELECT number_sequence FROM invoices WHERE company_id = $1 AND number IS NOT NULL ORDER BY 1"
        return [row[0] for row in await context.connection.fetch(query, context.company_id)]

    found: list[int] = await shop.api.run(work)
    return found


async def transactions(shop: Shop) -> list[int]:
    """How many invoices each transaction booked, in order."""

    async def work(context: Context) -> list[int]:
        rows = await context.connection.fetch(
            "SELECT count(*) FROM document_snapshots WHERE company_id = $1 GROUP BY xmin"
            " ORDER BY min((content ->> 'number')::int)",
            context.company_id,
        )
        return [row["count"] for row in rows]

    found: list[int] = await shop.api.run(work)
    return found


async def test_a_batch_books_each_as_if_it_were_sent_alone(shop: Shop) -> None:
    alone = await shop.sold(line(await shop.price("100"), 3))
    made = await drafts(shop, 3)
    results = await sent(shop, *made)
    assert [(one["outcome"], one["number"], one["code"]) for one in results] == [
        ("sent", str(int(alone["number"]) + place), None) for place in (1, 2, 3)
    ]
    third = await shop.invoice(made[2]["id"])
    own = {"id", "number", "customerId", "lines", "journalEntryId", "createdAt", "updatedAt", "sentAt"}
    assert {name: third[name] for name in third if name not in own} == {
        name: alone[name] for name in alone if name not in own
    }
    entries = [await shop.entry(one["journalEntryId"]) for one in (alone, third)]
    assert len({(one.content.original_amount, one.content.entry_type, len(one.content.lines)) for one in entries}) == 1
    assert await transactions(shop) == [1, 3]
    assert await numbers(shop) == [1, 2, 3, 4]
    assert [event["id"] for event in await shop.events("invoice.sent")] == [alone["id"], *(one["id"] for one in made)]
    shown = await shop.api.get(f"/v1/invoices/{made[1]['id']}/pdf")
    assert shown.status_code == 200


async def test_what_is_refused_of_one_leaves_the_others(shop: Shop) -> None:
    good = await drafts(shop, 2)
    gone = str(new_id())
    booked = await shop.sold(line(await shop.price("100")))
    negative = await shop.draft(await shop.customer(), line(await shop.price("100"), unitPrice="-5"))
    results = await sent(shop, good[0], gone, booked, negative, good[1])
    assert [(one["outcome"], one["code"]) for one in results] == [
        ("sent", None),
        ("refused", "INVOICE_NOT_FOUND"),
        ("refused", "INVOICE_INVALID_STATE"),
        ("refused", "INVOICE_AMOUNT_NEGATIVE"),
        ("sent", None),
    ]
    assert (await shop.invoice(negative["id"]))["status"] == "draft"
    assert await numbers(shop) == [1, 2, 3]


async def test_what_the_ledger_refuses_of_some_leaves_no_trace(shop: Shop) -> None:
    """The ledger refuses in the statement that posts all of them, after the numbers were taken."""
    customer, price = await shop.customer(), await shop.price("100")
    days = ["2026-03-16", "2026-01-15", "2026-03-15", "2026-01-31", "2026-03-14"]
    made = [await shop.draft(customer, line(price), date=day) for day in days]
    await shop.ok("PUT", "/v1/ledger/lock-date", {"lockedThrough": "2026-01-31"}, status=200)
    results = await sent(shop, *made)
    assert [one["code"] for one in results] == [None, "PERIOD_LOCKED", None, "PERIOD_LOCKED", None]
    assert [one["number"] for one in results] == ["1", None, "2", None, "3"]
    assert await numbers(shop) == [1, 2, 3]
    told = [event["id"] for event in await shop.events("invoice.sent")]
    assert told == [made[0]["id"], made[2]["id"], made[4]["id"]]
    assert len(await shop.events("journal_entry.posted")) == 3
    for refused in (made[1], made[3]):
        assert await shop.invoice(refused["id"]) == refused
    everything_refused = await sent(shop, made[1], made[3])
    assert [one["code"] for one in everything_refused] == ["PERIOD_LOCKED"] * 2


async def test_sent_twice_is_sent_once(shop: Shop) -> None:
    made = await drafts(shop, 3)
    body = {"invoiceIds": [one["id"] for one in made]}
    keyed = {"x-api-idempotency-key": "may-2026"}
    first = await shop.api.post(BATCH, body, headers=keyed)
    again = await shop.api.post(BATCH, body, headers=keyed)
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert [one["code"] for one in await sent(shop, *made)] == ["INVOICE_INVALID_STATE"] * 3
    assert await numbers(shop) == [1, 2, 3]


async def test_two_batches_of_the_same_at_once(shop: Shop) -> None:
    made = await drafts(shop, 6)
    answers = await asyncio.gather(sent(shop, *made), sent(shop, *reversed(made)))
    outcomes = [{one["invoiceId"]: one["outcome"] for one in results} for results in answers]
    for one in made:
        assert sorted(found[one["id"]] for found in outcomes) == ["refused", "sent"]
    assert await numbers(shop) == [1, 2, 3, 4, 5, 6]


async def test_another_companys_invoices_are_not_there(shop: Shop, other_api: Api) -> None:
    made = await drafts(shop, 2)
    (own,) = await drafts(Shop(other_api), 1)
    results = await sent(Shop(other_api), made[0], own, made[1])
    assert [one["code"] for one in results] == ["INVOICE_NOT_FOUND", None, "INVOICE_NOT_FOUND"]
    assert [await shop.invoice(one["id"]) for one in made] == made


@pytest.mark.parametrize(
    ("ids", "constraint"),
    [([], "arrayMinSize"), (["x"], "isUuid"), ([str(new_id())] * 2, "arrayUnique"), (None, "isArray")],
)
async def test_bad_lists_are_refused(shop: Shop, ids: Any, constraint: str) -> None:
    refused = await shop.refused("POST", BATCH, {"invoiceIds": ids}, 400, "SHARED_VALIDATION_FAILED")
    (problem,) = refused["validationErrors"]
    assert constraint in problem["constraints"]


async def test_more_than_a_thousand_are_refused(shop: Shop) -> None:
    body = {"invoiceIds": [str(new_id()) for _ in range(1_001)]}
    refused = await shop.refused("POST", BATCH, body, 400, "SHARED_VALIDATION_FAILED")
    assert refused["validationErrors"][0]["constraints"].keys() == {"arrayMaxSize"}


async def test_a_thousand_are_sent(shop: Shop) -> None:
    customer, price = await shop.customer(), await shop.price("100")
    first = await shop.draft(customer, line(price))

    async def copies(context: Context) -> list[str]:
        """999 drafts like the first, as fast as the database makes them."""
        connection = context.connection
        names = await connection.fetchval(
            "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = 'invoices'::regclass"
            " AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attname <> 'id'"
        )
        rows = await connection.fetch(
            f"INSERT INTO invoices (id, {names}) SELECT gen_random_uuid(), {names}"
            " FROM invoices, generate_series(1, 999) WHERE company_id = $1 RETURNING id",
            context.company_id,
        )
        columns = await connection.fetchval(
            "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = 'invoice_lines'::regclass"
            " AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attname NOT IN ('id', 'invoice_id')"
        )
        await connection.execute(
            f"INSERT INTO invoice_lines (id, invoice_id, {columns}) SELECT gen_random_uuid(), i.id, {columns}"
            " FROM invoice_lines l, unnest($2::uuid[]) i (id) WHERE l.company_id = $1",
            context.company_id,
            [row["id"] for row in rows],
        )
        return [str(row["id"]) for row in rows]

    others = await shop.api.run(copies)
    results = await sent(shop, first, *others)
    assert [one["number"] for one in results] == [str(number) for number in range(1, 1_001)]
    assert await numbers(shop) == list(range(1, 1_001))
    assert await transactions(shop) == [1_000]


async def test_requests_of_the_same_time_share_a_transaction(shop: Shop, database_url: str) -> None:
    """Each has its own answer: a session of the test's holds the series, so that those after the first wait."""
    await shop.sold(line(await shop.price("100")))
    made = await drafts(shop, 6)
    bad = await shop.draft(await shop.customer(), line(await shop.price("100"), unitPrice="-5"))
    session = await as_owner(database_url)
    try:
        await session.execute(f"BEGIN; SET LOCAL app.company_id = '{shop.api.company_id}'")
        await session.execute("SELECT FROM number_series WHERE company_id = $1 FOR UPDATE", shop.api.company_id)
        asked = []
        for one in (*made, bad, made[5]):
            path = f"/v1/invoices/{one['id']}/send"
            asked.append(asyncio.create_task(shop.api.post(path, {"deliveryType": "Manual"})))
            if len(asked) == 1:
                await asyncio.sleep(0.5)  # it has begun a transaction, and waits there
        await asyncio.sleep(0.5)
        assert not any(task.done() for task in asked)
        await session.execute("ROLLBACK")
    finally:
        await session.close()
    answers = await asyncio.gather(*asked)
    assert [answer.status_code for answer in answers] == [200] * 6 + [400, 409]
    assert (answers[6].json()["code"], answers[7].json()["code"]) == (
        "INVOICE_AMOUNT_NEGATIVE",
        "INVOICE_INVALID_STATE",
    )
    assert await transactions(shop) == [1, 1, 5]
    assert await numbers(shop) == list(range(1, 8))


async def test_texts_that_need_a_trial_are_tried_once_and_named_apart(shop: Shop) -> None:
    plain, marked, hidden = await drafts(shop, 3)
    await shop.ok("PATCH", f"/v1/invoices/{marked['id']}", {"notes": MARKED}, status=200)
    await shop.ok("PATCH", f"/v1/invoices/{hidden['id']}", {"notes": "中文"}, status=200)
    results = await sent(shop, plain, hidden, marked)
    assert [(one["outcome"], one["code"]) for one in results] == [
        ("sent", None),
        ("refused", "DOCUMENT_CHARACTERS_UNPRINTABLE"),
        ("sent", None),
    ]
    assert await numbers(shop) == [1, 2]


async def test_mails_are_handed_over_for_each(shop: Shop) -> None:
    price = await shop.price("100")
    reachable = await shop.draft(await shop.customer(email="a@example.com"), line(price))
    silent = await shop.draft(await shop.customer(email=None), line(price))
    results = await sent(shop, reachable, silent, deliveryType="Email")
    assert [one["code"] for one in results] == [None, "INVOICE_RECIPIENT_MISSING"]
    assert (await shop.invoice(reachable["id"]))["status"] == "scheduled"
    status = await shop.ok("GET", f"/v1/invoices/{reachable['id']}/delivery-status", status=200)
    assert status["status"] == "pending"
