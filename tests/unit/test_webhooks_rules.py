"""What becomes of webhook endpoints, and what is sent to them again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.webhooks.deliveries.model import REPLAYED_BACK, EventToSend, Replay
from ledgerbee.webhooks.deliveries.rules import check_replay, missing_places, not_yet_to_come, topics_to_send
from ledgerbee.webhooks.endpoints.model import (
    OVERLAP,
    EndpointState,
    EndpointStatus,
    StoredStatus,
    WebhookEndpoint,
    WebhookEndpointId,
)
from ledgerbee.webhooks.endpoints.rules import BY_CALLER, changed, deleted, rolled
from ledgerbee.webhooks.signing import SignatureType

NOW: Final = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)
BEFORE: Final = NOW - timedelta(days=3)
ENDPOINT: Final = WebhookEndpoint(
    id=WebhookEndpointId(new_id()),
    url="https://example.com/hook",
    description=None,
    topics=("invoice.paid",),
    signature_type=SignatureType.SYMMETRIC,
    secret=b"one",
    previous_secret=None,
    previous_expires_at=None,
    status=StoredStatus.ENABLED,
    status_reason=None,
    status_changed_at=BEFORE,
    told_up_to=7,
    failing_since=None,
    last_failure=None,
    last_success_at=None,
    next_attempt_at=None,
    created_at=BEFORE,
    updated_at=BEFORE,
)
FAILING: Final = replace(ENDPOINT, failing_since=BEFORE, last_failure="Answered 503", next_attempt_at=NOW)
SAME: Final = EndpointState(url=ENDPOINT.url, topics=ENDPOINT.topics, description=None)


def refused(fault: LedgerBeeError) -> dict[str, list[str]]:
    return {one["property"]: list(one["constraints"]) for one in fault.details["validationErrors"]}


class TestStates:
    def test_one_that_is_the_same_is_as_it_was(self) -> None:
        assert changed(FAILING, SAME, NOW) == FAILING
        assert changed(FAILING, replace(SAME, is_enabled=True, signature_type=SignatureType.SYMMETRIC), NOW) == FAILING

    def test_other_fields_change_no_state(self) -> None:
        wanted = EndpointState(url="https://example.com/x", topics=("quote.sent",), description="Shop")
        after = changed(FAILING, wanted, NOW)
        assert after == replace(FAILING, url=wanted.url, topics=wanted.topics, description="Shop", updated_at=NOW)
        assert after.shown_status is EndpointStatus.BACKING_OFF

    def test_disabling_keeps_what_is_held_against_it(self) -> None:
        after = changed(FAILING, replace(SAME, is_enabled=False), NOW)
        assert after.shown_status is EndpointStatus.DISABLED_BY_USER
        assert (after.status_reason, after.status_changed_at, after.next_attempt_at) == (BY_CALLER, NOW, None)
        assert (after.failing_since, after.last_failure) == (BEFORE, "Answered 503")

    @pytest.mark.parametrize("status", [StoredStatus.DISABLED_BY_USER, StoredStatus.DISABLED_BY_SYSTEM])
    def test_enabling_begins_anew(self, status: StoredStatus) -> None:
        disabled = replace(FAILING, status=status, status_reason="Why", next_attempt_at=None)
        after = changed(disabled, replace(SAME, is_enabled=True), NOW)
        assert after == replace(ENDPOINT, status_changed_at=NOW, updated_at=NOW)
        assert after.shown_status is EndpointStatus.ACTIVE

    @pytest.mark.parametrize("status", [StoredStatus.DISABLED_BY_USER, StoredStatus.DISABLED_BY_SYSTEM])
    def test_one_that_is_disabled_stays_so_by_whom_it_was(self, status: StoredStatus) -> None:
        disabled = replace(FAILING, status=status, status_reason="Why", next_attempt_at=None)
        assert changed(disabled, replace(SAME, is_enabled=False), NOW) == disabled
        assert changed(disabled, SAME, NOW) == disabled

    def test_its_type_of_signature_stays(self) -> None:
        with pytest.raises(LedgerBeeError) as fault:
            changed(ENDPOINT, replace(SAME, signature_type=SignatureType.ASYMMETRIC), NOW)
        assert refused(fault.value) == {"signatureType": ["isUnchanged"]}

    def test_of_two_rolls_the_oldest_secret_is_dropped(self) -> None:
        once = rolled(ENDPOINT, b"two", NOW)
        assert (once.secret, once.previous_secret, once.previous_expires_at) == (b"two", b"one", NOW + OVERLAP)
        twice = rolled(once, b"three", NOW + timedelta(hours=1))
        assert (twice.secret, twice.previous_secret) == (b"three", b"two")
        assert twice.previous_expires_at == NOW + timedelta(hours=25)

    def test_nothing_secret_is_left_of_a_deleted_one(self) -> None:
        left = deleted(rolled(replace(FAILING, status_reason="Why"), b"two", BEFORE), NOW)
        assert (left.status, left.status_reason, left.status_changed_at) == (StoredStatus.DELETED, None, NOW)
        assert (left.secret, left.previous_secret, left.previous_expires_at) == (b"", None, None)
        assert (left.next_attempt_at, left.is_enabled) == (None, False)


class TestReplays:
    @pytest.mark.parametrize(
        "asked",
        [
            {"event_ids": [new_id()]}, {"failed": True}, {"since": NOW - REPLAYED_BACK},
            {"since": BEFORE, "until": BEFORE}, {"since": BEFORE, "until": NOW + timedelta(days=9)},
        ],
    )  # fmt: skip
    def test_one_way_to_say_it(self, asked: dict[str, Any]) -> None:
        check_replay(Replay(**asked), NOW)

    @pytest.mark.parametrize(
        ("asked", "named"),
        [
            ({}, {"eventIds": ["isDefined"]}),
            ({"until": NOW}, {"to": ["isWithFrom"]}),
            ({"failed": True, "until": NOW}, {"to": ["isWithFrom"]}),
            ({"failed": True, "event_ids": []}, {"eventIds": ["isAlone"], "failed": ["isAlone"]}),
            ({"failed": True, "since": BEFORE}, {"from": ["isAlone"], "failed": ["isAlone"]}),
            ({"since": NOW - REPLAYED_BACK - timedelta(seconds=1)}, {"from": ["minDate"]}),
            ({"since": NOW, "until": BEFORE}, {"to": ["minDate"]}),
        ],
    )
    def test_what_is_refused(self, asked: dict[str, Any], named: dict[str, list[str]]) -> None:
        with pytest.raises(LedgerBeeError) as fault:
            check_replay(Replay(**asked), NOW)
        assert refused(fault.value) == named

    def test_it_is_told_of_its_topics_and_its_tests(self) -> None:
        assert topics_to_send(ENDPOINT) == ["invoice.paid", "ping"]

    @given(st.lists(st.tuples(st.sampled_from(["invoice.paid", "ping", "quote.sent"]), st.integers(1, 14))))
    def test_what_is_about_to_be_sent_is_left_to_that(self, told: list[tuple[str, int]]) -> None:
        events = [EventToSend(new_id(), topic, new_id(), position) for topic, position in told]
        kept = not_yet_to_come(events, ENDPOINT)
        assert kept == [one for one in events if one.type == "quote.sent" or one.position <= 7]

    @given(st.sets(st.integers(0, 9)))
    def test_what_is_missing_has_its_place(self, missing: set[int]) -> None:
        wanted = [new_id() for _ in range(10)]
        found = [EventToSend(one, "ping", one, 1) for place, one in enumerate(wanted) if place not in missing]
        assert missing_places(wanted, found) == [(place, wanted[place]) for place in sorted(missing)]
