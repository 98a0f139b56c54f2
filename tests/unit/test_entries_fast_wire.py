"""The fast decoder of entries takes nothing else than the wire models do, and takes what is usual."""

import json
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct, defstruct
from pydantic import Field, ValidationError

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.json_body import decode_json
from ledgerbee.http.wire import MAX_LINE, Id, OptionalLine, RequestModel
from ledgerbee.ledger.entries.decoder_checks import check_fields, check_struct
from ledgerbee.ledger.entries.fast_wire import decode_batch, decode_entry
from ledgerbee.ledger.entries.model import EntryType
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


#: Values that the fast decoder takes, of each field. Quotes and what JSON has to escape are not among the texts.
_LETTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\')
_USUAL_TEXTS = st.text(_LETTERS, max_size=5) | st.sampled_from([None, "", " Kaffe ", "x" * 1_000])
_USUAL_IDS = st.sampled_from([ID, ID[:-1] + "2", None])
_USUAL_TAGS = st.lists(_USUAL_IDS.filter(bool), max_size=3)
USUAL: dict[str, st.SearchStrategy[Any]] = {
    "entryType": st.sampled_from([kind.value for kind in EntryType]),
    "date": st.dates().map(date.isoformat),
    "deliveryDate": st.none() | st.dates().map(date.isoformat),
    "originalAmount": st.sampled_from(["1", "1.5", "-1", "0", "-0.00", "9999999999999.9999", 1, -1, 0]),
    "customerId": _USUAL_IDS,
    "vendorId": _USUAL_IDS,
    "journalCategoryId": _USUAL_IDS,
    "description": _USUAL_TEXTS | st.just("x" * 10_000),
    "reference": _USUAL_TEXTS,
    "externalSystemId": _USUAL_TEXTS,
    "currency": st.sampled_from(["DKK", "EUR", "JPY", None]),
    "exchangeRate": st.none(),
    "tagIds": _USUAL_TAGS,
}
USUAL_LINE: dict[str, st.SearchStrategy[Any]] = {
    "accountId": _USUAL_IDS.filter(bool),
    "side": st.sampled_from(["DEBIT", "CREDIT"]),
    "amount": st.sampled_from(["1", "1.5", "0.01", "9999999999999.9999", 1, 10**12]),
    "vatCodeId": _USUAL_IDS,
    "description": _USUAL_TEXTS,
    "tagIds": _USUAL_TAGS,
}


def _some(fields: dict[str, st.SearchStrategy[Any]], most: int) -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(st.sampled_from(sorted(fields)), max_size=most, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: fields[name] for name in names})
    )


@st.composite
def bodies(draw: st.DrawFn) -> bytes | None:
    """Bodies as JSON, four in five of them usual; None for one that has no UTF-8."""
    body = _with(draw(_some(USUAL, 6)), draw(_some(USUAL_LINE, 4)))
    is_ascii = False
    if draw(st.integers(0, 4)) == 4:
        body = body | draw(_some(STRANGE, 2))
        if isinstance(body["lines"], list) and body["lines"]:
            body["lines"] = [body["lines"][0] | draw(_some(LINE, 2)), *body["lines"][1:]]
        is_ascii = draw(st.booleans())
    try:
        return json.dumps(body, ensure_ascii=is_ascii).encode()
    except UnicodeEncodeError:  # a lone surrogate
        return None


def test_what_it_takes_the_models_take_as_the_same() -> None:
    taken = left = 0

    @given(bodies())
    def compare(raw: bytes | None) -> None:
        nonlocal taken, left
        if raw is None:
            return
        fast = decode_entry(raw)
        try:
            slow = CreateJournalEntryRequest.model_validate(decode_json(raw)).entered()
        except (ValidationError, LedgerBeeError):
            slow = None
        if fast is None:
            left += 1
            return
        taken += 1
        assert slow is not None, "the models refuse it"
        assert fast.entered() == slow

    compare()
    assert taken >= 0.6 * (taken + left), f"{taken} taken, {left} left to the models"
    assert left > 0, "nothing was strange"


def test_plain_entries_are_taken() -> None:
    raw = json.dumps(PLAIN, ensure_ascii=False).encode()
    fast = decode_entry(raw)
    assert fast is not None
    assert fast.entered() == CreateJournalEntryRequest.model_validate(decode_json(raw)).entered()
    assert fast.entered().lines[0].description == "to, tre"
    batch = json.dumps({"entries": [PLAIN, PLAIN]}, ensure_ascii=False).encode()
    plain = decode_batch(batch)
    assert plain is not None
    models = CreateJournalEntryBatchRequest.model_validate(decode_json(batch)).entries
    assert [entry.entered() for entry in plain.entries] == [entry.entered() for entry in models]


@pytest.mark.parametrize(
    "batch", [{"entries": []}, {"entries": [PLAIN] * 101}, {"entries": [PLAIN], "x": 1}, [PLAIN], None]
)
def test_other_batches_are_left_to_the_models(batch: Any) -> None:
    assert decode_batch(json.dumps(batch).encode()) is None


def test_an_amount_is_exact() -> None:
    fast = decode_entry(json.dumps(_with({"originalAmount": "9999999999999.9999"}, {}), ensure_ascii=False).encode())
    assert fast is not None
    assert fast.entered().original_amount == Decimal("9999999999999.9999")


class Described(RequestModel):
    name: OptionalLine | None = None
    tags: list[Id] = Field(default_factory=list, max_length=3)
    needed: bool


class Same(Struct, kw_only=True, rename="camel"):
    name: Annotated[str, Meta(max_length=MAX_LINE)] | None = None
    tags: Annotated[tuple[str, ...], Meta(max_length=3)] = ()
    needed: bool


def test_a_struct_that_takes_less_than_its_model_passes() -> None:
    check_struct(Same, Described)
    check_struct(defstruct("Less", [("needed", bool), ("name", None, None)]), Described)


@pytest.mark.parametrize(
    ("name", "kind", "what"),
    [
        ("name", str | None, ".name with maxLength None instead of 1000"),
        ("name", Annotated[str, Meta(max_length=1_001)] | None, ".name with maxLength 1001 instead of 1000"),
        ("name", int | None, ".name as integer"),
        ("tags", Annotated[tuple[int, ...], Meta(max_length=3)], r".tags\[\] as integer"),
        ("tags", Annotated[tuple[str, ...], Meta(max_length=4)], ".tags with maxItems 4 instead of 3"),
        ("tags", None, ".tags as null"),
        ("other", str | None, ".other"),
        ("needed", bool, "a body without .needed"),
    ],
)  # fmt: skip
def test_a_struct_that_takes_more_than_its_model_is_refused(name: str, kind: Any, what: str) -> None:
    own: list[Any] = [(name, kind, None)] if name == "needed" else [("needed", bool), (name, kind, None)]
    with pytest.raises(TypeError, match=f"More takes what Described doesn't: {what}$"):
        check_struct(defstruct("More", own), Described)


@pytest.mark.parametrize("kind", [Same, Described])
def test_a_description_without_a_field_is_refused(kind: type[Same] | type[Described]) -> None:
    check_fields(["name", "needed"], kind)
    with pytest.raises(TypeError, match=f"{kind.__name__} has no other"):
        check_fields(["name", "other"], kind)
