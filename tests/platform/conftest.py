"""Data folders for the embedded PostgreSQL, where its account can reach them."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.platform.servers import end, value

from ledgerbee import embedded as postgres
from ledgerbee.embedded import Server


@pytest.fixture(scope="session")
def reachable() -> Iterator[Path]:
    """A folder that the server's account can pass through; pytest's own is closed to it when root runs the tests."""
    folder = Path(tempfile.mkdtemp(prefix="lb-", dir="/tmp")).resolve()
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def made(reachable: Path) -> Path:
    """A data folder that was made and stopped, for copying: making one takes most of a second."""
    folder = reachable / "made"
    postgres.stop(postgres.ensure_running(folder))
    return folder


@pytest.fixture
def new_dir(reachable: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A data folder that is not there yet; its server is stopped after the test."""
    parent = Path(tempfile.mkdtemp(dir=reachable))
    parent.chmod(0o711)
    folder = parent / "data"
    yield folder
    end(folder)


@pytest.fixture
def own_dir(made: Path, new_dir: Path) -> Path:
    """A data folder with an empty database, stopped; the test's own, to spoil."""
    subprocess.run(["cp", "-a", made, new_dir], check=True)
    return new_dir


@pytest.fixture
def data_dir(made: Path) -> Iterator[Path]:
    """A data folder with an empty database, stopped. Others use it after the test: it is left whole and empty."""
    yield made
    server = postgres.ensure_running(made)
    assert value(server, "SET client_min_messages = error", "DROP SCHEMA public CASCADE", "CREATE SCHEMA public") == ""
    postgres.stop(server)


@pytest.fixture(scope="session")
def fresh(reachable: Path) -> Iterator[Server]:
    """A server just made, for looking only."""
    folder = reachable / "fresh"
    yield postgres.ensure_running(folder)
    end(folder)
