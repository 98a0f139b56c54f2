"""`ledgerbee billing`: billing runs, carried out here and now by the same code as the worker's."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import typer

from ledgerbee.app.cli.options import AsJson, CompanyOption, DataDir, fail, note, print_json

if TYPE_CHECKING:
    from ledgerbee.app.database_access import Access
    from ledgerbee.billing.runs.model import BillingResult, BillingRun

    #: Told how many subscriptions there are, and then how many more were looked at.
    Progress = Callable[[int | None, int], None]

#: Results that are printed of each outcome; all can be read over the API.
_SHOWN: Final = 20
#: When the worker resumes a run that this command has not ended. A dry run, whose results two would both add, it takes
#: up only when the command is surely gone.
_RESUMED_AFTER: Final = timedelta(minutes=10)
_DRY_RUN_RESUMED_AFTER: Final = timedelta(days=1)

app = typer.Typer(no_args_is_help=True, help="Bill subscriptions.")


@app.callback()
def billing() -> None:
    """Bill subscriptions."""


@app.command("run")
def run(
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DATE", help="Bill what is due on or before this day, YYYY-MM-DD; today."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what the run would do.")] = False,
    confirm_catch_up: Annotated[
        bool, typer.Option("--confirm-catch-up", help="Bill subscriptions with more than 24 due periods too.")
    ] = False,
    company: CompanyOption = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Bill everything that is due; nothing is billed twice.

    A run that is interrupted is resumed by the worker: ten minutes later, a dry run a day later. Ends with 1 where
    something was refused.
    """
    import uvloop

    from ledgerbee.app.cli.session import access, the_company

    asked = _Asked(_day(as_of), dry_run, confirm_catch_up)
    progress = _quiet if as_json else _bar()
    with access(data_dir) as found:
        company_id = the_company(found, company)
        done, results = uvloop.run(_carry_out(found, company_id, asked, progress))
    if as_json:
        from ledgerbee.billing.runs.wire import render, render_result

        listed = [render_result(one).model_dump(mode="json", by_alias=True) for one in results]
        print_json({**render(done).model_dump(mode="json", by_alias=True), "results": listed})
    else:
        _print_outcome(done, results)
    if done.refused or done.code:
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The options of a run."""

    as_of: date | None
    is_dry_run: bool
    confirms_catch_up: bool


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:  # `fromisoformat` takes weeks, too
        fail(f"--as-of is a day, YYYY-MM-DD: {text!r} is none.")
    return day


async def _carry_out(
    found: "Access", company_id: UUID, asked: _Asked, progress: "Progress"
) -> "tuple[BillingRun, list[BillingResult]]":
    """Start a run as the operator of a company and carry it out: the run, and all its results."""
    from ledgerbee.app.database_access import OPERATOR
    from ledgerbee.app.process import freeze_gc
    from ledgerbee.billing.runs import actions, store
    from ledgerbee.billing.runs.model import BillingRunTrigger
    from ledgerbee.billing.runs.process import process
    from ledgerbee.core.dates import system_clock
    from ledgerbee.core.ids import new_id
    from ledgerbee.platform.context import Context
    from ledgerbee.platform.db import CompanySession
    from ledgerbee.platform.jobs import company_tenant

    async def start(context: Context) -> tuple["BillingRun", int]:
        started = await actions.start(
            context,
            as_of=asked.as_of or context.today,
            trigger=BillingRunTrigger.REQUESTED,
            is_dry_run=asked.is_dry_run,
            confirms_catch_up=asked.confirms_catch_up,
            delay=_DRY_RUN_RESUMED_AFTER if asked.is_dry_run else _RESUMED_AFTER,
        )
        return started, await store.count_due(context, started)

    async with found.open() as database:
        tenant = await company_tenant(database, company_id, new_id().hex, system_clock(), OPERATOR)
        session = CompanySession(database, system_clock, tenant)
        started, due = await session.write(start)
        freeze_gc()
        progress(due, 0)
        done = await process(session, started, lambda more: progress(None, more))
        return done, await session.read(lambda context: store.all_results(context, done.id))


def _quiet(_: int | None, __: int) -> None:
    """No progress is shown."""


def _bar() -> "Progress":
    """A progress bar on a terminal; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        return _quiet
    columns = (TextColumn("subscriptions"), MofNCompleteColumn(), BarColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console, transient=True)
    task = bar.add_task("")
    state = {"due": 0, "done": 0}

    def show(due: int | None, more: int) -> None:
        if due is not None:
            state["due"] = due
            bar.start()
        state["done"] += more
        bar.update(task, total=max(state["due"], state["done"]), completed=state["done"])
        if state["done"] >= state["due"]:
            bar.stop()

    return show


def _print_outcome(done: "BillingRun", results: "list[BillingResult]") -> None:
    named = [one for one in results if one.code is not None]
    for one in named[:_SHOWN]:
        note(f"subscription {one.subscription_id}: {one.outcome.value}: {one.message or one.code} ({one.code})")
    if len(named) > _SHOWN:
        note(f"... and {len(named) - _SHOWN} more: GET /v1/billing-runs/{done.id}")
    if done.code:
        fail(f"{done.message} ({done.code})")
    made = "would be made" if done.is_dry_run else "made"
    counts = ((done.invoices, "invoice"), (done.credit_notes, "credit note"))
    words = " and ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in counts)
    typer.echo(f"{words} {made}, {done.skipped} skipped, {done.refused} refused (run {done.id})")
