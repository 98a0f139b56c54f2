"""The databases beside ours on the embedded server, from where the statements of all sessions could be seen."""

from pathlib import Path

import asyncpg
import pytest
from tests.conftest import with_database

from ledgerbee import embedded as postgres
from ledgerbee.platform.db import APPLICATION_ROLE, WORKER_ROLE


@pytest.mark.parametrize("role", [APPLICATION_ROLE, WORKER_ROLE])
async def test_the_programs_roles_enter_their_own_database_alone(own_data: Path, role: str) -> None:
    with postgres.running(own_data) as server:
        owner = await asyncpg.connect(server.dsn())
        names = [name for (name,) in await owner.fetch("SELECT datname FROM pg_database WHERE datallowconn")]
        await owner.close()
        assert {"ledgerbee", "postgres", "template1"} <= {*names}
        for name in names:
            url = with_database(server.dsn(user=role), name)
            if name == "ledgerbee":
                connection = await asyncpg.connect(url)
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.fetch("SELECT query FROM pg_stat_activity")
                await connection.close()
                continue
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await asyncpg.connect(url)
