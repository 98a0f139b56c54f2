"""The next try of charges that were declined."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.payments.charges import store
from ledgerbee.payments.charges.actions.start import start
from ledgerbee.payments.charges.model import (
    NOT_BOOKED,
    Charge,
    ChargeFields,
)
from ledgerbee.payments.charges.wire import render
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.invoices.kind import INVOICES

log = structlog.get_logger("ledgerbee.charges")

#: Charges that one transaction of the daily task begins.
MAX_RETRIED: Final = 200


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
