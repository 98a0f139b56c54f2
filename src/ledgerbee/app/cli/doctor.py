"""`ledgerbee doctor`: everything an installation needs, looked at one by one, and what to do about what is wrong."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from ledgerbee.app.cli.doctor_secrets import examine_targets
from ledgerbee.app.cli.findings import FAIL, OK, WARN, Finding
from ledgerbee.app.cli.options import AsJson, DataDir, embedded_dir, print_json, shown

if TYPE_CHECKING:
    from ledgerbee.app.cells import FurtherCell
    from ledgerbee.app.config import Settings
    from ledgerbee.platform.blobs.store import BlobStore

_LITTLE_ROOM: Final = 2 * 1024**3
_NO_ROOM: Final = 200 * 1024**2
_PATIENCE_S: Final = 10
#: What the embedded database has to start, or to end: longer than it takes after a crash, and short for who waits.
_START_PATIENCE_S: Final = 60.0


def doctor(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Check settings, database, folders, mail, rates and jobs, and say what to do. Changes nothing.

    Exit status 1 if anything is FAIL; a WARN is for the operator to judge.
    """
    findings = list(_examine(data_dir))
    failed = any(finding.level == FAIL for finding in findings)
    if as_json:
        rows = [{name: getattr(found, name) for name in ("check", "level", "text", "remedy")} for found in findings]
        print_json({"passed": not failed, "checks": rows})
    else:
        for finding in findings:
            typer.echo(f"{finding.level:<5} {finding.check}: {shown(finding.text, 1_000)}")
            if finding.remedy:
                typer.echo(f"      -> {shown(finding.remedy, 1_000)}")
    if failed:
        raise typer.Exit(1)


def _examine(data_dir: Path | None) -> Iterator[Finding]:
    import asyncio

    from pydantic import ValidationError

    from ledgerbee import embedded as postgres
    from ledgerbee.app.cli.doctor_database import examine_database
    from ledgerbee.app.config import Settings, refusals, unknown_variables
    from ledgerbee.platform import logs

    for name, nearest in unknown_variables(os.environ):
        remedy = f"Did you mean {nearest}?" if nearest else "Remove it."
        yield Finding("settings", WARN, f"{name} is no setting and is ignored", remedy)
    try:
        settings = Settings()
    except ValidationError as fault:
        for line in refusals(fault):
            yield Finding("settings", FAIL, line, "Correct the variable: docs/operations/configuration.md")
        return
    yield Finding("settings", OK, "all can be used")
    logs.configure("ERROR")
    folder = embedded_dir(data_dir, settings)
    found: list[Finding] = []
    if folder is None:
        assert settings.database_url is not None
        found = asyncio.run(examine_database(settings, settings.database_url, None))
    elif postgres.status(folder).state is postgres.State.ABSENT:
        yield Finding("database", WARN, f"there is none in {folder} yet", "`ledgerbee serve` makes it.")
    else:
        yield from _folder(folder)
        try:
            with postgres.running(folder, patience=_START_PATIENCE_S) as server:
                found = asyncio.run(examine_database(settings, server.dsn(), folder))
        except postgres.EmbeddedPostgresError as fault:
            text, *log = str(fault).splitlines()
            last = next((line for line in reversed(log) if "PANIC:" in line or "FATAL:" in line), (log or [""])[-1])
            text = f"{text} {last.strip()}".strip()
            logs_are = f"{folder / 'startup.log'} and {folder / 'postgres' / 'log'}"
            yield Finding("database", FAIL, text, f"See its logs: {logs_are}.")
    yield from found
    if all(finding.check != "attachments" for finding in found):  # in another database's folder nothing is tried
        yield from asyncio.run(_attachments(settings, folder))
    yield from asyncio.run(_cells(settings, folder))
    yield asyncio.run(_mail(settings))
    yield from examine_targets(settings)
    if settings.mail_from.endswith("@ledgerbee.localhost"):
        yield Finding(
            "sender", WARN, "mail leaves with the sender that ledgerbee ships with", "Set LEDGERBEE_MAIL_FROM."
        )
    yield asyncio.run(_feed(settings))
    yield _fonts(settings)


def _folder(folder: Path) -> Iterator[Finding]:
    path = folder.expanduser().absolute()
    mode = path.stat().st_mode & 0o777
    if mode & 0o022:
        yield Finding("data folder", FAIL, f"others may write to {path} (mode {mode:o})", f"chmod go-w {path}")
    elif not os.access(path, os.W_OK):
        yield Finding("data folder", FAIL, f"this account may not write to {path}", "Run as the account that owns it.")
    else:
        yield Finding("data folder", OK, f"{path} is this account's to write")
    yield _room(path)


def _room(path: Path) -> Finding:
    existing = next(step for step in (path, *path.parents) if step.exists())
    free = shutil.disk_usage(existing).free
    level = FAIL if free < _NO_ROOM else WARN if free < _LITTLE_ROOM else OK
    return Finding(
        "disk", level, f"{free // 1024**2:,} MiB are free for {path}", "" if level == OK else "Make room there."
    )


async def _attachments(settings: "Settings", folder: Path | None) -> list[Finding]:
    """Write, read and remove a content, as a company that does not exist."""
    from ledgerbee.app.blobs import blob_folder, blob_store

    where = settings.attachments_bucket or str(blob_folder(settings, folder))
    wrong = await _try_out(lambda: blob_store(settings, folder))
    if wrong is not None:
        remedy = "Check LEDGERBEE_ATTACHMENTS_… and the rights there."
        return [Finding("attachments", FAIL, f"{where} {wrong}", remedy)]
    found = [Finding("attachments", OK, f"{where} gives back what is written")]
    if settings.attachments_bucket is None:
        found.append(_room(blob_folder(settings, folder)))
    return found


async def _try_out(open_store: "Callable[[], BlobStore]") -> str | None:
    """What is wrong with a store of attached files; None when it gives back what is written."""
    import hashlib

    from ledgerbee.core.errors import LedgerBeeError
    from ledgerbee.core.ids import new_id
    from ledgerbee.platform.blobs.store import Folder

    content = f"ledgerbee doctor {new_id()}".encode()
    probe, digest = new_id(), hashlib.sha256(content).digest()
    try:
        store = open_store()
        await store.put(probe, digest, content)
        same = await store.get(probe, digest) == content
        await store.delete(probe, digest)
    except (LedgerBeeError, OSError) as fault:
        return f"can't be written and read: {fault.__cause__ or fault}"
    if isinstance(store, Folder):
        _remove_empty(store.path / str(probe))
    return None if same else "changes content"


async def _cells(settings: "Settings", folder: Path | None) -> list[Finding]:
    """A line for each further cell."""
    import asyncio

    from ledgerbee.app.blobs import blob_folder
    from ledgerbee.app.cells import further_cells

    return await asyncio.gather(*(_cell(cell) for cell in further_cells(settings, blob_folder(settings, folder))))


async def _cell(cell: "FurtherCell") -> Finding:
    from ledgerbee.app.cli.cells import version_of
    from ledgerbee.app.cli.reach import DatabaseUnusableError
    from ledgerbee.platform.blobs.store import Folder

    check, folder = f"cell {cell.mark}", cell.folder
    try:
        version = await version_of(cell, claim=False)
    except DatabaseUnusableError as fault:
        return Finding(check, FAIL, str(fault), "Correct what it names: its companies get 503 until then.")
    wrong = None if folder is None else await _try_out(lambda: Folder(folder))
    if wrong is not None:
        return Finding(check, FAIL, f"{folder} {wrong}", "Check its attachments_dir and the rights there.")
    files = "" if folder is None else f", and {folder} gives back what is written"
    return Finding(check, OK, f"PostgreSQL {version} answers, with this schema, this mark and the API's role{files}")


def _remove_empty(folder: Path) -> None:
    for path in (*folder.glob("*"), folder):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


async def _mail(settings: "Settings") -> Finding:
    from urllib.parse import urlsplit

    from ledgerbee.platform.mail import Mailer, MailFailedError

    if not settings.smtp_url:
        return Finding("mail", WARN, "no mail server is set: invoices sent by e-mail wait", "Set SMTP_URL.")
    try:
        place = await Mailer(settings.smtp_url, settings.mail_from).check()
    except MailFailedError as fault:
        text = f"the mail server {urlsplit(settings.smtp_url).hostname} (SMTP_URL) does not let us in: {fault}"
        return Finding("mail", FAIL, text, "Check host, port, login and password.")
    return Finding("mail", OK, f"the mail server {place} lets us in")


async def _feed(settings: "Settings") -> Finding:
    import httpx

    from ledgerbee.tenancy.rates.feed import NINETY_DAYS

    if not settings.rates_fetch:
        return Finding("rates feed", OK, "exchange rates are not fetched, as LEDGERBEE_RATES_FETCH says")
    address = httpx.URL(settings.rates_url or NINETY_DAYS)
    try:
        async with httpx.AsyncClient(timeout=_PATIENCE_S) as client, client.stream("GET", address) as answer:
            status = answer.status_code
    except (httpx.HTTPError, OSError) as fault:
        text = f"{address.host} can't be reached: {fault or type(fault).__name__}"
        return Finding("rates feed", WARN, text, "Open the way there (HTTPS_PROXY), or `ledgerbee rates import FILE`.")
    level = OK if status < 400 else WARN
    return Finding(
        "rates feed", level, f"{address.host} answers {status}", "" if level == OK else "Check LEDGERBEE_RATES_URL."
    )


def _fonts(settings: "Settings") -> Finding:
    from importlib.resources import files

    shipped = sum(
        entry.name.endswith((".ttf", ".otf")) for entry in (files("ledgerbee.sales.rendering") / "fonts").iterdir()
    )
    if not shipped:
        return Finding("fonts", FAIL, "the shipped fonts are missing", "Install ledgerbee again.")
    if settings.fonts_dir is None:
        return Finding("fonts", OK, f"{shipped} shipped font files")
    own = sum(path.suffix.lower() in {".ttf", ".otf", ".ttc"} for path in settings.fonts_dir.rglob("*"))
    level = OK if own else WARN
    remedy = "" if own else "Put TrueType or OpenType files there."
    return Finding("fonts", level, f"{shipped} shipped font files, {own} in {settings.fonts_dir}", remedy)
