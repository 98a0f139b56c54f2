"""The command line's refusals and results where no `serve` is needed."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from uuid import UUID

from tests import patient
from tests.runtime.conftest import SMTP_PASSWORD, Made
from tests.runtime.processes import PROGRAM, Program, Served, cli, cli_json, environment, refusal, wait_for

from ledgerbee import __version__
from ledgerbee.core.dates import system_clock
from ledgerbee.platform.db import Database
from ledgerbee.platform.jobs import SYSTEM, company_tenant
from ledgerbee.tenancy.clocks import store as clocks


def loaded(statement: str) -> set[str]:
    """The modules that a statement loads in a new process."""
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport json, sys; print(json.dumps(list(sys.modules)))"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout))


def test_a_start_loads_only_what_it_needs() -> None:
    """Half a second each on every start, of every process: Alembic with SQLAlchemy, the job queue, FastAPI, Typst."""
    api = loaded("import ledgerbee.app.main")
    assert not {"alembic", "sqlalchemy", "pgqueuer", "typer", "currency_converter"} & api
    worker = loaded("import ledgerbee.app.worker_process")
    assert not {"alembic", "sqlalchemy", "fastapi", "uvicorn", "typer"} & worker
    commands = loaded("import ledgerbee.app.cli.commands")
    assert not {"asyncpg", "fastapi", "pydantic", "pgqueuer", "structlog", "alembic", "rich"} & commands
    supervisor = loaded("import ledgerbee.app.cli.serving")  # and all that a command needs beside its own work
    assert not {"alembic", "sqlalchemy", "fastapi", "babel"} & supervisor


def test_the_version_is_one_line() -> None:
    done = cli("version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{__version__}\n", "")


def test_status_of_a_folder_that_is_not_there_makes_nothing(own_folder: Path) -> None:
    status = cli_json("db", "status", "--data-dir", own_folder / "none")
    assert status == {"state": "absent", "version": None, "sizeBytes": 0, "dataDir": str(own_folder / "none")}
    assert not (own_folder / "none").exists()


def test_settings_that_cannot_be_used_are_named_without_their_value() -> None:
    variables = {
        "DATABASE_URL": f"postgresql://owner:{SMTP_PASSWORD}#1@localhost/books",
        "SMTP_URL": f"smtp://mailer:{SMTP_PASSWORD}/1@mail.example:25",
        "LEDGERBEE_POOL_SIZE": "many",
        "LEDGERBEE_FONTS_DIR": "/nowhere/to/be/found",
        "LEDGERBEE_LOG_LEVEL": "loud",
    }
    said = refusal("company", "list", "--json", **variables)
    mail_server = "must be smtp://user:password@host:port, smtp+starttls://… or smtps://…"
    assert SMTP_PASSWORD not in said
    assert said.splitlines() == [
        "The environment has values that can't be used.",
        "DATABASE_URL: must be postgresql://user:password@host:port/name, special characters percent-encoded",
        "LEDGERBEE_POOL_SIZE: Input should be a valid integer, unable to parse string as an integer",
        f"SMTP_URL: {mail_server}, special characters percent-encoded",
        "LEDGERBEE_FONTS_DIR: Path does not point to a directory",
        "LEDGERBEE_LOG_LEVEL: Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'",
    ]


def test_what_does_not_exist_is_told(served: Served, made: Made) -> None:
    at = ("--data-dir", made.data_dir)
    nobody = "0195d0a0-0000-7000-8000-000000000000"
    assert refusal("api-key", "create", "--company", nobody, "--scopes", "all", *at) == f"There is no company {nobody}."
    said = refusal("api-key", "create", "--company", made.company, "--scopes", "everything", "--json", *at)
    assert said == "scopes.0 must be a known scope"
    said = refusal("company", "create", "--name", "Nowhere", "--country", "XX", "--json", *at)
    assert "country" in said
    said = refusal("company", "create", "--name", "Nowhere", "--country", "DK", "--fiscal-year-start", "2026-1-1", *at)
    assert said == "fiscalYearStart must be a valid date, YYYY-MM-DD"
    year = ("--fiscal-year-start", "2026-01-01", "--fiscal-year-end", "2027-12-31")
    said = refusal("company", "create", "--name", "Nowhere", "--country", "DK", *year, *at)
    assert said == "fiscalYearEnd must be 6 to 18 months after fiscalYearStart, it is 24"
    misspelt = cli("api-key", "create", "--company", "nobody", "--scopes", "all", *at)
    assert (misspelt.returncode, misspelt.stdout) == (2, "")
    assert "--company" in misspelt.stderr
    assert "valid UUID" in misspelt.stderr


async def test_a_sandbox_is_made_by_a_command(database: Database, database_url: str) -> None:
    options = ("--name", "Prøve ApS", "--country", "DK", "--sandbox")
    created = cli_json("company", "create", *options, DATABASE_URL=database_url)
    assert created == {"id": created["id"], "name": "Prøve ApS", "isSandbox": True}
    tenant = await company_tenant(database, UUID(created["id"]), "test", system_clock(), SYSTEM)
    assert (tenant.is_sandbox, tenant.clock_offset) == (True, 0)
    assert (await database.run(tenant, system_clock(), clocks.get)).status == "idle"


def test_the_development_mailbox_takes_mail_and_shows_it(tmp_path: Path) -> None:
    """On the loopback, as it says where; `mail test` goes there."""
    program = Program.start([PROGRAM, "mail", "inbox", "--smtp-port", "0", "--port", "0"], tmp_path)
    said = wait_for(lambda: program.out if program.out.count("\n") == 2 else None)
    smtp_url, page = (
        line.rpartition(name)[2] for line, name in zip(said.splitlines(), ("SMTP_URL=", " "), strict=True)
    )
    assert page.startswith("http://127.0.0.1:")
    assert cli("mail", "test", "kaj@havblik.example", SMTP_URL=smtp_url).returncode == 0
    assert "Test mail from ledgerbee" in patient.get(page).text
    assert patient.get(page, headers={"host": "mail.example"}).status_code == 400
    assert program.stop() in {0, 128 + signal.SIGTERM, -signal.SIGTERM}
