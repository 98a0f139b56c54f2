"""Sending events of the sandbox provider late, again, and of disputes at will."""

from uuid import UUID

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.payments.charges import store as charges
from ledgerbee.payments.charges.model import CHARGE_NOT_FOUND, ChargeId
from ledgerbee.payments.provider_settings import actions as provider_settings
from ledgerbee.payments.provider_settings import store as settings_store
from ledgerbee.payments.providers.model import ProviderName, Subject
from ledgerbee.payments.providers.sandbox import events as sandbox
from ledgerbee.payments.providers.sandbox.model import SANDBOX_EVENT_INVALID_STATE, EventType, SandboxEvent
from ledgerbee.payments.refunds import store as refunds
from ledgerbee.payments.refunds.model import REFUND_NOT_FOUND, RefundId
from ledgerbee.payments.sandbox_events import rules, store
from ledgerbee.payments.sandbox_events.model import SANDBOX_EVENT_NOT_FOUND, SentEvent, WantedEvent
from ledgerbee.payments.sandbox_events.wire import render
from ledgerbee.platform.context import Context


async def send(context: Context, asked: WantedEvent) -> SentEvent:
    """Have an event sent, after the commit and as the provider sends its own: once more, or a new one.

    Raises `PAYMENT_PROVIDER_NOT_FOUND`, `PAYMENT_PROVIDER_DISABLED`, `SANDBOX_EVENT_NOT_FOUND`, `CHARGE_NOT_FOUND`,
    `REFUND_NOT_FOUND`, `PAYMENT_METHOD_NOT_FOUND`, `SANDBOX_EVENT_INVALID_STATE`, and validation errors. Emits
    `payment_provider.event_sent`.
    """
    rules.check_wanted(asked)
    await settings_store.list_for_update(context)  # what is told of the provider is told one after the other
    settings = await provider_settings.find_enabled(context, ProviderName.SANDBOX)
    if asked.event_id is not None:
        event = await sandbox.repeat(context, asked.event_id)
        if event is None:
            raise SANDBOX_EVENT_NOT_FOUND.missing("eventId", "eventId", asked.event_id)
    else:
        assert asked.type is not None, "checked before"
        event = await _new(context, asked, asked.type)
    sent = SentEvent(event, await store.find_received(context, event.id))
    context.emit("payment_provider.event_sent", settings.id, render(sent).as_event())
    return sent


async def _new(context: Context, asked: WantedEvent, type_: EventType) -> SandboxEvent:
    if type_.subject is Subject.AGREEMENT:
        assert asked.payment_method_id is not None, "checked before"
        card = await charges.get_card(context, asked.payment_method_id)
        rules.check_provider("paymentMethodId", card.provider)
        return await sandbox.tell_of_saved(context, type_, UUID(card.agreement_id))
    if type_.subject is Subject.REFUND:
        return await _of_refund(context, asked, type_)
    assert asked.charge_id is not None, "checked before"
    try:
        charge = await charges.get(context, ChargeId(asked.charge_id))
    except LedgerBeeError:
        raise CHARGE_NOT_FOUND.missing("chargeId", "chargeId", asked.charge_id) from None
    rules.check_provider("chargeId", charge.provider)
    event = await sandbox.tell_of_charged(context, type_, charge.reference)
    if event is None:
        raise SANDBOX_EVENT_INVALID_STATE.in_state(charge.status, "The provider has not been asked for the charge yet")
    return event


async def _of_refund(context: Context, asked: WantedEvent, type_: EventType) -> SandboxEvent:
    assert asked.refund_id is not None, "checked before"
    try:
        refund = await refunds.get(context, RefundId(asked.refund_id))
    except LedgerBeeError:
        raise REFUND_NOT_FOUND.missing("refundId", "refundId", asked.refund_id) from None
    rules.check_provider("refundId", refund.provider)
    event = await sandbox.tell_of_refunded(context, type_, refund.reference)
    if event is None:
        raise SANDBOX_EVENT_INVALID_STATE.in_state(refund.status, "The provider knows nothing of the refund")
    return event
