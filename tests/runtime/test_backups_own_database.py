"""Backup and restore with `DATABASE_URL`: everything or nothing, past row-level security, into an empty database."""

import asyncio
import json
import re
import subprocess
import uuid
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url
from tests.attached import PDF
from tests.conftest import drop_database, with_database
from tests.ledger_books import BANK, SALES
from tests.runtime.processes import PROGRAM, Served, cli, cli_json, environment, refusal, today, wait_for

from ledgerbee.app.cli.backups import BACKUP_ROLE_SQL
from ledgerbee.embedded import BinariesError, client

PASSWORD = "p@ss/hemmelig"


async def execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


@dataclass
class Own:
    """A server of an operator's: an owner of databases who may do nothing else, and a login for backups."""

    admin: str
    owner: str
    reader: str

    def database(self) -> str:
        """A new, empty database of the owner's: its name."""
        name = f"own_{uuid.uuid4().hex}"
        asyncio.run(execute(self.admin, f"CREATE DATABASE {name} OWNER {self.owner}"))
        return name

    def url(self, name: str, login: str) -> str:
        address = make_url(with_database(self.admin, name))
        return address.set(username=login, password=PASSWORD).render_as_string(hide_password=False)

    def settings(self, name: str, folder: Path) -> dict[str, str]:
        return {
            "DATABASE_URL": self.url(name, self.owner),
            "LEDGERBEE_DATABASE_BACKUP_URL": self.url(name, self.reader),
            "LEDGERBEE_ATTACHMENTS_DIR": str(folder / f"attachments-{name}"),
        }


@pytest.fixture(scope="module")
def own(server_url: str) -> Iterator[Own]:
    tail = uuid.uuid4().hex[:12]
    found = Own(server_url, f"owner_{tail}", f"backup_{tail}")
    for role in ("ledgerbee_app LOGIN NOINHERIT", "ledgerbee_worker LOGIN INHERIT IN ROLE ledgerbee_app"):
        if not asyncio.run(ask(server_url, f"SELECT 1 FROM pg_roles WHERE rolname = '{role.partition(' ')[0]}'")):
            asyncio.run(execute(server_url, f"CREATE ROLE {role}"))
    asyncio.run(
        execute(
            server_url,
            f"CREATE ROLE {found.owner} LOGIN NOINHERIT IN ROLE ledgerbee_app, ledgerbee_worker",
            *BACKUP_ROLE_SQL.replace("ledgerbee_backup", found.reader).split(";")[:2],  # as it is documented
        )
    )
    yield found
    owned = "SELECT string_agg(datname, ' ') FROM pg_database JOIN pg_roles r ON r.oid = datdba WHERE rolname = '{}'"
    for name in str(asyncio.run(ask(server_url, owned.format(found.owner))) or "").split():
        asyncio.run(drop_database(server_url, name))
    asyncio.run(execute(server_url, f"DROP ROLE {found.owner}", f"DROP ROLE {found.reader}"))


@dataclass
class Source:
    """Books with a posted entry and its voucher, and a backup of them made while they were served."""

    name: str
    company: str
    key: str
    voucher: str
    file: Path
    said: str


@pytest.fixture(scope="module")
def source(own: Own, tmp_path_factory: pytest.TempPathFactory) -> Source:
    folder = tmp_path_factory.mktemp("source")
    name = own.database()
    settings = own.settings(name, folder)
    company = cli_json("company", "create", "--name", "Nordlys ApS", "--country", "DK", **settings)["id"]
    key = cli_json("api-key", "create", "--scopes", "all", **settings)["key"]
    served = Served.start(None, folder, **settings)
    try:
        served.http.headers["x-api-key"] = key
        accounts = {row["accountNumber"]: row["id"] for row in served.http.get("/api/v1/accounts").json()}
        sides = ((BANK, "DEBIT"), (SALES, "CREDIT"))
        body = {
            "entryType": "JOURNAL_ENTRY",
            "date": today(),
            "originalAmount": "100.00",
            "lines": [{"accountId": accounts[number], "side": side, "amount": "100.00"} for number, side in sides],
            "attachments": [
                {"fileName": "bilag.pdf", "contentType": "application/pdf", "content": b64encode(PDF).decode()}
            ],
        }
        entry = served.http.post("/api/v2/journal-entries", json=body).json()
        (listed,) = served.http.get(f"/api/v1/journal-entries/{entry['id']}/attachments").json()
        file = folder / "books.backup"
        done = cli("db", "backup", file, **settings)
        assert done.returncode == 0, done.stderr
    finally:
        assert served.stop() == 0
    return Source(name, company, key, listed["url"], file, done.stdout + done.stderr)


def test_a_backup_becomes_the_same_books_in_an_empty_database(own: Own, source: Source, tmp_path: Path) -> None:
    assert source.file.stat().st_mode & 0o077 == 0
    assert PASSWORD not in source.said
    settings = own.settings(own.database(), tmp_path)
    assert cli_json("db", "restore", source.file, **settings) == {"file": str(source.file), "verified": True}
    (verified,) = cli_json("verify", **settings)["companies"]
    assert (verified["id"], verified["passed"], verified["entries"], verified["attachments"]) == (
        source.company,
        True,
        1,
        1,
    )
    served = Served.start(None, tmp_path, **settings)
    try:
        served.http.headers["x-api-key"] = source.key
        assert served.http.get(source.voucher).content == PDF
    finally:
        assert served.stop() == 0
    again = tmp_path / "again.backup"
    assert cli("db", "backup", again, **settings).returncode == 0  # what was restored can be backed up


def test_the_owners_login_would_save_empty_books_and_is_refused(own: Own, source: Source, tmp_path: Path) -> None:
    settings = {**own.settings(source.name, tmp_path), "LEDGERBEE_DATABASE_BACKUP_URL": ""}
    said = refusal("db", "backup", tmp_path / "x", **settings)
    assert said.startswith(f"The login {own.owner} (DATABASE_URL) is held to row-level security")
    assert BACKUP_ROLE_SQL in said
    assert list(tmp_path.iterdir()) == []


def test_a_login_that_may_not_read_all_tables_is_refused(own: Own, source: Source, tmp_path: Path) -> None:
    asyncio.run(execute(own.admin, f"REVOKE pg_read_all_data FROM {own.reader}"))
    try:
        said = refusal("db", "backup", tmp_path / "x", **own.settings(source.name, tmp_path))
    finally:
        asyncio.run(execute(own.admin, f"GRANT pg_read_all_data TO {own.reader}"))
    assert "(LEDGERBEE_DATABASE_BACKUP_URL) may not read " in said
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_not_empty_stays_as_it_is(own: Own, source: Source, tmp_path: Path) -> None:
    said = refusal("db", "restore", source.file, **own.settings(source.name, tmp_path))
    assert "is not empty, and a restore replaces nothing" in said
    assert "--force is for the embedded database" in refusal(
        "db", "restore", source.file, "--force", **own.settings(source.name, tmp_path)
    )


def tables_of(own: Own, name: str) -> object:
    return asyncio.run(
        ask(with_database(own.admin, name), "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    )


def postgres_major(own: Own) -> int:
    return int(str(asyncio.run(ask(own.admin, "SHOW server_version_num")))) // 10_000


@pytest.mark.parametrize("damage", ["cut", "cut in the dump", "other", "newer", "foreign"])
def test_a_bad_file_leaves_the_database_empty(own: Own, source: Source, tmp_path: Path, damage: str) -> None:
    file = tmp_path / "bad.backup"
    whole = source.file.read_bytes()
    match damage:
        case "cut":
            file.write_bytes(whole[: -len(whole) // 20])
        case "cut in the dump":
            file.write_bytes(b"PGDMP" + whole[whole.index(b"PGDMP") + 5 :][: len(whole) // 2])
        case "other":
            file.write_text("-- SQL")
        case _:
            settings = own.settings(own.database(), tmp_path)
            assert cli("db", "restore", source.file, "--no-verify", **settings).returncode == 0
            change = {
                "newer": "UPDATE alembic_version SET version_num = '9999_future'",
                "foreign": "DROP TABLE alembic_version",
            }[damage]
            asyncio.run(execute(settings["DATABASE_URL"], change))
            if damage == "foreign":
                said = refusal("db", "backup", file, **settings)
                assert "(LEDGERBEE_DATABASE_BACKUP_URL) holds no books of ledgerbee" in said
                assert not file.exists()
                url = settings["LEDGERBEE_DATABASE_BACKUP_URL"]
                client.dump(client.tools_for(postgres_major(own)), url, file)
            else:
                assert cli("db", "backup", file, **settings).returncode == 0
    name = own.database()
    said = refusal("db", "restore", file, **own.settings(name, tmp_path))
    assert len(said.splitlines()) == 1, said
    assert str(file) in said
    assert tables_of(own, name) == 0


@pytest.mark.parametrize("place", ["files", "file", "unpacked"])
def test_what_failed_is_named_with_its_place(own: Own, source: Source, tmp_path: Path, place: str) -> None:
    """A file in the way of the company's folder; a backup that is not there; no place to unpack it."""
    name = own.database()
    settings, file = own.settings(name, tmp_path), source.file
    files = Path(settings["LEDGERBEE_ATTACHMENTS_DIR"])
    limit: int | str = "unlimited"
    match place:
        case "files":
            files.mkdir()
            (files / source.company).write_text("in the way")
            named = str(files / source.company)
        case "file":
            file = tmp_path / "folder.backup"
            file.mkdir()
            named = str(file)
        case _:  # files of this process may have eight blocks
            settings["TMPDIR"] = named = str(tmp_path / "tmp")
            Path(named).mkdir()
            limit = 8
    done = subprocess.run(
        ["/bin/sh", "-c", f'ulimit -f {limit}; exec "$@"', "sh", PROGRAM, "db", "restore", file],
        env=environment(**settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {1, 2}
    assert named in done.stderr
    assert tables_of(own, name) == 0


def test_a_restore_that_is_killed_leaves_the_database_empty(own: Own, source: Source, tmp_path: Path) -> None:
    name = own.database()
    settings = own.settings(name, tmp_path)
    program = subprocess.Popen(
        [PROGRAM, "db", "restore", source.file],
        env=environment(**settings),
        stderr=subprocess.DEVNULL,
    )
    under_way = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND application_name = 'pg_restore'"
    wait_for(lambda: asyncio.run(ask(own.admin, under_way)) or program.poll() is not None)
    assert program.poll() is None
    program.kill()  # it alone: what it has started ends by itself
    program.wait()
    wait_for(lambda: not asyncio.run(ask(own.admin, under_way)))
    assert tables_of(own, name) == 0
    assert cli("db", "restore", source.file, **settings).returncode == 0


def test_an_empty_database_is_not_backed_up(own: Own, tmp_path: Path) -> None:
    said = refusal("db", "backup", tmp_path / "x.backup", **own.settings(own.database(), tmp_path))
    assert "holds no books of ledgerbee: there is nothing to back up" in said
    said = refusal("db", "backup", tmp_path / "x.backup", "--data-dir", tmp_path / "none")
    assert "There is no database in" in said
    assert list(tmp_path.iterdir()) == []


def test_files_in_a_bucket_are_left_to_it(own: Own, source: Source, tmp_path: Path) -> None:
    settings = {**own.settings(source.name, tmp_path), "LEDGERBEE_ATTACHMENTS_BUCKET": "vouchers"}
    done = cli("db", "backup", tmp_path / "x.backup", **settings)
    assert "Attached files are in the bucket vouchers: backups leave them to it." in done.stderr
    assert (tmp_path / "x.backup").read_bytes().startswith(b"PGDMP")


def test_no_password_is_an_argument() -> None:
    bare, password = client.without_password(
        "postgresql://own%40er:p%40ss%2Fword@[::1]:5433,db:5432/books?password=other&x=1"
    )
    assert (bare, password) == ("postgresql://own%40er@[::1]:5433,db:5432/books?x=1", "p@ss/word")
    assert client.without_password("postgresql:///books?host=%2Frun%2Fdb") == (
        "postgresql:///books?host=%2Frun%2Fdb",
        None,
    )
    assert client.without_password("postgresql://a@/b?password=p%40ss") == ("postgresql://a@/b", "p@ss")


def test_programs_that_do_not_fit_the_server_are_told(tmp_path: Path) -> None:
    for major in (15, 16, 18):
        (tmp_path / str(major)).mkdir()
        for name in ("pg_dump", "pg_restore"):
            (tmp_path / str(major) / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {major}.4'\n")
            (tmp_path / str(major) / name).chmod(0o755)
    folders = sorted(tmp_path.iterdir())
    assert [client.tools_for(major, folders).major for major in (15, 16, 17, 18)] == [15, 16, 18, 18]
    with pytest.raises(
        BinariesError, match=re.escape("PostgreSQL 19, and the client programs found are of version 15, 16, 18")
    ):
        client.tools_for(19, folders)
    (tmp_path / "15" / "pg_dump").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(BinariesError, match="install pg_dump and pg_restore of version 15"):
        client.tools_for(15, folders)


def test_a_dump_of_a_newer_pg_dump_is_refused_with_the_remedy(own: Own, source: Source, tmp_path: Path) -> None:
    """The version of its format is newer than pg_restore knows, as that of PostgreSQL 18 is for 15 to 17."""
    settings = own.settings(source.name, tmp_path)
    dump = tmp_path / "newer.dump"
    tools = client.tools_for(postgres_major(own))
    client.dump(tools, settings["LEDGERBEE_DATABASE_BACKUP_URL"], dump)
    content = bytearray(dump.read_bytes())
    major, minor = content[5:7]  # behind the magic, see pg_backup_archiver.h
    assert major == 1
    content[6] = minor + 40
    dump.write_bytes(content)
    name = own.database()
    said = refusal("db", "restore", dump, **own.settings(name, tmp_path))
    assert len(said.splitlines()) == 1
    assert f"The backup {dump} can't be read: pg_restore: error: unsupported version (1.{minor + 40})" in said
    assert f"It was made by a newer pg_dump than pg_restore {tools.major}, the server's: restore it into " in said
    assert tables_of(own, name) == 0


@pytest.mark.parametrize(
    ("server", "installed", "taken"),
    [
        (15, {15, 16, 17, 18}, 15),  # pg_restore sets what the older server doesn't know, from 17 on
        (16, {15, 16, 17, 18}, 16),
        (17, {15, 16, 17, 18}, 17),
        (18, {15, 16, 17, 18}, 18),
        (17, {15, 16, 18}, 18),
        (17, {19, 18}, 18),
        (15, {16, 17, 18}, None),
        (16, {15, 18}, None),
        (17, {15, 16}, None),
        (18, {17}, None),
        (15, set(), None),
    ],
)
def test_which_programs_are_taken_for_a_server(
    tmp_path: Path, server: int, installed: set[int], taken: int | None
) -> None:
    for major in installed:
        (tmp_path / str(major)).mkdir()
        for name in ("pg_dump", "pg_restore"):
            (tmp_path / str(major) / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {major}.4'\n")
            (tmp_path / str(major) / name).chmod(0o755)
    folders = sorted(tmp_path.iterdir()) or [tmp_path]
    if taken is not None:
        assert client.tools_for(server, folders).major == taken
        return
    with pytest.raises(BinariesError, match=f"install pg_dump and pg_restore of version {server} and put"):
        client.tools_for(server, folders)


def test_the_shown_json_is_one_object(own: Own, source: Source, tmp_path: Path) -> None:
    done = cli("db", "backup", tmp_path / "x.backup", "--json", **own.settings(source.name, tmp_path))
    assert json.loads(done.stdout) == {
        "file": str(tmp_path / "x.backup"),
        "sizeBytes": (tmp_path / "x.backup").stat().st_size,
    }
