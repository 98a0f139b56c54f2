"""What Stripe's answers mean, and amounts as Stripe counts them: pure, without the SDK.

What an answer lacks, or has in another form than Stripe documents, raises `ProviderUnclearError`.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from ledgerbee.core.money import EXACT, minor_units, total
from ledgerbee.core.texts import readable
from ledgerbee.payments.providers.addresses import page_address
from ledgerbee.payments.providers.model import (
    Agreement,
    AgreementStatus,
    Card,
    ChargeStatus,
    Decline,
    DisputeStatus,
    Movement,
    MovementType,
    ProviderCharge,
    ProviderDispute,
    ProviderError,
    ProviderEvent,
    ProviderRefund,
    ProviderRefusedError,
    ProviderUnclearError,
    Subject,
)

_LONGEST_TEXT: Final = 500
#: Seconds after which nobody is at a payment intent that was made.
_LEFT_S: Final = 3600

#: Decimals where Stripe counts otherwise than ISO 4217 (docs.stripe.com/currencies, "special cases", "zero-decimal"):
#: krónur and Ugandan shillings have two there, which have to be zero; ariary have none.
_PLACES: Final = {"ISK": 2, "UGX": 2, "MGA": 0}

#: Declines that stay (docs.stripe.com/declines/codes): the card is gone, closed, wrong or can't pay this at all, or its
#: owner or bank said never again. Every other one may go through later, `do_not_honor` and `generic_decline` too.
_HARD: Final = frozenset({
    "card_not_supported", "currency_not_supported", "do_not_try_again", "expired_card", "fraudulent",
    "incorrect_number", "invalid_account", "invalid_expiry_month", "invalid_expiry_year", "invalid_number",
    "lost_card", "merchant_blacklist", "new_account_information_available", "pickup_card", "restricted_card",
    "revocation_of_all_authorizations", "revocation_of_authorization", "security_violation", "stolen_card",
    "stop_payment_order", "transaction_not_allowed",
})  # fmt: skip
#: The card's bank wants its owner to confirm the charge (docs.stripe.com/declines/codes, "authentication_required").
_CONFIRMATION: Final = frozenset({"authentication_required", "authentication_not_handled"})
#: Of a charge whose bank wants to hear its owner. Another try without the owner ends alike.
NOT_CONFIRMED: Final = Decline(
    "authentication_required", "The bank wants the card's owner to confirm the charge", is_soft=False
)
#: What a bank advises beside its code (docs.stripe.com/declines, "advice_code").
_NEVER_AGAIN: Final = "do_not_try_again"

#: Languages of Checkout by the two letters that ours have (docs.stripe.com/api/checkout/sessions/create, `locale`).
_LANGUAGES: Final = frozenset({
    "bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fil", "fr", "hr", "hu", "id", "it", "ja", "ko", "lt", "lv",
    "ms", "mt", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "th", "tr", "vi", "zh",
})  # fmt: skip

_DISPUTES: Final = {
    "won": DisputeStatus.WON,
    "warning_closed": DisputeStatus.WON,
    "prevented": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
    "needs_response": DisputeStatus.OPEN,
    "under_review": DisputeStatus.OPEN,
    "warning_needs_response": DisputeStatus.OPEN,
    "warning_under_review": DisputeStatus.OPEN,
}

#: By `reporting_category` (docs.stripe.com/reports/reporting-categories).
_MOVEMENTS: Final = {
    "charge": MovementType.CHARGE,
    "charge_failure": MovementType.REFUND,
    "partial_capture_reversal": MovementType.REFUND,
    "refund": MovementType.REFUND,
    "refund_failure": MovementType.REFUND,
    "dispute": MovementType.DISPUTE,
    "dispute_reversal": MovementType.DISPUTE_REVERSED,
    "fee": MovementType.FEE,
    "network_cost": MovementType.FEE,
    "tax": MovementType.FEE,
    "payout": MovementType.PAYOUT,
    "payout_reversal": MovementType.PAYOUT,
}

#: By an event's name, or the part of it before what happened. A charge is updated when its fee becomes known; the
#: others of its events repeat those of payment intents and refunds.
_SUBJECTS: Final = {
    "checkout.session": Subject.AGREEMENT,
    "payment_method": Subject.AGREEMENT,
    "payment_intent": Subject.CHARGE,
    "charge.updated": Subject.CHARGE,
    "charge.dispute": Subject.DISPUTE,
    "charge.refund": Subject.REFUND,
    "refund": Subject.REFUND,
    "payout": Subject.PAYOUT,
}

#: What the card's statement can't show (docs.stripe.com/get-started/account/statement-descriptors). The account's own
#: prefix has up to ten of the 22 characters, and two stand between.
_NOT_ON_STATEMENTS: Final = re.compile(r"[^ -~]|[<>\\'\"*]")
_LONGEST_SUFFIX: Final = 10

_KEYS: Final = re.compile(r"\b(?:sk|rk|pk|whsec)_\S+")
_NAME: Final = re.compile(r"[A-Za-z0-9_.\[\]]{1,80}")


# Amounts


def minor_amount(amount: Decimal, currency: str) -> int:
    """An amount in the units that Stripe counts in. Raises `ProviderRefusedError` for one that it can't take."""
    places = _places(currency)
    units = EXACT.scaleb(amount, places)
    # Of three decimals the last has to be zero; where Stripe has two though there are none, both are.
    step = 10 if places == 3 else 1
    if units != units.to_integral_value() or units % step:
        raise ProviderRefusedError(f"Stripe can't take {amount} {currency}: it is finer than Stripe counts")
    return int(units)


def major_amount(units: object, currency: str) -> Decimal:
    """An amount of Stripe's, in major units. Raises `ProviderUnclearError`."""
    if not isinstance(units, int) or isinstance(units, bool):
        raise ProviderUnclearError("Stripe's answer has no amount")
    return EXACT.scaleb(Decimal(units), -_places(currency))


def _places(currency: str) -> int:
    try:
        return _PLACES.get(currency, minor_units(currency))
    except ValueError:
        raise ProviderRefusedError(f"Stripe has no currency {currency}") from None


# What answers mean


def charge_of(intent: Mapping[str, Any]) -> ProviderCharge:
    """A payment intent, its `latest_charge` expanded. Raises `ProviderUnclearError`."""
    currency = _currency(intent)
    status, decline = _standing(intent)
    action = intent.get("next_action")
    redirect = action.get("redirect_to_url") if isinstance(action, dict) else None
    return ProviderCharge(
        provider_id=text_of(intent, "id"),
        reference=reference_of(intent) or "",
        status=status,
        amount=major_amount(intent.get("amount"), currency),
        currency=currency,
        decline=decline,
        fee=_fee(intent.get("latest_charge"), currency),
        action_url=page_address(text_or_none(redirect, "url")) if status is ChargeStatus.REQUIRES_ACTION else None,
        is_test=intent.get("livemode") is False,
    )


def _standing(intent: Mapping[str, Any]) -> tuple[ChargeStatus, Decline | None]:
    """How a payment intent stands, and why it failed where it did."""
    status = text_of(intent, "status")
    fault = intent.get("last_payment_error")
    if status == "succeeded":
        return ChargeStatus.SUCCEEDED, None
    if status in {"processing", "requires_capture"} or _is_unconfirmed(intent):
        return ChargeStatus.PENDING, None
    if status == "requires_action":
        return ChargeStatus.REQUIRES_ACTION, None
    if status == "canceled":
        return ChargeStatus.FAILED, _why_cancelled(intent)
    if status == "requires_payment_method":
        # Declined: the card is taken off the intent, which waits for another one.
        decline = decline_of(fault if isinstance(fault, dict) else {})
        if decline.code in _CONFIRMATION:
            return ChargeStatus.REQUIRES_ACTION, None
        return ChargeStatus.FAILED, decline
    raise ProviderUnclearError(f"Stripe says that the charge is {readable(status, 40)}")


def _why_cancelled(intent: Mapping[str, Any]) -> Decline:
    """Why a payment intent was cancelled: mostly because it was declined (`stripe.Stripe`)."""
    fault = intent.get("last_payment_error")
    if isinstance(fault, dict):
        decline = decline_of(fault)
        return NOT_CONFIRMED if decline.code in _CONFIRMATION else decline
    reason = text_or_none(intent, "cancellation_reason") or "canceled"
    return Decline(reason, "The charge was cancelled at Stripe", is_soft=True)


def is_ended(intent: Mapping[str, Any]) -> bool:
    """Whether nothing can come of a payment intent any more; a declined one can still be confirmed."""
    return text_or_none(intent, "status") == "canceled"


def _is_unconfirmed(intent: Mapping[str, Any]) -> bool:
    """Whether a payment intent was made and not put to the bank. Each is asked for in one step with that: the request
    that made it is still at it, or broke off."""
    status = text_or_none(intent, "status")
    return status == "requires_confirmation" or (
        status == "requires_payment_method" and not isinstance(intent.get("last_payment_error"), dict)
    )


def was_left(intent: Mapping[str, Any], now: datetime) -> bool:
    """Whether the request that made a payment intent broke off before it was put to the bank: nobody does so any
    more."""
    created = intent.get("created")
    return _is_unconfirmed(intent) and isinstance(created, int) and created + _LEFT_S <= now.timestamp()


def decline_of(fault: Mapping[str, Any]) -> Decline:
    """Why a charge was declined: the bank's reason where Stripe tells it, else Stripe's."""
    code = text_or_none(fault, "decline_code") or text_or_none(fault, "code") or "declined"
    if text_or_none(fault, "code") in _CONFIRMATION:
        code = "authentication_required"
    is_soft = not {code, text_or_none(fault, "code")} & _HARD and fault.get("advice_code") != _NEVER_AGAIN
    message = _KEYS.sub("...", readable(text_or_none(fault, "message") or "The charge was declined", _LONGEST_TEXT))
    return Decline(readable(code, 80), message, is_soft)


def declined_intent(body: object) -> dict[str, Any] | None:
    """The payment intent that a decline (402) shows, with the reason in it; None where it shows none."""
    fault = body.get("error") if isinstance(body, dict) else None
    intent = fault.get("payment_intent") if isinstance(fault, dict) else None
    if not isinstance(fault, dict) or not isinstance(intent, dict):
        return None
    why = {name: value for name, value in fault.items() if name != "payment_intent"}
    return {**intent, "last_payment_error": intent.get("last_payment_error") or why}


def _fee(charge: object, currency: str) -> Decimal | None:
    """What Stripe keeps of a charge, where that is known, and in the charge's currency.

    A company that is paid out in another currency is told it by the movements of its account.
    """
    moved = charge.get("balance_transaction") if isinstance(charge, dict) else None
    if not isinstance(moved, dict) or text_or_none(moved, "currency") != currency.lower():
        return None
    return major_amount(moved.get("fee"), currency)


def refund_of(refund: Mapping[str, Any], charge_id: str) -> ProviderRefund:
    """A refund of a payment intent. Raises `ProviderUnclearError`."""
    currency = _currency(refund)
    status, decline = text_or_none(refund, "status"), None
    if status in {"failed", "canceled"}:
        code = text_or_none(refund, "failure_reason") or str(status)
        # "unknown" and what was cancelled may go through the next time; a card that is gone doesn't come back.
        decline = Decline(
            code,
            "Stripe could not give the amount back",
            code not in {"lost_or_stolen_card", "expired_or_canceled_card"},
        )
    standing = {
        "succeeded": ChargeStatus.SUCCEEDED,
        "pending": ChargeStatus.PENDING,
        "requires_action": ChargeStatus.REQUIRES_ACTION,
        "failed": ChargeStatus.FAILED,
        "canceled": ChargeStatus.FAILED,
    }.get(status or "")
    if standing is None:
        raise ProviderUnclearError("Stripe doesn't say how the refund stands")
    return ProviderRefund(
        provider_id=text_of(refund, "id"),
        reference=reference_of(refund),
        charge_id=charge_id,
        status=standing,
        amount=major_amount(refund.get("amount"), currency),
        currency=currency,
        decline=decline,
    )


def agreement_of_session(session: Mapping[str, Any]) -> Agreement:
    """A Checkout session that saves a card, its setup intent and payment method expanded."""
    reference = reference_of(session) or text_or_none(session, "client_reference_id")
    session_id, status, setup = text_of(session, "id"), text_of(session, "status"), session.get("setup_intent")
    if status == "expired":
        return Agreement(provider_id=session_id, status=AgreementStatus.FAILED, reference=reference)
    method = setup.get("payment_method") if isinstance(setup, dict) else None
    if status != "complete" or not isinstance(setup, dict):
        return Agreement(provider_id=session_id, status=AgreementStatus.PENDING, reference=reference)
    if setup.get("status") == "succeeded" and isinstance(method, dict):
        return agreement_of_method(method, text_of(session, "customer"), reference)
    failed = setup.get("status") == "canceled"
    standing = AgreementStatus.FAILED if failed else AgreementStatus.PENDING
    return Agreement(provider_id=session_id, status=standing, reference=reference)


def agreement_of_method(method: Mapping[str, Any], customer: str, reference: str | None = None) -> Agreement:
    """A saved card; one that isn't on the customer any more is cancelled."""
    return Agreement(
        provider_id=f"{customer}/{text_of(method, 'id')}",
        status=AgreementStatus.ACTIVE if method.get("customer") == customer else AgreementStatus.CANCELLED,
        card=card_of(method.get("card")),
        reference=reference,
    )


def card_of(card: object) -> Card | None:
    """What may be shown of a card."""
    if not isinstance(card, dict):
        return None
    last4, month, year = text_or_none(card, "last4"), card.get("exp_month"), card.get("exp_year")
    return Card(
        mask=f"XXXX XXXX XXXX {last4}" if last4 else None,
        type=(text_or_none(card, "brand") or "").lower() or None,
        expiry_month=month if isinstance(month, int) else None,
        expiry_year=year if isinstance(year, int) else None,
    )


def dispute_of(dispute: Mapping[str, Any]) -> ProviderDispute:
    """A dispute; its fee is the sum of those of its movements: one that is won may give it back."""
    currency, moved = _currency(dispute), dispute.get("balance_transactions")
    own = [
        one
        for one in (moved if isinstance(moved, list) else [])
        if isinstance(one, dict) and text_or_none(one, "currency") == currency.lower()
    ]
    status = _DISPUTES.get(text_of(dispute, "status"))
    if status is None:
        raise ProviderUnclearError("Stripe doesn't say how the dispute stands")
    return ProviderDispute(
        provider_id=text_of(dispute, "id"),
        charge_id=_id_of(dispute.get("payment_intent")) or _id_of(dispute.get("charge")) or "",
        status=status,
        amount=major_amount(dispute.get("amount"), currency),
        currency=currency,
        reason=text_or_none(dispute, "reason") or "",
        fee=total([major_amount(one.get("fee"), currency) for one in own]) if own else None,
    )


def movement_of(moved: Mapping[str, Any], payout_id: str | None) -> Movement:
    """A balance transaction, its source expanded. A charge is named by its payment intent, as everywhere here."""
    currency, source = _currency(moved), moved.get("source")
    movement_type = _MOVEMENTS.get(text_or_none(moved, "reporting_category") or "", MovementType.OTHER)
    created, object_id = moved.get("created"), _id_of(source)
    if not isinstance(created, int):
        raise ProviderUnclearError("Stripe doesn't say when money moved")
    if isinstance(source, dict) and source.get("object") == "charge":
        object_id = _id_of(source.get("payment_intent")) or object_id
    charge_id = None
    if isinstance(source, dict) and source.get("object") == "dispute":
        charge_id = _id_of(source.get("payment_intent")) or _id_of(source.get("charge"))
    return Movement(
        provider_id=text_of(moved, "id"),
        type=movement_type,
        amount=major_amount(moved.get("amount"), currency),
        fee=major_amount(moved.get("fee"), currency),
        currency=currency,
        at=datetime.fromtimestamp(created, UTC),
        object_id=object_id,
        charge_id=charge_id,
        reference=reference_of(source) if isinstance(source, dict) else None,
        payout_id=payout_id,
        text=readable(text_or_none(moved, "description") or "", _LONGEST_TEXT),
    )


def event_of(event: object) -> ProviderEvent:
    """A webhook's event. Raises `ProviderUnclearError` and what a body of another form leads to."""
    if not isinstance(event, dict):
        raise ProviderUnclearError("An event is an object")
    event_id, name = text_of(event, "id"), text_of(event, "type")
    told, before = event["data"]["object"], event["data"].get("previous_attributes")
    if not isinstance(told, dict):
        raise ProviderUnclearError("An event is about an object")
    subject, provider_id = _subject(name, told, before if isinstance(before, dict) else {})
    if subject is None or provider_id is None:
        return ProviderEvent(id=event_id, type=name, subject=None)
    reference = reference_of(told) or text_or_none(told, "client_reference_id")
    return ProviderEvent(id=event_id, type=name, subject=subject, provider_id=provider_id, reference=reference)


def _subject(name: str, told: Mapping[str, Any], before: Mapping[str, Any]) -> tuple[Subject | None, str | None]:
    """What an event is about, and the provider's id of it."""
    subject = _SUBJECTS.get(name) or _SUBJECTS.get(name.rpartition(".")[0])
    own = _id_of(told)
    if name.startswith("checkout.session.") and told.get("mode") != "setup":
        return None, None
    if name.startswith("payment_method."):
        # A card that was taken off its customer says whose it was beside itself.
        customer = _id_of(told.get("customer")) or _id_of(before.get("customer"))
        return subject, f"{customer}/{own}" if customer and own else None
    if name == "charge.updated":
        return subject, _id_of(told.get("payment_intent"))
    return subject, own


# Refusals


def error_of(status: int | None, body: object) -> ProviderError:
    """What an error of the SDK means: whether Stripe surely did nothing. Its words are not passed on.

    Conflicts of idempotency keys (409, and 400 of that type) say that there was an earlier try. An error without
    Stripe's form may be of whatever stands between.
    """
    fault = body.get("error") if isinstance(body, dict) else None
    if status is None:
        return ProviderUnclearError("Stripe can't be reached")
    if not isinstance(fault, dict) or status in {408, 409, 425, 429} or not 400 <= status < 500:
        return ProviderUnclearError(f"Stripe answers {status}")
    code, field = _name(fault.get("code")), _name(fault.get("param"))
    if fault.get("type") == "idempotency_error" or code in {"rate_limit", "lock_timeout", "idempotency_key_in_use"}:
        return ProviderUnclearError("Stripe has another request with this reference")
    if status == 401:
        return ProviderRefusedError("Stripe doesn't accept the secret key")
    if status == 403:
        return ProviderRefusedError("The secret key may not do this at Stripe")
    words = f"Stripe refuses the request ({code or status})"
    return ProviderRefusedError(f"{words}: {field}" if field else words)


# Fields


def checkout_language(language: str) -> str:
    """The language of Checkout: ours where it has that, else the browser's."""
    short = language.lower().replace("_", "-").partition("-")[0]
    short = "nb" if short in {"no", "nn"} else short
    return short if short in _LANGUAGES else "auto"


def statement_suffix(text: str) -> str | None:
    """What a card's statement can show of a text behind the account's own name; it needs a letter."""
    suffix = " ".join(_NOT_ON_STATEMENTS.sub(" ", text).split())[:_LONGEST_SUFFIX].strip()
    return suffix if any(one.isalpha() for one in suffix) else None


def text_of(told: object, name: str) -> str:
    """A text that has to be there. Raises `ProviderUnclearError`."""
    if (found := text_or_none(told, name)) is None:
        raise ProviderUnclearError(f"Stripe's answer has no {name}")
    return found


def text_or_none(told: object, name: str) -> str | None:
    """A text that may be there and not empty."""
    found = told.get(name) if isinstance(told, dict) else None
    return found if isinstance(found, str) and found else None


def _currency(told: Mapping[str, Any]) -> str:
    """The currency as ISO 4217 writes it. Raises `ProviderUnclearError` for one that isn't known."""
    currency = text_of(told, "currency").upper()
    try:
        minor_units(currency)
    except ValueError:
        raise ProviderUnclearError("Stripe's answer has no currency that is known") from None
    return currency


def reference_of(told: Mapping[str, Any]) -> str | None:
    """Our reference of what Stripe shows."""
    return text_or_none(told.get("metadata"), "reference")


def _id_of(told: object) -> str | None:
    """The id of what is named or shown whole."""
    return told if isinstance(told, str) and told else text_or_none(told, "id")


def _name(value: object) -> str | None:
    """The name of a code or field of Stripe's, where it is one."""
    return value if isinstance(value, str) and _NAME.fullmatch(value) and not _KEYS.search(value) else None
