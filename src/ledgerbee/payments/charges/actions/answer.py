"""Taking what providers answer: what succeeded is booked with it."""

from dataclasses import replace
from typing import Final
from uuid import UUID

import structlog
from prometheus_client import Counter

from ledgerbee.core.money import EXACT, ZERO
from ledgerbee.ledger.entries import actions as ledger
from ledgerbee.payments.charges import rules, store
from ledgerbee.payments.charges.actions.bookable import accounts_of
from ledgerbee.payments.charges.actions.shared import emit_change, fail, locked, on_word_only
from ledgerbee.payments.charges.model import (
    PATIENCE,
    UNDER_WAY,
    Charge,
    ChargeId,
    ChargeStatus,
    Patience,
)
from ledgerbee.payments.customer_payments import actions as payments
from ledgerbee.payments.customer_payments import store as payment_store
from ledgerbee.payments.customer_payments.model import PaymentFields
from ledgerbee.payments.providers.model import Decline, ProviderCharge
from ledgerbee.platform.context import Context
from ledgerbee.sales.invoices.model import Invoice
from ledgerbee.tenancy.rates import store as rates

MISMATCHES: Final = Counter(
    "ledgerbee_charge_mismatches_total", "Answers of payment providers of another amount than was asked for"
)

log = structlog.get_logger("ledgerbee.charges")


async def record_answer(
    context: Context, charge_id: ChargeId, answer: ProviderCharge, patience: Patience = PATIENCE
) -> Charge:
    """Take a provider's answer: book what succeeded, emit what ended. Once, whoever brings it and however often.

    Emits `payment.succeeded`, `payment.failed`, `payment.requires_action`. Raises what booking refuses, and then
    nothing was taken: `PERIOD_LOCKED`, `FISCAL_YEAR_MISSING`, `EXCHANGE_RATE_MISSING`, those of accounts.
    """
    before, invoice = await locked(context, charge_id)
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
    return await fail(context, before, decline) if before.status in UNDER_WAY else before


async def record_unclear(context: Context, charge_id: ChargeId) -> None:
    """Mark a charge for which the provider gave no answer."""
    charge = await store.get_for_update(context, charge_id)
    await store.update(context, rules.unclear(charge, context.now))


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
