"""The fast way into entries never says anything else than the wire models, and takes what is plain."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.json_body import decode_json
from ledgerbee.ledger.entries.fast_wire import plain_batch, plain_entry
from ledgerbee.ledger.entries.wire import CreateJournalEntryBatchRequest, CreateJournalEntryRequest

ID = "0192d3a0-0000-7000-8000-000000000001"
PLAIN: dict[str, Any] = {
    "entryType": "JOURNAL_ENTRY",
    "date": "2026-03-16",
    "originalAmount": "100.00",
    "description": " Kaffe ☕ ",
    "lines": [
        {"accountId": ID, "side": "DEBIT", "amount": "100.00", "description": "  to, tre "},
        {"accountId": ID, "side": "CREDIT", "amount": 100, "tagIds": [ID]},
    ],
}

AMOUNTS: st.SearchStrategy[Any] = st.sampled_from(
    ["1", "1.5", "-1", "0", "-0.00", "1e5", "+5", " 1", "1_0", "٣", "NaN", "Infinity", "", "0.00001", "1E+2", "007",
     ".5", "9999999999999.9999", "10000000000000", "5.", 1, -1, 0, 10**30, True, None, 1.5, [], {}]
)  # fmt: skip
TEXTS = st.text(max_size=5) | st.sampled_from([None, 7, "x" * 1_001, "x" * 10_001, "a\u0000", "\ud800", "  y\u2028"])
IDS = st.sampled_from([ID, ID.replace("-", ""), ID.upper(), ID[:-1], "{" + ID + "}", "", None, 7])
STRANGE: dict[str, st.SearchStrategy[Any]] = {
    "entryType": st.sampled_from(["CUSTOMER_INVOICE", "journal_entry", "", None, 1]),
    "date": st.sampled_from(
        ["2026-02-30", "2026-3-1", "20260316", "2026-03-16T00:00:00Z", "0001-01-01", None, 20260316]
    ),
    "originalAmount": AMOUNTS,
    "lines": st.sampled_from([[], None, {}, "x"]),
    "customerId": IDS,
    "vendorId": IDS,
    "journalCategoryId": IDS,
    "description": TEXTS,
    "reference": TEXTS,
    "externalSystemId": TEXTS,
    "currency": st.sampled_from(["DKK", "dkk", "XXX", "EU", "EURO", "", None, 1]),
    "exchangeRate": AMOUNTS,
    "tagIds": st.lists(IDS, max_size=3) | st.none(),
    "attachments": st.sampled_from([[], None, [{}]]),
    "owesControlLine": st.booleans(),
    "attachmentHashes": st.just([]),
}
LINE: dict[str, st.SearchStrategy[Any]] = {
    "accountId": IDS, "side": st.sampled_from(["DEBIT", "debit", None]), "amount": AMOUNTS, "vatCodeId": IDS,
    "description": TEXTS, "tagIds": st.lists(IDS, max_size=2), "lineType": st.just("ENTERED"), "id": IDS,
}  # fmt: skip


def _with(changes: dict[str, Any], of_line: dict[str, Any]) -> dict[str, Any]:
    lines = [PLAIN["lines"][0] | of_line, PLAIN["lines"][1]]
    return {**PLAIN, "lines": lines, **changes}


def _some(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(st.sampled_from(sorted(fields)), max_size=2, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: fields[name] for name in names})
    )


@given(_some(STRANGE), _some(LINE), st.booleans())
def test_what_it_takes_the_models_take_as_the_same(
    changes: dict[str, Any], of_line: dict[str, Any], as_ascii: bool
) -> None:
    body = _with(changes, of_line)
    try:
        raw = json.dumps(body, ensure_ascii=as_ascii).encode()
    except UnicodeEncodeError:
        return  # a lone surrogate has no UTF-8
    fast = plain_entry(raw)
    try:
        slow = CreateJournalEntryRequest.model_validate(decode_json(raw)).entered()
    except (ValidationError, LedgerBeeError):
        slow = None
    if fast is not None:
        assert slow is not None, "the models refuse it"
        assert fast.entered() == slow


def test_plain_entries_are_taken() -> None:
    raw = json.dumps(PLAIN, ensure_ascii=False).encode()
    fast = plain_entry(raw)
    assert fast is not None
    assert fast.entered() == CreateJournalEntryRequest.model_validate(decode_json(raw)).entered()
    assert fast.entered().lines[0].description == "to, tre"
    batch = json.dumps({"entries": [PLAIN, PLAIN]}, ensure_ascii=False).encode()
    plain = plain_batch(batch)
    assert plain is not None
    models = CreateJournalEntryBatchRequest.model_validate(decode_json(batch)).entries
    assert [entry.entered() for entry in plain.entries] == [entry.entered() for entry in models]


@pytest.mark.parametrize(
    "batch", [{"entries": []}, {"entries": [PLAIN] * 101}, {"entries": [PLAIN], "x": 1}, [PLAIN], None]
)
def test_other_batches_are_left_to_the_models(batch: Any) -> None:
    assert plain_batch(json.dumps(batch).encode()) is None


def test_an_amount_is_exact() -> None:
    fast = plain_entry(json.dumps(_with({"originalAmount": "9999999999999.9999"}, {}), ensure_ascii=False).encode())
    assert fast is not None
    assert fast.entered().original_amount == Decimal("9999999999999.9999")
