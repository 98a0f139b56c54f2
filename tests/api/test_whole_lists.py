"""Lists that are answered whole: the same bytes as ever, and nobody else waits while a long one is written."""

import asyncio
import json
import time
from typing import Any

import pytest
from pydantic import BaseModel
from tests.conftest import Api

from ledgerbee.http.arrays import array
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import CHUNK

#: More than a chunk, the last one not full.
MANY = 2 * CHUNK + 17
NAME = 'Æble & "Søn"'
OF_A_CUSTOMER = {"customerType": "company", "countryCode": "DK", "vatZone": "domestic"}
OF_A_VENDOR = {"currency": "DKK", "countryCode": "DK", "contacts": [{"name": "Bo"}]}
LISTS = ["/v1/customers", "/v1/vendors", "/v1/accounts", "/v1/api-keys", "/v1/oauth-clients"]


async def with_many(api: Api, kind: str) -> None:
    """Give the company as many customers (or vendors) as `MANY`, copies of its first but for id and number."""
    group = (await api.get(f"/v1/{kind}-groups")).json()[0]["id"]
    made = await api.post(
        f"/v1/{kind}s",
        {
            "customer": {"customerGroupId": group, "name": NAME, "customerNumber": "9", **OF_A_CUSTOMER},
            "vendor": {"vendorGroupId": group, "name": NAME, "vendorNumber": "9", **OF_A_VENDOR},
        }[kind],
    )
    assert made.status_code == 201, made.text

    async def work(context: Context) -> None:
        columns = await context.connection.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped"
            " AND attgenerated = '' AND attname NOT IN ('id', 'number')",
            f"{kind}s",
        )
        names = ", ".join(row["attname"] for row in columns)
        await context.connection.execute(
            f"INSERT INTO {kind}s (id, number, {names}) SELECT gen_random_uuid(), 'K' || n, {names}"
            f" FROM {kind}s CROSS JOIN generate_series(1, {MANY} - 1) n WHERE company_id = $1",
            context.company_id,
        )

    await api.run(work)


@pytest.mark.parametrize("kind", ["customer", "vendor"])
async def test_a_list_of_many_chunks_is_whole_and_in_order(api: Api, kind: str) -> None:
    await with_many(api, kind)
    listed = (await api.get(f"/v1/{kind}s")).json()
    numbers = [one[f"{kind}Number"] for one in listed]
    assert len(numbers) == len({one["id"] for one in listed}) == MANY
    assert numbers[1:] == [f"K{n}" for n in range(1, MANY)]  # natural order: runs of digits are numbers
    assert listed[1] == {**listed[0], "id": listed[1]["id"], f"{kind}Number": "K1"}


@pytest.mark.parametrize("path", LISTS)
async def test_the_form_is_what_the_document_says(api: Api, path: str) -> None:
    """Compact JSON in UTF-8, as every other answer; only one that is read in chunks has no length."""
    await with_many(api, "customer")
    answer = await api.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    length = None if path == "/v1/customers" else str(len(answer.content))
    assert answer.headers.get("content-length") == length
    assert json.dumps(answer.json(), ensure_ascii=False, separators=(",", ":")).encode() == answer.content


async def test_an_empty_list_is_one(api: Api) -> None:
    assert (await api.get("/v1/vendors")).content == b"[]"


class Slow(BaseModel):
    """An object that takes its time."""

    number: int


async def test_others_get_their_turn_between_two_pieces() -> None:
    """A neighbour that is always ready comes in again and again while a list is written, not before and after it."""
    turns = 0

    async def neighbour() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def render(number: int) -> Any:
        time.sleep(0.0001)
        return Slow(number=number)

    other = asyncio.create_task(neighbour())
    await asyncio.sleep(0)
    answer = await array(range(2_000), render)
    assert turns >= 19
    other.cancel()
    assert [one["number"] for one in json.loads(bytes(answer.body))] == list(range(2_000))
