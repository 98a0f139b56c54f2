"""A customer at random, in one process: after every step all that is told of it, and the ledger, are the model's."""

from decimal import Decimal
from random import Random
from typing import Final

import httpx
import pytest
from tests.conftest import Api
from tests.ledger_books import books_of
from tests.selling import Shop
from tests.sim.debtor import CURRENCIES, Debtor
from tests.sim.figures import text_of
from tests.sim.requests import Request

_STEPS: Final = 45
#: Kroner for a euro, by day: every document goes at its own.
_RATES: Final = {"2026-03-10": "7.4", "2026-03-12": "7.46371", "2026-03-16": "7.5529"}


async def receivable(shop: Shop, column: str, currency: str) -> Decimal:
    """What stands on the customers' accounts of the ledger in a currency."""
    found: Decimal = await shop.value(
        f"SELECT coalesce(sum({column}), 0) FROM journal_lines"
        " WHERE company_id = $1 AND customer_id IS NOT NULL AND currency = $2",
        shop.api.company_id, currency,
    )  # fmt: skip
    return found


async def look(shop: Shop, debtor: Debtor) -> None:
    """Compare what is told of the customer, and the ledger, with the model."""
    await debtor.look()
    for currency in CURRENCIES:
        stands = await receivable(shop, "amount", currency)
        assert text_of(int(stands.scaleb(2)), currency) == text_of(debtor.model.balance(currency), currency)


@pytest.mark.parametrize("seed", [6, 7])
async def test_each_answer_is_the_predicted_one(api: Api, seed: int) -> None:
    shop = Shop(api)

    async def send(request: Request) -> httpx.Response:
        headers = {} if request.key is None else {"x-api-idempotency-key": request.key}
        body = {} if request.body is None else {"json": request.body}
        return await api.request(request.method, request.path, headers=headers, **body)

    debtor = Debtor(send, Random(seed), f"{seed}", _RATES, credited_on="2026-03-16", paid_on="2026-03-20")
    await debtor.begin()
    for _ in range(_STEPS):
        await debtor.step()
        await look(shop, debtor)
    await debtor.end()
    await look(shop, debtor)
    for currency in CURRENCIES:
        assert await receivable(shop, "amount", currency) == 0
    # A payment that is taken back after a credit note may leave a unit of kroner: its entry is reversed as it is.
    left = [await receivable(shop, "base_amount", currency) for currency in CURRENCIES]
    assert left[0] == 0
    assert abs(left[1]) <= Decimal("0.02") * debtor.taken_back
    assert (await (await books_of(api)).verify_all()).fault is None
    used = debtor.model.applied.keys() | debtor.model.refunded.keys()
    assert used == set(CURRENCIES), "the seed uses credit in both"
