"""What QuickPay's answers and callbacks mean, and amounts as it counts them: pure.

A payment there is a list of operations, and how it stands follows from them: a decline is an operation with a code, and
no answer of HTTP's. What an answer lacks, or has in another form than QuickPay documents, raises
`ProviderUnclearError`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from ledgerbee.core.money import EXACT, ZERO, minor_units, total
from ledgerbee.core.texts import readable
from ledgerbee.payments.providers.addresses import page_address
from ledgerbee.payments.providers.model import (
    Agreement,
    AgreementStatus,
    Card,
    ChargeStatus,
    Decline,
    Movement,
    MovementType,
    ProviderCharge,
    ProviderEvent,
    ProviderRefund,
    ProviderRefusedError,
    ProviderUnclearError,
    Subject,
)

_LONGEST_TEXT: Final = 500
#: The field of a callback's address that has our reference: a refund has none of its own at QuickPay, but shows the
#: address that it was asked for with.
_REFERENCE: Final = "reference"

#: Operations that take money, and the one that lets it go again before it is captured.
_TAKING: Final = frozenset({"authorize", "recurring", "capture", "cancel"})
_AUTHORIZING: Final = frozenset({"authorize", "recurring"})

#: Codes of operations (learn.quickpay.net/tech-talk/appendixes/errors). The card's owner has to confirm:
_CONFIRMATION: Final = frozenset({"30100", "30101"})
#: An authorization is too old to be captured.
_EXPIRED: Final = "40002"
#: Declines that stay: what was asked is wrong, blocked as fraud, or the card's token was deleted by its bank.
_HARD: Final = frozenset({"40001", "40300", "41000"})
#: Those of an acquirer that QuickPay passes on behind 40000, "rejected" (docs.gateway.clearhaus.com, status codes):
#: wrong numbers, cards that expired, are restricted, lost or stolen, suspected fraud, an owner who blocked the shop.
_HARD_AT_ACQUIRER: Final = {
    "clearhaus": frozenset({
        "40110", "40111", "40120", "40130", "40135", "40140", "40190", "40411", "40412", "40414", "40420",
    }),
}  # fmt: skip

_SUBSCRIPTIONS: Final = {
    "initial": AgreementStatus.PENDING,
    "new": AgreementStatus.PENDING,
    "pending": AgreementStatus.PENDING,
    "active": AgreementStatus.ACTIVE,
    "rejected": AgreementStatus.FAILED,
    "cancelled": AgreementStatus.CANCELLED,
}

# Amounts


def minor_amount(amount: Decimal, currency: str) -> int:
    """An amount in minor units. Raises `ProviderRefusedError` for one that QuickPay can't take."""
    try:
        units = EXACT.scaleb(amount, minor_units(currency))
    except ValueError:
        raise ProviderRefusedError(f"QuickPay has no currency {currency}") from None
    if units != units.to_integral_value():
        raise ProviderRefusedError(
            f"QuickPay can't take {amount} {currency}: it is finer than the currency's minor unit"
        )
    return int(units)


def major_amount(units: object, currency: str) -> Decimal:
    """An amount of QuickPay's in major units."""
    if not isinstance(units, int) or isinstance(units, bool):
        raise ProviderUnclearError("QuickPay's answer has no amount")
    return EXACT.scaleb(Decimal(units), -minor_units(currency))


# What answers mean


def charge_of(payment: Mapping[str, Any]) -> ProviderCharge:
    """A payment. QuickPay doesn't tell what it or the acquirer keeps.

    One capture that was approved decides, whatever came after it, and then the amount is what was captured; else the
    last operation does.
    """
    currency = _currency(payment)
    operations = [one for one in operations_of(payment) if _text_or_none(one, "type") in _TAKING]
    if not operations:
        raise ProviderUnclearError("QuickPay has the payment, and nothing that was done with it")
    standings = [_standing(one, "capture") for one in operations]
    status, decline = next((one for one in standings if one[0] is ChargeStatus.SUCCEEDED), standings[-1])
    if status is ChargeStatus.FAILED:
        # What was declined is why, also of one that was cancelled for that (`quickpay.QuickPay`).
        declined = [why for one, (_, why) in zip(operations, standings, strict=True) if one["type"] != "cancel" and why]
        decline = declined[-1] if declined else decline
    captured = [one for one, (how, _) in zip(operations, standings, strict=True) if how is ChargeStatus.SUCCEEDED]
    link = payment.get("link")
    return ProviderCharge(
        provider_id=str(id_of(payment)),
        reference=_text_or_none(payment, "order_id") or "",
        status=status,
        amount=total([major_amount(one.get("amount"), currency) for one in captured or operations[:1]]),
        currency=currency,
        decline=decline,
        action_url=page_address(_text_or_none(link, "url")) if status is ChargeStatus.REQUIRES_ACTION else None,
        is_test=payment.get("test_mode") is True,
    )


def is_authorized(payment: Mapping[str, Any]) -> bool:
    """Whether a payment of which nothing was captured may have an amount that somebody can capture: authorized, or said
    to be by nobody (5xxxx), not cancelled, and not expired."""
    authorized = False
    for one in operations_of(payment):
        kind, code = _text_or_none(one, "type"), _text_or_none(one, "qp_status_code") or ""
        if kind in _AUTHORIZING and _standing(one, "capture")[0] is ChargeStatus.PENDING:
            authorized = True
        elif code == _EXPIRED or (kind == "cancel" and code.startswith("2") and one.get("pending") is not True):
            authorized = False
    return authorized


def _standing(operation: Mapping[str, Any], last: str) -> tuple[ChargeStatus, Decline | None]:
    """How things stand after an operation, where `last` is the type of the one that ends them.

    Whether anything was done where QuickPay's gateway or its way to the acquirer failed (5xxxx) is open: pending. A
    capture that was declined is not tried again by QuickPay, and the money never comes.
    """
    code = _text_or_none(operation, "qp_status_code") or ""
    if operation.get("pending") is True or not code or code.startswith("5"):
        return ChargeStatus.PENDING, None
    if code.startswith("2"):
        if operation.get("type") == "cancel":
            return ChargeStatus.FAILED, Decline("cancelled", "The charge was cancelled at QuickPay", is_soft=True)
        done = operation.get("type") == last
        return ChargeStatus.SUCCEEDED if done else ChargeStatus.PENDING, None
    if code in _CONFIRMATION:
        return ChargeStatus.REQUIRES_ACTION, None
    if code.startswith("4"):
        return ChargeStatus.FAILED, decline_of(operation)
    raise ProviderUnclearError(f"QuickPay says that the operation is {readable(code, 40)}")


def decline_of(operation: Mapping[str, Any]) -> Decline:
    """Why an operation was declined: the acquirer's code and words where QuickPay only says that it was rejected."""
    code, acquirer = _text_or_none(operation, "qp_status_code") or "", _text_or_none(operation, "acquirer") or ""
    own, words = _text_or_none(operation, "aq_status_code"), _text_or_none(operation, "qp_status_msg")
    is_hard = code in _HARD or (own or "") in _HARD_AT_ACQUIRER.get(acquirer.lower(), ())
    if code == "40000" and own is not None:
        code, words = own, _text_or_none(operation, "aq_status_msg") or words
    return Decline(readable(code, 80), readable(words or "The charge was declined", _LONGEST_TEXT), not is_hard)


def refund_of(payment: Mapping[str, Any], operation: Mapping[str, Any]) -> ProviderRefund:
    """A refund, which is an operation of its payment."""
    currency, charge_id = _currency(payment), str(id_of(payment))
    status, decline = _standing(operation, "refund")
    return ProviderRefund(
        provider_id=f"{charge_id}/{id_of(operation)}",
        reference=reference_of(operation),
        charge_id=charge_id,
        status=status,
        amount=major_amount(operation.get("amount"), currency),
        currency=currency,
        decline=decline,
    )


def refund_with(payment: Mapping[str, Any], reference: str) -> ProviderRefund | None:
    """The refund of a payment that was asked for with our reference."""
    for operation in operations_of(payment):
        if operation.get("type") == "refund" and reference_of(operation) == reference:
            return refund_of(payment, operation)
    return None


def agreement_of(subscription: Mapping[str, Any]) -> Agreement:
    """A subscription, which is a saved card that may be charged any time."""
    status = _SUBSCRIPTIONS.get(_text_or_none(subscription, "state") or "")
    if status is None:
        raise ProviderUnclearError("QuickPay doesn't say how the subscription stands")
    return Agreement(
        provider_id=str(id_of(subscription)),
        status=status,
        card=card_of(subscription.get("metadata")),
        reference=_text_or_none(subscription, "order_id"),
    )


def card_of(metadata: object) -> Card | None:
    """What may be shown of a card; None before one was entered."""
    last4 = _text_or_none(metadata, "last4")
    if not isinstance(metadata, dict) or last4 is None:
        return None
    month, year = metadata.get("exp_month"), metadata.get("exp_year")
    return Card(
        mask=f"XXXX XXXX XXXX {last4}",
        type=(_text_or_none(metadata, "brand") or "").lower() or None,
        expiry_month=month if isinstance(month, int) else None,
        expiry_year=year if isinstance(year, int) else None,
    )


def movements_of(payment: Mapping[str, Any]) -> Iterator[Movement]:
    """What was captured and given back of a payment: a movement for each operation that was approved."""
    currency = _currency(payment)
    for operation in operations_of(payment):
        sign = {"capture": 1, "refund": -1}.get(str(operation.get("type")))
        if sign is None or _standing(operation, str(operation.get("type")))[0] is not ChargeStatus.SUCCEEDED:
            continue
        charge_id = str(id_of(payment))
        movement_id = f"{charge_id}/{id_of(operation)}"
        yield Movement(
            provider_id=movement_id,
            type=MovementType.CHARGE if sign > 0 else MovementType.REFUND,
            amount=sign * major_amount(operation.get("amount"), currency),
            fee=ZERO,
            currency=currency,
            at=_moment(operation),
            object_id=charge_id if sign > 0 else movement_id,
            reference=_text_or_none(payment, "order_id") if sign > 0 else reference_of(operation),
        )


def event_of(told: object, resource_type: str | None) -> ProviderEvent:
    """A callback: the payment or subscription as it is after its last operation.

    It has no id of its own, so it is that of the object with the number and type of the operation, and whether it is
    decided: an operation that was pending calls back again.
    """
    if not isinstance(told, dict):
        raise ProviderUnclearError("A callback is an object")
    kind = (_text_or_none(told, "type") or resource_type or "").lower()
    own = str(id_of(told))
    if kind not in {"payment", "subscription"}:
        return ProviderEvent(id=f"{kind}:{own}", type=kind, subject=None)
    operations = operations_of(told)
    last = operations[-1] if operations else {}
    done, number = _text_or_none(last, "type") or "none", last.get("id", 0)
    name = f"{kind}.{done}"
    waits = ":pending" if last.get("pending") is True else ""
    event_id = f"{kind}:{own}:{number}:{done}{waits}"
    reference = _text_or_none(told, "order_id")
    if kind == "subscription":
        return ProviderEvent(id=event_id, type=name, subject=Subject.AGREEMENT, provider_id=own, reference=reference)
    if done == "refund":
        return ProviderEvent(
            id=event_id,
            type=name,
            subject=Subject.REFUND,
            provider_id=f"{own}/{id_of(last)}",
            reference=reference_of(last),
        )
    return ProviderEvent(id=event_id, type=name, subject=Subject.CHARGE, provider_id=own, reference=reference)


# Refusals


def fields_of(body: object) -> Sequence[str]:
    """The fields that a request was refused for; of the words beside them nothing is passed on."""
    errors = body.get("errors") if isinstance(body, dict) else None
    return sorted(name for name in errors if name.isidentifier())[:10] if isinstance(errors, dict) else ()


# Fields


def window_language(language: str) -> str:
    """The language of QuickPay's page; its Norwegian is `no`."""
    short = language.lower().replace("_", "-").partition("-")[0]
    return "no" if short in {"nb", "nn"} else short


def callback_with(url: str, reference: str) -> str:
    """A callback's address with our reference in it."""
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode({_REFERENCE: reference}))))
    return urlunsplit(parts._replace(query=query))


def reference_of(operation: Mapping[str, Any]) -> str | None:
    """Our reference in the address that an operation calls back to."""
    try:
        found = parse_qs(urlsplit(_text_or_none(operation, "callback_url") or "").query).get(_REFERENCE)
    except ValueError:
        return None
    return found[-1] if found else None


def operations_of(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The operations of a payment or subscription, in the order of their numbers."""
    operations = told.get("operations")
    if not isinstance(operations, list) or not all(isinstance(one, dict) for one in operations):
        raise ProviderUnclearError("QuickPay's answer has no operations")
    return sorted(operations, key=id_of)


def id_of(told: Mapping[str, Any]) -> int:
    """The number of a payment, subscription or operation."""
    found = told.get("id")
    if not isinstance(found, int) or isinstance(found, bool):
        raise ProviderUnclearError("QuickPay's answer has no id")
    return found


def _text_or_none(told: object, name: str) -> str | None:
    found = told.get(name) if isinstance(told, dict) else None
    return found if isinstance(found, str) and found else None


def _currency(told: Mapping[str, Any]) -> str:
    currency = (_text_or_none(told, "currency") or "").upper()
    try:
        minor_units(currency)
    except ValueError:
        raise ProviderUnclearError("QuickPay's answer has no currency that is known") from None
    return currency


def _moment(operation: Mapping[str, Any]) -> datetime:
    try:
        moment = datetime.fromisoformat(_text_or_none(operation, "created_at") or "")
    except ValueError:
        raise ProviderUnclearError("QuickPay doesn't say when money moved") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
