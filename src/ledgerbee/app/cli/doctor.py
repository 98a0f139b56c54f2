"""`ledgerbee doctor`: everything an installation needs, looked at one by one, and what to do about what is wrong."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from ledgerbee.app.cli.options import AsJson, DataDir, embedded_dir, plain_errors, print_json, shown

if TYPE_CHECKING:
    from ledgerbee.app.config import Settings
    from ledgerbee.platform.db import Connection

OK, WARN, FAIL = "OK", "WARN", "FAIL"
#: Beside the embedded database: when `db backup` last wrote one.
LAST_BACKUP: Final = "last-backup"
_LITTLE_ROOM: Final = 2 * 1024**3
_NO_ROOM: Final = 200 * 1024**2
_BACKUP_AGE: Final = timedelta(days=2)
_CLOCK_OFF_S: Final = 5
_OVERDUE_S: Final = 300
_PATIENCE_S: Final = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found: `level` is OK, WARN or FAIL, `remedy` says what to do, empty when all is well."""

    check: str
    level: str
    text: str
    remedy: str = ""


def doctor(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Check settings, database, folders, mail, rates and jobs, and say what to do. Changes nothing.

    Exit status 1 if anything is FAIL; a WARN is for the operator to judge.
    """
    with plain_errors():
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

    from ledgerbee.app import logs
    from ledgerbee.app.config import Settings, refusals, unknown_variables
    from ledgerbee.platform import postgres

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
    if folder is None:
        assert settings.database_url is not None
        yield from asyncio.run(_database(settings, settings.database_url))
    elif postgres.status(folder).state is postgres.State.ABSENT:
        yield Finding("database", WARN, f"there is none in {folder} yet", "`ledgerbee serve` makes it.")
    else:
        yield from _folder(folder)
        try:
            with postgres.running(folder) as server:
                yield from asyncio.run(_database(settings, server.dsn()))
        except postgres.EmbeddedPostgresError as fault:
            yield Finding("database", FAIL, str(fault).splitlines()[0], "See the message, and startup.log beside it.")
        yield _last_backup(folder)
    yield from asyncio.run(_attachments(settings, folder))
    yield asyncio.run(_mail(settings))
    if settings.mail_from.endswith("@ledgerbee.localhost"):
        yield Finding(
            "sender", WARN, "mail leaves with the sender that ledgerbee ships with", "Set LEDGERBEE_MAIL_FROM."
        )
    yield asyncio.run(_feed(settings))
    yield _fonts(settings)


async def _database(settings: "Settings", url: str) -> list[Finding]:
    from ledgerbee.app.cli.reach import DatabaseUnusableError, check_logins, check_owner, connected

    try:
        if settings.database_url == url:
            await check_owner(url)
            await check_logins(settings, backs_up=True)
        async with connected(url, "DATABASE_URL") as connection:
            # The server's own word: the driver reads the second part of "15.18" as a patch level.
            version = await connection.fetchval("SHOW server_version")
            found = [Finding("database", OK, f"PostgreSQL {version} answers")]
            found += await _server(connection)
            found += await _roles(connection)
            found.append(await _schema(connection))
            if found[-1].level == OK:
                found += await _work(connection)
    except DatabaseUnusableError as fault:
        return [Finding("database", FAIL, str(fault), "Correct the variable that it names, or the server.")]
    return found


async def _server(connection: "Connection") -> list[Finding]:
    """The server's clock, and settings that decide whether what was committed is still there after a power cut."""
    from ledgerbee.core.dates import system_clock

    found = []
    off = abs((system_clock() - await connection.fetchval("SELECT clock_timestamp()")).total_seconds())
    level = OK if off < _CLOCK_OFF_S else WARN
    remedy = "" if level == OK else "Synchronise the clocks of both machines (NTP): days and expiry go by ours."
    found.append(Finding("clock", level, f"{off:.0f} seconds between this machine and the database", remedy))
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        value = await connection.fetchval("SELECT current_setting($1)", name)
        if value == "off":
            found.append(Finding("durability", FAIL, f"{name} is off: a power cut loses entries", f"Set {name} = on."))
    return found


async def _roles(connection: "Connection") -> list[Finding]:
    """What the program's roles may do or have set that this login could not take away."""
    from ledgerbee.platform.db import APPLICATION_ROLE, WORKER_ROLE

    roles = [APPLICATION_ROLE, WORKER_ROLE]
    name = await connection.fetchval("SELECT quote_ident(current_database())")
    found = []
    if await connection.fetchval(
        "SELECT bool_or(has_database_privilege(r.oid, current_database(), 'TEMP')) FROM pg_roles r"
        " WHERE r.rolname = ANY ($1)",
        roles,
    ):
        remedy = f"As the owner of the database: REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC, {', '.join(roles)};"
        text = "the program's roles may make temporary tables, which go before those of the ledger"
        found.append(Finding("roles", WARN, text, remedy))
    for role, settings in await connection.fetch(
        "SELECT r.rolname, array_to_string(s.setconfig, ', ') FROM pg_db_role_setting s"
        " JOIN pg_roles r ON r.oid = s.setrole WHERE r.rolname = ANY ($1)"
        " AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))",
        roles,
    ):
        remedy = f"If you have not set it: ALTER ROLE {role} RESET ALL; and the same IN DATABASE {name}."
        found.append(Finding("roles", WARN, f"{role} has settings of its own: {settings}", remedy))
    return found


async def _schema(connection: "Connection") -> Finding:
    from ledgerbee.platform.migrate import head_revision

    head = head_revision()
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return Finding("schema", WARN, "there are no tables yet", "`ledgerbee db migrate` makes them, as `serve` does.")
    version = await connection.fetchval("SELECT version_num FROM alembic_version")
    if version == head:
        return Finding("schema", OK, f"is this release's ({head})")
    if version is not None and version > head:
        return Finding("schema", FAIL, f"{version} is of a newer release than this ({head})", "Install that release.")
    return Finding(
        "schema", WARN, f"{version} is older than this release's ({head})", "Back up, then `ledgerbee db migrate`."
    )


async def _work(connection: "Connection") -> list[Finding]:
    """Whether somebody does the jobs, and whether exchange rates are new."""
    from ledgerbee.core.dates import system_clock
    from ledgerbee.platform.job_report import count_jobs
    from ledgerbee.platform.rates import store as rates
    from ledgerbee.platform.rates.rules import MOST_AGE_DAYS, age

    jobs = await count_jobs(connection)
    overdue = max((job.overdue.total_seconds() for job in jobs if job.state == "waiting"), default=0)
    held = sum(job.count for job in jobs if job.state == "held")
    waiting = sum(job.count for job in jobs if job.state == "waiting")
    found = []
    if overdue > _OVERDUE_S:
        remedy = "Start `ledgerbee serve` or `ledgerbee worker`; if one runs, see its log."
        found.append(Finding("worker", FAIL, f"a job has been due for {overdue:.0f} seconds: nobody works", remedy))
    else:
        found.append(Finding("worker", OK, f"{waiting} jobs wait, none for long"))
    if held:
        remedy = "`ledgerbee jobs list` says why, `ledgerbee jobs retry` runs them again."
        found.append(Finding("jobs", WARN, f"{held} jobs were given up", remedy))
    newest = await rates.newest_day(connection)
    if newest is None or age(newest, system_clock()) > MOST_AGE_DAYS:
        remedy = "`ledgerbee rates import FILE`, or see why the worker can't fetch them."
        found.append(Finding("rates", WARN, f"the newest exchange rates are of {newest or 'no day'}", remedy))
    else:
        found.append(Finding("rates", OK, f"the newest exchange rates are of {newest}"))
    return found


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


def _last_backup(folder: Path) -> Finding:
    from ledgerbee.core.dates import system_clock

    try:
        made = datetime.fromisoformat((folder.expanduser() / LAST_BACKUP).read_text().strip())
    except (OSError, ValueError):
        return Finding(
            "backup", WARN, "none was made yet", "`ledgerbee db backup FILE`, daily: docs/operations/backups.md"
        )
    old = system_clock() - made > _BACKUP_AGE
    remedy = "See why the timer of `ledgerbee db backup` does not run." if old else ""
    return Finding(
        "backup", WARN if old else OK, f"the last one was made at {made.isoformat(timespec='minutes')}", remedy
    )


async def _attachments(settings: "Settings", folder: Path | None) -> list[Finding]:
    """Write, read and remove a content, as a company that does not exist."""
    import hashlib

    from ledgerbee.app.blobs import blob_folder, blob_store
    from ledgerbee.core.errors import LedgerBeeError
    from ledgerbee.core.ids import new_id

    where = settings.attachments_bucket or str(blob_folder(settings, folder))
    content = f"ledgerbee doctor {new_id()}".encode()
    probe, digest = new_id(), hashlib.sha256(content).digest()
    try:
        store = blob_store(settings, folder)
        await store.put(probe, digest, content)
        same = await store.get(probe, digest) == content
        await store.delete(probe, digest)
    except (LedgerBeeError, OSError) as fault:
        text = f"{where} can't be written and read: {fault.__cause__ or fault}"
        return [Finding("attachments", FAIL, text, "Check LEDGERBEE_ATTACHMENTS_… and the rights there.")]
    level = OK if same else FAIL
    found = [
        Finding("attachments", level, f"{where} gives back what is written" if same else f"{where} changes content")
    ]
    if settings.attachments_bucket is None:
        place = blob_folder(settings, folder)
        _remove_empty(place / str(probe))
        found.append(_room(place))
    return found


def _remove_empty(folder: Path) -> None:
    for path in (*folder.glob("*"), folder):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


async def _mail(settings: "Settings") -> Finding:
    from urllib.parse import unquote, urlsplit

    import aiosmtplib

    if not settings.smtp_url:
        return Finding("mail", WARN, "no mail server is set: invoices sent by e-mail wait", "Set SMTP_URL.")
    server = urlsplit(settings.smtp_url)
    implicit = server.scheme == "smtps"
    place = f"{server.hostname}:{server.port or (465 if implicit else 587)}"
    client = aiosmtplib.SMTP(
        hostname=server.hostname or "127.0.0.1",
        port=server.port or (465 if implicit else 587),
        username=unquote(server.username) if server.username else None,
        password=unquote(server.password) if server.password else None,
        use_tls=implicit,
        start_tls=False if implicit else None,
        timeout=_PATIENCE_S,
    )
    try:
        async with client:
            await client.noop()
    except (aiosmtplib.SMTPException, OSError) as fault:
        text = f"the mail server {place} (SMTP_URL) does not let us in: {fault}"
        return Finding("mail", FAIL, text, "Check host, port, login and password.")
    return Finding("mail", OK, f"the mail server {place} lets us in")


async def _feed(settings: "Settings") -> Finding:
    import httpx

    from ledgerbee.platform.rates.feed import NINETY_DAYS

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
