"""What follows which events: news that travels up goes through the outbox, never by a call.

Who follows is loaded with the first event of its own: every command opens the database, and few of them bill.
"""
# ruff: noqa: PLC0415

from collections.abc import Sequence
from typing import Final

from ledgerbee.platform.context import Context, Event
from ledgerbee.platform.outbox import Reactions


async def _end_needless_charges(context: Context, events: Sequence[Event]) -> None:
    from ledgerbee.payments.charges.actions import follow_settlements

    await follow_settlements(context, events)


async def _end_charges_of_cards(context: Context, events: Sequence[Event]) -> None:
    from ledgerbee.payments.charges.actions import follow_cards

    await follow_cards(context, events)


async def _begin_subscriptions(context: Context, events: Sequence[Event]) -> None:
    from ledgerbee.billing.card_payments.actions import follow_settlements

    await follow_settlements(context, events)


async def _tell_subscriptions(context: Context, events: Sequence[Event]) -> None:
    from ledgerbee.billing.card_payments.actions import follow_payments

    await follow_payments(context, events)


async def _deal_with_declines(context: Context, events: Sequence[Event]) -> None:
    from ledgerbee.billing.card_payments.actions import follow_declines

    await follow_declines(context, events)


async def _follow_members(context: Context, events: Sequence[Event]) -> None:
    from ledgerbee.identity.connections.actions import follow_members

    await follow_members(context, events)


REACTIONS: Final[Reactions] = {
    "charge.retries_ended": (_deal_with_declines,),
    "invoice.credited": (_begin_subscriptions, _end_needless_charges),
    "invoice.paid": (_begin_subscriptions, _end_needless_charges),
    "invoice.written_off": (_end_needless_charges,),
    "membership.deleted": (_follow_members,),
    "membership.updated": (_follow_members,),
    "payment_method.expired": (_end_charges_of_cards,),
    "payment_method.removed": (_end_charges_of_cards,),
    "payment.failed": (_deal_with_declines,),
    "payment.succeeded": (_tell_subscriptions,),
}
