"""What `ledgerbee doctor` looks at in the database."""

import socket
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ledgerbee.app.cli import store
from ledgerbee.app.cli.doctor_secrets import examine_keys
from ledgerbee.app.cli.findings import FAIL, OK, WARN, Finding

if TYPE_CHECKING:
    from ledgerbee.app.config import Settings
    from ledgerbee.platform.connection import Connection

_BACKUP_AGE: Final = timedelta(days=2)
_CLOCK_OFF_S: Final = 5
_OVERDUE_S: Final = 300


async def examine_database(settings: "Settings", url: str, folder: Path | None) -> list[Finding]:
    """Everything about the database at `url`: that of the settings, or the embedded one of the data folder `folder`."""
    from ledgerbee.app.cli.reach import DatabaseUnusableError, check_logins, check_owner, connected

    try:
        if folder is None:
            await check_owner(url)
            await check_logins(settings, backs_up=True)
        async with connected(url, "DATABASE_URL") as connection:
            found = [Finding("database", OK, f"PostgreSQL {await store.get_version(connection)} answers")]
            found += await _server(connection)
            found += await _roles(connection)
            found.append(await _schema(connection))
            if found[-1].level == OK:
                found.append(await _mark(connection, settings.cell))
                found += await _work(connection)
                found += await _last_backup(connection)
                found += examine_keys(settings, folder, await store.list_stored_secrets(connection))
            if folder is not None:
                found += await _leftovers(connection)
            found += await _belonging(connection, settings, folder)
    except DatabaseUnusableError as fault:
        return [Finding("database", FAIL, str(fault), "Correct the variable that it names, or the server.")]
    return found


async def _server(connection: "Connection") -> list[Finding]:
    """The server's clock, and settings that decide whether what was committed is still there after a power cut."""
    from ledgerbee.core.dates import system_clock

    found = []
    off = abs((system_clock() - await store.get_clock(connection)).total_seconds())
    level = OK if off < _CLOCK_OFF_S else WARN
    remedy = "" if level == OK else "Synchronise the clocks of both machines (NTP): days and expiry go by ours."
    found.append(Finding("clock", level, f"{off:.0f} seconds between this machine and the database", remedy))
    found += [
        Finding("durability", FAIL, f"{name} is off: a power cut loses entries", f"Set {name} = on.")
        for name in await store.list_settings_off(connection, ("fsync", "full_page_writes", "synchronous_commit"))
    ]
    return found


async def _roles(connection: "Connection") -> list[Finding]:
    """What the program's roles may do or have set that this login could not take away."""
    from ledgerbee.platform.db import APPLICATION_ROLE, WORKER_ROLE

    roles = [APPLICATION_ROLE, WORKER_ROLE]
    name = await store.get_database_name(connection)
    found = []
    if await store.may_use_temporary_tables(connection, roles):
        remedy = f"As the owner of the database: REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC, {', '.join(roles)};"
        text = "the program's roles may make temporary tables, which go before those of the ledger"
        found.append(Finding("roles", WARN, text, remedy))
    others = await store.find_other_databases(connection, roles)
    if others:
        remedy = f"If nobody needs it: REVOKE CONNECT ON DATABASE {others} FROM PUBLIC; (docs/operations/security.md)"
        text = f"the program's roles may log in to {others}, and see from there what sessions of ours run"
        found.append(Finding("other databases", WARN, text, remedy))
    for role, settings in await store.list_role_settings(connection, roles):
        remedy = f"If you have not set it: ALTER ROLE {role} RESET ALL; and the same IN DATABASE {name}."
        found.append(Finding("roles", WARN, f"{role} has settings of its own: {settings}", remedy))
    return found


async def _schema(connection: "Connection") -> Finding:
    from ledgerbee.migrations.migrate import head_revision

    head = head_revision()
    if not await store.has_revision(connection):
        return Finding("schema", WARN, "there are no tables yet", "`ledgerbee db migrate` makes them, as `serve` does.")
    version = await store.get_revision(connection)
    if version == head:
        return Finding("schema", OK, f"is this release's ({head})")
    if version is not None and version > head:
        return Finding("schema", FAIL, f"{version} is of a newer release than this ({head})", "Install that release.")
    return Finding(
        "schema", WARN, f"{version} is older than this release's ({head})", "Back up, then `ledgerbee db migrate`."
    )


async def _mark(connection: "Connection", cell: str) -> Finding:
    """Whether the database is of the cell that the settings say."""
    from ledgerbee.platform import cell_mark

    mark = await cell_mark.find(connection)
    if mark is None:
        return Finding(
            "mark", WARN, "it has none yet", f"`ledgerbee db migrate` gives it {cell}, as LEDGERBEE_CELL says."
        )
    try:
        cell_mark.check_found(mark, cell)
    except cell_mark.WrongDatabaseError as fault:
        return Finding("mark", FAIL, str(fault), "Nothing else works with it until then.")
    return Finding("mark", OK, f"is {mark}, as LEDGERBEE_CELL says")


async def _work(connection: "Connection") -> list[Finding]:
    """Whether somebody does the jobs, and whether exchange rates are new."""
    from ledgerbee.core.dates import system_clock
    from ledgerbee.platform.job_report import count_jobs
    from ledgerbee.tenancy.rates import store as rates
    from ledgerbee.tenancy.rates.rules import MOST_AGE_DAYS, age

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


async def _last_backup(connection: "Connection") -> list[Finding]:
    from ledgerbee.core.dates import system_clock

    backup = await store.find_last_backup(connection)
    if backup is None:
        remedy = "`ledgerbee db backup FILE`, daily: docs/operations/backups.md"
        return [Finding("backup", WARN, "none was made yet", remedy)]
    made = backup.made_at.isoformat(timespec="minutes")
    text = f"the last one was made at {made} on {backup.host}: {backup.path} ({backup.size_bytes:,} bytes)"
    if system_clock() - backup.made_at > _BACKUP_AGE:
        found = Finding("backup", WARN, text, "See why the timer of `ledgerbee db backup` does not run.")
    else:
        found = Finding("backup", OK, text)
    return [found, *(_parts_beside(Path(backup.path)) if backup.host == socket.gethostname() else [])]


def _parts_beside(backup: Path) -> list[Finding]:
    """What backups that were killed have left beside the last one."""
    from ledgerbee.embedded import left_in

    left = left_in(backup.parent)
    if not left:
        return []
    names = ", ".join(f"{path} ({size // 1024**2:,} MiB)" for path, size in left.items())
    return [
        Finding(
            "backup",
            WARN,
            f"a backup that did not come to its end has left {names}",
            "The next `ledgerbee db backup` into that folder removes it; or remove it yourself.",
        )
    ]


async def _leftovers(connection: "Connection") -> list[Finding]:
    """Databases that a killed restore has left on the embedded server. At one that is under way somebody works."""
    from ledgerbee.embedded import LEFTOVER_DATABASES

    databases = await store.list_unused_databases(connection, LEFTOVER_DATABASES)
    if not databases:
        return []
    names = ", ".join(f"{one.name} ({one.size // 1024**2:,} MiB)" for one in databases)
    drop = " ".join(f"DROP DATABASE {one.name};" for one in databases)
    remedy = f"The next `ledgerbee db restore` drops them; or in `ledgerbee db psql`: {drop}"
    return [Finding("restore", WARN, f"a restore that did not come to its end has left databases: {names}", remedy)]


async def _belonging(connection: "Connection", settings: "Settings", folder: Path | None) -> list[Finding]:
    """Whether the folder of attached files is this database's."""
    from ledgerbee.app.blobs import blob_folder
    from ledgerbee.platform.blobs import marker

    if settings.attachments_bucket is not None:
        return []
    try:
        marker.check(blob_folder(settings, folder), await marker.identity_of(connection))
    except marker.FolderTakenError as fault:
        return [
            Finding("attachments", FAIL, str(fault), "Two databases that share a folder remove each other's files.")
        ]
    except OSError:
        return []  # reported by whoever writes and reads there
    return []
