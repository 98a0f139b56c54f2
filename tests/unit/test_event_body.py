"""The body of a delivery: compact JSON, with the sequence ahead of the object's own members."""

import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.platform.event_json import compact
from ledgerbee.webhooks.events.body import body_of

ID = UUID("01930000-0000-7000-8000-000000000000")
MOMENT = datetime(2026, 3, 16, 12, 0, 0, 120_999, tzinfo=UTC)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
names = st.text(max_size=5).filter(lambda name: name != "sequence")


def test_it_is_the_documented_form() -> None:
    body = body_of(
        ID, "invoice.sent", MOMENT, 3, '{"id": "x", "amount": "1250.00", "rate": 7.45, "text": "Æ\\u00e6 {"}'
    )
    assert body.decode() == (
        '{"id":"01930000-0000-7000-8000-000000000000","type":"invoice.sent","timestamp":"2026-03-16T12:00:00.120Z",'
        '"data":{"sequence":3,"id":"x","amount":"1250.00","rate":7.45,"text":"Æ\\u00e6 {"}}'
    )


def test_an_object_without_members_has_the_sequence_alone() -> None:
    for text in ("{}", "{ }", " {} "):
        assert body_of(ID, "ping", MOMENT, 1, text).endswith(b'"data":{"sequence":1}}')


def test_the_timestamp_is_utc_wherever_the_moment_is_from() -> None:
    there = MOMENT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert body_of(ID, "ping", there, 1, "{}") == body_of(ID, "ping", MOMENT, 1, "{}")


def test_no_json_is_null() -> None:
    assert compact(None) == b"null"


@given(st.dictionaries(names, values, max_size=3), st.integers(1, 2**31))
def test_the_object_is_as_it_was_told(data: dict[str, object], sequence: int) -> None:
    for text in (json.dumps(data), json.dumps(data, ensure_ascii=True, indent=2)):
        body = json.loads(body_of(ID, "invoice.sent", MOMENT, sequence, text))
        assert body["data"] == {"sequence": sequence, **data}
        assert list(body) == ["id", "type", "timestamp", "data"]
