"""Sending an invoice: number, entry and hand-over in one transaction."""

from decimal import Decimal

import pytest
from tests.conftest import Api
from tests.selling import Shop, booked, line


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


async def test_a_manual_send_books_and_numbers_the_invoice(shop: Shop) -> None:
    price = await shop.price("99.50")
    sent = await shop.sold(line(price, 3, discountPercent=10), {"lineType": "text", "description": "As agreed"})
    assert sent["status"] == "sent"
    assert sent["number"] == "1"
    assert (sent["subtotal"], sent["vat"], sent["amount"]) == ("268.65", "67.16", "335.81")
    assert booked(await shop.entry(sent["journalEntryId"])) == [
        (6190, Decimal("335.81"), Decimal("335.81"), "CONTROL"),
        (1010, Decimal("-268.65"), Decimal("-268.65"), "ENTERED"),
        (7680, Decimal("-67.16"), Decimal("-67.16"), "VAT"),
    ]
