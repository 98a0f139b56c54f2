"""Charges that begin together, as those of a billing run: marked as asked in one transaction, asked at once, recorded
in another. What doesn't end there is left to a job of each.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.payments.charges import actions, rules, store
from ledgerbee.payments.charges.actions import Question
from ledgerbee.payments.charges.model import (
    CHARGE_JOB,
    PATIENCE,
    UNDER_WAY,
    CardToCharge,
    Charge,
    ChargeId,
    ChargeStatus,
    Patience,
)
from ledgerbee.payments.customer_payments import actions as payments
from ledgerbee.payments.customer_payments.model import PaymentFields
from ledgerbee.payments.provider_settings import store as settings_store
from ledgerbee.payments.providers.model import Decline, ProviderCharge, ProviderName
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import Invoice
from ledgerbee.sales.invoices.rules import PAYABLE

#: When a charge that has not ended is looked at by itself.
_LATER: Final = timedelta(seconds=5)

#: What came of a question; None: nothing that is clear.
Answered = ProviderCharge | Decline | None


async def ask(context: Context, charge_ids: Sequence[ChargeId]) -> list[Question]:
    """Mark charges as asked that were not asked before: what to ask their providers.

    Those that were (their worker died), those that aren't wanted any more, and those that couldn't be booked today are
    left to jobs of their own.
    """
    invoices, charges = await _locked(context, charge_ids)
    cards = await store.get_cards(context, {charge.payment_method_id for charge in charges})
    settings = {one.name: one for one in await settings_store.list_all(context)}
    faults: dict[tuple[ProviderName, str], LedgerBeeError | None] = {}
    marked: list[Charge] = []
    for charge in charges:
        card, invoice = cards[charge.payment_method_id], invoices[charge.invoice_id]
        if (booked := (charge.provider, charge.currency)) not in faults:
            faults[booked] = await actions.fault_in_booking(context, card, charge.currency)
        is_wanted = rules.why_not_wanted(charge, card, invoice) is None
        if charge.asked_at is None and is_wanted and faults[booked] is None:
            marked.append(replace(charge, asked_at=context.now, updated_at=context.now))
        else:
            leave(context, charge.id)
    await store.update_many(context, marked)
    return [
        actions.question_of(
            context,
            charge,
            cards[charge.payment_method_id],
            invoices[charge.invoice_id],
            settings[charge.provider],
            was_asked=False,
        )
        for charge in marked
    ]


async def record(context: Context, answers: Mapping[ChargeId, Answered], patience: Patience = PATIENCE) -> None:
    """Take the answers of providers, all or none: as `actions.record_answer`, `record_failure` and `record_unclear` do.

    Those that have not ended are left to jobs of their own. Raises what booking refuses.
    """
    invoices, charges = await _locked(context, list(answers))
    cards = await store.get_cards(context, {charge.payment_method_id for charge in charges})
    paid: list[tuple[Charge, Charge]] = []
    others: list[tuple[Charge, Charge]] = []
    for before in charges:
        after = await actions.on_word_only(context, _answered(context, before, answers[before.id], patience))
        if after.status is not ChargeStatus.SUCCEEDED:
            others.append((before, after))
        elif _pays_all(after, invoices[after.invoice_id]):
            paid.append((before, after))
        else:  # what is more than is due is booked by itself
            leave(context, before.id)
    booked = await _book(context, [after for _, after in paid], invoices, cards)
    ended = [*others, *((before, after) for (before, _), after in zip(paid, booked, strict=True))]
    await store.update_many(context, [after for _, after in ended])
    for before, after in ended:
        actions.emit_change(context, before, after)
        if after.status in UNDER_WAY:
            leave(context, after.id)


def leave(context: Context, charge_id: ChargeId) -> None:
    """Leave a charge to a job of its own."""
    context.enqueue(CHARGE_JOB, delay=_LATER, chargeId=str(charge_id))


async def leave_all(context: Context, charge_ids: Sequence[ChargeId]) -> None:
    """Leave each of the charges that have not ended to a job of its own."""
    _, charges = await _locked(context, charge_ids)
    for charge in charges:
        leave(context, charge.id)


async def _locked(context: Context, charge_ids: Sequence[ChargeId]) -> tuple[dict[UUID, Invoice], list[Charge]]:
    """The charges that have not ended, and their invoices by id, which are locked before them."""
    invoice_ids = await store.list_invoices(context, charge_ids)
    invoices = await documents.get_many_for_update(context, INVOICES, invoice_ids)
    found = await store.get_many_for_update(context, charge_ids)
    return invoices, [charge for charge in found if charge.status in UNDER_WAY]


def _answered(context: Context, before: Charge, answer: Answered, patience: Patience) -> Charge:
    if answer is None:
        return rules.unclear(before, context.now)
    if isinstance(answer, Decline):
        return rules.failed(before, answer, context.today, context.now)
    after = rules.answered(before, answer, context.today, context.now, patience)
    actions.note_mismatch(after, answer)
    return after


def _pays_all(charge: Charge, invoice: Invoice) -> bool:
    return invoice.status in PAYABLE and rules.part_that_pays(charge, invoice) == charge.amount


async def _book(
    context: Context,
    charges: Sequence[Charge],
    invoices: Mapping[UUID, Invoice],
    cards: Mapping[UUID, CardToCharge],
) -> list[Charge]:
    """Book charges that pay their invoices, each in whole."""
    if not charges:
        return []
    clearing = {}
    given = []
    for charge in charges:
        card = cards[charge.payment_method_id]
        if charge.provider not in clearing:
            clearing[charge.provider], _ = await actions.accounts_of(context, card)
        fields = PaymentFields(
            paid_on=context.today,
            amount=charge.amount,
            account_id=clearing[charge.provider].id,
            reference=charge.reference,
        )
        given.append((invoices[charge.invoice_id], fields))
    made = await payments.record_together(context, given)
    return [replace(charge, payment_id=payment.id) for charge, payment in zip(charges, made, strict=True)]
