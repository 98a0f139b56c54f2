"""Pure rules of charges: what may be charged, what a provider's answer makes of one, when the next one comes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum, auto
from typing import Final, Protocol
from uuid import UUID

from ledgerbee.chart.accounts.model import Account
from ledgerbee.core.errors import check_all, invalid
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import ZERO, format_amount, multiply, round_money
from ledgerbee.ledger.entries.model import EntryToPost, EntryType, LineToPost, Side
from ledgerbee.payments.charges.model import (
    CANCELLED,
    CHARGE_AMOUNT_INVALID,
    CHARGE_CURRENCY_MISMATCH,
    CHARGE_INVALID_STATE,
    PATIENCE,
    PAYMENT_CLEARING,
    PAYMENT_METHOD_INACTIVE,
    PAYMENT_METHOD_MISSING,
    SOURCE_TYPE,
    UNDER_WAY,
    UNIDENTIFIED_RECEIPTS,
    CardToCharge,
    Charge,
    ChargeFields,
    ChargeId,
    ChargeStatus,
    Patience,
)
from ledgerbee.payments.customer_payments.model import InvoiceFacts
from ledgerbee.payments.customer_payments.rules import check_account, role_account
from ledgerbee.payments.providers import model as providers
from ledgerbee.payments.providers.model import Decline, ProviderCharge
from ledgerbee.sales.invoices.model import Invoice, InvoiceStatus
from ledgerbee.sales.invoices.rules import PAYABLE, require_status

#: Days from a soft decline to the next charge, by the number of the one that was declined. A hard one ends it.
RETRY_DAYS: Final = (1, 3, 5, 7)
#: Days that a charge waits for its owner to confirm it, where the provider doesn't end it before.
CONFIRMED_WITHIN: Final = timedelta(days=7)
#: How long after the last question what has not ended is looked at again by the daily task.
LEFT_ALONE: Final = timedelta(days=1)

#: Codes of our own, beside those of providers.
REFUSED: Final = "provider_refused"
NOT_ASKED: Final = "not_asked"
NOT_DUE: Final = "nothing_due"
NO_CARD: Final = "card_unavailable"
NOT_KNOWN: Final = "unknown_to_provider"
OTHER_AMOUNT: Final = "amount_mismatch"
NOT_CONFIRMED: Final = "not_confirmed"

_NOT_DUE: Final = Decline(NOT_DUE, "What it was to pay was not due any more", is_soft=False)
_NO_CARD: Final = Decline(
    NO_CARD, "The card had ended or was taken off the customer, or its provider was switched off", is_soft=False
)
_NOT_KNOWN: Final = Decline(NOT_KNOWN, "The provider had the charge, and doesn't know of it any more", is_soft=False)
_CANCELLED: Final = Decline(CANCELLED, "It was cancelled before its owner had confirmed it", is_soft=False)
_NOT_CONFIRMED: Final = Decline(NOT_CONFIRMED, "Its owner did not confirm it in time", is_soft=False)
#: Why charges are cancelled, by the code that is kept of it.
_WHEN_CANCELLED: Final[Mapping[str, Decline]] = {
    one.code: one for one in (_CANCELLED, _NOT_CONFIRMED, _NOT_DUE, _NO_CARD)
}

#: What is final at a provider.
_STANDS: Final = frozenset({providers.ChargeStatus.SUCCEEDED, providers.ChargeStatus.FAILED})
_STATUSES: Final[Mapping[providers.ChargeStatus, ChargeStatus]] = {
    providers.ChargeStatus.PENDING: ChargeStatus.PENDING,
    providers.ChargeStatus.REQUIRES_ACTION: ChargeStatus.REQUIRES_ACTION,
    providers.ChargeStatus.SUCCEEDED: ChargeStatus.SUCCEEDED,
    providers.ChargeStatus.FAILED: ChargeStatus.FAILED,
}


def new_charge(
    invoice: Invoice, card: CardToCharge | None, asked: ChargeFields, *, reference: str, attempt: int, now: datetime
) -> Charge:
    """A charge of all that is due on an invoice, or the first refusal, in this order:

    | refused | why |
    | --- | --- |
    | `INVOICE_INVALID_STATE` | the invoice is a draft, or nothing is due on it |
    | `CHARGE_CURRENCY_MISMATCH`, `CHARGE_AMOUNT_INVALID` | it is asked for in parts, with a surcharge, or converted |
    | `PAYMENT_METHOD_MISSING` | none is named, and the customer has no default |
    | a validation error | the named one is another customer's |
    | `PAYMENT_METHOD_INACTIVE` | it has ended, or its provider is switched off |
    """
    require_status(invoice, PAYABLE)
    check_all(lambda: _check_currency(invoice, asked), lambda: _check_amount(invoice, asked))
    if card is None:
        raise PAYMENT_METHOD_MISSING.error(customerId=str(invoice.customer_id))
    check_card(card, invoice.customer_id)
    return Charge(
        id=ChargeId(new_id()),
        reference=reference,
        invoice_id=invoice.id,
        customer_id=invoice.customer_id,
        payment_method_id=card.id,
        provider=card.provider,
        amount=invoice.amount_due,
        currency=invoice.currency,
        status=ChargeStatus.PENDING,
        attempt=attempt,
        created_at=now,
        updated_at=now,
    )


def check_card(card: CardToCharge, customer_id: UUID) -> None:
    """Whether a card can be charged for a customer: its own, not ended, at a provider that is switched on.

    Raises a validation error, `PAYMENT_METHOD_INACTIVE`.
    """
    if card.customer_id != customer_id:
        raise invalid(
            ("paymentMethodId", "isIn", "paymentMethodId must be one of the customer that the invoice is for")
        )
    if not (card.is_active and card.is_enabled):
        raise PAYMENT_METHOD_INACTIVE.error(paymentMethodId=str(card.id))


def _check_currency(invoice: Invoice, asked: ChargeFields) -> None:
    if asked.currency not in {None, invoice.currency}:
        raise CHARGE_CURRENCY_MISMATCH.error(currency=asked.currency, invoiceCurrency=invoice.currency)


def _check_amount(invoice: Invoice, asked: ChargeFields) -> None:
    if asked.amount is not None and asked.amount != invoice.amount_due:
        raise CHARGE_AMOUNT_INVALID.error(
            amount=format_amount(asked.amount, invoice.currency),
            amountDue=format_amount(invoice.amount_due, invoice.currency),
        )


def clearing_account(card: CardToCharge, named: Mapping[UUID, Account], by_role: Mapping[str, Account]) -> Account:
    """The account that charges of a provider stand on until they are paid out.

    Raises `PAYMENT_ACCOUNT_MISSING`, `ACCOUNT_NOT_BOOKABLE`, `PAYMENT_ACCOUNT_INVALID`.
    """
    return _account(card.clearing_account_id, PAYMENT_CLEARING, named, by_role)


def unidentified_account(card: CardToCharge, named: Mapping[UUID, Account], by_role: Mapping[str, Account]) -> Account:
    """The account of money that has no invoice to pay. Raises as `clearing_account` does."""
    return _account(card.unidentified_account_id, UNIDENTIFIED_RECEIPTS, named, by_role)


def _account(
    account_id: UUID | None, role: str, named: Mapping[UUID, Account], by_role: Mapping[str, Account]
) -> Account:
    account = role_account(by_role, role) if account_id is None else named[account_id]
    check_account(account)
    return account


def is_asked_elsewhere(charge: Charge, now: datetime, patience: Patience = PATIENCE) -> bool:
    """Whether somebody else may be waiting right now for the provider's answer to the question whether to charge."""
    return (
        charge.status is ChargeStatus.PENDING
        and charge.provider_id is None
        and charge.asked_at is not None
        and now < charge.asked_at + patience.asking
    )


def left_alone_since(now: datetime, *, is_sandbox: bool) -> datetime:
    """When what the daily task asks for again was last asked for at the latest; a sandbox has many days in one."""
    return now if is_sandbox else now - LEFT_ALONE


def why_not_wanted(charge: Charge, card: CardToCharge, invoice: Invoice) -> Decline | None:
    """Why a charge that was not made by now isn't to be made any more; None where it is.

    It is made of just what is due, on an invoice that nobody has given up, of a card that its customer still has, at a
    provider that is used.
    """
    if invoice.status not in PAYABLE or invoice.amount_due != charge.amount:
        return _NOT_DUE
    if charge.cancel_code is not None:
        return _WHEN_CANCELLED[charge.cancel_code]
    return None if _has_card(charge, card) else _NO_CARD


def _has_card(charge: Charge, card: CardToCharge) -> bool:
    return card.is_active and card.is_enabled and card.customer_id == charge.customer_id


def why_to_cancel(charge: Charge, card: CardToCharge, invoice: Invoice, today: date) -> Decline | None:
    """Why a charge that waits for its owner's confirmation is cancelled by itself; None where it waits on, or where it
    is being cancelled already.

    | | code |
    | --- | --- |
    | nothing is due any more: paid, credited, written off | `nothing_due` |
    | the card has ended or is another's, or its provider is switched off | `card_unavailable` |
    | nobody has confirmed it in time | `not_confirmed` |

    One whose invoice was paid in part waits on: whoever confirms it pays the rest too.
    """
    if charge.status is not ChargeStatus.REQUIRES_ACTION or charge.cancel_code is not None:
        return None
    if invoice.status not in PAYABLE:
        return _NOT_DUE
    if not _has_card(charge, card):
        return _NO_CARD
    return _NOT_CONFIRMED if charge.confirm_by is not None and charge.confirm_by <= today else None


def cancelling(charge: Charge, why: Decline, now: datetime) -> Charge:
    """A charge that the provider is to cancel. Nobody is sent to confirm it any more."""
    return replace(charge, cancel_code=why.code, cancel_asked_at=now, action_url=None, updated_at=now)


def cancelled(charge: Charge, today: date, now: datetime) -> Charge:
    """A charge that somebody cancels, by how it stands:

    | | |
    | --- | --- |
    | the provider was not asked yet | it has failed, `cancelled` |
    | it requires its owner's confirmation | the provider is asked to cancel it |
    | that has been asked, or it was cancelled | as it is |
    | else, and where it has succeeded all the same | `CHARGE_INVALID_STATE` |
    """
    if charge.status is ChargeStatus.PENDING and charge.asked_at is None:
        return failed(charge, _CANCELLED, today, now)
    has_asked = charge.cancel_code is not None and charge.status is not ChargeStatus.SUCCEEDED
    if has_asked or charge.decline_code == CANCELLED:
        return charge
    if charge.status is not ChargeStatus.REQUIRES_ACTION:
        raise CHARGE_INVALID_STATE.in_state(
            charge.status.value,
            "Only a charge that its owner has to confirm, or that was not asked for yet, is cancelled",
        )
    return cancelling(charge, _CANCELLED, now)


class Asked(Protocol):
    """What a provider is asked for by a reference of ours: a charge, a refund.

    `asked_at` is when it was last asked to carry it out, `provider_id` what it has told of it.
    """

    @property
    def asked_at(self) -> datetime | None: ...

    @property
    def provider_id(self) -> str | None: ...


class WhenUnknown(Enum):
    """What follows when a provider that was asked to carry something out says that it has no such thing."""

    #: The question may still be under way, or what it led to not be shown yet.
    WAIT = auto()
    #: It was never carried out: it is asked once more, under the same reference.
    REPEAT = auto()
    #: It was never carried out, and isn't wanted any more, or is gone.
    END = auto()


def when_unknown(asked: Asked, now: datetime, *, is_wanted: bool, patience: Patience = PATIENCE) -> WhenUnknown:
    """What follows when a provider says that it has no such charge or refund, which it was asked for at `asked_at`.

    | | the provider never told an id | it told one |
    | --- | --- | --- |
    | before `settling` is over | wait | wait |
    | before `deciding` is over | wanted: repeat; else wait | wait |
    | then | wanted: repeat; else end | end |
    """
    assert asked.asked_at is not None, "nobody asks what is known of a question that was never asked"
    if asked.provider_id is None and is_wanted:
        return WhenUnknown.WAIT if now < asked.asked_at + patience.settling else WhenUnknown.REPEAT
    return WhenUnknown.WAIT if now < asked.asked_at + patience.deciding else WhenUnknown.END


def decline_of_unknown(charge: Charge, why: Decline | None) -> Decline:
    """Why a charge ends that its provider has none of; `why` it isn't wanted any more."""
    return why if why is not None and charge.provider_id is None else _NOT_KNOWN


def answered(
    charge: Charge, answer: ProviderCharge, today: date, now: datetime, patience: Patience = PATIENCE
) -> Charge:
    """A charge as a provider's answer has it. One that has ended stays as it is, whatever comes later.

    An answer of another reference is of nothing that was asked. One of another amount or currency is believed only when
    the provider stands by it (`Patience.deciding`), and has then failed for good: what was taken comes with a payout,
    as money of no charge. Until then the charge is `unclear`. One that succeeded still has to be booked, also one that
    was to be cancelled. That one has failed where the provider cancelled or declined it, or where nobody can confirm it
    a while after it refused to (`Patience.settling`).
    """
    if charge.status not in UNDER_WAY:
        return charge
    if answer.reference != charge.reference:
        return replace(charge, status=ChargeStatus.UNCLEAR, action_url=None, confirm_by=None, updated_at=now)
    known = replace(charge, provider_id=answer.provider_id, updated_at=now)
    if (answer.amount, answer.currency) != (charge.amount, charge.currency):
        has_decided = charge.asked_at is not None and charge.asked_at + patience.deciding <= now
        if has_decided and answer.status in _STANDS:
            return failed(known, _other_amount(answer), today, now)
        return replace(known, status=ChargeStatus.UNCLEAR, action_url=None, confirm_by=None)
    if (decline := _decline_of(charge, answer, now, patience)) is not None:
        return failed(known, decline, today, now)
    status = _STATUSES[answer.status]
    waits = status is ChargeStatus.REQUIRES_ACTION
    return replace(
        known,
        status=status,
        action_url=answer.action_url if waits and charge.cancel_code is None else None,
        confirm_by=(charge.confirm_by or today + CONFIRMED_WITHIN) if waits else None,
        finished_at=now if status is ChargeStatus.SUCCEEDED else None,
    )


def _decline_of(charge: Charge, answer: ProviderCharge, now: datetime, patience: Patience) -> Decline | None:
    """Why a charge has failed by an answer; None where it hasn't."""
    has_failed = answer.status is providers.ChargeStatus.FAILED
    if charge.cancel_code is None or charge.cancel_asked_at is None:
        return (answer.decline or Decline(REFUSED, "", is_soft=False)) if has_failed else None
    waits_for_nobody = answer.status is providers.ChargeStatus.REQUIRES_ACTION and answer.action_url is None
    is_over = has_failed or (waits_for_nobody and charge.cancel_asked_at + patience.settling <= now)
    return _WHEN_CANCELLED[charge.cancel_code] if is_over else None


def _other_amount(answer: ProviderCharge) -> Decline:
    """Of what the provider stands by. Not soft: whether to charge again is for whoever has looked there."""
    taken = f"{answer.amount} {answer.currency}"
    words = "took" if answer.status is providers.ChargeStatus.SUCCEEDED else "declined"
    return Decline(
        OTHER_AMOUNT, f"The provider says that it {words} {taken}, which is not what it was asked for", False
    )


def failed(charge: Charge, decline: Decline, today: date, now: datetime) -> Charge:
    """A charge that failed; after a soft decline the day of the next one, as long as there is one."""
    days = RETRY_DAYS[charge.attempt - 1] if decline.is_soft and charge.attempt <= len(RETRY_DAYS) else None
    return replace(
        charge,
        status=ChargeStatus.FAILED,
        decline_code=decline.code,
        decline_message=decline.message,
        is_soft_decline=decline.is_soft,
        action_url=None,
        confirm_by=None,
        retry_on=None if days is None else today + timedelta(days=days),
        finished_at=now,
        updated_at=now,
    )


def unclear(charge: Charge, now: datetime) -> Charge:
    """A charge for which the provider gave no answer; one that its owner has to confirm can still be confirmed."""
    if charge.status not in UNDER_WAY:
        return charge
    status = ChargeStatus.UNCLEAR if charge.status is ChargeStatus.PENDING else charge.status
    return replace(charge, status=status, updated_at=now)


def part_that_pays(charge: Charge, invoice: Invoice) -> Decimal:
    """What of a charge that succeeded its invoice takes: what is due by now, or was given up meanwhile."""
    due = ZERO
    if invoice.status in PAYABLE:
        due = invoice.amount_due
    elif invoice.status is InvoiceStatus.UNCOLLECTIBLE:
        due = invoice.written_off_amount
    return min(charge.amount, due)


def entry_of_unapplied(
    charge: Charge,
    amount: Decimal,
    invoice: Invoice,
    facts: InvoiceFacts,
    *,
    clearing: Account,
    unidentified: Account,
    day: date,
    rate: Decimal,
) -> EntryToPost:
    """The entry of what a charge is more than was due: clearing against unidentified receipts, at the day's `rate`."""
    base_amount = round_money(multiply(amount, rate), facts.base_currency)
    said = "Korttræk uden forfaldent beløb, faktura"
    if facts.language != "da":
        said = "Card charge with nothing due, invoice"
    return EntryToPost(
        id=new_id(),
        entry_type=EntryType.CUSTOMER_PAYMENT,
        date=day,
        currency=charge.currency,
        exchange_rate=rate,
        lines=(
            LineToPost(clearing.id, Side.DEBIT, amount, base_amount=base_amount),
            LineToPost(unidentified.id, Side.CREDIT, amount, base_amount=base_amount),
        ),
        original_amount=amount,
        description=f"{said} {invoice.number}, {facts.customer_name}",
        reference=charge.reference,
        customer_id=charge.customer_id,
        journal_category_id=facts.journal_category_id,
        source_type=SOURCE_TYPE,
        source_id=charge.id,
    )
