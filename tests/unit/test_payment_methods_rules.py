"""What is decided of saved cards and of the links on which they are saved."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.payments.payment_methods import rules
from ledgerbee.payments.payment_methods.model import (
    CardLink,
    CardLinkId,
    CardLinkStatus,
    PaymentMethod,
    PaymentMethodId,
    PaymentMethodStatus,
)
from ledgerbee.payments.payment_methods.rules import Aging, LinkOutcome
from ledgerbee.payments.providers.model import Agreement, AgreementStatus, Card, ProviderName

NOW = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)
METHOD = PaymentMethod(
    id=PaymentMethodId(uuid4()),
    customer_id=uuid4(),
    provider=ProviderName.STRIPE,
    agreement_id="pm_1",
    label="Visa •••• 4242",
    is_default=True,
    status=PaymentMethodStatus.ACTIVE,
    card_mask="•••• 4242",
    card_type="visa",
    expiry_month=3,
    expiry_year=2026,
    created_at=NOW,
    updated_at=NOW,
)
LINK = CardLink(
    id=CardLinkId(uuid4()),
    customer_id=uuid4(),
    provider=ProviderName.STRIPE,
    reference="ABCD",
    status=CardLinkStatus.OPEN,
    expires_at=NOW,
    created_at=NOW - timedelta(hours=24),
    updated_at=NOW,
)


@pytest.mark.parametrize(
    ("mask", "kind", "label"),
    [
        ("•••• 4242", "visa", "Visa •••• 4242"),
        ("457199******1234", "dankort", "Dankort •••• 1234"),
        (None, "american_express", "American express"),
        ("1234", None, "Card •••• 1234"),
        (None, None, "Stripe"),
    ],
)
def test_what_a_card_is_called(mask: str | None, kind: str | None, label: str) -> None:
    assert rules.label_of(Card(mask, kind, None, None), ProviderName.STRIPE) == label


def test_a_card_is_valid_to_the_end_of_its_month() -> None:
    assert rules.last_day(METHOD) == date(2026, 3, 31)
    assert rules.last_day(replace(METHOD, expiry_month=2, expiry_year=2028)) == date(2028, 2, 29)
    assert rules.last_day(replace(METHOD, expiry_month=12)) == date(2026, 12, 31)
    assert rules.last_day(replace(METHOD, expiry_month=None)) is None
    assert rules.last_day(replace(METHOD, expiry_year=None)) is None


@pytest.mark.parametrize("status", PaymentMethodStatus)
def test_only_what_is_active_can_be_charged(status: PaymentMethodStatus) -> None:
    method = replace(METHOD, status=status)
    if status is PaymentMethodStatus.ACTIVE:
        rules.require_active(method)
        return
    with pytest.raises(LedgerBeeError) as refusal:
        rules.require_active(method)
    assert refusal.value.details == {"status": status.value}


def test_what_is_taken_away_is_nobodys_default() -> None:
    loose = rules.unassigned(METHOD, NOW)
    assert (loose.customer_id, loose.is_default, loose.status) == (None, False, PaymentMethodStatus.ACTIVE)
    ended = rules.ended(METHOD, PaymentMethodStatus.CANCELLED, NOW)
    assert (ended.customer_id, ended.is_default, ended.status) == (METHOD.customer_id, False, "CANCELLED")


@pytest.mark.parametrize(
    ("today", "aging"),
    [
        (date(2026, 2, 28), Aging.NOTHING),
        (date(2026, 3, 1), Aging.EXPIRING),
        (date(2026, 3, 31), Aging.EXPIRING),
        (date(2026, 4, 1), Aging.EXPIRED),
        (date(2030, 1, 1), Aging.EXPIRED),
    ],
)
def test_the_days_of_a_card(today: date, aging: Aging) -> None:
    assert rules.aging_of(METHOD, today) is aging
    told = replace(METHOD, told_expiry=date(2026, 3, 31))
    assert rules.aging_of(told, today) is (Aging.NOTHING if aging is Aging.EXPIRING else aging)
    renewed = replace(METHOD, told_expiry=date(2023, 3, 31))
    assert rules.aging_of(renewed, today) is aging
    loose = replace(METHOD, customer_id=None, is_default=False)
    assert rules.aging_of(loose, today) is (Aging.NOTHING if aging is Aging.EXPIRING else aging)
    for other in (replace(METHOD, status=PaymentMethodStatus.CANCELLED), replace(METHOD, expiry_year=None)):
        assert rules.aging_of(other, today) is Aging.NOTHING


@pytest.mark.parametrize(
    ("status", "before", "just_after", "after"),
    [
        (AgreementStatus.ACTIVE, LinkOutcome.SAVE, LinkOutcome.WAIT, LinkOutcome.REJECT),
        (AgreementStatus.PENDING, LinkOutcome.WAIT, LinkOutcome.WAIT, LinkOutcome.EXPIRE),
        (AgreementStatus.FAILED, LinkOutcome.FAIL, LinkOutcome.FAIL, LinkOutcome.FAIL),
        (AgreementStatus.CANCELLED, LinkOutcome.FAIL, LinkOutcome.FAIL, LinkOutcome.FAIL),
        (None, LinkOutcome.WAIT, LinkOutcome.WAIT, LinkOutcome.EXPIRE),
    ],
)
def test_what_becomes_of_a_link(
    status: AgreementStatus | None, before: LinkOutcome, just_after: LinkOutcome, after: LinkOutcome
) -> None:
    agreement = None if status is None else Agreement(provider_id="x", status=status)
    second = timedelta(seconds=1)
    assert rules.outcome_of(LINK, agreement, NOW - second) is before
    assert rules.outcome_of(LINK, agreement, NOW) is just_after
    assert rules.outcome_of(LINK, agreement, NOW + timedelta(minutes=5) - second) is just_after
    assert rules.outcome_of(LINK, agreement, NOW + timedelta(minutes=5)) is after
    assert rules.with_outcome(LINK, CardLinkStatus.FAILED, NOW).status is CardLinkStatus.FAILED


NAMES = st.text("abcdefgh&=?#%æ ", min_size=1, max_size=8)


@given(st.lists(st.tuples(NAMES, NAMES), max_size=4), st.sampled_from(["saved", "cancelled"]))
def test_the_address_that_is_gone_back_to_says_the_outcome_once(query: list[tuple[str, str]], outcome: str) -> None:
    """What else is in its query stays."""
    address = f"https://shop.example/me?{urlencode([*query, ('card', 'x')])}#top"
    for _ in range(2):
        address = rules.return_address(address, outcome)
        assert parse_qsl(urlsplit(address).query) == [*query, ("card", outcome)]
    assert address.endswith("#top")
