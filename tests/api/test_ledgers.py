"""Ledgers of accounts, customers and vendors, and the trial balance of a tag, against the plain sums of their lines."""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.conftest import Api
from tests.ledger_books import BANK, PAYABLES, RECEIVABLES, SALES, books_of

from ledgerbee.ledger.entries.model import EntryToPost, EntryType, LineType

FIGURES = ("opening", "debit", "credit", "closing")


async def read(api: Api, path: str, **query: Any) -> dict[str, Any]:
    answer = await api.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def whole(api: Api, path: str, **query: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The first page of a ledger, and the lines of all pages."""
    first = await read(api, path, limit=7, **query)
    lines = list(first["data"])
    for page in range(2, first["totalPages"] + 1):
        lines += (await read(api, path, limit=7, page=page, **query))["data"]
    return first, lines


async def test_any_span_with_or_without_a_tag_equals_its_lines(api: Api) -> None:
    books = await books_of(api)
    tag, other = await books.tag(), await books.tag("Aarhus", "Branch")
    customer, vendor = await books.customer(), await books.vendor()
    dice = random.Random(20260316)  # noqa: S311  a repeatable choice, not a secret
    entries: list[EntryToPost] = []
    for _ in range(120):
        amount, day = f"{dice.randint(1, 10_000) / Decimal(100)}", date(2025, 1, 1) + timedelta(dice.randrange(500))
        tags: dict[str, Any] = {"tag_ids": (tag,)} if dice.random() < 0.4 else {}
        of_entry: dict[str, Any] = {"tag_ids": (tag, other)} if dice.random() < 0.3 else {}
        kind = dice.randrange(3)
        if kind == 0:
            lines = [books.line(BANK, amount, **tags), books.line(SALES, f"-{amount}")]
            entries.append(books.entry(day, lines, **of_entry))
        elif kind == 1:
            lines = [
                books.line(RECEIVABLES, amount, line_type=LineType.CONTROL),
                books.line(SALES, f"-{amount}", **tags),
            ]
            who = {"entry_type": EntryType.CUSTOMER_INVOICE, "customer_id": customer}
            entries.append(books.entry(day, lines, **who, **of_entry))
        else:
            lines = [
                books.line(BANK, f"-{amount}", **tags),
                books.line(PAYABLES, amount, line_type=LineType.CONTROL),
            ]
            who = {"entry_type": EntryType.SUPPLIER_PAYMENT, "vendor_id": vendor}
            entries.append(books.entry(day, lines, **who, **of_entry))
    await books.open_years(2025)
    await books.post(*entries)

    def flat(account: int, tagged: bool) -> list[tuple[date, Decimal]]:
        return [
            (entry.date, line.amount if line.side == "DEBIT" else -line.amount)
            for entry in entries
            for line in entry.lines
            if line.account_id == books.accounts[account] and (not tagged or tag in {*entry.tag_ids, *line.tag_ids})
        ]

    owners = {
        BANK: f"/v1/accounts/{books.accounts[BANK]}/ledger",
        SALES: f"/v1/accounts/{books.accounts[SALES]}/ledger",
        RECEIVABLES: f"/v1/customers/{customer}/ledger",
        PAYABLES: f"/v1/vendors/{vendor}/ledger",
    }
    for number, path in owners.items():
        for tagged in (False, True):
            first, last = sorted(date(2025, 1, 1) + timedelta(dice.randrange(500)) for _ in range(2))
            query = {"fromDate": str(first), "toDate": str(last), **({"dimensionValueId": str(tag)} if tagged else {})}
            ledger, found = await whole(api, path, **query)
            opens = date(first.year, 1, 1) if number == SALES else date.min
            opening = sum(amount for day, amount in flat(number, tagged) if opens <= day < first)
            inside = sorted((day, amount) for day, amount in flat(number, tagged) if first <= day <= last)
            assert Decimal(ledger["opening"]) == opening
            assert ledger["total"] == len(found) == len(inside)
            assert sorted((date.fromisoformat(one["date"]), Decimal(one["amount"])) for one in found) == inside
            balance = Decimal(ledger["opening"])
            for one in found:
                balance += Decimal(one["debit"]) - Decimal(one["credit"])
                assert Decimal(one["balance"]) == balance
            assert Decimal(ledger["closing"]) == balance
            assert [one["date"] for one in found] == sorted(one["date"] for one in found)
            report = await read(api, "/v1/reports/trial-balance", **query)
            (row,) = [one for one in report["rows"] if one["accountNumber"] == number]
            assert [row[name] for name in FIGURES] == [ledger[name] for name in FIGURES]


async def test_a_line_says_where_it_comes_from(api: Api) -> None:
    books = await books_of(api)
    tag = await books.tag()
    lines = [
        books.line(BANK, "100.00", "746.05", description="Deposit", tag_ids=(tag,)),
        books.line(SALES, "-100.00", "746.05"),
    ]
    (posted,) = await books.post(
        books.entry("2026-01-05", lines, currency="EUR", exchange_rate=Decimal("7.4605"), reference="Bank 7")
    )
    reversal = (await api.post(f"/v1/journal-entries/{posted.id}/reverse", {"date": "2026-01-06"})).json()
    found = (await read(api, f"/v1/accounts/{books.accounts[BANK]}/ledger"))["data"]
    assert found[0] == {
        "id": str(posted.line_ids[0]), "journalEntryId": str(posted.id), "entryNumber": 1, "date": "2026-01-05",
        "entryType": "JOURNAL_ENTRY", "accountId": str(books.accounts[BANK]), "accountNumber": BANK,
        "accountName": posted.accounts[books.accounts[BANK]].name, "description": "Deposit", "reference": "Bank 7",
        "customerId": None, "vendorId": None, "currency": "EUR", "amount": "100.00", "debit": "746.05",
        "credit": "0.00", "balance": "746.05", "vatCodeId": None, "tagIds": [str(tag)], "sourceType": "API",
        "sourceId": None, "reversedByEntryId": reversal["id"],
    }  # fmt: skip
    assert (found[1]["sourceType"], found[1]["sourceId"], found[1]["balance"]) == ("REVERSAL", str(posted.id), "0.00")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"projectId": "{unknown}", "dimensionValueId": "{unknown}"}, "SHARED_VALIDATION_FAILED"),
        ({"fromDate": "2026-02-01", "toDate": "2026-01-31"}, "SHARED_VALIDATION_FAILED"),
    ],
)
async def test_what_makes_no_sense_is_refused(api: Api, query: dict[str, str], code: str) -> None:
    unknown = "0198a4f0-0000-7000-8000-000000000000"
    books = await books_of(api)
    given = {name: value.replace("{unknown}", unknown) for name, value in query.items()}
    for path in (f"/v1/accounts/{books.accounts[BANK]}/ledger", "/v1/reports/trial-balance"):
        answer = await api.get(path, params=given)
        assert answer.json()["code"] == code


async def test_nothing_carries_a_tag_that_is_nobodys(api: Api, other_api: Api) -> None:
    books = await books_of(api)
    tag = await (await books_of(other_api)).tag()
    await books.post(books.sale("2026-03-02", "7.00"))
    for query in ({"dimensionValueId": str(tag)}, {"projectId": str(tag)}):
        ledger = await read(api, f"/v1/accounts/{books.accounts[BANK]}/ledger", **query)
        assert (ledger["total"], ledger["closing"]) == (0, "0.00")


async def test_a_project_counts_each_line_of_its_subprojects_once(api: Api) -> None:
    books = await books_of(api)
    project = (await api.post("/v1/projects", {"name": "Havn", "currency": "DKK"})).json()
    second = (await api.post(f"/v1/projects/{project['id']}/subprojects", {"name": "Kaj"})).json()
    body = {
        "entryType": "JOURNAL_ENTRY", "date": "2026-03-02", "originalAmount": "10.00",
        "lines": [
            {"accountId": str(books.accounts[BANK]), "side": "DEBIT", "amount": "10.00"},
            {"accountId": str(books.accounts[SALES]), "side": "CREDIT", "amount": "10.00", "tagIds": [second["id"]]},
        ],
    }  # fmt: skip
    assert (await api.post("/v2/journal-entries", body)).status_code == 201
    for query in ({"projectId": project["id"]}, {"dimensionValueId": second["id"]}):
        report = await read(api, "/v1/reports/trial-balance", **query)
        assert {one["accountNumber"]: one["closing"] for one in report["rows"] if one["closing"] not in {None, "0.00"}}[
            SALES
        ] == "-10.00"
        assert (await read(api, f"/v1/accounts/{books.accounts[BANK]}/ledger", **query))["total"] == 0
        assert (await read(api, f"/v1/accounts/{books.accounts[SALES]}/ledger", **query))["closing"] == "-10.00"
