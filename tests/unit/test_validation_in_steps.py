"""A large body comes out the same, and so does what is wrong with it, whether validated at once or in steps."""

import asyncio
from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ledgerbee.core.errors import MAX_FINDINGS
from ledgerbee.http.partial import all_findings, findings
from ledgerbee.http.stepwise import validated_in_steps
from ledgerbee.http.validation import validation_error
from ledgerbee.http.wire import RequestModel
from ledgerbee.ledger.drafts.wire import UpdateDraftJournalEntryRequest
from ledgerbee.ledger.entries.model import MAX_LINES
from ledgerbee.ledger.entries.wire import (
    CreateJournalEntryBatchRequest,
    CreateJournalEntryBatchV1Request,
    CreateJournalEntryRequest,
    CreateJournalEntryV1Request,
)

ID = "01930000-0000-7000-8000-000000000000"
_NONSENSE: st.SearchStrategy[Any] = st.sampled_from([None, 7, "x", [], {}, [[]], {"x": 1}, True])


def _object(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Objects whose fields are mostly right, sometimes missing, wrong or one too many."""
    given_ = {name: st.one_of(value, value, value, _NONSENSE) for name, value in fields.items()}
    whole = st.fixed_dictionaries(fields)
    spoiled = st.fixed_dictionaries({}, optional={**given_, "surprise": _NONSENSE})
    return st.one_of(whole, whole, spoiled, _NONSENSE)


_LINE = _object(
    {
        "accountId": st.just(ID),
        "side": st.sampled_from(["DEBIT", "CREDIT"]),
        "amount": st.sampled_from(["1.00", 2]),
        "vatIncluded": st.sampled_from([None, None, True]),
        "tagIds": st.sampled_from([[], [], [ID, ID]]),
    }
)
_FILE = _object({"fileName": st.just("a.pdf"), "contentType": st.just("application/pdf"), "content": st.just("QQ==")})
_ENTRY = _object(
    {
        "entryType": st.sampled_from(["JOURNAL_ENTRY", "CUSTOMER_INVOICE"]),
        "date": st.just("2026-03-16"),
        "originalAmount": st.just("3.00"),
        "deliveryDate": st.sampled_from([None, "2026-03-01", "2000-01-01"]),
        "description": st.just("Office"),
        "lines": st.lists(_LINE, max_size=4),
        "attachments": st.lists(_FILE, max_size=2),
    }
)
_BATCH = _object({"entries": st.lists(_ENTRY, max_size=4)})


def at_once(model: type[RequestModel], body: Any) -> RequestModel | set[tuple[str, str]]:
    try:
        return model.model_validate(body)
    except ValidationError as fault:
        errors = [
            {**error, "loc": ("body", *error["loc"])} for error in all_findings(model, body, fault.errors(), None)
        ]
        return _found(errors)


def in_steps(model: type[RequestModel], body: Any) -> RequestModel | set[tuple[str, str]]:
    try:
        return asyncio.run(validated_in_steps(model, body))
    except RequestValidationError as fault:
        return _found(fault.errors())


def _found(errors: Any) -> set[tuple[str, str]]:
    rows = validation_error(list(errors)).details["validationErrors"]
    return {(row["property"], text) for row in rows for text in row["constraints"].values()}


@pytest.mark.parametrize(
    ("model", "bodies"),
    [
        (CreateJournalEntryRequest, _ENTRY),
        (CreateJournalEntryV1Request, _ENTRY),
        (UpdateDraftJournalEntryRequest, _ENTRY),
        (CreateJournalEntryBatchRequest, _BATCH),
        (CreateJournalEntryBatchV1Request, _BATCH),
    ],
)
@given(data=st.data())
def test_the_same_comes_out(model: type[RequestModel], bodies: st.SearchStrategy[Any], data: st.DataObject) -> None:
    body = data.draw(bodies)
    assert in_steps(model, body) == at_once(model, body)


def test_others_get_their_turn_in_between() -> None:
    line = {"accountId": ID, "side": "DEBIT", "amount": "1.00"}
    entry = {"entryType": "JOURNAL_ENTRY", "date": "2026-03-16", "originalAmount": "1.00", "lines": [line] * 1_000}
    turns = 0

    async def run() -> None:
        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        neighbour = asyncio.create_task(count())
        await validated_in_steps(CreateJournalEntryBatchRequest, {"entries": [entry] * 10})
        neighbour.cancel()

    asyncio.run(run())
    assert turns >= 100  # for ten thousand lines


def test_others_get_their_turn_while_rules_are_looked_at() -> None:
    line = {"accountId": ID, "side": "DEBIT", "amount": "1.00"}
    entry = {"entryType": "JOURNAL_ENTRY", "date": "2026-03-16", "originalAmount": "1.00", "lines": [line] * 1_000}
    body = {"entries": [{**entry, "reference": 5}] * 10}
    faults = [{"type": "string_type", "loc": ("entries", index, "reference")} for index in range(10)]
    turns = sum(one is None for one in findings(CreateJournalEntryBatchRequest, body, faults, None))
    assert turns >= 100  # for ten thousand lines, of three rules each


def test_one_list_too_long_is_told_as_ever() -> None:
    entry = {
        "entryType": "JOURNAL_ENTRY",
        "date": "2026-03-16",
        "originalAmount": "1.00",
        "lines": [7] * (MAX_LINES + 1),
    }
    found = in_steps(CreateJournalEntryRequest, entry)
    assert found == {("lines", f"lines must contain no more than {MAX_LINES} elements")}


def test_very_many_findings_are_counted() -> None:
    entry = {"entryType": "JOURNAL_ENTRY", "date": "2026-03-16", "originalAmount": "1.00", "lines": [7] * MAX_LINES}
    with pytest.raises(RequestValidationError) as caught:
        asyncio.run(validated_in_steps(CreateJournalEntryRequest, entry))
    fault = validation_error(caught.value.errors())
    assert len(fault.details["validationErrors"]) == MAX_FINDINGS
    assert fault.details["furtherErrors"] > MAX_FINDINGS
