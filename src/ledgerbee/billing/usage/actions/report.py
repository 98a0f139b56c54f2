"""Taking usage in: one report, those of several callers together, a batch."""

from collections.abc import Callable, Collection, Mapping, Sequence
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
#: What else is wrong with a report, by the row that it would be.
AlsoWrong = Callable[[NewUsage], LedgerBeeError | None]


@dataclass(slots=True)
class _Under:
    """The reports of a transaction under one key: all of them have the hash of the first, or are refused."""

    body_hash: bytes
    places: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Prepared:
    """Reports that were looked at: the outcomes that are known, and the rows to add, by their keys."""

    outcomes: list[Outcome | None]
    new: dict[str, NewUsage] = field(default_factory=dict)
    by_key: dict[str, _Under] = field(default_factory=dict)
    refused: dict[int, bytes] = field(default_factory=dict)

    def settle(self, stored: Mapping[str, tuple[UUID, bytes]], unattributed: Collection[UUID] = ()) -> None:
        """Note what came of the rows; `stored` are the events that their keys have, where those aren't the rows."""
        for key, usage in self.new.items():
            event_id, body_hash = stored.get(key, (usage.id, usage.body_hash))
            is_new = event_id == usage.id
            first = Recorded(event_id, not is_new, is_new and usage.id in unattributed)
            again = Recorded(event_id, is_duplicate=True)
            for place in self.by_key[key].places:
                self.outcomes[place] = first if body_hash == usage.body_hash else IDEMPOTENCY_KEY_REUSED.error()
                first = again


async def report(contexts: Sequence[Context], reports: Sequence[UsageReport]) -> Sequence[Outcome]:
    """Record the reports of several callers of a company in one transaction; each has its own outcome.

    Outcomes are `Recorded` or an error: validation errors, `METER_NOT_FOUND`, `METER_INVALID_STATE`,
    `CUSTOMER_NOT_FOUND`, `IDEMPOTENCY_KEY_REUSED`. Emits `usage.unattributed`.
    """
    prepared = await prepare(contexts, reports)
    if prepared.new:
        await _add(contexts, prepared)
    if prepared.refused:
        await settle_repeated(contexts[0], reports, prepared)
    return [outcome for outcome in prepared.outcomes if outcome is not None]


async def prepare(
    contexts: Sequence[Context], reports: Sequence[UsageReport], also_wrong: AlsoWrong | None = None
) -> Prepared:
    """Look at reports of a company: refuse what can't be taken in, and make rows of the others. Nothing is written;
    the spans of their customers stay as they are until the transaction ends.
    """
    context, counter = contexts[0], StepCounter()
    known = await store.look_up(
        context,
        {one.meter_id for one in reports if one.meter_id is not None},
        {one.meter_name for one in reports if one.meter_name is not None},
        {one.customer_id for one in reports},
    )
    prepared = Prepared([None] * len(reports))
    outcomes, by_key, new, refused = prepared.outcomes, prepared.by_key, prepared.new, prepared.refused
    for place, one in enumerate(reports):
        if counter.is_due(1):
            await give_way()
        now = contexts[place].company_now
        meter_id = meter_named(one.meter_id, one.meter_name, known)
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
            row = rules.new_usage(new_id(), one, meter_id, body_hash, now, context.time_zone)
            if also_wrong is not None and (fault := also_wrong(row)) is not None:
                outcomes[place] = fault
                del by_key[one.key]
                continue
            new[one.key] = row
        under.places.append(place)
    return prepared


async def report_batch(context: Context, reports: Sequence[UsageReport]) -> list[Recorded]:
    """Record a batch, or nothing of it: raises the errors that `report` gives, at their places (`events.3.customerId`).

    Emits `usage.unattributed`.
    """
    return all_recorded(await report([context] * len(reports), reports))


def all_recorded(outcomes: Sequence[Outcome | None]) -> list[Recorded]:
    """What came of a batch of which everything was recorded; raises the errors of one that wasn't, at their places."""
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


def meter_named(meter_id: UUID | None, meter_name: str | None, known: store.Known) -> UUID | LedgerBeeError:
    """The meter that a request names, by its id, its name, or both."""
    by_id = None if meter_id is None else known.meters.get(meter_id)
    by_name = None if meter_name is None else known.meters_by_name.get(meter_name)
    if meter_id is not None and by_id is None:
        return METER_NOT_FOUND.missing("meterId", "meterId", meter_id)
    if meter_name is not None and by_name is None:
        return METER_NOT_FOUND.missing("meterName", "meterName", meter_name)
    meter = by_id or by_name
    assert meter is not None, "a request names a meter"
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


async def _add(contexts: Sequence[Context], prepared: Prepared) -> None:
    context, new = contexts[0], prepared.new
    added = await store.record(context, list(new.values()))
    tellers = {_day_of(one): prepared.by_key[one.key].places[0] for one in new.values() if one.id in added.unattributed}
    for day in added.first_unattributed:
        emit_unattributed(contexts[tellers[day]], [day])
    stored = {} if added.new == len(new) else await store.stored(context, list(new))
    prepared.settle(stored, added.unattributed)


def _day_of(usage: NewUsage) -> UsageDay:
    return UsageDay(usage.customer_id, usage.meter_id, usage.day, None)


async def settle_repeated(context: Context, reports: Sequence[UsageReport], prepared: Prepared) -> None:
    """Of what is refused now, what was taken in before is there, whatever became of its meter: it is answered so."""
    stored = await store.stored(context, {reports[place].key for place in prepared.refused})
    for place, body_hash in prepared.refused.items():
        found = stored.get(reports[place].key)
        if found is not None:
            is_same = found[1] == body_hash
            prepared.outcomes[place] = (
                Recorded(found[0], is_duplicate=True) if is_same else IDEMPOTENCY_KEY_REUSED.error()
            )
