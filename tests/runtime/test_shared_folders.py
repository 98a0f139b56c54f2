"""A folder of attached files belongs to one database: a second one is refused in a line, a copy is free."""

import asyncio
import shutil
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url
from tests.platform.servers import end
from tests.runtime.processes import PROGRAM, Program, Served, cli, refusal
from tests.runtime.test_doctor import examined

from ledgerbee.platform.blobs.marker import MARKER, FolderTakenError, Identity, check, claim, owner_of

OURS, THEIRS = Identity("7390000000000000001", "ledgerbee"), Identity("7390000000000000002", "ledgerbee")


def test_the_first_database_has_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "attachments"
    check(folder, THEIRS)
    claim(folder, OURS)
    assert owner_of(folder) == OURS
    assert folder.stat().st_mode & 0o077 == (folder / MARKER).stat().st_mode & 0o077 == 0
    claim(folder, OURS)
    assert [path.name for path in folder.iterdir()] == [MARKER]
    for refused in (THEIRS, Identity(OURS.server, "ledgerbee_2")):
        for ask in (check, claim):
            with pytest.raises(FolderTakenError, match="name a folder of its own in LEDGERBEE_ATTACHMENTS_DIR"):
                ask(folder, refused)
    assert owner_of(folder) == OURS
    claim(folder, None)  # a server that doesn't tell who it is
    assert owner_of(folder) == OURS


def test_a_copy_is_free_and_the_original_is_not(tmp_path: Path) -> None:
    claim(tmp_path / "attachments", OURS)
    shutil.copytree(tmp_path / "attachments", tmp_path / "copy")
    claim(tmp_path / "copy", THEIRS)
    assert owner_of(tmp_path / "copy") == THEIRS
    (tmp_path / "attachments").rename(tmp_path / "moved")
    assert owner_of(tmp_path / "moved") == OURS


@pytest.mark.parametrize("content", ["", "{", "[]", '"x"', '{"server": "1"}', "{}"])
def test_what_is_no_marker_counts_for_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / MARKER).write_text(content)
    claim(tmp_path, OURS)
    assert owner_of(tmp_path) == OURS


def test_a_second_database_is_refused_everywhere(migrated_database: str, own_database: str, own_folder: Path) -> None:
    files = {"LEDGERBEE_ATTACHMENTS_DIR": str(own_folder / "files")}
    first, second = {"DATABASE_URL": migrated_database, **files}, {"DATABASE_URL": own_database, **files}
    served = Served.start(None, own_folder, **first)
    assert served.stop() == 0
    for command in (["serve", "--port", "0"], ["worker"]):
        said = refusal(*command, **second)
        assert len(said.splitlines()) == 1
        assert f"The folder of attached files {own_folder / 'files'} belongs to another database, " in said
        assert f"remove {own_folder / 'files' / MARKER}." in said
    code, found = examined(**second)
    assert (code, found["attachments"]["level"]) == (1, "FAIL")
    assert "belongs to another database" in found["attachments"]["text"]
    assert examined(**first)[1]["attachments"]["level"] == "OK"
    (own_folder / "files" / MARKER).unlink()  # as it says
    worker = Program.start([PROGRAM, "worker"], own_folder, **second)
    worker.wait_for_event("worker.started")
    assert worker.stop() == 0
    assert "belongs to another database" in refusal("worker", **first)


def test_a_restore_keeps_to_its_own_folder(own_data: Path, own_database: str, own_folder: Path) -> None:
    """The embedded database keeps its folder through a restore; one of one's own needs another folder, or a copy."""
    file, files = own_folder / "x.backup", own_data / "attachments"
    assert cli("db", "backup", file, "--data-dir", own_data).returncode == 0
    for _ in range(2):
        assert cli("db", "restore", file, "--data-dir", own_data).returncode == 0
    assert examined("--data-dir", own_data)[1]["attachments"]["level"] == "OK"
    own = {"DATABASE_URL": own_database, "LEDGERBEE_ATTACHMENTS_DIR": str(files)}
    assert "belongs to another database" in refusal("db", "restore", file, **own)
    assert asyncio.run(_tables(own_database)) == 0
    rehearsal = ("--data-dir", own_folder / "rehearsal")
    said = refusal("db", "restore", file, *rehearsal, LEDGERBEE_ATTACHMENTS_DIR=str(files))
    assert f"The folder of attached files {files} belongs to another database" in said
    end(own_folder / "rehearsal")
    shutil.copytree(files, own_folder / "copy")
    copied = {**own, "LEDGERBEE_ATTACHMENTS_DIR": str(own_folder / "copy")}
    done = cli("db", "restore", file, **copied)
    assert done.returncode == 0, done.stderr
    owner = owner_of(own_folder / "copy")
    assert owner is not None
    assert owner.database == make_url(own_database).database


async def _tables(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(
            await connection.fetchval("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        )
    finally:
        await connection.close()


def test_a_folder_that_cannot_be_written_keeps_nobody_from_starting(migrated_database: str, own_folder: Path) -> None:
    settings = {"DATABASE_URL": migrated_database, "LEDGERBEE_ATTACHMENTS_DIR": "/proc/attachments"}
    served = Served.start(None, own_folder, **settings)
    assert served.stop() == 0
    assert any(note.startswith("No files can be attached: /proc/attachments") for note in served.program.notes)
