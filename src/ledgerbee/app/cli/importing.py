"""`ledgerbee import`: files of entries, posted here and now by the same code as the worker's."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

import typer

from ledgerbee.app.cli.options import AsJson, CompanyOption, DataDir, a_file, fail, note, print_json

if TYPE_CHECKING:
    from ledgerbee.app.database_access import Access
    from ledgerbee.ledger.imports.model import CsvOptions, JournalImport, Refusal
    from ledgerbee.ledger.imports.run import Begun, Progress
    from ledgerbee.platform.db import CompanySession

    #: Begins an import, or finds the one to go on with.
    Begin = Callable[[CompanySession], Awaitable[Begun]]

app = typer.Typer(no_args_is_help=True, help="Import journal entries from files of any length.")

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", parser=a_file, help="The file.")]
Again = Annotated[bool, typer.Option("--again", help="Import it although the same file was imported before.")]
OpenFiscalYears = Annotated[bool, typer.Option("--open-fiscal-years", help="Open the financial years that it needs.")]

Encoding = Annotated[str | None, typer.Option(help="utf-8 or windows-1252. Default: UTF-8, and nothing else in it.")]
DecimalMark = Annotated[str | None, typer.Option(help="What stands before decimals: a comma or a point.")]
DateFormat = Annotated[str | None, typer.Option(help="How dates are written, such as DD/MM/YYYY.")]
RateUnits = Annotated[int | None, typer.Option(help="Units that an exchange rate is the price of: 1 or 100.")]

#: Errors that are printed; all can be read over the API.
_SHOWN: Final = 20


@app.command("csv")
def import_csv(  # noqa: PLR0913, PLR0917  each argument is an option of the command
    file: FileArgument,
    company: CompanyOption = None,
    again: Again = False,
    encoding: Encoding = None,
    decimal_mark: DecimalMark = None,
    date_format: DateFormat = None,
    rate_units: RateUnits = None,
    open_fiscal_years: OpenFiscalYears = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Import CSV: a line of an entry a row, rows with the same value in `entry` are one entry.

    Encoding, decimal mark and order of dates are taken from all of the file; options say what it leaves open.
    """
    options = _csv_options(encoding, decimal_mark, date_format, rate_units)
    begin = begin_file(file, "csv", csv_options=options, again=again, open_fiscal_years=open_fiscal_years)
    _import(begin, company, data_dir, as_json=as_json)


@app.command("jsonl")
def import_jsonl(
    file: FileArgument,
    company: CompanyOption = None,
    again: Again = False,
    open_fiscal_years: OpenFiscalYears = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Import JSON Lines: an entry a line, as `POST /v2/journal-entries` takes it, with numbers for ids."""
    begin = begin_file(file, "jsonl", again=again, open_fiscal_years=open_fiscal_years)
    _import(begin, company, data_dir, as_json=as_json)


@app.command("beancount")
def import_beancount(
    file: FileArgument,
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--map", parser=a_file, metavar="FILE", help="Lines `Assets:Bank = 6480`: accounts that are there."
        ),
    ] = None,
    timeout: Annotated[
        int, typer.Option("--timeout", min=1, max=86_400, help="Seconds that Beancount's tools may take.")
    ] = 120,
    company: CompanyOption = None,
    again: Again = False,
    open_fiscal_years: Annotated[bool, typer.Option(help="Open the financial years that the books need.")] = True,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Import Beancount books with all that they include; accounts that are not mapped are made under their names.

    Beancount's own tools (`pip install 'ledgerbee[beancount]'`) read the books and run what plug-ins they name.
    """
    from ledgerbee.app.beancount.importing import begin_import

    numbers = _numbers(mapping) if mapping is not None else {}
    _import(
        lambda session: begin_import(
            session, file, numbers, seconds=timeout, again=again, open_fiscal_years=open_fiscal_years
        ),
        company,
        data_dir,
        as_json=as_json,
    )


def _import(begin: "Begin", company: UUID | None, data_dir: Path | None, *, as_json: bool) -> None:
    """Carry out the import that `begin` begins, and print what came of it."""
    import uvloop

    from ledgerbee.app.cli.session import access, the_company

    progress = _quiet if as_json else _bar()
    with access(data_dir) as found:
        company_id = the_company(found, company)
        done, errors, places = uvloop.run(carry_out(found, company_id, begin, progress))
    if as_json:
        from ledgerbee.ledger.imports.wire import render, render_error

        listed = [render_error(error).model_dump(mode="json", by_alias=True) for error in errors]
        for error in listed if places else ():
            error["place"] = places[error["line"] - 1]
        print_json({**render(done).model_dump(mode="json", by_alias=True), "errors": listed})
    else:
        _print_outcome(done, errors, places)
    if done.error_count or done.failure:
        raise typer.Exit(1)


def _csv_options(
    encoding: str | None, decimal_mark: str | None, date_format: str | None, rate_units: int | None
) -> "CsvOptions":
    import re

    from ledgerbee.ledger.imports.formats.dates import DATE_FORMAT
    from ledgerbee.ledger.imports.model import CsvOptions

    if encoding not in {None, "utf-8", "windows-1252"}:
        fail("--encoding is utf-8 or windows-1252.")
    if decimal_mark not in {None, ",", "."}:
        fail("--decimal-mark is a comma or a point.")
    if date_format is not None and not re.fullmatch(DATE_FORMAT, date_format):
        fail("--date-format is DD, MM and YYYY (or YY) with -, . or / between them, or nothing: DD/MM/YYYY.")
    if rate_units not in {None, 1, 100}:
        fail("--rate-units is 1 or 100.")
    return CsvOptions(encoding, decimal_mark, date_format, rate_units)


def _quiet(_: object) -> None:
    """No progress is shown."""


def begin_file(
    file: Path,
    format_name: str,
    *,
    csv_options: "CsvOptions | None" = None,
    again: bool = False,
    open_fiscal_years: bool = False,
) -> "Begin":
    """How the import of a file (`csv`, `jsonl`) begins.

    It raises `JOURNAL_IMPORT_REPEATED` for a file that was imported before (unless `again`).
    """
    from ledgerbee.ledger.imports import actions, entered, run, source
    from ledgerbee.ledger.imports.model import NOTHING_SAID, FileToImport, ImportFormat

    if not file.is_file():  # it is read more than once
        fail(f"{file} is not a regular file: save what it gives in one.")
    given = FileToImport(ImportFormat(format_name), file.name, csv_options or NOTHING_SAID, open_fiscal_years)

    async def begin(session: "CompanySession") -> "Begun":
        digest, length = await _digest(file)
        begun = await session.write(lambda context: actions.begin_here(context, given, digest, length, again=again))
        return run.Begun(begun.id, lambda state: entered.rows_of(session, state, source.File(file)))

    return begin


async def carry_out(
    found: "Access", company_id: UUID, begin: "Begin", progress: "Progress" = _quiet
) -> "tuple[JournalImport, list[Refusal], Sequence[str]]":
    """Carry an import out as the operator of a company: the import, its first errors, and where its lines come from.

    Raises what `begin` and `run.carry_out` raise. Whatever nobody foresaw ends the import as failed.
    """
    from ledgerbee.app.database_access import OPERATOR
    from ledgerbee.app.process import freeze_gc
    from ledgerbee.core.dates import system_clock
    from ledgerbee.core.errors import LedgerBeeError
    from ledgerbee.core.ids import new_id
    from ledgerbee.core.paging import PageRequest
    from ledgerbee.ledger.imports import run, store
    from ledgerbee.platform.db import CompanySession
    from ledgerbee.platform.jobs import company_tenant

    async with found.open() as database:
        tenant = await company_tenant(database, company_id, new_id().hex, system_clock(), OPERATOR)
        session = CompanySession(database, system_clock, tenant)
        begun = await begin(session)
        freeze_gc()
        try:
            done = await run.carry_out(session, begun.import_id, begun.rows_of, progress=progress)
        except LedgerBeeError:
            raise  # it can be gone on with
        except Exception as fault:  # noqa: BLE001  reported, and the import ended with it
            note(f"unforeseen, request {tenant.request_id}: {type(fault).__name__}: {fault}")
            done = await run.end_unforeseen(session, begun.import_id, "an unforeseen error stopped it once")
        errors = await session.read(lambda context: store.list_errors(context, done.id, PageRequest(limit=100)))
        return done, list(errors.rows), begun.places


async def _digest(file: Path) -> tuple[bytes, int]:
    """The digest that distinguishes the import from others, and the file's length."""
    from ledgerbee.ledger.imports import source

    digest, length = hashlib.sha256(), 0
    async for block in source.File(file).blocks(0):
        digest.update(block)
        length += len(block)
    return digest.digest(), length


def _numbers(mapping: Path) -> dict[str, int]:
    """The account numbers of a mapping file: lines `name = number`; empty ones and comments (`#`) are passed over."""
    found: dict[str, int] = {}
    for number, line in enumerate(mapping.read_text("utf-8", "replace").splitlines(), 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        name, sign, value = (part.strip() for part in text.partition("="))
        if not sign or not value.isdecimal():
            fail(f"{mapping}, line {number}: `name = account number` expected.")
        found[name] = int(value)
    return found


def _bar() -> "Callable[[JournalImport], None]":
    """A progress bar on a terminal; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        return _quiet
    columns = (TextColumn("{task.fields[posted]} entries"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console)
    task = bar.add_task("", posted=0)

    def show(state: "JournalImport") -> None:
        bar.start()
        bar.update(task, total=state.bytes_total, completed=state.place.bytes_read, posted=state.entries_posted)
        if state.is_over:
            bar.stop()

    return show


def _print_outcome(done: "JournalImport", errors: "list[Refusal]", places: Sequence[str]) -> None:
    for error in errors[:_SHOWN]:
        place = f" {error.property}" if error.property else ""
        line = places[error.line - 1] if places else f"line {error.line}"
        note(f"{line}{place}: {error.message} ({error.code})")
    if done.error_count > _SHOWN:
        note(f"... and {done.error_count - _SHOWN} more: GET /v2/journal-entries/import/{done.id}/errors")
    if done.failure:
        fail(done.failure)
    entries = "1 entry" if done.entries_posted == 1 else f"{done.entries_posted} entries"
    refused = "1 error" if done.error_count == 1 else f"{done.error_count} errors"
    typer.echo(f"{entries} posted, {refused} (import {done.id})")
    for name, value in (done.summary or {}).items():
        typer.echo(f"{name}: {_plain(value)}")


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {number}" for name, number in value.items()) or "none"
    return str(value)
