"""`DATABASE_URL`: a PostgreSQL of the operator's, with one login for everything or one for each purpose."""

import asyncio
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Final

import asyncpg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url
from tests.conftest import drop_database, with_database
from tests.platform.servers import end, value
from tests.runtime.processes import PROGRAM, Program, Served, cli_json, refusal

from ledgerbee import embedded as postgres
from ledgerbee.app.demo.database import own_database as database_of_demo
from ledgerbee.migrations.migrate import MigrationError, head_revision, migrate

SECURITY: Final = Path(__file__).parents[2] / "docs" / "operations" / "security.md"


def as_role(url: str, role: str) -> str:
    return make_url(url).set(username=role).render_as_string(hide_password=False)


def as_application(url: str) -> str:
    return as_role(url, "ledgerbee_app")


async def test_one_login_that_owns_the_schema_or_another_for_the_application(
    own_database: str, own_folder: Path
) -> None:
    """The API logs in as its own role; commands and workers have another: as the owner's switch, or as a login too."""
    served = Served.start(
        None, own_folder, DATABASE_URL=own_database, LEDGERBEE_DATABASE_APP_URL=as_application(own_database)
    )
    connection = await asyncpg.connect(own_database)
    try:
        assert "Company" not in served.program.out  # nobody asked for one
        assert "There is no company yet" in refusal("api-key", "create", "--scopes", "all", DATABASE_URL=own_database)
        company = cli_json("company", "create", "--name", "Egen ApS", "--country", "DK", DATABASE_URL=own_database)
        key = cli_json("api-key", "create", "--scopes", "all", DATABASE_URL=own_database)["key"]
        answer = served.http.get("/api/v1/company", headers={"x-api-key": key})
        assert (answer.status_code, answer.json()["id"]) == (200, company["id"])
        logins = "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'ledgerbee'"
        logins += " AND datname = current_database() ORDER BY 1"
        owner = make_url(own_database).username
        assert [row["usename"] for row in await connection.fetch(logins)] == ["ledgerbee_app", owner]
        status = cli_json("db", "status", DATABASE_URL=own_database)
        assert (status["state"], status["dataDir"]) == ("running", None)
        said = refusal("db", "backup", own_folder / "x.backup", DATABASE_URL=own_database)
        assert "(DATABASE_URL) is held to row-level security and can't back up all companies" in said
        (own_folder / "alone").mkdir()
        logs_in = as_role(own_database, "ledgerbee_worker")
        worker = Program.start(
            [PROGRAM, "worker"],
            own_folder / "alone",
            DATABASE_URL=own_database,
            LEDGERBEE_DATABASE_WORKER_URL=logs_in,
        )
        worker.wait_for_event("worker.started")
        found = [row["usename"] for row in await connection.fetch(logins)]
        assert found == ["ledgerbee_app", "ledgerbee_worker", owner]
        assert worker.stop() == 0
    finally:
        await connection.close()
        assert served.stop() == 0
    connection = await asyncpg.connect(own_database)  # the operator's server is none of our business to stop
    await connection.close()


def test_a_server_that_nobody_answers_at_is_told(own_folder: Path) -> None:
    url = "postgresql://nobody@127.0.0.1:9/nothing"
    for command in (["serve", "--port", "0"], ["db", "status"]):
        assert refusal(*command, DATABASE_URL=url) == (
            "The database nobody@127.0.0.1:9/nothing (DATABASE_URL) can't be used: nobody listens there: start "
            "PostgreSQL there, or put host and port right."
        )


def demo_beside(url: str) -> str | None:
    """The database that a demo is given on that server, which is dropped again."""
    with database_of_demo(url) as demo:
        name = make_url(demo.owner_url).database
    asyncio.run(drop_database(url, str(name)))
    return name


async def test_an_administrator_hides_what_sessions_of_one_login_run(own_database: str, server_url: str) -> None:
    """As the page on security prints it: statements with the hash of a credential in them are not for each other."""
    (printed,) = re.findall(r"^```sql\n(REVOKE EXECUTE .*?)^```$", SECURITY.read_text(), re.MULTILINE | re.DOTALL)
    seen = "SELECT query FROM pg_stat_activity WHERE pid = $1"
    one, other = [await asyncpg.connect(as_application(own_database)) for _ in range(2)]
    administrator = await asyncpg.connect(with_database(server_url, make_url(own_database).database or ""))
    try:
        assert await one.fetchval("SELECT 'a secret'") == "a secret"
        pid = one.get_server_pid()
        assert await other.fetchval(seen, pid) == "SELECT 'a secret'"
        await administrator.execute(printed)
        for way in (seen, "SELECT query FROM pg_stat_get_activity($1)", "SELECT pg_stat_get_backend_activity($1)"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await other.fetchval(way, pid)
        for way in ("SELECT lo_create(0)", "SELECT lo_from_bytea(0, 'x')", "SELECT * FROM pg_cursors"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await other.execute(way)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await other.fetchval("SELECT pg_terminate_backend($1)", pid)
        assert await administrator.fetchval(seen, pid) == "SELECT 'a secret'"
        await administrator.execute(f"ALTER ROLE {make_url(own_database).username} CREATEDB")
        assert await asyncio.to_thread(demo_beside, own_database) == f"{make_url(own_database).database}_demo"
    finally:
        for connection in (one, other, administrator):
            await connection.close()


@pytest.fixture
def new_server(own_folder: Path) -> Iterator[postgres.Server]:
    """A server that has never seen ledgerbee."""
    server = postgres.ensure_running(own_folder / "data")
    yield server
    end(own_folder / "data")


def test_what_the_owner_may_do_about_the_applications_role(new_server: postgres.Server) -> None:
    """A login that may make roles makes the application's; one that may not says what an administrator has to do."""
    for name, right in (("may_not", "NOCREATEROLE"), ("may", "CREATEROLE")):
        value(new_server, f"CREATE ROLE {name} LOGIN NOINHERIT {right}")
        value(new_server, f"CREATE DATABASE {name} OWNER {name}")
    advice = (
        "CREATE ROLE ledgerbee_app LOGIN NOINHERIT; CREATE ROLE ledgerbee_worker LOGIN INHERIT; "
        "GRANT ledgerbee_app TO ledgerbee_worker; GRANT ledgerbee_app, ledgerbee_worker TO may_not;"
    )
    with pytest.raises(MigrationError, match=advice):
        asyncio.run(migrate(new_server.dsn(user="may_not", database="may_not")))
    asyncio.run(migrate(new_server.dsn(user="may", database="may")))

    async def as_application() -> tuple[object, ...]:
        url = new_server.dsn(user="may", database="may")
        connection = await asyncpg.connect(url, server_settings={"role": "ledgerbee_app"})
        try:
            return tuple(await connection.fetchrow("SELECT current_user, count(*) FROM companies") or ())
        finally:
            await connection.close()

    assert asyncio.run(as_application()) == ("ledgerbee_app", 0)
    with pytest.raises(MigrationError, match=advice):
        asyncio.run(migrate(new_server.dsn(user="may_not", database="may_not")))
    value(new_server, "GRANT ledgerbee_app, ledgerbee_worker TO may_not")
    asyncio.run(migrate(new_server.dsn(user="may_not", database="may_not")))


def test_the_head_is_the_one_that_alembic_sees() -> None:
    config = Config()
    config.set_main_option("script_location", str(files("ledgerbee.migrations")))
    assert ScriptDirectory.from_config(config).get_current_head() == head_revision()
