"""A database knows its mark: what is set up with another one refuses it in a line, and a backup takes it along."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from tests.platform.servers import end
from tests.runtime.processes import cli, cli_json, refusal
from tests.runtime.test_doctor import examined

from ledgerbee import embedded
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.migrations.migrate import migrate
from ledgerbee.platform.cell_mark import WrongDatabaseError
from ledgerbee.platform.db import Database

BOTH = "The database has the mark 01 of a cell, and this process is set up with 00"


async def fetch(url: str, statement: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def mark_of(url: str) -> Any:
    return asyncio.run(fetch(url, "SELECT mark FROM cell_mark"))


def test_what_is_set_up_with_another_mark_is_refused(own_database: str, own_folder: Path) -> None:
    right = {"DATABASE_URL": own_database, "LEDGERBEE_CELL": "01"}
    cli_json("company", "create", "--name", "Sydlys ApS", "--country", "DK", **right)
    assert mark_of(own_database) == "01"
    assert cli_json("api-key", "create", "--scopes", "all", **right)["key"].startswith("lb_01.")
    keys = "SELECT count(*) FROM api_keys"
    before = asyncio.run(fetch(own_database, keys))
    for command in (
        ["api-key", "create", "--scopes", "all"], ["company", "list"], ["serve", "--port", "0"], ["worker"], ["verify"],
        ["db", "migrate"], ["db", "status"], ["db", "backup", own_folder / "x.backup"],
    ):  # fmt: skip
        said = refusal(*command, DATABASE_URL=own_database)
        assert said.startswith(BOTH), command
        assert len(said.splitlines()) == 1
    assert asyncio.run(fetch(own_database, keys)) == before
    assert not (own_folder / "x.backup").exists()
    code, found = examined(DATABASE_URL=own_database)
    assert (code, found["mark"]["level"]) == (1, "FAIL")
    assert found["mark"]["text"].startswith(BOTH)
    assert examined(**right)[1]["mark"]["level"] == "OK"


@pytest_asyncio.fixture
async def unmarked(migrated_database: str) -> str:
    """A database that has no mark yet, as those of earlier releases."""
    await fetch(migrated_database, "DELETE FROM cell_mark")
    return migrated_database


async def test_pools_and_migrations_are_refused(unmarked: str) -> None:
    await migrate(unmarked, cell="01")
    with pytest.raises(WrongDatabaseError, match=BOTH):
        await migrate(unmarked)
    with pytest.raises(WrongDatabaseError, match=BOTH):
        await Database.open(unmarked, reactions=REACTIONS)
    database = await Database.open(unmarked, reactions=REACTIONS, cell="01")
    await database.close()


async def test_a_database_without_a_mark_gets_that_of_whoever_opens_it(unmarked: str) -> None:
    await migrate(unmarked, cell="0b")
    await migrate(unmarked, cell="0b")
    assert await fetch(unmarked, "SELECT mark FROM cell_mark") == "0b"


@pytest.mark.parametrize("role", ["ledgerbee_app", "ledgerbee_worker"])
async def test_only_the_owner_writes_it(migrated_database: str, role: str) -> None:
    connection = await asyncpg.connect(migrated_database, server_settings={"role": role})
    try:
        assert await connection.fetchval("SELECT mark FROM cell_mark") == "00"
        for statement in ("UPDATE cell_mark SET mark = '01'", "DELETE FROM cell_mark", "TRUNCATE cell_mark"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


def test_a_backup_keeps_the_mark(own_data: Path, own_database: str, own_folder: Path) -> None:
    """It is restored by what is set up with the same mark: into a database of one's own, and into the embedded one."""
    file = own_folder / "x.backup"
    assert cli("db", "backup", file, "--data-dir", own_data).returncode == 0
    wrong = f"The backup {file} has the mark 00 of a cell, and this process is set up with 01"
    own = {"DATABASE_URL": own_database}
    assert refusal("db", "restore", file, **own, LEDGERBEE_CELL="01").startswith(wrong)
    assert asyncio.run(fetch(own_database, "SELECT to_regclass('company_directory')")) is None
    done = cli("db", "restore", file, **own)
    assert done.returncode == 0, done.stderr
    assert mark_of(own_database) == "00"

    other = own_folder / "other"
    there = embedded.ensure_running(other)
    try:
        name = "Sydlys ApS"
        cli_json("company", "create", "--name", name, "--country", "DK", "--data-dir", other, LEDGERBEE_CELL="01")
        assert refusal("db", "restore", file, "--data-dir", other, LEDGERBEE_CELL="01").startswith(wrong)
        assert (mark_of(there.dsn()), asyncio.run(fetch(there.dsn(), "SELECT name FROM companies"))) == ("01", name)
        assert cli("db", "restore", file, "--data-dir", other).returncode == 0
        assert mark_of(there.dsn()) == "00"
    finally:
        end(other)
