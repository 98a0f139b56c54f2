"""Taking usage in: one report, those of several callers together, a batch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from ledgerbee.billing.usage import rules
from ledgerbee.billing.usage.actions.events import emit_unattributed
from ledgerbee.billing.usage.model import NewUsage, Recorded, UsageDay, UsageReport
from ledgerbee.billing.usage.store import recording as store
from ledgerbee.catalog.prices.model import METER_INVALID_STATE, METER_NOT_FOUND, MeterStatus
from ledgerbee.core.errors import LedgerBeeError, invalid, with_others, within
from ledgerbee.core.ids import new_id
from ledgerbee.http.reused_keys import IDEMPOTENCY_KEY_REUSED
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND
from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import StepCounter, give_way

Outcome = Recorded | LedgerBeeError


@dataclass(slots=True)
class _Under:
    """The reports of a transaction under one key: all of them have the hash of the first, or are refused."""

    body_hash: bytes
    places: list[int] = field(default_factory=list)


async def report(contexts: Sequence[Context], reports: Sequence[UsageReport]) -> Sequence[Outcome]:
    """Record the reports of several callers of a company in one transaction; each has its own outcome.

    Outcomes are `Recorded` or an error: validation errors, `METER_NOT_FOUND`, `METER_INVALID_STATE`,
    `CUSTOMER_NOT_FOUND`, `IDEMPOTENCY_KEY_REUSED`. Emits `usage.unattributed`.
    """
    context, counter = contexts[0], StepCounter()
    known = await store.look_up(
        context,
        {one.meter_id for one in reports if one.meter_id is not None},
        {one.meter_name for one in reports if one.meter_name is not None},
        {one.customer_id for one in reports},
    )
    outcomes: list[Outcome | None] = [None] * len(reports)
    by_key: dict[str, _Under] = {}
    new: dict[str, NewUsage] = {}
    refused: dict[int, bytes] = {}
    for place, one in enumerate(reports):
        if counter.is_due(1):
            await give_way()
        now = contexts[place].company_now
        meter_id = _meter_id(one, known)
        if isinstance(meter_id, LedgerBeeError):
            outcomes[place] = meter_id
            continue
        body_hash = rules.body_hash(one, meter_id)
        if (fault := _fault(one, meter_id, known, now)) is not None:
            outcomes[place], refused[place] = fault, body_hash
            continue
        under = by_key.setdefault(one.key, _Under(body_hash))
        if under.body_hash != body_hash:
            outcomes[place] = IDEMPOTENCY_KEY_REUSED.error()
            continue
        if not under.places:
            new[one.key] = rules.new_usage(new_id(), one, meter_id, body_hash, now, context.time_zone)
        under.places.append(place)
    if new:
        await _add(contexts, new, by_key, outcomes)
    if refused:
        await _look_for_repeated(context, reports, refused, outcomes)
    return [outcome for outcome in outcomes if outcome is not None]


async def report_batch(context: Context, reports: Sequence[UsageReport]) -> list[Recorded]:
    """Record a batch, or nothing of it: raises the errors that `report` gives, at their places (`events.3.customerId`).

    Emits `usage.unattributed`.
    """
    outcomes = await report([context] * len(reports), reports)
    faults = [_placed(place, one) for place, one in enumerate(outcomes) if isinstance(one, LedgerBeeError)]
    if faults:
        raise with_others(faults[0], faults[1:])
    return [one for one in outcomes if isinstance(one, Recorded)]


def _placed(place: int, fault: LedgerBeeError) -> LedgerBeeError:
    if "property" not in fault.details and "validationErrors" not in fault.details:
        fault = fault.error_code.error(fault.message, **{"property": "idempotencyKey", **fault.details})
    try:
        with within(f"events.{place}"):
            raise fault
    except LedgerBeeError as placed:
        return placed


def _meter_id(report: UsageReport, known: store.Known) -> UUID | LedgerBeeError:
    """The meter that a report names, by its id, its name, or both."""
    by_id = None if report.meter_id is None else known.meters.get(report.meter_id)
    by_name = None if report.meter_name is None else known.meters_by_name.get(report.meter_name)
    if report.meter_id is not None and by_id is None:
        return METER_NOT_FOUND.missing("meterId", "meterId", report.meter_id)
    if report.meter_name is not None and by_name is None:
        return METER_NOT_FOUND.missing("meterName", "meterName", report.meter_name)
    meter = by_id or by_name
    assert meter is not None, "a report names a meter"
    if by_name is not None and by_name.id != meter.id:
        return invalid(("meterName", "isOfMeter", "meterName must be the name of the meter that meterId names"))
    return meter.id


def _fault(report: UsageReport, meter_id: UUID, known: store.Known, now: datetime) -> LedgerBeeError | None:
    """Why a report is refused, if it wasn't taken in before."""
    meter = known.meters.get(meter_id) or known.meters_by_name[report.meter_name or ""]
    if (fault := rules.fault_in(report, meter, now)) is not None:
        return fault
    if report.customer_id not in known.customers:
        return CUSTOMER_NOT_FOUND.missing("customerId", "customerId", report.customer_id)
    if not meter.is_active:
        return METER_INVALID_STATE.in_state(MeterStatus.ARCHIVED, "An archived meter takes no usage")
    return None


async def _add(
    contexts: Sequence[Context],
    new: dict[str, NewUsage],
    by_key: dict[str, _Under],
    outcomes: list[Outcome | None],
) -> None:
    context = contexts[0]
    added = await store.record(context, list(new.values()))
    tellers = {_day_of(one): by_key[one.key].places[0] for one in new.values() if one.id in added.unattributed}
    for day in added.first_unattributed:
        emit_unattributed(contexts[tellers[day]], [day])
    stored = {} if added.new == len(new) else await store.stored(context, list(new))
    for key, usage in new.items():
        event_id, body_hash = stored.get(key, (usage.id, usage.body_hash))
        is_new = event_id == usage.id
        first = Recorded(event_id, not is_new, is_new and usage.id in added.unattributed)
        again = Recorded(event_id, is_duplicate=True)
        for place in by_key[key].places:
            outcomes[place] = first if body_hash == usage.body_hash else IDEMPOTENCY_KEY_REUSED.error()
            first = again


def _day_of(usage: NewUsage) -> UsageDay:
    return UsageDay(usage.customer_id, usage.meter_id, usage.day, None)


async def _look_for_repeated(
    context: Context, reports: Sequence[UsageReport], refused: dict[int, bytes], outcomes: list[Outcome | None]
) -> None:
    """Of what is refused now, what was taken in before is there, whatever became of its meter: it is answered so."""
    stored = await store.stored(context, {reports[place].key for place in refused})
    for place, body_hash in refused.items():
        found = stored.get(reports[place].key)
        if found is not None:
            is_same = found[1] == body_hash
            outcomes[place] = Recorded(found[0], is_duplicate=True) if is_same else IDEMPOTENCY_KEY_REUSED.error()
