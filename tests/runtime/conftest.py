"""Data folders with a company in them, and a running `serve` for tests that leave it as it is."""

import shutil
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy.engine import make_url
from tests.conftest import with_database
from tests.platform.servers import end
from tests.runtime.processes import Served

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
def made(reachable: Path) -> Made:
    """The first `serve` on a new data folder: it makes the database and a company with a key."""
    folder = new_folder(reachable)
    served = Served.start(folder / "data", folder)
    assert served.company is not None
    assert served.key is not None
    assert served.stop() == 0
    copied(folder / "data", folder / "copy")
    return Made(folder / "data", folder / "copy", served.company, served.key)


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
async def own_database(server_url: str) -> AsyncIterator[str]:
    """An empty database whose owner may do nothing beyond it: the address as that owner."""
    name = f"own_{uuid.uuid4().hex}"
    server = await asyncpg.connect(server_url)
    for role in ("ledgerbee_app LOGIN NOINHERIT", "ledgerbee_worker LOGIN INHERIT IN ROLE ledgerbee_app"):
        if not await server.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role.partition(" ")[0]):
            await server.execute(f"CREATE ROLE {role}")
    await server.execute(f"CREATE ROLE {name} LOGIN NOINHERIT IN ROLE ledgerbee_app, ledgerbee_worker")
    await server.execute(f"CREATE DATABASE {name} OWNER {name}")
    yield make_url(with_database(server_url, name)).set(username=name).render_as_string(hide_password=False)
    await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await server.execute(f"DROP ROLE {name}")
    await server.close()
