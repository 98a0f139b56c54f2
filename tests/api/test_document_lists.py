"""Lists of documents narrowed and sorted in every way, also among so many that pages are found in another way."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from tests.conftest import Api
from tests.selling import Shop, line

from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import FEW

#: More than are fetched and sorted for a page.
MANY = FEW + 100


@dataclass(frozen=True)
class Kind:
    """A kind of document: its path, its table, what names it among deliveries, and the sorts of its lists."""

    path: str
    table: str
    name: str
    sorts: tuple[str, ...]


PRESALES = ("date", "documentNumber", "amount", "status")
KINDS = {
    kind.name: kind
    for kind in (
        Kind("/v1/invoices", "invoices", "invoice", ("date", "number", "amount", "createdAt")),
        Kind("/v1/credit-notes", "credit_notes", "credit_note", ("date", "number", "amount", "createdAt")),
        Kind("/v1/quotes", "quotes", "quote", (*PRESALES, "validUntil")),
        Kind("/v1/order-confirmations", "order_confirmations", "order_confirmation", PRESALES),
    )
}


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


async def drafted(shop: Shop, kind: Kind, quantity: int, day: int = 16) -> Any:
    """A draft of so many things to a customer of its own, of a day in March 2026; a credit note is of the 16th."""
    lines = [line(await shop.price("100"), quantity)]
    if kind.name == "credit_note":
        return await shop.credit(await shop.sold(*lines, customerId=await shop.customer(email="a@b.example")))
    body = {"customerId": await shop.customer(email="a@b.example"), "date": f"2026-03-{day:02}", "lines": lines}
    return await shop.ok("POST", kind.path, body)


async def some(shop: Shop, kind: Kind) -> list[dict[str, Any]]:
    """Documents of a kind as lists show them: two drafts, one sent by hand and one by mail, which waits."""
    made = [await drafted(shop, kind, *one) for one in ((3, 16), (1, 14), (4, 15), (2, 13))]
    await shop.ok("POST", f"{kind.path}/{made[2]['id']}/send", {"deliveryType": "Manual"}, status=200)
    await shop.ok("POST", f"{kind.path}/{made[3]['id']}/send", {"deliveryType": "Email"}, status=200)
    listed: list[dict[str, Any]] = (await shop.ok("GET", f"{kind.path}?limit=100"))["data"]
    return listed


def _is_shown(document: dict[str, Any], **wanted: str) -> bool:
    shown = {**document, "status": document.get("displayStatus", document["status"])}
    number = str(document.get("number") or document.get("documentNumber") or "")
    return number.startswith(wanted.pop("search", "")) and all(shown[name] == value for name, value in wanted.items())


@pytest.mark.parametrize("name", KINDS)
async def test_filters_and_sorts_agree_with_each_other(shop: Shop, name: str) -> None:
    kind = KINDS[name]
    found = await some(shop, kind)
    assert len(found) == 4
    waiting = next(one for one in found if one["deliveryStatus"] == "pending")
    choices: dict[str, tuple[str | None, ...]] = {
        "status": (None, "draft", waiting.get("displayStatus", waiting["status"])),
        "customerId": (None, waiting["customerId"], found[0]["customerId"]),
        "deliveryStatus": (None, "manual", "pending", "failed"),
        "search": (None, "1", "9"),
    }
    for place, values in enumerate(product(*choices.values())):
        wanted = {name: value for name, value in zip(choices, values, strict=True) if value is not None}
        expected = {one["id"] for one in found if _is_shown(one, **wanted)}
        query = "&".join(f"{name}={value}" for name, value in wanted.items())
        for sort in {"amount", kind.sorts[place % len(kind.sorts)]}:  # the others in turn
            page = await shop.ok("GET", f"{kind.path}?{query}&sortBy={sort}&sortOrder=ASC")
            assert page["total"] == len(page["data"]) == len(expected), (query, sort)
            assert {one["id"] for one in page["data"]} == expected, (query, sort)
            if sort == "amount":
                amounts = [Decimal(one["amount"]) for one in page["data"]]
                assert amounts == sorted(amounts), query


async def with_copies(api: Api, kind: Kind) -> None:
    """Give the company `MANY` more drafts of a kind, copies of one but for amounts that descend from `MANY`.

    To the database each was handed over: deliveries name documents of any status.
    """

    async def work(context: Context) -> None:
        columns = await context.connection.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped"
            " AND attgenerated = '' AND attname NOT IN ('id', 'amount', 'subtotal', 'vat')",
            kind.table,
        )
        names = ", ".join(row["attname"] for row in columns)
        made = await context.connection.fetch(
            f"INSERT INTO {kind.table} (id, amount, subtotal, vat, {names})"
            f" SELECT gen_random_uuid(), {MANY + 1} - n, {MANY + 1} - n, 0, {names}"
            f" FROM (SELECT * FROM {kind.table} WHERE company_id = $1 AND status = 'draft' LIMIT 1) one"
            f" CROSS JOIN generate_series(1, {MANY}) n RETURNING id",
            context.company_id,
        )
        await context.connection.execute(
            "INSERT INTO deliveries (company_id, id, document_type, document_id, delivery_type, status, created_at,"
            " updated_at, is_latest) SELECT $1, gen_random_uuid(), $2, id, 'Manual', 'manual', now(), now(), true"
            " FROM unnest($3::uuid[]) id",
            context.company_id,
            kind.name,
            [row["id"] for row in made],
        )
        # As autovacuum does it after so many new rows: the plans of lists go by the statistics.
        await context.connection.execute("SET LOCAL ROLE NONE")
        await context.connection.execute(f"ANALYZE {kind.table}, deliveries")

    await api.run(work)


@pytest.mark.parametrize("name", ["invoice", "quote", "order_confirmation"])
async def test_any_page_of_many_is_the_one_that_the_sort_says(shop: Shop, name: str) -> None:
    kind = KINDS[name]
    draft = await drafted(shop, kind, 1)
    await with_copies(shop.api, kind)
    last = MANY // 100
    for query, total in (
        ("status=draft", MANY + 1),
        ("deliveryStatus=manual", MANY),
        ("status=draft&deliveryStatus=manual", MANY),
        (f"customerId={draft['customerId']}", MANY + 1),
        (f"customerId={draft['customerId']}&status=draft&deliveryStatus=manual", MANY),
    ):
        for page in (1, last // 2, last):
            found = await shop.ok("GET", f"{kind.path}?{query}&sortBy=amount&sortOrder=ASC&limit=100&page={page}")
            assert found["total"] == total, query
            amounts = [Decimal(one["amount"]) for one in found["data"] if one["id"] != draft["id"]]
            first = (page - 1) * 100 + 1
            assert amounts[0] in {first, first - 1}, query
            assert amounts == sorted(amounts), query
            assert len(set(amounts)) == len(amounts) >= 99, query
