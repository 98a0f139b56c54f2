"""Data folders with a company in them, and a running `serve` for tests that leave it as it is."""

import fcntl
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy.engine import make_url
from tests.conftest import with_database
from tests.platform.servers import end
from tests.runtime.processes import Served

from ledgerbee.migrations.migrate import migrate

#: In the settings of the shared `serve`: must never be seen anywhere.
SMTP_PASSWORD = "hemmelig-smtp-kode"


@pytest.fixture(scope="session")
def reachable() -> Iterator[Path]:
    """A folder that the server's account can pass through; pytest's own is closed to it when root runs the tests."""
    folder = Path(tempfile.mkdtemp(prefix="lb-", dir="/tmp")).resolve()
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@dataclass(frozen=True)
class Made:
    """A data folder after its first `serve`, and what that one said; `copy` is as it was when that had stopped."""

    data_dir: Path
    copy: Path
    company: str
    key: str


def new_folder(reachable: Path) -> Path:
    """A folder of a test's own."""
    folder = Path(tempfile.mkdtemp(dir=reachable))
    folder.chmod(0o711)
    return folder


@pytest.fixture(scope="session")
def made(reachable: Path) -> Iterator[Made]:
    """The first `serve` on a new data folder: it makes the database and a company with a key.

    Workers that need it at about the same time share it: each has a copy.
    """
    folder = new_folder(reachable)
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    shared = Path(tempfile.gettempdir()) / f"ledgerbee-test-made-{run}"
    shared.mkdir(mode=0o700, exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "told").exists():
            served = Served.start(folder / "first", folder)
            assert served.stop() == 0
            copied(folder / "first", shared / "data")
            (shared / "told").write_text(f"{served.company} {served.key}")
        company, key = (shared / "told").read_text().split()
        for name in ("data", "copy"):
            copied(shared / "data", folder / name)
    yield Made(folder / "data", folder / "copy", company, key)
    shutil.rmtree(shared, ignore_errors=True)


def copied(data_dir: Path, to: Path) -> None:
    """Copy a data folder that nothing works on."""
    subprocess.run(["cp", "-a", "--reflink=auto", data_dir, to], check=True)


@pytest.fixture(scope="session")
def served(reachable: Path, made: Made) -> Iterator[Served]:
    """The second `serve` on that folder, shared by tests that don't stop it."""
    folder = new_folder(reachable)
    served = Served.start(made.data_dir, folder, SMTP_URL=f"smtp://mailer:{SMTP_PASSWORD}@127.0.0.1:9")
    yield served
    assert served.stop() == 0
    end(made.data_dir)


@pytest.fixture
def own_folder(reachable: Path) -> Path:
    """A folder of the test's own."""
    return new_folder(reachable)


@pytest.fixture
def own_data(made: Made, own_folder: Path) -> Iterator[Path]:
    """A data folder of the test's own with a company in it, stopped, to spoil."""
    data_dir = own_folder / "data"
    copied(made.copy, data_dir)
    yield data_dir
    end(data_dir)


@pytest.fixture
def serve_own(own_data: Path, reachable: Path) -> Iterator[Callable[..., Served]]:
    """Starts `serve` on the test's own data folder; whatever is left of it after the test is killed."""
    started: list[Served] = []

    def start(*options: str, **variables: str) -> Served:
        started.append(Served.start(own_data, new_folder(reachable), *options, **variables))
        return started[-1]

    yield start
    for served in started:
        served.http.close()
        served.program.process.kill()
        served.program.end()


@pytest_asyncio.fixture
async def own_database(server_url: str, database_url: str) -> AsyncIterator[str]:
    """An empty database whose owner may do nothing beyond it: the address as that owner.

    Made after the worker's usual one, whose migration by a superuser resets the roles in all databases.
    """
    async with _database_of_an_owner(server_url) as url:
        yield url


@pytest_asyncio.fixture
async def migrated_database(server_url: str, migrated_once: str) -> AsyncIterator[str]:
    """One as its owner has migrated it: a copy, since that takes five seconds each time."""
    async with _database_of_an_owner(server_url, template=migrated_once) as url:
        await migrate(url)  # what belongs to the database and the server is not copied
        yield url


@pytest_asyncio.fixture(scope="session")
async def migrated_once(server_url: str, database_url: str) -> AsyncIterator[str]:
    """The name of a database that nobody works in, and of the role that has migrated it."""
    async with _database_of_an_owner(server_url) as url:
        await migrate(url)
        name = make_url(url).username
        server = await asyncpg.connect(server_url)
        await server.execute(f"ALTER DATABASE {name} OWNER TO CURRENT_USER")  # all else of the role is in it
        await server.close()
        yield str(name)


@asynccontextmanager
async def _database_of_an_owner(server_url: str, template: str | None = None) -> AsyncIterator[str]:
    name = f"own_{uuid.uuid4().hex}"
    server = await asyncpg.connect(server_url)
    for role in ("ledgerbee_app LOGIN NOINHERIT", "ledgerbee_worker LOGIN INHERIT IN ROLE ledgerbee_app"):
        if not await server.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role.partition(" ")[0]):
            await server.execute(f"CREATE ROLE {role}")
    await server.execute(f"CREATE ROLE {name} LOGIN NOINHERIT IN ROLE ledgerbee_app, ledgerbee_worker")
    await server.execute(f"CREATE DATABASE {name} OWNER {name} TEMPLATE {template or 'template1'}")
    if template is not None:
        copy = await asyncpg.connect(with_database(server_url, name))
        await copy.execute(f"REASSIGN OWNED BY {template} TO {name}")
        await copy.close()
    yield make_url(with_database(server_url, name)).set(username=name).render_as_string(hide_password=False)
    await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await server.execute(f"DROP ROLE {name}")
    await server.close()
