"""Charging saved cards: a charge is a row before its provider is asked, and is booked with its answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from prometheus_client import Counter

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.accounts.model import Account
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.money import EXACT, ZERO
from ledgerbee.ledger.entries import actions as ledger
from ledgerbee.payments.charges import rules, store
from ledgerbee.payments.charges.model import (
    CHARGE_BEING_ASKED,
    CHARGE_JOB,
    CHARGE_OF_ANOTHER_CARD,
    CHARGES_JOB,
    NOT_BOOKED,
    PATIENCE,
    TOGETHER,
    UNDER_WAY,
    CardToCharge,
    Charge,
    ChargeFields,
    ChargeId,
    ChargeStatus,
    Patience,
)
from ledgerbee.payments.charges.wire import render
from ledgerbee.payments.customer_payments import actions as payments
from ledgerbee.payments.customer_payments import store as payment_store
from ledgerbee.payments.customer_payments.bookable import check_today
from ledgerbee.payments.customer_payments.model import PaymentFields
from ledgerbee.payments.provider_settings import actions as provider_settings
from ledgerbee.payments.provider_settings import store as settings_store
from ledgerbee.payments.provider_settings.model import ProviderSettings
from ledgerbee.payments.providers.model import Access, Decline, ProviderCharge
from ledgerbee.payments.providers.references import new_reference
from ledgerbee.platform.context import Context, Event
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import Invoice, InvoiceId
from ledgerbee.tenancy.rates import store as rates

MISMATCHES: Final = Counter(
    "ledgerbee_charge_mismatches_total", "Answers of payment providers of another amount than was asked for"
)

log = structlog.get_logger("ledgerbee.charges")

#: Charges that one transaction of the daily task begins.
MAX_RETRIED: Final = 200


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask a provider of a charge. `was_asked`: it may know of it, and is asked just that."""

    charge: Charge
    access: Access
    agreement_id: str
    callback_url: str
    text: str
    was_asked: bool


async def start(context: Context, invoice_id: InvoiceId, asked: ChargeFields) -> Charge:
    """Begin to charge all that is due on an invoice; where a charge of it is under way, that one, unless another card
    is named.

    The invoice's row is locked: of two at once the second finds the first's. The provider is asked by a job after the
    commit. Raises `INVOICE_NOT_FOUND`, `PAYMENT_METHOD_NOT_FOUND`, `CHARGE_OF_ANOTHER_CARD` where that is under way,
    what `rules.new_charge` refuses, and what `check_bookable` does.
    """
    invoice = await documents.get_for_update(context, INVOICES, invoice_id)
    under_way = await store.find_under_way(context, invoice_id)
    if under_way is not None:
        if asked.payment_method_id not in {None, under_way.payment_method_id}:
            raise CHARGE_OF_ANOTHER_CARD.error(
                chargeId=str(under_way.id),
                status=under_way.status.value,
                paymentMethodId=str(under_way.payment_method_id),
            )
        return under_way
    last = await store.find_last(context, invoice_id)
    attempt = last.attempt + 1 if last is not None and last.retry_on is not None else 1
    card = await _card(context, invoice, asked)
    charge = _new_charge(context, invoice, card, asked, attempt=attempt)
    assert card is not None, "no charge is made without a card"
    await check_bookable(context, card, charge.currency)
    await _insert(context, [charge])
    context.enqueue(CHARGE_JOB, chargeId=str(charge.id))
    if last is not None and last.retry_on is not None:
        await store.update(context, replace(last, retry_on=None, updated_at=context.now))
    return charge


async def start_issued(context: Context, issued: Sequence[tuple[Invoice, UUID]]) -> dict[UUID, LedgerBeeError]:
    """Begin to charge new invoices, each to a saved card; those for which that is refused, with why.

    For many at once: nobody knows of these invoices before the transaction ends. One on which nothing is due is left
    out, and one that somebody else than the card's owner pays.
    """
    due = [(invoice, method_id) for invoice, method_id in issued if invoice.amount_due]
    if not due:
        return {}
    cards = await store.get_cards(context, {method_id for _, method_id in due})
    charges: list[Charge] = []
    refused: dict[UUID, LedgerBeeError] = {}
    checked: dict[tuple[UUID, str], LedgerBeeError | None] = {}
    for invoice, method_id in due:
        card = cards[method_id]
        if card.customer_id != invoice.customer_id:
            continue
        if (asked := (method_id, invoice.currency)) not in checked:
            checked[asked] = await fault_in_booking(context, card, invoice.currency)
        try:
            if (fault := checked[asked]) is not None:
                raise fault
            charges.append(_new_charge(context, invoice, card, ChargeFields(), attempt=1))
        except LedgerBeeError as fault:
            refused[invoice.id] = fault
    await _insert(context, charges)
    for first in range(0, len(charges), TOGETHER):
        context.enqueue(CHARGES_JOB, chargeIds=[str(charge.id) for charge in charges[first : first + TOGETHER]])
    return refused


async def check_chargeable(context: Context, customer_id: UUID, payment_method_id: UUID) -> None:
    """Whether a card can be charged by now for what a customer has to pay.

    Raises `PAYMENT_METHOD_NOT_FOUND`, a validation error for another one's card, `PAYMENT_METHOD_INACTIVE`, and as
    `start` does what is wrong with accounts.
    """
    card = await store.get_card(context, payment_method_id)
    rules.check_card(card, customer_id)
    await accounts_of(context, card)


async def check_bookable(context: Context, card: CardToCharge, currency: str) -> None:
    """Refuse what couldn't be booked today if the provider took or gave back money by now: it isn't asked to, then.

    Raises `PAYMENT_ACCOUNT_MISSING`, `ACCOUNT_NOT_BOOKABLE`, `PAYMENT_ACCOUNT_INVALID`, `EXCHANGE_RATE_MISSING`,
    `PERIOD_LOCKED`, `FISCAL_YEAR_MISSING`.
    """
    await accounts_of(context, card)
    await check_today(context, currency)


async def fault_in_booking(context: Context, card: CardToCharge, currency: str) -> LedgerBeeError | None:
    """What `check_bookable` refuses; None for nothing."""
    try:
        await check_bookable(context, card, currency)
    except LedgerBeeError as fault:
        return fault
    return None


async def _card(context: Context, invoice: Invoice, asked: ChargeFields) -> CardToCharge | None:
    if asked.payment_method_id is None:
        return await store.find_default_card(context, invoice.customer_id)
    return await store.get_card(context, asked.payment_method_id)


def _new_charge(
    context: Context, invoice: Invoice, card: CardToCharge | None, asked: ChargeFields, *, attempt: int
) -> Charge:
    return rules.new_charge(invoice, card, asked, reference=new_reference(), attempt=attempt, now=context.now)


async def _insert(context: Context, charges: Sequence[Charge]) -> None:
    """Write charges. Emits `charge.created` of each."""
    await store.insert(context, charges)
    for charge in charges:
        context.emit("charge.created", charge.id, render(charge).as_event())


async def accounts_of(context: Context, card: CardToCharge) -> tuple[Account, Account]:
    """The accounts of clearing and of unidentified receipts, of the provider that a card is saved at.

    Raises `PAYMENT_ACCOUNT_MISSING`, `ACCOUNT_NOT_BOOKABLE`, `PAYMENT_ACCOUNT_INVALID`.
    """
    named = await accounts.get_many(
        context, [one for one in (card.clearing_account_id, card.unidentified_account_id) if one is not None]
    )
    by_role = await accounts.get_by_role(context)
    return rules.clearing_account(card, named, by_role), rules.unidentified_account(card, named, by_role)


async def ask(context: Context, charge_id: ChargeId, patience: Patience = PATIENCE) -> Question | None:
    """What to ask the provider of a charge; None where it has ended.

    One that it was not asked for before is marked as asked, or ended where it isn't wanted any more. Raises
    `CHARGE_BEING_ASKED` where somebody else is at it, `CHARGE_NOT_FOUND`, and before anybody is asked what
    `check_bookable` refuses.
    """
    charge, invoice = await _locked(context, charge_id)
    if charge.status not in UNDER_WAY:
        return None
    if rules.is_asked_elsewhere(charge, context.now, patience):
        raise CHARGE_BEING_ASKED.error()
    card = await store.get_card(context, charge.payment_method_id)
    if charge.asked_at is not None:
        charge = await _looked_at(context, charge, card, invoice)
        return await _question(context, charge, card, invoice, was_asked=True)
    if (decline := rules.why_not_wanted(charge, card, invoice)) is not None:
        await _fail(context, charge, decline)
        return None
    await check_bookable(context, card, charge.currency)
    return await _mark_asked(context, charge, card, invoice)


async def _looked_at(context: Context, charge: Charge, card: CardToCharge, invoice: Invoice) -> Charge:
    """A charge whose provider is about to be asked how it stands, and to cancel it where it isn't to be waited for."""
    if (why := rules.why_to_cancel(charge, card, invoice, context.today)) is not None:
        return await _write_cancelling(context, charge, rules.cancelling(charge, why, context.now))
    charge = replace(charge, updated_at=context.now)
    await store.update(context, charge)
    return charge


async def _write_cancelling(context: Context, before: Charge, after: Charge) -> Charge:
    """Note that the provider is to cancel a charge. Emits `charge.cancel_asked`, for the audit trail."""
    await store.update(context, after)
    context.emit("charge.cancel_asked", after.id, render(after).as_event(), before=render(before).as_event())
    return after


async def cancel(context: Context, charge_id: ChargeId) -> Charge:
    """Cancel a charge that its owner has not confirmed, or that was not asked for yet (`rules.cancelled`).

    The provider is asked after the commit, and how the charge stands then: it may have been confirmed meanwhile. Raises
    `CHARGE_NOT_FOUND`, `CHARGE_INVALID_STATE`. Emits `payment.failed` where it ends at once, else
    `charge.cancel_asked`.
    """
    before, _ = await _locked(context, charge_id)
    after = rules.cancelled(before, context.today, context.now)
    if after is before:
        return before
    if after.status is ChargeStatus.FAILED:
        await store.update(context, after)
        emit_change(context, before, after)
        return after
    context.enqueue(CHARGE_JOB, chargeId=str(charge_id))
    return await _write_cancelling(context, before, after)


async def follow_settlements(context: Context, events: Sequence[Event]) -> None:
    """Have charges looked at that wait for a confirmation, of invoices on which nothing is due any more, maybe."""
    await _look_at(context, await store.list_unconfirmed(context, [event.object_id for event in events]))


async def follow_cards(context: Context, events: Sequence[Event]) -> None:
    """Have charges looked at that wait for a confirmation, of cards that have ended or were taken off a customer."""
    await _look_at(context, await store.list_unconfirmed_of_cards(context, [event.object_id for event in events]))


async def _look_at(context: Context, charge_ids: Sequence[ChargeId]) -> None:
    for charge_id in charge_ids:
        context.enqueue(CHARGE_JOB, chargeId=str(charge_id))


async def ask_again(context: Context, before: Charge, patience: Patience = PATIENCE) -> Question | None:
    """What to ask the provider of a charge that it says it has none of, `before` as it was when it was asked.

    Where it surely was not carried out, it is marked as asked once more, or ended where it isn't wanted any more. None
    where it has ended, or is to be waited for: then it is `unclear`. Raises `CHARGE_BEING_ASKED` where somebody else
    asked or heard of it meanwhile, and before it is asked for once more what `check_bookable` refuses.
    """
    charge, invoice = await _locked(context, before.id)
    if charge.status not in UNDER_WAY:
        return None
    if (charge.asked_at, charge.provider_id) != (before.asked_at, before.provider_id):
        raise CHARGE_BEING_ASKED.error()
    card = await store.get_card(context, charge.payment_method_id)
    decline = rules.why_not_wanted(charge, card, invoice)
    follows = rules.when_unknown(charge, context.now, is_wanted=decline is None, patience=patience)
    if follows is rules.WhenUnknown.REPEAT:
        await check_bookable(context, card, charge.currency)
        return await _mark_asked(context, charge, card, invoice)
    if follows is rules.WhenUnknown.END:
        await _fail(context, charge, rules.decline_of_unknown(charge, decline))
    else:
        await store.update(context, rules.unclear(charge, context.now))
    return None


async def _locked(context: Context, charge_id: ChargeId) -> tuple[Charge, Invoice]:
    """A charge and its invoice, which is locked before it."""
    found = await store.get(context, charge_id)
    invoice = await documents.get_for_update(context, INVOICES, found.invoice_id)
    return await store.get_for_update(context, charge_id), invoice


async def _mark_asked(context: Context, charge: Charge, card: CardToCharge, invoice: Invoice) -> Question:
    charge = replace(charge, asked_at=context.now, updated_at=context.now)
    await store.update(context, charge)
    return await _question(context, charge, card, invoice, was_asked=False)


async def _question(
    context: Context, charge: Charge, card: CardToCharge, invoice: Invoice, *, was_asked: bool
) -> Question:
    settings = await settings_store.get(context, charge.provider)
    return question_of(context, charge, card, invoice, settings, was_asked=was_asked)


def question_of(
    context: Context,
    charge: Charge,
    card: CardToCharge,
    invoice: Invoice,
    settings: ProviderSettings,
    *,
    was_asked: bool,
) -> Question:
    """What to ask of a charge, and how its provider is reached."""
    return Question(
        charge=charge,
        access=provider_settings.access_of(context, settings),
        agreement_id=card.agreement_id,
        callback_url=provider_settings.callback_url(context, settings),
        text=invoice.number or "",
        was_asked=was_asked,
    )


async def record_answer(
    context: Context, charge_id: ChargeId, answer: ProviderCharge, patience: Patience = PATIENCE
) -> Charge:
    """Take a provider's answer: book what succeeded, emit what ended. Once, whoever brings it and however often.

    Emits `payment.succeeded`, `payment.failed`, `payment.requires_action`. Raises what booking refuses, and then
    nothing was taken: `PERIOD_LOCKED`, `FISCAL_YEAR_MISSING`, `EXCHANGE_RATE_MISSING`, those of accounts.
    """
    before, invoice = await _locked(context, charge_id)
    after = rules.answered(before, answer, context.today, context.now, patience)
    if after is before:
        return before
    note_mismatch(after, answer)
    if after.status is ChargeStatus.SUCCEEDED:
        after = await _book(context, after, invoice)
    after = await on_word_only(context, after)
    await store.update(context, after)
    emit_change(context, before, after)
    return after


def note_mismatch(after: Charge, answer: ProviderCharge) -> None:
    """Note an answer that is of something else than was asked for."""
    if after.status is ChargeStatus.UNCLEAR:
        MISMATCHES.inc()
        log.error("charge.mismatch", charge=str(after.id), amount=str(answer.amount), currency=answer.currency)


async def record_failure(context: Context, charge_id: ChargeId, decline: Decline) -> Charge:
    """End a charge that the provider did not take, or that was not made. Emits `payment.failed`."""
    before = await store.get_for_update(context, charge_id)
    return await _fail(context, before, decline) if before.status in UNDER_WAY else before


async def _fail(context: Context, before: Charge, decline: Decline) -> Charge:
    after = await on_word_only(context, rules.failed(before, decline, context.today, context.now))
    await store.update(context, after)
    emit_change(context, before, after)
    return after


async def record_unclear(context: Context, charge_id: ChargeId) -> None:
    """Mark a charge for which the provider gave no answer."""
    charge = await store.get_for_update(context, charge_id)
    await store.update(context, rules.unclear(charge, context.now))


async def on_word_only(context: Context, charge: Charge) -> Charge:
    """Whoever got back what was charged for an invoice isn't charged for it again without somebody's word."""
    if charge.retry_on is not None and await store.is_given_back_since(context, charge):
        return replace(charge, retry_on=None)
    return charge


async def _book(context: Context, charge: Charge, invoice: Invoice) -> Charge:
    card = await store.get_card(context, charge.payment_method_id)
    clearing, unidentified = await accounts_of(context, card)
    pays = rules.part_that_pays(charge, invoice)
    payment_id: UUID | None = None
    if pays:
        given = PaymentFields(paid_on=context.today, amount=pays, account_id=clearing.id, reference=charge.reference)
        payment, _ = await payments.record(context, invoice.id, given)
        payment_id = payment.id
    charge = replace(charge, payment_id=payment_id)
    unapplied = EXACT.subtract(charge.amount, pays)
    if unapplied == ZERO:
        return charge
    facts = await payment_store.get_facts(context, invoice)
    rate = await rates.rate_for(context, charge.currency, context.today)
    entry = rules.entry_of_unapplied(
        charge,
        unapplied,
        invoice,
        facts,
        clearing=clearing,
        unidentified=unidentified,
        day=context.today,
        rate=rate.value,
    )
    await ledger.post_of_document(context, entry)
    return replace(charge, unapplied_amount=unapplied, unapplied_entry_id=entry.id)


def emit_change(context: Context, before: Charge, after: Charge) -> None:
    """Tell what became of a charge."""
    if after.status is before.status:
        return
    now, was = render(after).as_event(), render(before).as_event()
    if after.status is ChargeStatus.SUCCEEDED:
        context.emit("payment.succeeded", after.id, now, before=was)
    elif after.status is ChargeStatus.FAILED:
        context.emit("payment.failed", after.id, now, before=was)
    elif after.status is ChargeStatus.REQUIRES_ACTION:
        context.emit("payment.requires_action", after.id, now, before=was)


async def look_again(context: Context) -> None:
    """Have charges looked at for which nobody has asked for a day (their job was given up), and those that were not
    confirmed in time."""
    left_alone_since = rules.left_alone_since(context.now, is_sandbox=context.is_sandbox)
    await _look_at(context, await store.list_unanswered(context, context.today, left_alone_since))


async def retry_due(context: Context) -> Sequence[Charge]:
    """Begin the next charge of those that failed and may go through by now; at most `MAX_RETRIED` of them.

    One whose invoice or card no longer takes a charge is not tried again; one that couldn't be booked today is tried
    tomorrow. The customer's default card stands in for one that has ended.
    """
    begun = []
    for charge in await store.list_to_retry(context, context.today, MAX_RETRIED):
        card = await store.find_card(context, charge.payment_method_id)
        method_id = charge.payment_method_id if card is not None and card.is_active else None
        try:
            async with context.savepoint():
                await documents.get_for_update(context, INVOICES, charge.invoice_id)
                if (await store.get(context, charge.id)).retry_on is not None:  # nothing was given back meanwhile
                    begun.append(await start(context, charge.invoice_id, ChargeFields(method_id)))
        except LedgerBeeError as fault:
            if fault.error_code in NOT_BOOKED:
                tomorrow = context.today + timedelta(days=1)
                await store.update(context, replace(charge, retry_on=tomorrow, updated_at=context.now))
                continue
            log.info("charge.not_retried", charge=str(charge.id), code=fault.code)
            await _end_retries(context, charge)
        else:
            await store.update(context, replace(charge, retry_on=None, updated_at=context.now))
    return begun


async def _end_retries(context: Context, charge: Charge) -> None:
    """Note that no charge follows by itself. Emits `charge.retries_ended`, for the audit trail."""
    after = replace(charge, retry_on=None, updated_at=context.now)
    await store.update(context, after)
    context.emit("charge.retries_ended", charge.id, render(after).as_event(), before=render(charge).as_event())
