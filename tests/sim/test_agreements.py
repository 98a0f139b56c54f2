"""Subscriptions at random, in one process, while months go by: what is charged is what plain sums say."""

from datetime import date, timedelta
from random import Random
from typing import Final

import httpx
import pytest
from tests.billing import Biller
from tests.conftest import Api
from tests.sim.requests import Request
from tests.sim.subscriber import Subscriber

_STEPS: Final = 40


@pytest.mark.parametrize("seed", [1, 2])
async def test_what_is_charged_is_the_predicted(api: Api, seed: int) -> None:
    biller = Biller(api)

    async def send(request: Request) -> httpx.Response:
        headers = {} if request.key is None else {"x-api-idempotency-key": request.key}
        body = {} if request.body is None else {"json": request.body}
        return await api.request(request.method, request.path, headers=headers, **body)

    async def bill() -> None:
        run = await biller.bill()
        assert (run["status"], run["refused"], run["skipped"]) == ("completed", 0, 0)

    def move(days: int) -> None:
        api.clock.now += timedelta(days=days)

    def today() -> date:
        return api.clock.now.date()

    subscriber = Subscriber(send, bill, today, Random(seed), f"{seed}", move)
    await subscriber.begin()
    for _ in range(_STEPS):
        await subscriber.step()
    await subscriber.end()
    await biller.check_books()
