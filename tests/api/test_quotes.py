"""Quotes over HTTP: drafts, days, lists, the buyer's answer."""

import asyncio
from typing import Any

import pytest
from tests.conftest import Api
from tests.selling import Shop, line

NOBODY = "01a205bb-0000-7000-8000-000000000000"


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


def as_told(quote: dict[str, Any]) -> dict[str, Any]:
    """A quote of an answer as its events have it."""
    untold = {"deliveryStatus", "displayStatus", "acceptanceUrl"}
    return {name: value for name, value in quote.items() if name not in untold}


async def get(shop: Shop, quote: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await shop.ok("GET", f"/v1/quotes/{quote['id']}")
    return found


async def test_a_draft_has_amounts_and_no_number(shop: Shop) -> None:
    customer, price = await shop.customer(), await shop.price("100")
    draft = await shop.quote(
        customer,
        line(price, "2.5", description="Work in May"),
        {"lineType": "text", "description": "Thank you"},
        validUntil="2026-04-15",
        reference="PO-7",
        ourReference="Anna",
        notes="Two\nlines",
    )
    assert await get(shop, draft) == draft
    assert await shop.events("quote.created") == [as_told(draft)]
    product, text = draft.pop("lines")
    assert draft.pop("id")
    assert draft == {
        "type": "quote",
        "documentNumber": None,
        "status": "draft",
        "displayStatus": "draft",
        "customerId": customer,
        "customerDepartmentId": None,
        "customerContactId": None,
        "date": "2026-03-16",
        "validUntil": "2026-04-15",
        "currency": "DKK",
        "subtotal": "250.00",
        "vat": "62.50",
        "amount": "312.50",
        "reference": "PO-7",
        "ourReference": "Anna",
        "notes": "Two\nlines",
        "documentTemplateId": None,
        "answeredAt": None,
        "answeredBy": None,
        "answerComment": None,
        "acceptanceUrl": None,
        "convertedToOrderConfirmationId": None,
        "convertedToInvoiceId": None,
        "sentAt": None,
        "deliveryStatus": None,
        "createdAt": "2026-03-16T12:00:00.000Z",
        "updatedAt": "2026-03-16T12:00:00.000Z",
    }
    assert (product["description"], product["totalPrice"], product["vatAmount"]) == ("Work in May", "250.00", "62.50")
    assert (text["lineType"], text["description"], text["priceId"]) == ("text", "Thank you", None)


async def test_vat_is_computed_on_the_sum_and_shared_out(shop: Shop) -> None:
    """Three lines of 99.99 at 25 %: VAT 74.99, never 75.00, and the lines sum to it."""
    price = await shop.price("99.99")
    draft = await shop.quote(await shop.customer(), line(price), line(price), line(price))
    assert (draft["subtotal"], draft["vat"], draft["amount"]) == ("299.97", "74.99", "374.96")
    assert sorted(one["vatAmount"] for one in draft["lines"]) == ["24.99", "25.00", "25.00"]


@pytest.mark.parametrize(
    ("change", "property_"),
    [
        ({"customerId": None}, "customerId"),
        ({"date": "2028-01-01"}, "date"),
        ({"validUntil": "2026-03-15"}, "validUntil"),
        ({"validUntil": "2036-03-15"}, "validUntil"),
        ({"lines": []}, "lines"),
        ({"lines": [{"lineType": "text", "description": "x"}]}, "lines"),
        ({"dueDate": "2026-04-01"}, "dueDate"),
        ({"description": "x"}, "description"),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(
    shop: Shop, change: dict[str, Any], property_: str
) -> None:
    body = {"customerId": await shop.customer(), "date": "2026-03-16", "lines": [line(await shop.price())]}
    details = await shop.refused("POST", "/v1/quotes", {**body, **change}, 400, "SHARED_VALIDATION_FAILED")
    assert property_ in {error["property"] for error in details["validationErrors"]}
    assert (await shop.ok("GET", "/v1/quotes"))["total"] == 0
    assert await shop.events("quote.created") == []


async def test_a_patch_replaces_lines_and_keeps_what_is_left_out(shop: Shop) -> None:
    price = await shop.price("100")
    draft = await shop.quote(await shop.customer(), line(price), line(price, 2), notes="Tak", validUntil="2026-04-01")
    changed = await shop.ok("PATCH", f"/v1/quotes/{draft['id']}", {"lines": [line(price, 5)]})
    assert (len(changed["lines"]), changed["subtotal"]) == (1, "500.00")
    assert (changed["notes"], changed["validUntil"]) == ("Tak", "2026-04-01")
    cleared = await shop.ok("PATCH", f"/v1/quotes/{draft['id']}", {"validUntil": None})
    assert cleared["validUntil"] is None
    assert [one["subtotal"] for one in await shop.events("quote.updated")] == ["500.00", "500.00"]
    same = await shop.ok("PATCH", f"/v1/quotes/{draft['id']}", {"notes": "Tak"})
    assert same == cleared
    assert len(await shop.events("quote.updated")) == 2


async def test_of_a_sent_quote_only_its_last_day_can_change(shop: Shop) -> None:
    quote = await shop.offered(line(await shop.price()), validUntil="2026-03-20")
    path = f"/v1/quotes/{quote['id']}"
    for change in ({"notes": "x"}, {"validUntil": "2026-05-01", "notes": "x"}, {"lines": quote["lines"][:0]}):
        answer = await shop.api.patch(path, change)
        assert answer.status_code == (400 if change.get("lines") == [] else 409)
    assert await get(shop, quote) == quote
    moved = await shop.ok("PATCH", path, {"validUntil": "2026-05-01"})
    assert {name for name in moved if moved[name] != quote[name]} <= {"validUntil", "updatedAt"}
    assert moved["validUntil"] == "2026-05-01"
    assert [one["validUntil"] for one in await shop.events("quote.updated")] == ["2026-05-01"]
    await shop.refused("PATCH", path, {"validUntil": "2026-03-15"}, 400, "SHARED_VALIDATION_FAILED")
    await shop.ok("POST", f"{path}/accept", status=200)
    details = await shop.refused("PATCH", path, {"validUntil": "2026-06-01"}, 409, "QUOTE_INVALID_STATE")
    assert details == {"status": "accepted"}


async def test_a_quote_expires_by_the_companys_day(shop: Shop) -> None:
    """Copenhagen is an hour ahead of UTC: the day after the last begins at 23:00 UTC."""
    quote = await shop.offered(line(await shop.price()), validUntil="2026-03-16")
    clock = shop.api.clock
    clock.now = clock.now.replace(hour=22, minute=59)
    assert (await get(shop, quote))["displayStatus"] == "sent"
    clock.advance(minutes=1)
    expired = await get(shop, quote)
    assert (expired["status"], expired["displayStatus"]) == ("sent", "expired")
    assert [one["id"] for one in (await shop.ok("GET", "/v1/quotes?status=expired"))["data"]] == [quote["id"]]
    assert (await shop.ok("GET", "/v1/quotes?status=sent"))["total"] == 0
    revived = await shop.ok("PATCH", f"/v1/quotes/{quote['id']}", {"validUntil": "2026-03-17"})
    assert revived["displayStatus"] == "sent"


async def test_lists_filter_and_sort(shop: Shop) -> None:
    price, other = await shop.price("100"), await shop.customer()
    made = {
        "draft": await shop.quote(other, line(price, 7), date="2026-03-10", validUntil="2026-04-07"),
        "sent": await shop.offered(line(price, 3), date="2026-03-11", validUntil="2026-04-03"),
        "accepted": await shop.offered(line(price, 5), date="2026-03-12", validUntil="2026-04-05"),
        "rejected": await shop.offered(line(price, 1), date="2026-03-13", validUntil="2026-04-01"),
        "expired": await shop.offered(line(price, 4), date="2026-03-14", validUntil="2026-03-15"),
        "converted": await shop.offered(line(price, 2), date="2026-03-15", validUntil="2026-04-02"),
    }
    await shop.ok("POST", f"/v1/quotes/{made['accepted']['id']}/accept", status=200)
    await shop.ok("POST", f"/v1/quotes/{made['rejected']['id']}/reject", status=200)
    await shop.ok("POST", f"/v1/quotes/{made['converted']['id']}/convert", {"target": "invoice"})
    names = {quote["id"]: name for name, quote in made.items()}

    async def listed(query: str) -> list[str]:
        page = await shop.ok("GET", f"/v1/quotes?{query}")
        assert page["total"] == len(page["data"])
        assert all("lines" not in one for one in page["data"])
        return [names[one["id"]] for one in page["data"]]

    for name in made:
        assert await listed(f"status={name}") == [name]
        assert (await get(shop, made[name]))["displayStatus"] == name
    by_date = list(made)
    assert await listed("") == by_date[::-1], "newest first"
    assert await listed("sortBy=date&sortOrder=ASC") == by_date
    by_amount = ["rejected", "converted", "sent", "expired", "accepted", "draft"]
    assert await listed("sortBy=amount&sortOrder=ASC") == by_amount
    by_last_day = ["expired", "rejected", "converted", "sent", "accepted", "draft"]
    assert await listed("sortBy=validUntil&sortOrder=ASC") == by_last_day
    by_number = ["sent", "accepted", "rejected", "expired", "converted"]
    assert [name for name in await listed("sortBy=documentNumber&sortOrder=ASC") if name != "draft"] == by_number
    by_status = await listed("sortBy=status&sortOrder=ASC")
    assert (by_status[:3], set(by_status[4:])) == (["accepted", "converted", "draft"], {"sent", "expired"})
    assert await listed(f"customerId={other}") == ["draft"]
    assert await listed("search=2") == ["accepted"]
    assert await listed("deliveryStatus=manual&status=sent") == ["sent"]
    await shop.refused("GET", "/v1/quotes?status=paid", None, 400, "SHARED_VALIDATION_FAILED")
    await shop.refused("GET", "/v1/quotes?sortBy=notes", None, 400, "SHARED_VALIDATION_FAILED")


async def test_the_buyers_word_is_recorded_once(shop: Shop) -> None:
    quote = await shop.offered(line(await shop.price()))
    shop.api.clock.advance(hours=1)
    accepted = await shop.ok("POST", f"/v1/quotes/{quote['id']}/accept", {"answeredBy": "Mette Holm"}, status=200)
    assert (accepted["status"], accepted["displayStatus"]) == ("accepted", "accepted")
    assert (accepted["answeredAt"], accepted["answeredBy"]) == ("2026-03-16T13:00:00.000Z", "Mette Holm")
    assert await get(shop, quote) == accepted
    assert await shop.events("quote.accepted") == [as_told(accepted)]
    for verb in ("accept", "reject"):
        details = await shop.refused("POST", f"/v1/quotes/{quote['id']}/{verb}", None, 409, "QUOTE_INVALID_STATE")
        assert details == {"status": "accepted"}
    assert await shop.events("quote.rejected") == []


async def test_of_two_answers_at_once_one_counts(shop: Shop) -> None:
    quote = await shop.offered(line(await shop.price()))
    answers = await asyncio.gather(
        *(shop.api.post(f"/v1/quotes/{quote['id']}/{verb}") for verb in ("accept", "reject", "accept", "reject"))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    events = await shop.events("quote.accepted") + await shop.events("quote.rejected")
    assert [one["status"] for one in events] == [(await get(shop, quote))["status"]]


async def test_the_seller_may_record_a_word_on_what_has_expired(shop: Shop) -> None:
    quote = await shop.offered(line(await shop.price()), validUntil="2026-03-16")
    shop.api.clock.advance(days=3)
    accepted = await shop.ok("POST", f"/v1/quotes/{quote['id']}/accept", status=200)
    assert accepted["displayStatus"] == "accepted"


async def test_a_draft_is_not_answered(shop: Shop) -> None:
    draft = await shop.quote(await shop.customer(), line(await shop.price()))
    for verb in ("accept", "reject"):
        await shop.refused("POST", f"/v1/quotes/{draft['id']}/{verb}", None, 409, "QUOTE_INVALID_STATE")


async def test_another_companys_ids_are_nobodys(shop: Shop, other_api: Api) -> None:
    quote, mine = await shop.offered(line(await shop.price())), Shop(other_api)
    path = f"/v1/quotes/{quote['id']}"
    for method, one, body in (
        ("GET", path, None), ("GET", f"{path}/pdf", None), ("PATCH", path, {"validUntil": None}),
        ("POST", f"{path}/send", None), ("POST", f"{path}/accept", None), ("POST", f"{path}/reject", None),
        ("POST", f"{path}/convert", {"target": "invoice"}),
    ):  # fmt: skip
        await mine.refused(method, one, body, 404, "QUOTE_NOT_FOUND")
    assert (await mine.ok("GET", f"/v1/quotes?customerId={quote['customerId']}"))["total"] == 0
    new = {"customerId": quote["customerId"], "date": "2026-03-16", "lines": [line(await mine.price())]}
    await mine.refused("POST", "/v1/quotes", new, 404, "CUSTOMER_NOT_FOUND")
    new = {**new, "customerId": await mine.customer(), "lines": [line(quote["lines"][0]["priceId"])]}
    await mine.refused("POST", "/v1/quotes", new, 404, "PRODUCT_PRICE_NOT_FOUND")
    assert await get(shop, quote) == quote


async def test_a_quoted_price_is_locked(shop: Shop) -> None:
    price = await shop.price()
    await shop.quote(await shop.customer(), line(price))
    assert (await shop.ok("GET", f"/v1/product-prices/{price}"))["isLocked"] is True
    await shop.refused("DELETE", f"/v1/product-prices/{price}", None, 409, "PRODUCT_PRICE_IN_USE")
