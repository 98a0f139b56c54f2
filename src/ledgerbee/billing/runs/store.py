"""Rows of billing runs and their results, and who is due."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.billing.runs.model import (
    BILLING_RUN_NOT_FOUND,
    BillingOutcome,
    BillingResult,
    BillingRun,
    BillingRunId,
    BillingRunStatus,
    BillingRunTrigger,
    DuePayer,
)
from ledgerbee.core.fields import replace
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.parties.customers.payers import PAYER
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page

_COLUMNS: Final = rows.columns(BillingRun, "r")
_GET: Final = f"SELECT {_COLUMNS} FROM billing_runs r WHERE r.company_id = $1 AND r.id = $2"
_LIST: Final = f"SELECT {_COLUMNS} FROM page p JOIN billing_runs r USING (company_id, id)"
_INSERT: Final = rows.insert("billing_runs", BillingRun)
_BEGIN: Final = (
    "UPDATE billing_runs SET status = 'running', started_at = coalesce(started_at, $3), updated_at = $3"
    " WHERE company_id = $1 AND id = $2 AND status IN ('queued', 'running')"
)
_COUNT: Final = (
    "UPDATE billing_runs SET processed = processed + $3, invoices = invoices + $4, credit_notes = credit_notes + $5,"
    " skipped = skipped + $6, refused = refused + $7, updated_at = $8 WHERE company_id = $1 AND id = $2"
)
_END: Final = (
    "UPDATE billing_runs SET status = $3, code = $4, message = $5, completed_at = $6, updated_at = $6"
    " WHERE company_id = $1 AND id = $2 AND status IN ('queued', 'running')"
)
_RESULT_COLUMNS: Final = rows.columns(BillingResult, "r")
_INSERT_RESULTS: Final = rows.insert_many("billing_run_results", BillingResult)
_ALL_RESULTS: Final = (
    f"SELECT {_RESULT_COLUMNS} FROM billing_run_results r WHERE r.company_id = $1 AND r.billing_run_id = $2"
    " ORDER BY r.id"
)
_LIST_RESULTS: Final = f"SELECT {_RESULT_COLUMNS} FROM page p JOIN billing_run_results r USING (company_id, id)"
#: Whether a run up to the day ($2) has to look at a subscription.
_IS_DUE: Final = """(
    s.next_run_on <= $2 OR s.id IN (SELECT l.subscription_id FROM late_usage l WHERE l.company_id = $1)
)"""
#: Who pays for subscriptions that a run has to look at, in the order of their ids, each with all of these. What a run
#: refused or left out is not looked at again by it; nor is what a dry run ($7) has a result of, which bills nothing.
_DUE: Final = f"""
SELECT d.payer_id, array_agg(d.id ORDER BY d.id) AS ids FROM (
    SELECT s.id, {PAYER} AS payer_id
    FROM subscriptions s JOIN customers c ON c.company_id = s.company_id AND c.id = s.customer_id
    WHERE s.company_id = $1 AND ($4::uuid[] IS NULL OR s.id = ANY($4))
      AND {_IS_DUE}
      AND NOT EXISTS (SELECT FROM billing_run_results x
                      WHERE x.company_id = $1 AND x.billing_run_id = $5 AND x.subscription_id = s.id
                        AND ($7 OR x.outcome IN ('skipped', 'refused')))
) d WHERE $3::uuid IS NULL OR d.payer_id > $3
GROUP BY d.payer_id ORDER BY d.payer_id LIMIT $6
"""
_COUNT_DUE: Final = f"""
SELECT count(*) FROM subscriptions s
WHERE s.company_id = $1 AND ($3::uuid[] IS NULL OR s.id = ANY($3))
  AND {_IS_DUE}
"""
_CUSTOMERS: Final = "SELECT id, customer_id FROM subscriptions WHERE company_id = $1 AND id = ANY($2)"

_UNFINISHED: Final = (
    f"SELECT {_COLUMNS} FROM billing_runs r WHERE r.company_id = $1 AND r.trigger = $2 AND r.as_of <= $3"
    " AND r.status IN ('queued', 'running') ORDER BY r.as_of, r.id"
)
_HAS_RUN: Final = "SELECT EXISTS (SELECT FROM billing_runs WHERE company_id = $1 AND trigger = $2 AND as_of = $3)"
_IS_ANY_DUE: Final = """
SELECT EXISTS (SELECT FROM subscriptions s WHERE s.company_id = $1 AND s.next_run_on <= $2)
    OR EXISTS (SELECT FROM late_usage l WHERE l.company_id = $1)
"""

_ORDERS: Final[Mapping[str, str]] = {"createdAt": "t.created_at"}
_RESULT_ORDERS: Final[Mapping[str, str]] = {"id": "t.id"}


async def get(context: Context, run_id: UUID) -> BillingRun:
    """One run. Raises `BILLING_RUN_NOT_FOUND`."""
    row = await context.connection.fetchrow(_GET, context.company_id, run_id)
    return _run(BILLING_RUN_NOT_FOUND.unless(row))


async def list_page(
    context: Context, request: PageRequest, trigger: BillingRunTrigger | None = None
) -> Page[BillingRun]:
    """A page of runs, of one trigger if that is given."""
    filters = Filter()
    if trigger is not None:
        filters.add("t.trigger = {}", trigger)
    page = await fetch_page(
        context, table="billing_runs", select=_LIST, filters=filters, order_by=_ORDERS, request=request
    )
    return Page([_run(row) for row in page.rows], page.total)


async def list_results(
    context: Context, run_id: BillingRunId, request: PageRequest, outcome: BillingOutcome | None = None
) -> Page[BillingResult]:
    """A page of a run's results, in the order in which they came, of one outcome if that is given."""
    filters = Filter()
    filters.add("t.billing_run_id = {}", run_id)
    if outcome is not None:
        filters.add("t.outcome = {}", outcome)
    page = await fetch_page(
        context,
        table="billing_run_results",
        select=_LIST_RESULTS,
        filters=filters,
        order_by=_RESULT_ORDERS,
        request=replace(request, sort_by="id", descending=False),
    )
    return Page([_result(row) for row in page.rows], page.total)


async def all_results(context: Context, run_id: BillingRunId) -> list[BillingResult]:
    """All results of a run, in the order in which they came."""
    return [_result(row) for row in await context.connection.fetch(_ALL_RESULTS, context.company_id, run_id)]


async def insert(context: Context, run: BillingRun) -> None:
    """Add a run."""
    await context.connection.execute(_INSERT, context.company_id, *rows.values(run))


async def begin(context: Context, run_id: BillingRunId) -> bool:
    """Note that a run is under way; False for one that is over."""
    status = await context.connection.execute(_BEGIN, context.company_id, run_id, context.now)
    return bool(status.endswith("1"))


async def end(
    context: Context, run_id: BillingRunId, status: BillingRunStatus, code: str | None, message: str | None
) -> bool:
    """End a run; False for one that is over."""
    done = await context.connection.execute(_END, context.company_id, run_id, status, code, message, context.now)
    return bool(done.endswith("1"))


async def add_results(context: Context, run_id: BillingRunId, results: Sequence[BillingResult], processed: int) -> None:
    """Add what came of so many subscriptions, and count it."""
    if results:
        await context.connection.execute(_INSERT_RESULTS, context.company_id, *rows.column_values(results))
    counts = [sum(one.outcome is outcome for one in results) for outcome in _COUNTED]
    await context.connection.execute(_COUNT, context.company_id, run_id, processed, *counts, context.now)


_COUNTED: Final = (
    BillingOutcome.INVOICED,
    BillingOutcome.CREDITED,
    BillingOutcome.SKIPPED,
    BillingOutcome.REFUSED,
)


async def due_payers(context: Context, run: BillingRun, after: UUID | None, limit: int) -> list[DuePayer]:
    """The next payers with subscriptions that a run has to look at."""
    found = await context.connection.fetch(
        _DUE, context.company_id, run.as_of, after, run.subscription_ids, run.id, limit, run.is_dry_run
    )
    return [DuePayer(row["payer_id"], row["ids"]) for row in found]


async def count_due(context: Context, run: BillingRun) -> int:
    """How many subscriptions a run has to look at, now."""
    count: int = await context.connection.fetchval(_COUNT_DUE, context.company_id, run.as_of, run.subscription_ids)
    return count


async def unfinished(context: Context, trigger: BillingRunTrigger, until: date) -> list[BillingRun]:
    """Runs of a trigger up to a day that are not over, the oldest day first."""
    return [_run(row) for row in await context.connection.fetch(_UNFINISHED, context.company_id, trigger, until)]


async def has_run(context: Context, trigger: BillingRunTrigger, as_of: date) -> bool:
    """Whether there is a run of a trigger for a day, over or not."""
    found: bool = await context.connection.fetchval(_HAS_RUN, context.company_id, trigger, as_of)
    return found


async def is_any_due(context: Context, day: date) -> bool:
    """Whether a run up to a day has to look at any subscription."""
    found: bool = await context.connection.fetchval(_IS_ANY_DUE, context.company_id, day)
    return found


async def customers_of(context: Context, subscription_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The customer of each subscription."""
    found = await context.connection.fetch(_CUSTOMERS, context.company_id, list(subscription_ids))
    return {row["id"]: row["customer_id"] for row in found}


def _run(row: asyncpg.Record) -> BillingRun:
    return BillingRun(
        **{**row, "status": BillingRunStatus(row["status"]), "trigger": BillingRunTrigger(row["trigger"])}
    )


def _result(row: asyncpg.Record) -> BillingResult:
    return BillingResult(**{**row, "outcome": BillingOutcome(row["outcome"])})
