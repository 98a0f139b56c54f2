"""Credit notes and payments at once: of two that want the same, one wins, and nothing goes below zero."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from httpx import Response
from tests.api.test_payments import pay
from tests.conftest import Api
from tests.ledger_books import books_of
from tests.selling import Shop, line


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


async def together(shop: Shop, *requests: tuple[str, Any]) -> list[Response]:
    return list(await asyncio.gather(*(shop.api.post(path, body) for path, body in requests)))


def outcomes(answers: list[Response]) -> list[tuple[int, str | None]]:
    return sorted((answer.status_code, answer.json().get("code")) for answer in answers)


async def faultless(shop: Shop) -> bool:
    return (await (await books_of(shop.api)).verify_all()).fault is None


async def test_of_notes_on_the_same_rest_one_wins_and_the_others_take_no_number(shop: Shop) -> None:
    sold = await shop.sold(line(await shop.price("100")))
    body = {"customerId": sold["customerId"], "invoiceNumber": sold["number"]}
    answers = await together(shop, *[("/v1/credit-notes", body)] * 5)
    refused = (409, "CREDIT_NOTE_EXCEEDS_INVOICE")
    assert outcomes(answers) == [(201, None), refused, refused, refused, refused]
    other = await shop.sold(line(await shop.price("100")))
    assert (await shop.credit(other))["number"] == "2"
    assert await faultless(shop)


async def test_of_notes_on_parts_as_many_win_as_there_is(shop: Shop) -> None:
    sold = await shop.sold(line(await shop.price("33.33"), 3))
    one = [{"invoiceLineId": sold["lines"][0]["id"], "quantity": 1}]
    body = {"customerId": sold["customerId"], "invoiceNumber": sold["number"], "lines": one}
    answers = await together(shop, *[("/v1/credit-notes", body)] * 6)
    assert [status for status, _ in outcomes(answers)] == [201, 201, 201, 409, 409, 409]
    notes = [answer.json() for answer in answers if answer.status_code == 201]
    assert sorted(note["number"] for note in notes) == ["1", "2", "3"]
    assert sum(Decimal(note["amount"]) for note in notes) == -Decimal(sold["amount"])
    sends = await together(shop, *[(f"/v1/credit-notes/{note['id']}/send", {}) for note in notes])
    assert [status for status, _ in outcomes(sends)] == [200, 200, 200]
    assert (await shop.invoice(sold["id"]))["status"] == "credited"
    assert await shop.balance(6190) == 0
    assert await faultless(shop)


async def test_of_two_sends_one_books(shop: Shop) -> None:
    note = await shop.credit(await shop.sold(line(await shop.price("100"))))
    answers = await together(shop, *[(f"/v1/credit-notes/{note['id']}/send", {})] * 4)
    refused = (409, "CREDIT_NOTE_INVALID_STATE")
    assert outcomes(answers) == [(200, None), refused, refused, refused]
    assert len(await shop.events("credit_note.sent")) == len(await shop.events("invoice.credited")) == 1
    assert await shop.balance(6190) == 0


async def test_a_send_and_a_cancellation(shop: Shop) -> None:
    for _ in range(3):
        sold = await shop.sold(line(await shop.price("100")))
        note = await shop.credit(sold)
        answers = await together(
            shop, *[(f"/v1/credit-notes/{note['id']}/{action}", {}) for action in ("send", "cancel")]
        )
        assert outcomes(answers) == [(200, None), (409, "CREDIT_NOTE_INVALID_STATE")]
        is_sent = (await shop.note(note["id"]))["status"] == "sent"
        assert (await shop.invoice(sold["id"]))["status"] == ("credited" if is_sent else "sent")
    assert await faultless(shop)


@pytest.mark.parametrize("currency", ["DKK", "EUR"])
async def test_a_note_and_a_payment_never_go_below_zero(shop: Shop, currency: str) -> None:
    """Who comes first counts: a payment after a note of all is refused, a note after a payment leaves a credit."""
    for _ in range(3):
        sold = await shop.sold(line(await shop.price("100", currency=currency)), currency=currency)
        note = await shop.credit(sold)
        payment = {"date": "2026-03-16", "amount": "100"}
        sent, paid = await together(
            shop, (f"/v1/credit-notes/{note['id']}/send", {}), (f"/v1/invoices/{sold['id']}/payments", payment)
        )
        assert (sent.status_code, paid.status_code in {201, 409}) == (200, True)
        invoice = await shop.invoice(sold["id"])
        assert (invoice["status"], invoice["amountDue"], invoice["creditedAmount"]) == ("credited", "0.00", "125.00")
        assert invoice["amountPaid"] == ("100.00" if paid.status_code == 201 else "0.00")
    assert await faultless(shop)


async def test_a_payment_taken_back_and_a_note(shop: Shop) -> None:
    sold = await shop.sold(line(await shop.price("100")))
    payment = await pay(shop, sold, "100")
    note = await shop.credit(sold)
    sent, reversed_ = await together(
        shop, (f"/v1/credit-notes/{note['id']}/send", {}), (f"/v1/payments/{payment['id']}/reverse", {})
    )
    assert (sent.status_code, reversed_.status_code) == (200, 200)
    invoice = await shop.invoice(sold["id"])
    assert (invoice["status"], invoice["amountDue"], invoice["amountPaid"]) == ("credited", "0.00", "0.00")
    assert await shop.balance(6190) == 0
    assert await faultless(shop)
