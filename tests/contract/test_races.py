"""The same request several times at once: who loses is told what one is told that comes later."""

import asyncio
from functools import partial
from uuid import UUID

import pytest
from tests.contract.operations import WRITES, Row
from tests.contract.test_duplicates import TAKEN, other, row_of
from tests.contract.test_operations import path_of
from tests.contract.world import NewWorld, World

from ledgerbee.chart.dimensions import store as dimensions
from ledgerbee.chart.dimensions.model import DimensionValueId
from ledgerbee.platform.context import Context


@pytest.fixture
async def own(new_world: NewWorld) -> World:
    return await new_world()


@pytest.mark.parametrize("row", [row for row in WRITES if not row.file], ids=str)
async def test_whoever_loses_is_told_as_one_that_comes_later(row: Row, own: World) -> None:
    path, sent = path_of(row, own.ids), row.sent(own)
    answers = await asyncio.gather(*(own.api.request(row.method, path, **sent) for _ in range(4)))
    later = await own.api.request(row.method, path, **sent)
    for answer in answers:
        assert answer.status_code < 500, answer.text
        if answer.status_code == 409:
            refused = answer.json()
            assert refused["details"]
            if not later.is_success:  # the next financial year is another one each time
                assert (refused["code"], refused["details"]) == (later.json()["code"], later.json()["details"])


#: What is named is a type, one of a list.
OF_A_TYPE = {"SUBSCRIPTION_CHANGE_ALREADY_EXISTS"}
#: Every new chart has all of them, and a member is there before: nobody wins.
NEVER_NEW = {"ACCOUNT_ROLE_ALREADY_EXISTS", "USER_ALREADY_EXISTS"}


@pytest.mark.parametrize("code", [code for code in TAKEN if code not in NEVER_NEW])
async def test_of_the_same_new_name_or_number_at_once_one_wins(code: str, own: World) -> None:
    name, field, more = TAKEN[code]
    row = row_of(name)
    body = {**row.sent(own)["json"], **more, **other(code)}
    path = path_of(row, own.ids)
    if isinstance(body[field], int):
        body[field] += 7
    elif field == "email":
        body[field] = f"7{body[field]}"
    elif code not in OF_A_TYPE:
        body[field] = f"{body[field]}7"
    answers = await asyncio.gather(*(own.api.request(row.method, path, json=body) for _ in range(4)))
    later = await own.api.request(row.method, path, json=body)
    assert sorted(answer.is_success for answer in answers) == [False, False, False, True], answers[0].text
    for answer in (*answers, later):
        if not answer.is_success:
            assert answer.json()["details"] == later.json()["details"]
            assert answer.json()["details"].keys() == {"property", "value"}
            assert answer.status_code == later.status_code


async def test_an_entry_that_loses_against_the_delete_of_its_tag_is_told_which(own: World) -> None:
    """As an entry that comes later, in each way that an entry is written."""
    lines = [{"accountId": own.ids["accountId"], "side": side, "amount": "1"} for side in ("DEBIT", "CREDIT")]
    entry = {"entryType": "JOURNAL_ENTRY", "date": "2026-03-16", "originalAmount": "1", "lines": lines}
    for path in ("/v2/journal-entries", "/v2/journal-entries/batch", "/v2/draft-journal-entries"):
        made = await own.api.post(f"/v1/dimensions/{own.ids['dimensionId']}/values", {"name": path})
        value = made.json()["id"]
        body = {**entry, "lines": [lines[0], {**lines[1], "tagIds": [value]}]}
        sent = {"entries": [body]} if path.endswith("batch") else body
        place = f"{'entries.0.' if path.endswith('batch') else ''}lines.1.tagIds.0"
        deleted, posted = asyncio.Event(), asyncio.Event()

        deletion = asyncio.create_task(own.api.run(partial(_delete, UUID(value), deleted, posted)))
        await deleted.wait()
        posting = asyncio.create_task(own.api.post(path, sent))
        await asyncio.wait([posting], timeout=0.5)  # it waits for the delete
        posted.set()
        await deletion
        refused = (await posting).json()
        assert refused["code"] == "DIMENSION_VALUE_NOT_FOUND"
        assert refused["details"] == {"property": place, "valueId": value}


async def _delete(value: UUID, deleted: asyncio.Event, posted: asyncio.Event, context: Context) -> None:
    await dimensions.delete_value(context, DimensionValueId(value))
    deleted.set()
    await posted.wait()
