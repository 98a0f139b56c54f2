"""With a login for each purpose all of them lead to one database, as the role that each is for, or nothing begins."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url
from tests.conftest import with_database
from tests.platform.servers import end, value
from tests.runtime.processes import cli, cli_json, refusal
from tests.runtime.test_doctor import examined

from ledgerbee import embedded as postgres

APP, WORKER, BACKUP = (f"LEDGERBEE_DATABASE_{name}_URL" for name in ("APP", "WORKER", "BACKUP"))


def login(url: str, role: str) -> str:
    return make_url(url).set(username=role).render_as_string(hide_password=False)


def all_urls(url: str, admin: str) -> dict[str, str]:
    """A login for each purpose in the database of `url`; that for backups is the administrator's."""
    return {
        "DATABASE_URL": url,
        APP: login(url, "ledgerbee_app"),
        WORKER: login(url, "ledgerbee_worker"),
        BACKUP: with_database(admin, make_url(url).database or ""),
    }


@pytest.fixture(scope="module")
def elsewhere(reachable: Path) -> Iterator[postgres.Server]:
    """Another server, with the roles and a database without a schema."""
    server = postgres.ensure_running(reachable / "elsewhere")
    value(server, "CREATE ROLE ledgerbee_app LOGIN", "CREATE ROLE ledgerbee_worker LOGIN")
    yield server
    end(reachable / "elsewhere")


def commands(folder: Path, file: Path) -> list[list[str | Path]]:
    return [
        ["serve", "--port", "0"],
        ["worker"],
        ["verify"],
        ["company", "create", "--name", "Ny ApS", "--country", "DK"],
        ["db", "migrate"],
        ["db", "status"],
        ["demo", "--output", folder / "out"],
        ["db", "backup", folder / "x.backup"],
        ["db", "restore", file],
    ]


def tables(url: str) -> int:
    async def count() -> int:
        connection = await asyncpg.connect(url)
        try:
            return int(
                await connection.fetchval("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
            )
        finally:
            await connection.close()

    return asyncio.run(count())


def test_a_login_that_was_forgotten_when_the_database_was_changed(
    migrated_database: str, own_database: str, server_url: str, own_folder: Path
) -> None:
    before, after = all_urls(migrated_database, server_url), all_urls(own_database, server_url)
    cli_json("company", "create", "--name", "Gammel ApS", "--country", "DK", **before)
    file = own_folder / "books.backup"
    assert cli("db", "backup", file, **before).returncode == 0
    for forgotten in (APP, WORKER, BACKUP):
        mixed = {**after, forgotten: before[forgotten]}
        for command in commands(own_folder, file):
            said = refusal(*command, **mixed)
            assert len(said.splitlines()) == 1, said
            assert f"({forgotten}) can't be used: it is not the database of DATABASE_URL, " in said
            assert "change DATABASE_URL and all LEDGERBEE_DATABASE_…_URL together" in said
        code, found = examined(**mixed)
        assert code == 1
        assert forgotten in found["database"]["text"]
    assert tables(own_database) == 0  # nothing was begun in it
    assert cli_json("db", "restore", file, **after)["verified"] is True
    assert cli("verify", **after).returncode == 0


def test_a_login_on_another_server(own_database: str, elsewhere: postgres.Server) -> None:
    for setting, role in ((APP, "ledgerbee_app"), (WORKER, "ledgerbee_worker")):
        variables = {"DATABASE_URL": own_database, setting: elsewhere.dsn(user=role)}
        for command in (["serve", "--port", "0"], ["company", "list"]):
            assert f"({setting}) can't be used: it is not the database of" in refusal(*command, **variables)
        code, found = examined(**variables)
        assert (code, found["database"]["level"]) == (1, "FAIL")
        assert setting in found["database"]["text"]


@pytest.mark.parametrize(
    ("setting", "role", "wanted"),
    [
        (APP, "ledgerbee_worker", "ledgerbee_app"),
        (WORKER, "ledgerbee_app", "ledgerbee_worker"),
        (APP, "owner", "ledgerbee_app"),
        (WORKER, "owner", "ledgerbee_worker"),
    ],
)
def test_a_login_of_another_role(migrated_database: str, setting: str, role: str, wanted: str) -> None:
    role = str(make_url(migrated_database).username) if role == "owner" else role
    variables = {"DATABASE_URL": migrated_database, setting: login(migrated_database, role)}
    for command in (["serve", "--port", "0"], ["worker"], ["company", "list"]):
        said = refusal(*command, **variables)
        assert f"({setting}) can't be used: it logs in as {role}, and {wanted} is whom it is for: name {wanted}" in said
    assert examined(**variables)[0] == 1


def test_a_login_of_the_right_role_with_more_rights(reachable: Path) -> None:
    folder = reachable / "more"
    server = postgres.ensure_running(folder)
    try:
        value(server, "CREATE ROLE owner LOGIN CREATEROLE", "CREATE DATABASE books OWNER owner")
        own = server.dsn("owner", "books")
        urls = {"DATABASE_URL": own, APP: server.dsn("ledgerbee_app", "books")}
        assert cli("db", "migrate", **urls).returncode == 0  # the roles were made on the way
        value(
            server,
            "REVOKE ledgerbee_app FROM ledgerbee_worker GRANTED BY owner",
            "GRANT ledgerbee_worker TO ledgerbee_app",
        )
        assert "a member of a role with more rights than ledgerbee_app" in refusal("company", "list", **urls)
    finally:
        end(folder)
