"""What a command does, read at the end of its transaction, before that is committed or undone."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from fastapi import Response

from ledgerbee.app.mcp.staging import rules
from ledgerbee.app.mcp.staging.model import LIMIT_CURRENCY, Effects, Planned
from ledgerbee.billing.previews import actions as billing_previews
from ledgerbee.billing.previews.wire import SubscriptionPreviewResponse
from ledgerbee.billing.previews.wire import render as render_billing
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import parse_id
from ledgerbee.core.money import ZERO
from ledgerbee.http.json_body import decode_json
from ledgerbee.platform.context import Context
from ledgerbee.sales.delivery import store as deliveries
from ledgerbee.sales.delivery.model import DELIVER_E_INVOICE_JOB, DELIVER_JOB, DeliveryId
from ledgerbee.sales.documents.printing import Trials
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.rates import store as rates
from ledgerbee.webhooks.endpoints import store as endpoints
from ledgerbee.webhooks.topics import TOPICS

_POSTED: Final = "journal_entry.posted"
#: Events that tell of a document once more.
_TOLD_TWICE: Final = ("billing.",)


async def effects_of(context: Context, response: Response, planned: Planned, trials: Trials, began_ms: int) -> Effects:
    """What the command of a transaction does, whose events and jobs are written.

    `began_ms` is when it began, Unix time in ms. Raises what keeps the subscription that it is of from being billed,
    and `UntriedDocumentsError`.
    """
    answer: Any = decode_json(bytes(response.body)) if response.body else None
    events = [(event.type, event.object_id, decode_json(event.data)) for event in context.events]
    entries = [data for kind, _, data in events if kind == _POSTED]
    shown = {
        object_id: {"event": kind, "object": data}
        for kind, object_id, data in events
        if kind != _POSTED and not kind.startswith(_TOLD_TWICE)
    }
    leaving = await _deliveries(context)
    upcoming = await _billed_next(context, planned, answer, trials) if planned.bills else None
    jobs = Counter(job.name for job in context.jobs)
    is_all = rules.is_all_booked(planned, {kind for kind, _, _ in events}, jobs.keys(), upcoming)
    what = {
        "answer": answer,
        "events": [[kind, data] for kind, _, data in events],
        "jobs": dict(jobs),
        "deliveries": leaving,
        "billing": upcoming,
    }
    return Effects(
        answer=answer,
        entries=tuple(entries),
        changed=tuple(shown.values()),
        deliveries=tuple(leaving),
        webhooks=tuple(await _webhooks(context, Counter(kind for kind, _, _ in events))),
        next_billing=upcoming,
        amount=await _amount(context, entries) if is_all else None,
        digest=rules.effects_digest(what, began_ms),
    )


async def _deliveries(context: Context) -> list[dict[str, Any]]:
    """The mails and e-invoices that leave after the commit."""
    found = []
    for job in context.jobs:
        if job.name not in {DELIVER_JOB, DELIVER_E_INVOICE_JOB}:
            continue
        delivery = await deliveries.get(context, DeliveryId(parse_id(job.payload["deliveryId"])))
        found.append(
            {
                "type": delivery.delivery_type.value,
                "documentType": delivery.document_type.value,
                "documentId": str(delivery.document_id),
                "recipient": delivery.recipient,
            }
        )
    return found


async def _webhooks(context: Context, kinds: Counter[str]) -> list[dict[str, Any]]:
    """Which of the events are told to how many endpoints of the company."""
    topics = [kind for kind in kinds if kind in TOPICS]
    told = await endpoints.listening(context, topics) if topics else {}
    return [{"topic": topic, "events": kinds[topic], "endpoints": told[topic]} for topic in topics if topic in told]


async def _billed_next(context: Context, planned: Planned, answer: Any, trials: Trials) -> Any:
    """What a subscription is billed next, after what the command does: what falls due at once is part of it.

    None of one that ends though it can't be billed: it may end, and what it still owes nobody knows.
    """
    subscription_id = parse_id(planned.subscription_id or answer["id"])
    try:
        made = await billing_previews.preview(context, subscription_id, None, trials)
    except LedgerBeeError:
        if not planned.ends:
            raise
        return None
    shown: SubscriptionPreviewResponse = render_billing(made)
    return shown.model_dump(mode="json", by_alias=True, include={"next", "next_credit_notes"})


async def _amount(context: Context, entries: Sequence[Any]) -> Decimal | None:
    """What entries book, in DKK; None where there is no rate."""
    base = (await companies.get(context)).base_currency
    total = ZERO
    for entry in entries:
        rate = await rates.find(context, entry["currency"], date.fromisoformat(entry["date"]), base)
        if rate is None:
            return None
        total += rules.booked(entry, rate.value)
    sources = {base} if total and base != LIMIT_CURRENCY else set()
    pairs = await rates.conversions(context, sources, LIMIT_CURRENCY, context.today)
    return rules.in_limit_currency([(total, base)], pairs)
