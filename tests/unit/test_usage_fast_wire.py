"""The fast decoder of usage takes nothing else than the wire models do, and takes what is usual."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ledgerbee.billing.usage.fast_wire import decode_batch, decode_report
from ledgerbee.billing.usage.model import UsageReport
from ledgerbee.billing.usage.wire import ReportUsageBatchRequest, ReportUsageRequest
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.json_body import decode_json

ID = "0192d3a0-0000-7000-8000-000000000001"
NOW = datetime(2026, 3, 16, tzinfo=UTC)
PLAIN: dict[str, Any] = {"value": 12.5, "customerId": ID, "meterId": ID}


class Raw(str):
    """A number as it is written."""

    __slots__ = ()


NUMBERS = st.sampled_from(
    ["0", "1", "-1", "1.5", "-0.0", "0.000001", "0.0000001", "1.50000000", "1e3", "1E-3", "999999999999",
     "1000000000000", "123456789.123456", "1234567890.123456", "0.1", "-0", "1.0", "9" * 40, "1e400"]
).map(Raw)  # fmt: skip
VALUES: st.SearchStrategy[Any] = NUMBERS | st.sampled_from(
    ["1", "1.5", " 1", "1_0", "٣", "NaN", "1e5", "", "+5", ".5", True, None, [], {}, "x"]
)
IDS = st.sampled_from([ID, ID.replace("-", ""), ID.upper(), ID[:-1], "", None, 7])
MOMENTS = st.sampled_from(
    ["2026-03-16T12:00:00Z", "2026-03-16T12:00:00.123456+02:00", "2026-03-16T12:00:00", "2026-03-16",
     "20260316T120000Z", "2026-W12-1T12:00:00Z", "2026-02-30T12:00:00Z", "0001-01-01T00:00:00+05:00",
     "9999-12-31T23:59:59-05:00", "2026-03-16T12:00:00 Z", None, 7, "2026-03-16 12:00:00Z", "2026-03-16T12:00:00,5Z"]
)  # fmt: skip
KEYS = st.sampled_from(["a", "b", "subscriptionId", "", "x" * 40, "x" * 41, "a[b", "ø", "a\u0000", "a b", "a\nb"])
ONES: st.SearchStrategy[Any] = NUMBERS | st.sampled_from(
    [
        "x",
        "",
        "x" * 500,
        "x" * 501,
        True,
        False,
        None,
        [],
        {},
        "ø☕",
        "\ud800",
        "a\u0000",
        ID,
        ID.upper(),
        'a"b',
        "a\\b",
    ]
)
METADATA: st.SearchStrategy[Any] = st.dictionaries(KEYS, ONES, max_size=4) | st.sampled_from(
    [None, [], "x", {f"k{n}": n for n in range(50)}, {f"k{n}": n for n in range(51)}]
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "value": VALUES,
    "customerId": IDS,
    "meterId": IDS,
    "meterName": st.sampled_from(["Calls", " Calls ", "", "  ", "x" * 1_000, "x" * 1_001, None, 7, "ø", "a\u2028"]),
    "timestamp": MOMENTS,
    "metadata": METADATA,
    "unknown": st.just(1),
    "idempotencyKey": st.sampled_from(["k-1", "", "a b", "ø", "k" * 255, "k" * 256, None, 7, "~!", "a\t"]),
}


def written(value: Any) -> str:
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return f"{{{','.join(f'{json.dumps(key, ensure_ascii=False)}:{written(one)}' for key, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{','.join(map(written, value))}]"
    return json.dumps(value, ensure_ascii=False)


@st.composite
def reports(draw: st.DrawFn, /, **base: Any) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=2, unique=True))
    body = {**PLAIN, **base, **{name: draw(FIELDS[name]) for name in names}}
    left_out = draw(st.sampled_from([None, None, None, *body]))
    return {name: value for name, value in body.items() if name != left_out}


def encoded(body: dict[str, Any]) -> bytes | None:
    try:
        return written(body).encode()
    except UnicodeEncodeError:  # a lone surrogate
        return None


def slow_report(raw: bytes) -> UsageReport | None:
    try:
        return ReportUsageRequest.model_validate(decode_json(raw)).reported("k", NOW)
    except (ValidationError, LedgerBeeError):
        return None


def slow_batch(raw: bytes) -> list[UsageReport] | None:
    try:
        return ReportUsageBatchRequest.model_validate(decode_json(raw)).reported(NOW)
    except (ValidationError, LedgerBeeError):
        return None


@settings(max_examples=500)
@given(reports())
def test_what_it_takes_the_models_take_as_the_same(body: dict[str, Any]) -> None:
    raw = encoded(body)
    fast = decode_report(raw) if raw is not None else None
    if raw is not None and fast is not None:
        assert fast.reported("k", NOW) == slow_report(raw)


@settings(max_examples=500)
@given(st.lists(reports(idempotencyKey="k-1"), max_size=3), st.booleans())
def test_and_so_in_batches(events: list[dict[str, Any]], has_more: bool) -> None:
    raw = encoded({"events": events, **({"more": 1} if has_more else {})})
    fast = decode_batch(raw) if raw is not None else None
    if raw is not None and fast is not None:
        assert fast.reports == slow_batch(raw)


def test_plain_reports_are_taken() -> None:
    for fields in (
        {}, {"value": 3}, {"value": -2}, {"timestamp": "2026-03-16T12:00:00.5+02:00"},
        {"meterId": None, "meterName": "ø"},
        {"metadata": {"region": "eu", "n": 5, "x": 1.5, "paid": True, "subscriptionId": ID}},
        {"metadata": None},
    ):  # fmt: skip
        raw = json.dumps({**PLAIN, **fields}, ensure_ascii=False).encode()
        fast = decode_report(raw)
        assert fast is not None, fields
        assert fast.reported("k", NOW) == slow_report(raw)
    batch = json.dumps({"events": [{**PLAIN, "idempotencyKey": f"k-{n}"} for n in range(1_000)]}).encode()
    found = decode_batch(batch)
    assert found is not None
    assert [one.key for one in found.reports] == [f"k-{n}" for n in range(1_000)]
    assert decode_batch(batch.replace(b"k-7", b"k 7")) is None


def test_bytes_that_are_no_text_are_left() -> None:
    for raw in (b'{"value":1,"customerId":"\xff"}', b"", b"[]", b"1", b'{"events":[]}', b'{"events":{}}'):
        assert decode_report(raw) is None
        assert decode_batch(raw) is None
    name = json.dumps({**PLAIN, "meterId": None, "meterName": "@"}).encode().replace(b"@", b"\xc3\x28")
    assert decode_report(name) is None
