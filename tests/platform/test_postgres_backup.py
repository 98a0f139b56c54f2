"""Backups that restore, and restores that change everything or nothing."""

import os
import re
import shutil
import subprocess
import tarfile
import threading
from pathlib import Path

import pytest
from tests.platform.servers import kill, psql, value, wait_for

from ledgerbee import embedded as postgres
from ledgerbee.embedded import Server

BOOKS = """
    CREATE TABLE entry (id int PRIMARY KEY, text text NOT NULL);
    INSERT INTO entry SELECT n, 'bilag æøå ' || n FROM generate_series(1, 2000) n;
"""
OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'ledgerbee' AND pid <> pg_backend_pid()"
DATABASES = "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE NOT datistemplate"
COUNT = "SELECT count(*) FROM entry"


@pytest.fixture
def server(data_dir: Path) -> Server:
    server = postgres.ensure_running(data_dir)
    value(server, BOOKS)
    return server


@pytest.fixture
def file(server: Server, tmp_path: Path) -> Path:
    """A backup of 2,000 entries, of which 1,500 are deleted afterwards."""
    file = tmp_path / "books.dump"
    postgres.backup(server, file)
    value(server, "DELETE FROM entry WHERE id > 500")
    return file


class TestBackup:
    def test_it_is_the_callers_alone_and_nothing_lies_beside_it(self, file: Path) -> None:
        assert file.stat().st_uid == os.geteuid()
        assert file.stat().st_mode & 0o777 == 0o600
        assert list(file.parent.iterdir()) == [file]

    def test_pg_restore_reads_it(self, server: Server, file: Path) -> None:
        listing = subprocess.run(
            [server.bin_dir / "pg_restore", "-l", file], capture_output=True, text=True, check=True
        )
        assert "TABLE DATA public entry" in listing.stdout

    def test_one_that_fails_leaves_the_older_one(self, server: Server, tmp_path: Path) -> None:
        file = tmp_path / "books.dump"
        file.write_text("the older one")
        postgres.stop(server)
        with pytest.raises(postgres.BackupError, match=r"books\.dump was not made"):
            postgres.backup(server, file)
        assert file.read_text() == "the older one"
        assert list(tmp_path.iterdir()) == [file]

    def test_a_place_that_is_not_there(self, server: Server, tmp_path: Path) -> None:
        with pytest.raises(postgres.BackupError, match="No such file or directory"):
            postgres.backup(server, tmp_path / "nowhere" / "books.dump")


class TestRestore:
    def test_round_trip(self, server: Server, file: Path) -> None:
        assert value(server, COUNT) == "500"
        postgres.restore(server, file)
        assert value(server, COUNT) == "2000"
        assert value(server, "SELECT text FROM entry WHERE id = 1999") == "bilag æøå 1999"
        assert value(server, DATABASES) == "ledgerbee postgres"

    @pytest.mark.parametrize("damage", ["cut", "other", "missing"])
    def test_a_bad_file_changes_nothing(self, server: Server, file: Path, damage: str) -> None:
        match damage:
            case "cut":
                file.write_bytes(file.read_bytes()[:-3000])
            case "other":
                file.write_text("-- SQL")
            case _:
                file.unlink()
        with pytest.raises(postgres.RestoreError, match=re.escape(str(file))):
            postgres.restore(server, file)
        assert value(server, COUNT) == "500"
        assert value(server, DATABASES) == "ledgerbee postgres"

    def test_what_the_caller_finds_wrong_changes_nothing(self, server: Server, file: Path) -> None:
        seen: list[str] = []

        def check(dsn: str) -> None:
            seen.append(dsn)
            raise LookupError("of a later release")

        with pytest.raises(LookupError, match="later release"):
            postgres.restore(server, file, check=check)
        assert "/ledgerbee_restored_" in seen[0]
        assert value(server, COUNT) == "500"
        assert value(server, DATABASES) == "ledgerbee postgres"

    def test_someone_connected_is_a_reason_to_refuse(self, server: Server, file: Path) -> None:
        someone = psql(server, "SET application_name = 'a till'", "SELECT pg_sleep(60)")
        wait_for(lambda: value(server, f"{OTHERS} AND application_name = 'a till'") == "1")
        with pytest.raises(postgres.DatabaseInUseError, match=r"1 connections use the database \(a till\)"):
            postgres.restore(server, file)
        assert value(server, COUNT) == "500"
        postgres.restore(server, file, force=True)
        assert "terminating connection" in someone.communicate(timeout=20)[0]
        assert value(server, COUNT) == "2000"

    def test_someone_who_connects_meanwhile(self, server: Server, file: Path) -> None:
        late = None

        def connect(_dsn: str) -> None:
            nonlocal late
            late = psql(server, "SELECT pg_sleep(60)")
            wait_for(lambda: value(server, f"{OTHERS} AND query ~ 'pg_sleep.60'") == "1")

        with pytest.raises(postgres.DatabaseInUseError, match="during the restore"):
            postgres.restore(server, file, check=connect)
        assert late is not None
        kill(late)
        assert value(server, COUNT) == "500"

    def test_those_who_come_back_at_once_are_disconnected_again(self, server: Server, file: Path) -> None:
        """As the pool of a running `serve` does: one may be back before the renaming holds its lock."""
        over = threading.Event()

        def come_back() -> None:
            while not over.is_set():
                session = psql(server, "SELECT pg_sleep(60)")
                while session.poll() is None and not over.wait(0.01):
                    pass
                kill(session)

        crowd = [threading.Thread(target=come_back) for _ in range(4)]
        for one in crowd:
            one.start()
        try:
            wait_for(lambda: int(value(server, f"{OTHERS} AND query ~ 'pg_sleep.60'")) > 0)
            postgres.restore(server, file, force=True)
        finally:
            over.set()
            for one in crowd:
                one.join()
        assert value(server, COUNT) == "2000"

    def test_on_a_new_machine_that_has_none_of_the_roles(self, server: Server, tmp_path: Path) -> None:
        value(server, 'CREATE ROLE "the ""App"; CREATE ROLE auditor; GRANT INSERT ON entry TO "the ""App"')
        value(server, "CREATE POLICY own ON entry TO auditor USING (true)")
        file = tmp_path / "books.dump"
        postgres.backup(server, file)
        value(server, 'DROP TABLE entry; DROP ROLE "the ""App"; DROP ROLE auditor')
        postgres.restore(server, file)
        assert value(server, COUNT) == "2000"
        assert value(server, """SELECT has_table_privilege('the "App', 'entry', 'INSERT')""") == "t"
        assert (
            value(server, "SELECT bool_or(rolcanlogin) FROM pg_roles WHERE rolname IN ('the \"App', 'auditor')") == "f"
        )

    def test_what_a_killed_restore_left_is_cleared_away(self, server: Server, file: Path) -> None:
        value(server, "CREATE DATABASE ledgerbee_restored_0a1b2c3d")
        value(server, "CREATE DATABASE ledgerbee_restored_notes")
        postgres.restore(server, file)
        assert value(server, DATABASES) == "ledgerbee ledgerbee_restored_notes postgres"
        value(server, "DROP DATABASE ledgerbee_restored_notes")


NAMES = [
    f"0190a5d2-7c1e-7abc-8def-0123456789ab/{letter}0/{letter}0{number:062x}" for letter in "ab" for number in (1, 2)
]


@pytest.fixture
def blobs(tmp_path: Path) -> Path:
    """A folder of attached files."""
    folder = tmp_path / "attachments"
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"content of {name}")
    return folder


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


class TestBlobs:
    def test_round_trip(self, server: Server, blobs: Path, tmp_path: Path) -> None:
        before = contents(blobs)
        (blobs / NAMES[0]).with_name(".of-a-process-that-writes").write_text("half")
        file = tmp_path / "books.backup"
        postgres.backup(server, file, blobs=blobs)
        assert file.stat().st_mode & 0o777 == 0o600
        assert sorted(tmp_path.iterdir()) == [blobs, file]
        value(server, "DELETE FROM entry WHERE id > 500")
        elsewhere = tmp_path / "elsewhere"
        postgres.restore(server, file, blobs=elsewhere)
        assert value(server, COUNT) == "2000"
        assert contents(elsewhere) == before
        assert [path for path in server.data_dir.iterdir() if path.name.startswith(".restore-")] == []

    def test_what_is_there_is_not_replaced_and_what_is_missing_is_added(
        self, server: Server, blobs: Path, tmp_path: Path
    ) -> None:
        file = tmp_path / "books.backup"
        postgres.backup(server, file, blobs=blobs)
        (blobs / NAMES[0]).write_text("other")
        (blobs / NAMES[1]).unlink()
        postgres.restore(server, file, blobs=blobs)
        kept = contents(blobs)
        assert kept[NAMES[0]] == "other"
        assert kept[NAMES[1]] == f"content of {NAMES[1]}"

    def test_without_a_folder_yet(self, server: Server, tmp_path: Path) -> None:
        file = tmp_path / "books.backup"
        postgres.backup(server, file, blobs=tmp_path / "attachments")
        postgres.restore(server, file, blobs=tmp_path / "attachments")
        assert list(tmp_path.iterdir()) == [file]

    def test_an_older_backup_holds_none(self, server: Server, file: Path, blobs: Path) -> None:
        before = contents(blobs)
        postgres.restore(server, file, blobs=blobs)
        assert value(server, COUNT) == "2000"
        assert contents(blobs) == before

    @pytest.mark.parametrize(
        "damage", ["cut", "cut in the dump", "cut between files", "stranger", "climber", "link", "empty"]
    )
    def test_a_bad_file_changes_nothing(self, server: Server, blobs: Path, tmp_path: Path, damage: str) -> None:
        file = tmp_path / "books.backup"
        postgres.backup(server, file, blobs=blobs)
        shutil.rmtree(blobs)
        value(server, "DELETE FROM entry WHERE id > 500")
        match damage:
            case "cut":
                file.write_bytes(file.read_bytes()[: -tarfile.RECORDSIZE - 800])
            case "cut in the dump":
                file.write_bytes(file.read_bytes()[:3000])
            case "cut between files":
                with tarfile.open(file) as tar:
                    last = tar.getmembers()[-2].offset
                file.write_bytes(file.read_bytes()[:last] + bytes(2 * tarfile.BLOCKSIZE))
            case "empty":
                file.write_bytes(b"")
            case _:
                member = tarfile.TarInfo({"stranger": "notes.txt"}.get(damage, f"attachments/{NAMES[0][:-1]}f"))
                if damage == "climber":
                    member.name = "attachments/../../climbed"
                if damage == "link":
                    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
                with tarfile.open(file) as tar:
                    end = tar.getmembers()[-1].offset
                file.write_bytes(file.read_bytes()[:end] + member.tobuf() + file.read_bytes()[end:])
        with pytest.raises(postgres.RestoreError, match=re.escape(str(file))):
            postgres.restore(server, file, blobs=blobs)
        assert value(server, COUNT) == "500"
        assert value(server, DATABASES) == "ledgerbee postgres"
        assert not (tmp_path / "climbed").exists()
        assert [path for path in server.data_dir.iterdir() if path.name.startswith(".restore-")] == []
