"""Events of the provider that is built in, as somebody asks for them: once more, late, or of a dispute at will."""

from uuid import UUID

from ledgerbee.payments.providers.model import Subject
from ledgerbee.payments.providers.sandbox import rules, store
from ledgerbee.payments.providers.sandbox.model import EventType, SandboxEvent
from ledgerbee.platform.context import Context


async def repeat(context: Context, event_id: UUID) -> SandboxEvent | None:
    """Have an event sent once more; None where there is none such."""
    event = await store.find_event(context, event_id)
    if event is not None:
        store.send(context, [event])
    return event


async def tell_of_saved(context: Context, type_: EventType, card_id: UUID) -> SandboxEvent:
    """Tell something of a card that is there; it stays as it is."""
    card = await store.find_card(context, card_id)
    assert card is not None, "cards are never deleted"
    return await store.tell(context, type_.value, type_.subject, card.id, card.reference, context.now)


async def tell_of_charged(context: Context, type_: EventType, reference: str) -> SandboxEvent | None:
    """Tell something of a charge, which stays as it is, but for its dispute; None where there is none such.

    Raises `SANDBOX_EVENT_INVALID_STATE` for a dispute that can't begin or end so.
    """
    found = await store.find_charge_by_reference(context, reference)
    charge = None if found is None else await store.lock_charge(context, found.id)
    if charge is None:
        return None
    if type_.subject is Subject.DISPUTE:
        card = await store.find_card(context, charge.card_id)
        assert card is not None, "cards are never deleted"
        disputed = rules.disputed(charge, card.behavior, type_, context.company_now)
        if disputed != charge:
            await store.update_charge(context, disputed)
    return await store.tell(context, type_.value, type_.subject, charge.id, charge.reference, context.now)


async def tell_of_refunded(context: Context, type_: EventType, reference: str) -> SandboxEvent | None:
    """Tell something of a refund, which stays as it is; None where there is none such."""
    refund = await store.find_refund(context, reference)
    if refund is None:
        return None
    return await store.tell(context, type_.value, type_.subject, refund.id, refund.reference, context.now)
