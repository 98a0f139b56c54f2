"""Charges: of all that is due or nothing, final when they have ended, and booked to the last oere."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_invoices_rules import NOW, invoice
from tests.unit.test_payments_rules import account

from ledgerbee.core.errors import VALIDATION_FAILED, ErrorCode, LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import ZERO
from ledgerbee.ledger.entries.rules import check_balanced
from ledgerbee.payments.charges import rules
from ledgerbee.payments.charges.model import (
    CHARGE_AMOUNT_INVALID,
    CHARGE_CURRENCY_MISMATCH,
    CHARGE_INVALID_STATE,
    PATIENCE,
    PAYMENT_CLEARING,
    PAYMENT_METHOD_INACTIVE,
    PAYMENT_METHOD_MISSING,
    UNDER_WAY,
    UNIDENTIFIED_RECEIPTS,
    CardToCharge,
    Charge,
    ChargeFields,
    ChargeStatus,
)
from ledgerbee.payments.customer_payments.model import PAYMENT_ACCOUNT_MISSING, InvoiceFacts
from ledgerbee.payments.providers import model as providers
from ledgerbee.payments.providers.model import Decline, ProviderCharge, ProviderName
from ledgerbee.sales.invoices.model import INVOICE_INVALID_STATE, Invoice, InvoiceStatus

TODAY = date(2026, 3, 2)
D = Decimal


def due(amount: str = "1250", status: InvoiceStatus = InvoiceStatus.SENT, **fields: Any) -> Invoice:
    booked = {"subtotal": D(amount), "amount": D(amount), "base_amount": D(amount)}
    return replace(invoice("DKK", status), **(booked | fields))


SECOND = timedelta(seconds=1)


def card_of(found: Invoice, **fields: Any) -> CardToCharge:
    card = CardToCharge(new_id(), found.customer_id, ProviderName.SANDBOX, "agr_1", True, True, None, None)
    return replace(card, **fields)


def charge_of(found: Invoice, attempt: int = 1) -> Charge:
    return rules.new_charge(found, card_of(found), ChargeFields(), reference="R7", attempt=attempt, now=NOW)


def answer(charge: Charge, status: providers.ChargeStatus, **fields: Any) -> ProviderCharge:
    decline = Decline("card_declined", "No", is_soft=True) if status is providers.ChargeStatus.FAILED else None
    told = ProviderCharge(
        provider_id="ch_1",
        reference=charge.reference,
        status=status,
        amount=charge.amount,
        currency=charge.currency,
        decline=decline,
        action_url="https://bank.example/3ds",
    )
    return replace(told, **fields)


@pytest.mark.parametrize("status", InvoiceStatus)
def test_only_what_is_due_is_charged(status: InvoiceStatus) -> None:
    found = due(status=status, amount_paid=D("250"))
    if status not in {InvoiceStatus.SCHEDULED, InvoiceStatus.SENDING, InvoiceStatus.SENT, InvoiceStatus.PARTIALLY_PAID}:
        with pytest.raises(LedgerBeeError) as refused:
            charge_of(found)
        assert refused.value.error_code is INVOICE_INVALID_STATE
        return
    charge = charge_of(found)
    assert (charge.amount, charge.currency, charge.status) == (D("1000"), "DKK", ChargeStatus.PENDING)


@pytest.mark.parametrize(
    ("asked", "fields", "code"),
    [
        (ChargeFields(currency="EUR"), {}, CHARGE_CURRENCY_MISMATCH),
        (ChargeFields(amount=D("1249.99")), {}, CHARGE_AMOUNT_INVALID),
        (ChargeFields(amount=D("1275")), {}, CHARGE_AMOUNT_INVALID),
        (ChargeFields(amount=D("1250.00"), currency="DKK"), {}, None),
        (ChargeFields(), {"is_active": False}, PAYMENT_METHOD_INACTIVE),
        (ChargeFields(), {"is_enabled": False}, PAYMENT_METHOD_INACTIVE),
        (ChargeFields(), {"customer_id": None}, VALIDATION_FAILED),
        (ChargeFields(), {"customer_id": new_id()}, VALIDATION_FAILED),
    ],
)
def test_what_can_not_be_charged(asked: ChargeFields, fields: dict[str, Any], code: ErrorCode | None) -> None:
    found = due()

    def make() -> Charge:
        return rules.new_charge(found, card_of(found, **fields), asked, reference="R7", attempt=1, now=NOW)

    if code is None:
        assert make().amount == D("1250")
        return
    with pytest.raises(LedgerBeeError) as refused:
        make()
    assert refused.value.error_code is code


def test_a_customer_without_a_card_is_not_charged() -> None:
    with pytest.raises(LedgerBeeError) as refused:
        rules.new_charge(due(), None, ChargeFields(), reference="R7", attempt=1, now=NOW)
    assert refused.value.error_code is PAYMENT_METHOD_MISSING


STATUSES = st.sampled_from(providers.ChargeStatus)


@given(st.lists(st.tuples(STATUSES, st.sampled_from(["1250", "1", "1250.01"])), max_size=8))
def test_whatever_comes_in_whatever_order_what_has_ended_stays(
    told: list[tuple[providers.ChargeStatus, str]],
) -> None:
    """A late `failed` after `succeeded`, a repeated event, an answer of another amount: the first end is the end."""
    charge = charge_of(due())
    ended: Charge | None = None
    for status, amount in told:
        charge = rules.answered(charge, answer(charge, status, amount=D(amount)), TODAY, NOW)
        if ended is not None:
            assert charge == ended
        elif charge.status not in UNDER_WAY:
            assert amount == "1250"
            assert charge.status.value == status.value
            ended = charge
        else:
            assert charge.finished_at is None
            assert (charge.action_url is not None) == (charge.status is ChargeStatus.REQUIRES_ACTION)


def test_an_answer_of_another_amount_is_believed_by_nobody() -> None:
    charge = charge_of(due())
    for other in ({"amount": D("12.50")}, {"currency": "EUR"}):
        told = rules.answered(charge, answer(charge, providers.ChargeStatus.SUCCEEDED, **other), TODAY, NOW)
        assert (told.status, told.provider_id) == (ChargeStatus.UNCLEAR, "ch_1")
    told = rules.answered(told, answer(charge, providers.ChargeStatus.SUCCEEDED), TODAY, NOW)
    assert told.status is ChargeStatus.SUCCEEDED


@pytest.mark.parametrize("status", ChargeStatus)
def test_without_an_answer_only_what_was_pending_is_unclear(status: ChargeStatus) -> None:
    charge = replace(charge_of(due()), status=status)
    assert rules.unclear(charge, NOW).status is (ChargeStatus.UNCLEAR if status is ChargeStatus.PENDING else status)


@pytest.mark.parametrize(("attempt", "days"), [(1, 1), (2, 3), (3, 5), (4, 7), (5, None)])
def test_soft_declines_are_tried_again_on_a_schedule(attempt: int, days: int | None) -> None:
    charge = charge_of(due(), attempt)
    soft = rules.answered(charge, answer(charge, providers.ChargeStatus.FAILED), TODAY, NOW)
    assert soft.retry_on == (None if days is None else TODAY + timedelta(days=days))
    assert (soft.status, soft.decline_code, soft.is_soft_decline) == (ChargeStatus.FAILED, "card_declined", True)
    hard = rules.failed(charge, Decline("stolen_card", "No", is_soft=False), TODAY, NOW)
    assert (hard.retry_on, hard.is_soft_decline) == (None, False)


def test_a_decline_without_a_reason_is_a_hard_one() -> None:
    charge = charge_of(due())
    told = rules.answered(charge, answer(charge, providers.ChargeStatus.FAILED, decline=None), TODAY, NOW)
    assert (told.decline_code, told.is_soft_decline, told.retry_on) == (rules.REFUSED, False, None)


def test_one_that_is_asked_for_right_now_is_left_alone_for_a_while() -> None:
    charge = charge_of(due())
    assert not rules.is_asked_elsewhere(charge, NOW)
    asked = replace(charge, asked_at=NOW)
    assert rules.is_asked_elsewhere(asked, NOW + PATIENCE.asking - timedelta(seconds=1))
    assert not rules.is_asked_elsewhere(asked, NOW + PATIENCE.asking)
    assert not rules.is_asked_elsewhere(rules.unclear(asked, NOW), NOW)
    assert not rules.is_asked_elsewhere(replace(asked, provider_id="ch_1"), NOW)  # it answered


def waiting(found: Invoice, **fields: Any) -> Charge:
    """A charge that its owner has to confirm by the ninth."""
    charge = replace(charge_of(found), asked_at=NOW)
    return replace(rules.answered(charge, answer(charge, providers.ChargeStatus.REQUIRES_ACTION), TODAY, NOW), **fields)


NINTH = date(2026, 3, 9)


@pytest.mark.parametrize(
    ("status", "card", "charge", "day", "code"),
    [
        (InvoiceStatus.SENT, {}, {}, TODAY, None),
        (InvoiceStatus.PARTIALLY_PAID, {"is_active": True}, {}, date(2026, 3, 8), None),
        (InvoiceStatus.SENT, {}, {}, NINTH, "not_confirmed"),
        (InvoiceStatus.SENT, {"is_active": False}, {}, NINTH, "card_unavailable"),
        (InvoiceStatus.SENT, {"is_enabled": False}, {}, TODAY, "card_unavailable"),
        (InvoiceStatus.SENT, {"customer_id": None}, {}, TODAY, "card_unavailable"),
        (InvoiceStatus.PAID, {"is_active": False}, {}, NINTH, "nothing_due"),
        (InvoiceStatus.CREDITED, {}, {}, TODAY, "nothing_due"),
        (InvoiceStatus.UNCOLLECTIBLE, {}, {}, TODAY, "nothing_due"),
        (InvoiceStatus.PAID, {}, {"cancel_code": "cancelled"}, NINTH, None),
        (InvoiceStatus.PAID, {}, {"status": ChargeStatus.UNCLEAR}, NINTH, None),
    ],
)
def test_what_waits_for_a_confirmation_in_vain_is_cancelled(
    status: InvoiceStatus, card: dict[str, Any], charge: dict[str, Any], day: date, code: str | None
) -> None:
    found = due()
    waits = waiting(found)
    assert waits.confirm_by == NINTH
    again = rules.answered(waits, answer(waits, providers.ChargeStatus.REQUIRES_ACTION), NINTH, NOW)
    assert again.confirm_by == NINTH  # it isn't put off
    invoice_now = replace(found, status=status)
    why = rules.why_to_cancel(replace(waits, **charge), card_of(found, **card), invoice_now, day)
    assert (why and why.code) == code
    if why is not None:
        assert not why.is_soft


def test_who_cancels_a_charge() -> None:
    charge = charge_of(due())
    at_once = rules.cancelled(charge, TODAY, NOW)
    assert (at_once.status, at_once.decline_code, at_once.retry_on) == (ChargeStatus.FAILED, "cancelled", None)
    assert rules.cancelled(at_once, TODAY, NOW) is at_once
    asked = rules.cancelled(waiting(due()), TODAY, NOW)
    assert (asked.status, asked.cancel_code, asked.action_url) == (ChargeStatus.REQUIRES_ACTION, "cancelled", None)
    assert rules.cancelled(asked, TODAY, NOW + SECOND) is asked
    card = card_of(due(), customer_id=asked.customer_id)
    assert rules.why_not_wanted(asked, card, due()) is not None
    wrong = (ChargeStatus.PENDING, ChargeStatus.UNCLEAR, ChargeStatus.SUCCEEDED, ChargeStatus.FAILED)
    others = [waiting(due(), status=status) for status in wrong]
    for other in [*others, replace(asked, status=ChargeStatus.SUCCEEDED)]:
        with pytest.raises(LedgerBeeError) as refused:
            rules.cancelled(other, TODAY, NOW)
        assert refused.value.error_code is CHARGE_INVALID_STATE


@pytest.mark.parametrize(
    ("status", "url", "after", "end"),
    [
        (providers.ChargeStatus.SUCCEEDED, None, timedelta(0), ChargeStatus.SUCCEEDED),
        (providers.ChargeStatus.FAILED, None, timedelta(0), ChargeStatus.FAILED),
        (providers.ChargeStatus.PENDING, None, timedelta(days=1), ChargeStatus.PENDING),
        (
            providers.ChargeStatus.REQUIRES_ACTION,
            "https://bank.example",
            timedelta(days=1),
            ChargeStatus.REQUIRES_ACTION,
        ),
        (providers.ChargeStatus.REQUIRES_ACTION, None, PATIENCE.settling - SECOND, ChargeStatus.REQUIRES_ACTION),
        (providers.ChargeStatus.REQUIRES_ACTION, None, PATIENCE.settling, ChargeStatus.FAILED),
    ],
)
def test_what_a_provider_says_of_one_that_was_to_be_cancelled(
    status: providers.ChargeStatus, url: str | None, after: timedelta, end: ChargeStatus
) -> None:
    """One that succeeded has; a decline that would be tried again is not."""
    asked = rules.cancelled(waiting(due()), TODAY, NOW)
    told = rules.answered(asked, answer(asked, status, action_url=url), TODAY, NOW + after)
    assert (told.status, told.action_url, told.retry_on) == (end, None, None)
    assert told.decline_code == ("cancelled" if end is ChargeStatus.FAILED else None)


WAIT, REPEAT, END = rules.WhenUnknown.WAIT, rules.WhenUnknown.REPEAT, rules.WhenUnknown.END


@pytest.mark.parametrize(
    ("provider_id", "is_wanted", "after", "follows"),
    [
        (None, True, timedelta(0), WAIT),
        (None, True, PATIENCE.settling - SECOND, WAIT),
        (None, True, PATIENCE.settling, REPEAT),
        (None, True, timedelta(days=30), REPEAT),
        (None, True, -timedelta(hours=1), WAIT),  # by a clock that is behind
        (None, False, PATIENCE.settling, WAIT),
        (None, False, PATIENCE.deciding - SECOND, WAIT),
        (None, False, PATIENCE.deciding, END),
        ("ch_1", True, PATIENCE.deciding - SECOND, WAIT),
        ("ch_1", True, PATIENCE.deciding, END),
        ("ch_1", False, PATIENCE.deciding, END),
    ],
)
def test_what_a_provider_does_not_know_is_waited_for(
    provider_id: str | None, is_wanted: bool, after: timedelta, follows: rules.WhenUnknown
) -> None:
    charge = replace(charge_of(due()), provider_id=provider_id, asked_at=NOW)
    assert rules.when_unknown(charge, NOW + after, is_wanted=is_wanted) is follows


def test_why_one_that_was_not_made_is_not_made_any_more() -> None:
    found = due()
    charge, card = charge_of(found), card_of(found)
    assert rules.why_not_wanted(charge, card, found) is None
    cases: list[tuple[CardToCharge, Invoice, str]] = [
        (card, due("1249", id=found.id), rules.NOT_DUE),
        (card, due(status=InvoiceStatus.PAID, amount_paid=D("1250")), rules.NOT_DUE),
        (card, due(status=InvoiceStatus.CREDITED, credited_amount=D("1250")), rules.NOT_DUE),
        (card, due(status=InvoiceStatus.UNCOLLECTIBLE, written_off_amount=D("1250")), rules.NOT_DUE),
        (replace(card, is_active=False), found, rules.NO_CARD),
        (replace(card, is_enabled=False), found, rules.NO_CARD),
        (replace(card, customer_id=None), found, rules.NO_CARD),
        (replace(card, customer_id=new_id()), found, rules.NO_CARD),
    ]
    for its_card, its_invoice, code in cases:
        decline = rules.why_not_wanted(charge, its_card, its_invoice)
        assert decline is not None
        assert (decline.code, decline.is_soft) == (code, False)
        assert rules.decline_of_unknown(charge, decline) is decline
        assert rules.decline_of_unknown(replace(charge, provider_id="ch_1"), decline).code == rules.NOT_KNOWN


def test_what_a_provider_stands_by_for_a_day_has_failed() -> None:
    """Of another amount nothing is booked and nothing is charged again by itself: somebody has to look."""
    charge = replace(charge_of(due()), asked_at=NOW)
    later = NOW + PATIENCE.deciding
    for status, ends in (
        (providers.ChargeStatus.SUCCEEDED, ChargeStatus.FAILED),
        (providers.ChargeStatus.FAILED, ChargeStatus.FAILED),
        (providers.ChargeStatus.PENDING, ChargeStatus.UNCLEAR),
    ):
        told = answer(charge, status, amount=D("12.5"))
        assert rules.answered(charge, told, TODAY, later - SECOND).status is ChargeStatus.UNCLEAR
        ended = rules.answered(charge, told, TODAY, later)
        assert (ended.status, ended.retry_on) == (ends, None)
        if ends is ChargeStatus.FAILED:
            assert (ended.decline_code, ended.is_soft_decline) == (rules.OTHER_AMOUNT, False)
            assert "12.5 DKK" in (ended.decline_message or "")


def test_an_answer_about_another_charge_says_nothing() -> None:
    charge = replace(charge_of(due()), asked_at=NOW)
    told = answer(charge, providers.ChargeStatus.SUCCEEDED, reference="R8")
    found = rules.answered(charge, told, TODAY, NOW + timedelta(days=40))
    assert (found.status, found.provider_id) == (ChargeStatus.UNCLEAR, None)


@pytest.mark.parametrize(
    ("status", "fields", "pays"),
    [
        (InvoiceStatus.SENT, {}, "1250"),
        (InvoiceStatus.PARTIALLY_PAID, {"amount_paid": D("1000")}, "250"),
        (InvoiceStatus.PAID, {"amount_paid": D("1250")}, "0"),
        (InvoiceStatus.CREDITED, {"credited_amount": D("1250")}, "0"),
        (InvoiceStatus.UNCOLLECTIBLE, {"written_off_amount": D("1250")}, "1250"),
    ],
)
def test_a_charge_pays_what_is_due_by_then(status: InvoiceStatus, fields: dict[str, Any], pays: str) -> None:
    charge = charge_of(due())
    assert rules.part_that_pays(charge, due(status=status, **fields)) == D(pays)


def test_accounts_are_those_that_are_named_or_have_the_role() -> None:
    clearing, unidentified, other = account(), account(), account()
    by_role = {PAYMENT_CLEARING: clearing, UNIDENTIFIED_RECEIPTS: unidentified}
    card = card_of(due())
    assert rules.clearing_account(card, {}, by_role) is clearing
    assert rules.unidentified_account(card, {}, by_role) is unidentified
    named = replace(card, clearing_account_id=other.id)
    assert rules.clearing_account(named, {other.id: other}, by_role) is other
    with pytest.raises(LedgerBeeError) as refused:
        rules.clearing_account(card, {}, {})
    assert refused.value.error_code is PAYMENT_ACCOUNT_MISSING


@pytest.mark.parametrize("language", ["da", "en"])
@given(st.integers(1, 10**9), st.decimals("0.0001", "500", places=6))
def test_what_has_no_invoice_to_pay_is_booked_whole(language: str, cents: int, rate: Decimal) -> None:
    found = due()
    charge = replace(charge_of(found), currency="EUR", amount=D(cents).scaleb(-2))
    facts = InvoiceFacts("DKK", language, "Blomster ApS", ZERO, None)
    entry = rules.entry_of_unapplied(
        charge, charge.amount, found, facts, clearing=account(), unidentified=account(), day=TODAY, rate=rate
    )
    check_balanced(entry.lines, "")
    assert {line.amount for line in entry.lines} == {charge.amount}
    assert (entry.source_id, entry.reference, entry.exchange_rate) == (charge.id, charge.reference, rate)
    assert "Blomster ApS" in (entry.description or "")


def test_what_was_left_alone_is_looked_at_each_day_of_the_company() -> None:
    """The clock of a sandbox may have many days within one."""
    assert rules.left_alone_since(NOW, is_sandbox=False) == NOW - timedelta(days=1)
    assert rules.left_alone_since(NOW, is_sandbox=True) == NOW
