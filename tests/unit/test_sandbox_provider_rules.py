"""What the provider that is built in decides."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.payments.providers.model import (
    AgreementStatus,
    ChargeStatus,
    DisputeStatus,
    Movement,
    MovementType,
    ProviderRefusedError,
    SignatureError,
    Subject,
)
from ledgerbee.payments.providers.sandbox import rules
from ledgerbee.payments.providers.sandbox.model import (
    TEST_CARDS,
    Behavior,
    SandboxCard,
    SandboxCardId,
    SandboxCharge,
    SandboxChargeId,
    SandboxEvent,
    SandboxNumber,
    SandboxRefund,
)
from ledgerbee.payments.providers.sandbox.rules import Answer, Reply

NOW = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)
CARD = SandboxCard(
    id=SandboxCardId(uuid4()),
    reference="ABCD",
    status=AgreementStatus.PENDING,
    language="da",
    customer_name="Havblik A/S",
    return_url="https://shop.example/",
    cancel_url="https://shop.example/",
    page_secret="lbs_00.x",
    expires_at=NOW,
    created_at=NOW,
    updated_at=NOW,
)
CHARGE = SandboxCharge(
    id=SandboxChargeId(uuid4()),
    reference="ABCD",
    card_id=CARD.id,
    amount=Decimal("1250.00"),
    currency="DKK",
    description="Faktura 1042",
    status=ChargeStatus.SUCCEEDED,
    fee=Decimal("19.30"),
    created_at=NOW,
    updated_at=NOW,
)


def test_every_behavior_has_a_card_and_each_number_is_there_once() -> None:
    assert {card.behavior for card in TEST_CARDS} == set(Behavior)
    assert len({card.number for card in TEST_CARDS}) == len(TEST_CARDS)
    for card in TEST_CARDS:
        assert rules.card_of(rules.grouped(card.number)) == card
        assert rules.card_of(card.number.replace("0", "-0")) == card
        assert rules.can_be_saved(card) == (card.behavior is not Behavior.REFUSED)


@given(st.text() | st.from_regex(r"\A[0-9]{16}\Z"))
def test_every_other_number_is_none(number: str) -> None:
    known = {card.number for card in TEST_CARDS}
    assert (rules.card_of(number) is not None) == ("".join(number.split()).replace("-", "") in known)


@pytest.mark.parametrize("test_card", TEST_CARDS, ids=lambda card: card.behavior)
def test_of_a_saved_card_four_digits_are_kept(test_card: SandboxNumber) -> None:
    saved = rules.saved(CARD, test_card, NOW)
    assert (saved.status, saved.type, saved.mask) == ("active", test_card.type, f"•••• {test_card.number[-4:]}")
    year = 2026 if test_card.behavior is Behavior.EXPIRES_SOON else 2029
    assert (saved.expiry_month, saved.expiry_year) == (3, year)
    assert test_card.number not in str(saved)


@pytest.mark.parametrize(
    ("amount", "currency", "fee"),
    [
        ("1250.00", "DKK", "19.30"),
        ("1.00", "DKK", "1.00"),
        ("100.00", "EUR", "1.65"),
        ("1000", "JPY", "14"),
    ],
)
def test_what_the_provider_keeps(amount: str, currency: str, fee: str) -> None:
    assert rules.fee_of(Decimal(amount), currency) == Decimal(fee)


@pytest.mark.parametrize("earlier", [0, 1])
@pytest.mark.parametrize("behavior", Behavior)
def test_a_charge_comes_out_as_its_card_says(behavior: Behavior, earlier: int) -> None:
    made = rules.charged(CHARGE, behavior, earlier)
    declined = {Behavior.SOFT_DECLINE: "insufficient_funds", Behavior.HARD_DECLINE: "stolen_card"}
    if not earlier:
        declined[Behavior.SOFT_DECLINE_ONCE] = "insufficient_funds"
    assert made.decline_code == declined.get(behavior)
    if behavior in declined:
        assert made.status is ChargeStatus.FAILED
        assert rules.DECLINES[declined[behavior]].is_soft == (declined[behavior] == "insufficient_funds")
    elif behavior is Behavior.REQUIRES_ACTION:
        assert made.status is ChargeStatus.REQUIRES_ACTION
    else:
        assert made.status is ChargeStatus.SUCCEEDED
    assert (made.disputed_at is not None) == (behavior in {Behavior.DISPUTE_LOST, Behavior.DISPUTE_WON})


def test_its_owner_confirms_or_refuses() -> None:
    confirmed = rules.answered(CHARGE, is_confirmed=True, now=NOW)
    refused = rules.answered(CHARGE, is_confirmed=False, now=NOW)
    assert (confirmed.status, confirmed.decline_code) == ("succeeded", None)
    assert (refused.status, refused.decline_code) == ("failed", "authentication_failed")


def test_what_nobody_confirms_fails_after_a_day() -> None:
    asked = replace(CHARGE, status=ChargeStatus.REQUIRES_ACTION, created_at=NOW)
    assert rules.as_of(asked, NOW + timedelta(hours=23, minutes=59)) is asked
    assert rules.as_of(asked, NOW + timedelta(hours=24)).decline_code == "authentication_failed"
    paid = rules.answered(asked, is_confirmed=True, now=NOW)
    assert rules.as_of(paid, NOW + timedelta(days=9)) is paid
    assert rules.cancelled(asked, NOW).decline_code == "cancelled"
    assert rules.cancelled(asked, NOW + timedelta(hours=24)).decline_code == "authentication_failed"
    assert rules.cancelled(paid, NOW) is paid


@pytest.mark.parametrize(
    ("behavior", "days", "status"),
    [
        (Behavior.DISPUTE_LOST, 6, DisputeStatus.OPEN),
        (Behavior.DISPUTE_LOST, 7, DisputeStatus.LOST),
        (Behavior.DISPUTE_WON, 6, DisputeStatus.OPEN),
        (Behavior.DISPUTE_WON, 7, DisputeStatus.WON),
    ],
)
def test_a_dispute_is_decided_after_a_week(behavior: Behavior, days: int, status: DisputeStatus) -> None:
    disputed = replace(CHARGE, disputed_at=NOW)
    assert rules.dispute_status(disputed, behavior, NOW + timedelta(days=days)) is status


class TestMovements:
    def moved(self, *charges: tuple[SandboxCharge, Behavior], days: int = 30) -> list[Movement]:
        return rules.movements_of(charges, [], NOW + timedelta(days=days))

    def test_a_day_is_paid_out_when_it_is_over(self) -> None:
        charge = (CHARGE, Behavior.SUCCEEDS)
        (open_one,) = self.moved(charge, days=0)
        assert (open_one.type, open_one.payout_id) == (MovementType.CHARGE, None)
        taken, payout = self.moved(charge)
        assert (payout.type, payout.amount, payout.at) == (
            "payout",
            Decimal("-1230.70"),
            datetime(2026, 3, 17, tzinfo=UTC),
        )
        assert taken.payout_id == payout.payout_id == "payout_20260316_DKK"

    def test_what_failed_moves_nothing(self) -> None:
        assert self.moved((replace(CHARGE, status=ChargeStatus.FAILED), Behavior.SUCCEEDS)) == []

    def test_a_lost_dispute_takes_the_charge_back(self) -> None:
        disputed = replace(CHARGE, disputed_at=NOW)
        kinds = [one.type.value for one in self.moved((disputed, Behavior.DISPUTE_LOST))]
        assert kinds == ["charge", "payout", "dispute"]
        kinds = [one.type.value for one in self.moved((disputed, Behavior.DISPUTE_WON))]
        assert kinds == ["charge", "payout"]

    @given(
        st.lists(
            st.tuples(
                st.integers(1, 10_000), st.sampled_from(["DKK", "EUR"]), st.integers(0, 3), st.integers(0, 10_000)
            ),
            max_size=8,
        )
    )
    def test_payouts_are_what_moved_in_their_days(self, made: list[tuple[int, str, int, int]]) -> None:
        charges, refunds = [], []
        for amount, currency, day, back in made:
            at = NOW + timedelta(days=day)
            charge = replace(
                CHARGE, id=SandboxChargeId(uuid4()), amount=Decimal(amount), currency=currency,
                fee=rules.fee_of(Decimal(amount), currency), created_at=at, updated_at=at,
            )  # fmt: skip
            charges.append((charge, Behavior.SUCCEEDS))
            if 0 < back <= amount:
                refund = SandboxRefund(
                    id=uuid4(), reference="ABCD", charge_id=charge.id, amount=Decimal(back),
                    created_at=at + timedelta(days=1),
                )  # fmt: skip
                refunds.append((refund, charge))
        found = rules.movements_of(charges, refunds, NOW + timedelta(days=30))
        assert [one.at for one in found] == sorted(one.at for one in found)
        assert len({one.provider_id for one in found}) == len(found)
        for payout in found:
            if payout.type is MovementType.PAYOUT:
                parts = [one for one in found if one.payout_id == payout.payout_id and one is not payout]
                assert sum(one.amount - one.fee for one in parts) == -payout.amount > 0
                assert {one.currency for one in parts} == {payout.currency}


EVENT = SandboxEvent(
    id=uuid4(), type="charge.succeeded", subject="charge", object_id="x", reference="ABCD", created_at=NOW
)


class TestEvents:
    def test_what_was_signed_is_read(self) -> None:
        headers, body = rules.signed("secret", EVENT)
        read = rules.read_event("secret", {name.title(): value for name, value in headers.items()}, body)
        assert (read.id, read.type, read.subject) == (str(EVENT.id), EVENT.type, Subject.CHARGE)
        assert (read.provider_id, read.reference) == ("x", "ABCD")

    def test_what_was_not_is_refused(self) -> None:
        headers, body = rules.signed("secret", EVENT)
        for secret, given_headers, given_body in (
            ("other", headers, body), ("secret", {}, body), ("secret", headers, body + b" "),
        ):  # fmt: skip
            with pytest.raises(SignatureError):
                rules.read_event(secret, given_headers, given_body)

    @pytest.mark.parametrize("said", [b"", b"[]", b"1", b"{}", json.dumps({"id": 1, "subject": "moon"}).encode()])
    def test_what_can_t_be_read_is_refused(self, said: bytes) -> None:
        with pytest.raises(ProviderRefusedError):
            rules.read_event("secret", {rules.SIGNATURE: rules.signature_of("secret", said)}, said)


class TestForms:
    def test_a_form_of_the_page(self) -> None:
        body = urlencode({"token": rules.form_token("secret"), "answer": "save", "number": "4242 4242"}).encode()
        reply = rules.read_reply(f"{rules.FORM}; charset=utf-8", body)
        assert reply == Reply(Answer.SAVE, "4242 4242", rules.form_token("secret"))
        assert rules.is_from_page(reply, "secret")
        assert not rules.is_from_page(reply, "other")
        assert not rules.is_from_page(Reply(), "secret")

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("text/plain", b"answer=save"),
            (rules.FORM, b"answer=save&answer=confirm"),
            (rules.FORM, b"answer=sell"),
            (rules.FORM, b"answer=save&number=%ff"),
            (rules.FORM, "answer=save&number=ø".encode()),
            (rules.FORM, b"a=1&b=2&c=3&d=4&answer=save"),
            (rules.FORM, b""),
        ],
    )
    def test_others_ask_for_nothing(self, content_type: str, body: bytes) -> None:
        assert rules.read_reply(content_type, body) == Reply()

    @given(st.binary(max_size=200))
    def test_no_form_is_a_fault(self, body: bytes) -> None:
        rules.read_reply(rules.FORM, body)
