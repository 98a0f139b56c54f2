"""v1 posts what it is sent, and says what is odd about the receivable or payable (extension)."""

from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests.conftest import SteeredClock, new_company
from tests.contract.world import World, make_world

from ledgerbee.platform.db import Database

LOCKED = {
    "CUSTOMER_INVOICE": "DEBIT",
    "CUSTOMER_PAYMENT": "CREDIT",
    "SUPPLIER_INVOICE": "CREDIT",
    "SUPPLIER_PAYMENT": "DEBIT",
}


def body_of(world: World, kind: str, amount: str, *, original: str | None, control: bool) -> dict[str, Any]:
    """An entry whose control line (or a line on another account in its place) has `amount`, as the type has it."""
    is_customers = kind.startswith("CUSTOMER")
    account = world.ids["bankAccountId"]
    if control:
        account = world.ids["receivablesAccountId"] if is_customers else world.ids["payablesAccountId"]
    sides = (
        ("DEBIT", "CREDIT") if (LOCKED.get(kind, "DEBIT") == "DEBIT") != amount.startswith("-") else ("CREDIT", "DEBIT")
    )
    body = {
        "entryType": kind,
        "date": "2026-03-16",
        "lines": [
            {"accountId": account, "side": sides[0], "amount": amount.lstrip("-")},
            {"accountId": world.ids["salesAccountId"], "side": sides[1], "amount": amount.lstrip("-")},
        ],
    }
    if kind != "JOURNAL_ENTRY":
        body |= {"customerId": world.ids["customerId"]} if is_customers else {"vendorId": world.ids["vendorId"]}
    return body if original is None else body | {"originalAmount": original}


def codes(entry: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in entry.get("warnings", [])]


@pytest.mark.parametrize("kind", LOCKED)
@pytest.mark.parametrize(
    ("amount", "original", "control", "wanted"),
    [
        ("125.00", "125", True, []),
        ("125.00", None, True, []),
        ("-125.00", "-125.00", True, []),
        ("125.00", "100.00", True, ["CONTROL_AMOUNT_DIFFERS"]),
        ("125.00", "-125.00", True, ["CONTROL_AMOUNT_DIFFERS"]),
        ("125.00", "125.00", False, ["CONTROL_LINE_MISSING"]),
        ("125.00", None, False, ["CONTROL_LINE_MISSING"]),
    ],
)
async def test_what_is_odd_about_a_locked_type_is_told(
    world: World, kind: str, amount: str, original: str | None, control: bool, wanted: list[str]
) -> None:
    body = body_of(world, kind, amount, original=original, control=control)
    entry = (await world.api.post("/v1/journal-entries", body)).json()
    assert codes(entry) == wanted
    assert ("warnings" in entry) == bool(wanted)
    batch = (await world.api.post("/v1/journal-batches", {"entries": [body, body]})).json()
    assert [codes(one) for one in batch["entries"]] == [wanted, wanted]
    draft = (await world.api.post("/v1/draft-journal-entries", body)).json()
    assert "warnings" not in draft
    booked = (await world.api.post(f"/v1/draft-journal-entries/{draft['id']}/book")).json()
    assert codes(booked) == wanted
    draft = (await world.api.post("/v1/draft-journal-entries", body)).json()
    booked = (await world.api.post(f"/v2/draft-journal-entries/{draft['id']}/book")).json()
    assert codes(booked) == wanted, "it is booked as it was drafted, whichever version books it"
    read = (await world.api.get(f"/v1/journal-entries/{entry['id']}")).json()
    assert read == {name: value for name, value in entry.items() if name != "warnings"}


async def test_a_plain_entry_and_v2_have_no_warnings(world: World) -> None:
    plain = body_of(world, "JOURNAL_ENTRY", "125", original="1", control=False)
    assert "warnings" not in (await world.api.post("/v1/journal-entries", plain)).json()
    assert "warnings" not in (await world.api.post("/v2/journal-entries", plain)).json()
    line = {"accountId": world.ids["bankAccountId"], "side": "CREDIT", "amount": "125"}
    sale = body_of(world, "CUSTOMER_INVOICE", "125", original="125", control=False) | {"lines": [line]}
    assert "warnings" not in (await world.api.post("/v2/journal-entries", sale)).json()
    draft = (await world.api.post("/v1/draft-journal-entries", plain | {"originalAmount": "2"})).json()
    assert "warnings" not in (await world.api.post(f"/v2/draft-journal-entries/{draft['id']}/book")).json()
    draft = (await world.api.post("/v2/draft-journal-entries", sale)).json()
    assert "warnings" not in (await world.api.post(f"/v2/draft-journal-entries/{draft['id']}/book")).json()


async def test_a_replay_has_the_warnings_too(world: World) -> None:
    body = body_of(world, "CUSTOMER_INVOICE", "7", original="8", control=True)
    headers = {"x-api-idempotency-key": "warned"}
    first = await world.api.post("/v1/journal-entries", body, headers=headers)
    again = await world.api.post("/v1/journal-entries", body, headers=headers)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.content == first.content
    assert first.json()["warnings"] == [
        {
            "code": "CONTROL_AMOUNT_DIFFERS",
            "message": "The receivable changes by 7.00 DKK, but originalAmount is 8.00",
        }
    ]


@pytest_asyncio.fixture(scope="module")
async def world(http: httpx.AsyncClient, database: Database) -> World:
    """A company that all of them post in: what is odd is odd about one entry."""
    return await make_world(await new_company(http, database, SteeredClock()))
