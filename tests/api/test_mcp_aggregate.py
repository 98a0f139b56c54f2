"""Sums of the aggregation tool against sums of plain Python over what the API lists."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from tests.api.test_mcp_reading import read, refused
from tests.conftest import Api
from tests.connections import connect
from tests.ledger_books import BANK, CAPITAL, GOODS, PAYABLES, RECEIVABLES, SALES, Books, books_of
from tests.selling import Shop, line

from ledgerbee.app.mcp.aggregates import store
from ledgerbee.ledger.entries.model import EntryType, LineType

Row = dict[str, Any]


@pytest_asyncio.fixture
async def token(api: Api, database_url: str) -> str:
    return (await connect(api, database_url))[1]


def key_of(row: Row, dimensions: Iterable[str]) -> tuple[Any, ...]:
    return tuple(row[one]["id"] if isinstance(row[one], dict) else row[one] for one in dimensions)


def summed(rows: Iterable[Row], keys: Callable[[Row], Iterable[tuple[Any, ...]]], *measures: str) -> dict[Any, Any]:
    """Sums of measures by each of the keys that a row has; `n` counts rows."""
    found: dict[Any, list[Decimal]] = {}
    for row in rows:
        for key in keys(row):
            sums = found.setdefault(key, [Decimal(0)] * len(measures))
            for place, one in enumerate(measures):
                sums[place] += Decimal(row[one])
    return {key: tuple(sums) for key, sums in found.items()}


def quarter(day: str) -> str:
    return f"{day[:4]}-Q{(int(day[5:7]) + 2) // 3}"


#: Dimensions of the books, but for the currency, which is one here.
BY = ("month", "quarter", "year", "account", "accountClass", "customer", "vendor", "dimensionValue", "project")
MEASURES = ("debit", "credit", "net", "lines")


@dataclass
class Posted:
    """What was posted, as plain rows: one for each line, with the lists of what it carries."""

    books: Books
    tag: str
    project: str
    rows: list[Row] = field(default_factory=list)

    def kept(self, **filters: Any) -> list[Row]:
        """The rows that filters leave."""

        def is_kept(row: Row) -> bool:
            return (
                filters["fromDate"] <= row["day"] <= filters["toDate"]
                and ("accountIds" not in filters or row["account"] in filters["accountIds"])
                and ("accountClasses" not in filters or row["accountClass"] in filters["accountClasses"])
                and ("dimensionValueIds" not in filters or filters["dimensionValueIds"][0] in row["dimensionValue"])
                and ("projectIds" not in filters or row["project"] == filters["projectIds"])
            )

        return [row for row in self.rows if is_kept(row)]


def keys(dimensions: tuple[str, ...]) -> Callable[[Row], list[tuple[Any, ...]]]:
    """The keys of a row by dimensions: several where it carries several values of one."""

    def of_row(row: Row) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = [()]
        for one in dimensions:
            values = row[one] if isinstance(row[one], list) else [row[one]]
            found = [(*before, value) for before in found for value in values]
        return found

    return of_row


async def posted_at_random(api: Api, dice: random.Random) -> Posted:
    """Entries of all kinds, with tags and parties, over seven months."""
    books = await books_of(api)
    customers, vendors = [await books.customer(n) for n in "12"], [await books.vendor(n) for n in "12"]
    tags = [await books.tag("Odense", "Place"), await books.tag("Aarhus", "Other place")]
    project = (await api.post("/v1/projects", {"name": "Havn"})).json()["id"]
    made = (await api.post(f"/v1/projects/{project}/subprojects", {"name": "Kaj"})).json()
    subproject = UUID(made["id"])
    classes = {one["id"]: one["accountClassification"] for one in (await api.get("/v1/accounts")).json()}
    posted, entries = Posted(books, str(tags[0]), project), []
    for _ in range(80):
        amount = f"{dice.randint(1, 10_000) / Decimal(100)}"
        day = f"2026-0{dice.randint(1, 7)}-1{dice.randint(0, 9)}"
        of_line = tuple(one for one in (*tags, subproject) if dice.random() < 0.3)
        who: dict[str, Any] = {"tag_ids": tuple(one for one in tags if dice.random() < 0.2)}
        kind = dice.randrange(3)
        if kind == 0:
            debit, credit = dice.sample((BANK, SALES, GOODS, CAPITAL), 2)
            lines = [books.line(debit, amount, tag_ids=of_line), books.line(credit, f"-{amount}")]
        elif kind == 1:
            who |= {"entry_type": EntryType.CUSTOMER_INVOICE, "customer_id": dice.choice(customers)}
            lines = [books.line(RECEIVABLES, amount, line_type=LineType.CONTROL), books.line(SALES, f"-{amount}")]
        else:
            who |= {"entry_type": EntryType.SUPPLIER_INVOICE, "vendor_id": dice.choice(vendors)}
            payable = books.line(PAYABLES, f"-{amount}", line_type=LineType.CONTROL)
            lines = [books.line(GOODS, amount, tag_ids=of_line), payable]
        entry = books.entry(day, lines, **who)
        entries.append(entry)
        for one in lines:
            carried = {*entry.tag_ids, *one.tag_ids}
            net = one.amount if one.side == "DEBIT" else -one.amount
            posted.rows.append({
                "month": day[:7], "quarter": quarter(day), "year": day[:4], "account": str(one.account_id),
                "accountClass": classes[str(one.account_id)], "entry": entry.id, "currency": "DKK",
                "customer": str(entry.customer_id) if entry.customer_id else None,
                "vendor": str(entry.vendor_id) if entry.vendor_id else None,
                "dimensionValue": [str(tag) for tag in carried & set(tags)] or [None],
                "project": [project] if subproject in carried else [None],
                "debit": max(net, Decimal(0)), "credit": max(-net, Decimal(0)), "net": net, "lines": 1, "day": day,
            })  # fmt: skip
    await books.post(*entries)
    return posted


async def test_sums_of_the_books_are_those_of_their_lines(api: Api, token: str) -> None:
    dice = random.Random(5)  # noqa: S311  a repeatable choice, not a secret
    posted = await posted_at_random(api, dice)
    accounts = [str(posted.books.accounts[number]) for number in (SALES, GOODS)]
    for _ in range(25):
        dimensions = tuple(dice.sample((*BY, "currency"), dice.randint(0, 3)))
        first, last = sorted((f"2026-0{dice.randint(1, 7)}-12", f"2026-0{dice.randint(1, 7)}-15"))
        narrow = {
            "accountIds": accounts,
            "dimensionValueIds": [posted.tag],
            "projectIds": [posted.project],
            "accountClasses": ["REVENUE"],
        }
        filters: dict[str, Any] = {"fromDate": first, "toDate": last}
        filters |= {name: value for name, value in narrow.items() if dice.random() < 0.25}
        asked = {"measures": list(MEASURES), "dimensions": list(dimensions), "limit": 500}
        found = await read(api, token, "aggregate", **asked, **filters)
        kept = posted.kept(**filters)
        nothing = {} if dimensions else {(): (Decimal(0),) * 4}
        wanted = summed(kept, keys(dimensions), *MEASURES) or nothing
        sums = {key_of(row, dimensions): tuple(Decimal(row[one]) for one in MEASURES) for row in found["data"]}
        assert sums == wanted
        assert found["total"] == len(wanted)
        assert found["period"] == {"from": first, "to": last}

    found = await read(api, token, "aggregate", measures=["net", "entries"], dimensions=["month"], limit=3, page=2)
    assert (found["total"], found["nextPage"]) == (7, 3)
    for row, month in zip(found["data"], ("2026-04", "2026-05", "2026-06"), strict=True):
        assert row["month"] == month
        assert row["entries"] == len({one["entry"] for one in posted.rows if one["month"] == month})
    assert (await read(api, token, "aggregate", measures=["net"], dimensions=["month"], page=9))["total"] == 7
    best = await read(api, token, "aggregate", measures=["debit"], dimensions=["account"], sortBy="debit", limit=2)
    debits = sorted((sums[0] for sums in summed(posted.rows, keys(("account",)), "debit").values()), reverse=True)
    assert [Decimal(row["debit"]) for row in best["data"]] == debits[:2]
    assert {row["account"]["number"] for row in best["data"]} <= {str(number) for number in posted.books.accounts}


async def test_sums_of_documents_are_those_of_the_documents(api: Api, token: str) -> None:
    shop = Shop(api)
    customers = [await shop.customer(), await shop.customer()]
    prices = [await shop.price("100", group="1"), await shop.price("35.5", group="2")]
    euro = await shop.price("10", currency="EUR")
    await shop.ok("PUT", "/v1/exchange-rates", {"currency": "EUR", "date": "2026-03-02", "rate": "7.46"})
    sent = [
        await shop.send(await shop.draft(customers[0], line(prices[0], 3), line(prices[1], "1.5"), date="2026-01-20")),
        await shop.send(await shop.draft(customers[1], line(prices[1], 2), date="2026-02-20")),
        await shop.send(await shop.draft(customers[1], line(euro, 2), date="2026-03-02", currency="EUR")),
        await shop.send(await shop.draft(customers[0], line(prices[0]), date="2026-03-05")),
    ]
    await shop.draft(customers[0], line(prices[0], 90))  # a draft counts for nothing
    await shop.ok("POST", f"/v1/invoices/{sent[0]['id']}/payments", {"date": "2026-03-01", "amount": "28.13"})
    note = await shop.send_note(await shop.credit(sent[1], line(prices[1]), date="2026-03-01"))
    documents = [await shop.invoice(one["id"]) for one in sent] + [note]
    for one in documents:
        one["open"] = one.get("amountDue", "0")
        one["documentKind"] = "invoice" if "amountDue" in one else "credit_note"
        one["customer"], one["month"], one["quarter"] = one["customerId"], one["date"][:7], quarter(one["date"])

    measures = ("invoicedNet", "invoicedVat", "invoicedGross", "openAmount")
    for dimensions in ((), ("customer",), ("month", "documentKind"), ("quarter", "customer")):
        found = await read(api, token, "aggregate", measures=[*measures, "documents"], dimensions=list(dimensions))
        by = (*dimensions, "currency")
        wanted = summed(documents, lambda row, by=by: [key_of(row, by)], "subtotal", "vat", "amount", "open")  # type: ignore[misc]
        assert {key_of(row, by): tuple(Decimal(row[one]) for one in measures) for row in found["data"]} == wanted
        assert sum(row["documents"] for row in found["data"]) == len(documents)

    products = {one["id"]: one for one in (await shop.ok("GET", "/v1/products"))["data"]}
    lines = [
        {**one, "currency": of["currency"], "product": one["productId"],
         "gross": Decimal(one["totalPrice"]) + Decimal(one["vatAmount"]),
         "productGroup": products[one["productId"]]["productGroupId"], "customer": of["customerId"]}
        for of in documents
        for one in of["lines"]
    ]  # fmt: skip
    measures = ("invoicedNet", "invoicedVat", "invoicedGross", "quantity")
    for dimensions in (("product",), ("productGroup", "customer")):
        found = await read(api, token, "aggregate", measures=list(measures), dimensions=list(dimensions))
        by = (*dimensions, "currency")
        wanted = summed(lines, lambda row, by=by: [key_of(row, by)], "totalPrice", "vatAmount", "gross", "quantity")  # type: ignore[misc]
        assert {key_of(row, by): tuple(Decimal(row[one]) for one in measures) for row in found["data"]} == wanted
    found = await read(api, token, "aggregate", measures=["invoicedNet"], currencies=["EUR"], documentKinds=["invoice"])
    assert [(row["currency"], row["invoicedNet"]) for row in found["data"]] == [("EUR", "20.00")]


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ({"measures": ["net", "invoicedNet"]}, "measures"),
        ({"measures": ["net"], "dimensions": ["product"]}, "dimensions.0"),
        ({"measures": ["net"], "productIds": ["{id}"]}, "productIds"),
        ({"measures": ["openAmount"], "dimensions": ["product"]}, "measures"),
        ({"measures": ["net"], "sortBy": "debit"}, "sortBy"),
        ({"measures": ["net"], "dimensionId": "{id}"}, "dimensionId"),
        ({"measures": ["net"], "fromDate": "2026-02-01", "toDate": "2026-01-01"}, "toDate"),
        ({"measures": ["net; DROP TABLE invoices"]}, "measures.0"),
        ({"measures": ["net"], "dimensions": ["month", "year", "quarter", "account", "customer"]}, "dimensions"),
        ({"measures": ["net"], "currencies": ["' OR 1=1"]}, "currencies.0"),
        ({"measures": ["net"], "customerIds": ["1"]}, "customerIds.0"),
        ({"measures": ["net"], "limit": 501}, "limit"),
        ({"measures": ["net"], "sql": "SELECT 1"}, "sql"),
    ],
)
async def test_questions_that_make_no_sense_are_refused(
    api: Api, token: str, arguments: dict[str, Any], place: str
) -> None:
    text = {
        name: ["0198a4f0-0000-7000-8000-000000000000"] if value == ["{id}"] else value
        for name, value in arguments.items()
    }
    text = {name: "0198a4f0-0000-7000-8000-000000000000" if value == "{id}" else value for name, value in text.items()}
    fault = await refused(api, token, "aggregate", **text)
    assert [one["property"] for one in fault["details"]["validationErrors"]] == [place]


async def test_what_takes_too_long_is_refused_with_what_to_do(
    api: Api, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = await books_of(api)
    await books.post(*[books.sale("2026-03-02", "1.00") for _ in range(500)])
    monkeypatch.setattr(store, "_TIME_LIMIT", "1")
    fault = await refused(
        api, token, "aggregate", measures=["net", "entries"], dimensions=["dimensionValue", "project"]
    )
    assert fault["code"] == "AGGREGATE_TOO_LARGE"
    assert "fromDate" in fault["remedy"]
