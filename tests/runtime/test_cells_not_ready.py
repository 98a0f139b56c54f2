"""Further cells that can't be served: 503 to their companies, a warning at the start, a line of `doctor`, a metric."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest
from sqlalchemy.engine import make_url
from tests import patient
from tests.conftest import clone_template, drop_database, with_database
from tests.runtime.processes import Served
from tests.runtime.test_doctor import examined

from ledgerbee.platform.blobs.marker import MARKER, Identity, claim


async def execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def database(server_url: str, mark: str, *statements: str) -> Iterator[str]:
    """A database of this release that has the mark, changed by `statements`."""
    name = f"cell_{mark}"
    asyncio.run(clone_template(server_url, name))
    url = with_database(server_url, name)
    asyncio.run(execute(url, f"UPDATE cell_mark SET mark = '{mark}'", *statements))
    yield url
    asyncio.run(drop_database(server_url, name))


@dataclass(frozen=True)
class Broken:
    """What `LEDGERBEE_CELLS` says, and of what is wrong with each cell a word; `folder` is someone else's."""

    cells: dict[str, dict[str, str]]
    wrong: dict[str, str]
    right: str
    folder: Path

    @property
    def variables(self) -> dict[str, str]:
        return {"LEDGERBEE_CELLS": json.dumps(self.cells)}


@pytest.fixture
def broken(server_url: str, own_data: Path, own_folder: Path) -> Iterator[Broken]:
    no_schema = ("DROP SCHEMA public CASCADE", "CREATE SCHEMA public", "GRANT USAGE ON SCHEMA public TO PUBLIC")
    with ExitStack() as stack:

        def made(mark: str, *statements: str) -> str:
            return stack.enter_context(database(server_url, mark, *statements))

        role = make_url(made("03", "DROP ROLE IF EXISTS cell_no_role", "CREATE ROLE cell_no_role LOGIN"))
        stack.callback(lambda: asyncio.run(execute(server_url, "DROP ROLE cell_no_role")))
        urls = {
            "01": (with_database(server_url, "cell_nowhere"), "there is no such database"),
            "02": (made("02", *no_schema), "it has no schema of ledgerbee"),
            "03": (role.set(username="cell_no_role").render_as_string(hide_password=False), "role"),
            "04": (made("05"), "it has the mark 05, and LEDGERBEE_CELLS says 04"),
            "06": (made("06", "UPDATE alembic_version SET version_num = '9999_future'"), "is 9999_future, of another"),
            "07": (made("07", "DROP TABLE cell_mark"), "its schema is of an older release"),
            "08": ("postgresql://nobody@127.0.0.1:9/nothing", "nobody listens there"),
            "09": (made("09"), "is the folder of attached files of the own cell"),
            "0c": (made("0c"), "belongs to another database"),
            "0a": (made("0a"), ""),
            "0b": (made("0b", "DELETE FROM cell_mark"), "it has no mark yet"),
        }
        folders = {mark: str(own_folder / f"files-{mark}") for mark in urls}
        folders["09"] = str(own_data / "attachments")
        claim(Path(folders["0c"]), Identity("1", "someone"))
        cells = {mark: {"database_url": urls[mark][0], "attachments_dir": folders[mark]} for mark in urls}
        wrong = {mark: word for mark, (_, word) in urls.items() if word}
        yield Broken(cells, wrong, "0a", Path(folders["0c"]))


def asked(served: Served, mark: str) -> tuple[int, str]:
    answer = httpx.get(f"{served.url}/api/v1/company", headers={"x-api-key": f"lb_{mark}.aaaa"}, timeout=60)
    return answer.status_code, answer.json()["code"]


def test_each_way_of_not_being_ready(serve_own: Callable[..., Served], broken: Broken) -> None:
    served = serve_own(**broken.variables)
    warned = {line["cell"]: line for line in served.program.log if line["event"] == "cell.not_ready"}
    assert set(warned) == set(broken.wrong)
    for mark, word in broken.wrong.items():
        assert word in warned[mark]["error"], mark
        assert warned[mark]["level"] == "warning"
        for _ in range(3):
            assert asked(served, mark) == (503, "DATABASE_UNAVAILABLE"), mark
    assert asked(served, broken.right) == (401, "UNAUTHORIZED")
    assert asked(served, "00") == (401, "UNAUTHORIZED")
    assert patient.get(f"{served.url}/readyz").status_code == 200

    assert "Traceback" not in served.program.errors
    assert not [line for line in served.program.log if "exception" in line]
    said = [line["cell"] for line in served.program.log if line["event"] == "database.unavailable"]
    assert sorted(said) == sorted(broken.wrong)  # once, and not for each request

    metrics = httpx.get(f"{served.url}/metrics", timeout=60).text
    assert "ledgerbee_database_up 1.0" in metrics
    for mark in broken.cells:
        assert f'ledgerbee_database_up{{cell="{mark}"}} {float(mark == broken.right)}' in metrics

    # Two databases in one folder remove each other's files: the second gets in when the marker is gone, and no sooner.
    assert (broken.folder / MARKER).exists()
    assert [path.name for path in broken.folder.iterdir()] == [MARKER]
    (broken.folder / MARKER).unlink()
    assert asked(served, "0c") == (401, "UNAUTHORIZED")


def test_doctor_has_a_line_for_each(own_data: Path, broken: Broken) -> None:
    code, found = examined("--data-dir", own_data, **broken.variables)
    assert code == 1
    for mark in broken.cells:
        line = found[f"cell {mark}"]
        assert line["level"] == ("OK" if mark == broken.right else "FAIL"), line
        assert broken.wrong.get(mark, "gives back what is written") in line["text"]
    assert found["mark"]["text"] == "is 00, as LEDGERBEE_CELL says"
