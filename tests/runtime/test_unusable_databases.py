"""A database of the operator's that can't be worked with: one line that names place, setting and remedy; status 1."""

import asyncio
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url
from tests.platform.servers import end, value
from tests.runtime.processes import refusal

from ledgerbee import embedded as postgres

PASSWORD = "hemmelig-database-kode"


def message(kind: bytes, *parts: bytes) -> bytes:
    """A message of PostgreSQL's protocol."""
    body = b"".join(parts)
    return kind + struct.pack("!i", len(body) + 4) + body


def old_server(client: socket.socket) -> None:
    """Lets everybody in and says it is PostgreSQL 13."""
    while True:
        (length,) = struct.unpack("!i", client.recv(4, socket.MSG_WAITALL))
        startup = client.recv(length - 4, socket.MSG_WAITALL)
        if struct.unpack("!i", startup[:4])[0] != 80877103:
            break
        client.sendall(b"N")  # no TLS here
    settings = {b"server_version": b"13.14", b"client_encoding": b"UTF8", b"server_encoding": b"UTF8"}
    client.sendall(
        message(b"R", struct.pack("!i", 0))
        + b"".join(message(b"S", name, b"\0", text, b"\0") for name, text in settings.items())
        + message(b"K", struct.pack("!ii", 1, 1))
        + message(b"Z", b"I")
    )
    with suppress(OSError):
        client.recv(4096)  # the good-bye


def mail_server(client: socket.socket) -> None:
    """Answers as something else."""
    client.sendall(b"220 mail.example ESMTP\r\n")
    with suppress(OSError):
        client.recv(4096)


def hanging_up(client: socket.socket) -> None:
    """Takes the connection and ends it."""


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server on a free port of the loopback, whose connections `answer` serves."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = server.accept()
                    with client, suppress(OSError):
                        answer(client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]


COMMANDS = (["serve", "--port", "0"], ["company", "list"], ["db", "status"], ["worker"])


def one_line(*command: str, **variables: str) -> str:
    said = refusal(*command, **variables)
    assert len(said.splitlines()) == 1, said
    assert PASSWORD not in said
    return said


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_server_that_is_too_old(command: list[str]) -> None:
    with listening(old_server) as port:
        said = one_line(*command, DATABASE_URL=f"postgresql://owner:{PASSWORD}@127.0.0.1:{port}/books")
    assert said == (
        f"The database owner@127.0.0.1:{port}/books (DATABASE_URL) can't be used: it is PostgreSQL 13, and 15 is the "
        "oldest that will do: upgrade it."
    )


@pytest.mark.parametrize("answer", [mail_server, hanging_up])
def test_what_is_no_postgresql(answer: Callable[[socket.socket], None]) -> None:
    with listening(answer) as port:
        said = one_line("company", "list", DATABASE_URL=f"postgresql://owner:{PASSWORD}@127.0.0.1:{port}/books")
    assert f"owner@127.0.0.1:{port}/books (DATABASE_URL) can't be used: " in said


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("127.0.0.1:9", "nobody listens there"),
        ("no.such.host.invalid", "name is not known"),
        ("%2Fnowhere", "there is no such socket"),
        ("127.0.0.1/books?sslmode=verify-full&sslrootcert=/no/ca.pem", "there is no file /no/ca.pem (sslrootcert)"),
    ],
)
def test_a_server_that_is_not_there(where: str, reason: str) -> None:
    place = where if "/" in where else f"{where}/books"
    said = one_line("company", "list", DATABASE_URL=f"postgresql://owner:{PASSWORD}@{place}")
    assert "(DATABASE_URL) can't be used: " in said
    assert reason in said


#: As docs/operations/running.md has an administrator make them.
ROLES = [
    statement.replace("ledgerbee_owner", "owner")
    for statement in re.findall(
        r"^(?:CREATE ROLE ledgerbee_(?:app|worker)|GRANT) .*;$",
        (Path(__file__).parents[2] / "docs" / "operations" / "running.md").read_text(),
        re.MULTILINE,
    )
]


@pytest.fixture(scope="module")
def server(reachable: Path) -> Iterator[postgres.Server]:
    """A server of an operator's, which asks for passwords."""
    folder = reachable / "asks"
    server = postgres.ensure_running(folder)
    value(server, f"CREATE ROLE owner LOGIN NOINHERIT PASSWORD '{PASSWORD}'", *ROLES)
    value(
        server, "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0 OWNER owner"
    )
    value(server, "CREATE DATABASE others", "CREATE DATABASE books OWNER owner")
    value(server, "CREATE DATABASE standing OWNER owner")
    value(server, "ALTER DATABASE standing SET default_transaction_read_only = on")
    rules = folder / "postgres" / "pg_hba.conf"
    rules.write_text("local all ledgerbee_owner trust\nlocal all barred reject\nlocal all all scram-sha-256\n")
    value(server, "SELECT pg_reload_conf()")
    yield server
    end(folder)


def url(server: postgres.Server, database: str, user: str = "owner", password: str = PASSWORD) -> str:
    return make_url(server.dsn(user, database)).set(password=password).render_as_string(hide_password=False)


@pytest.mark.parametrize(
    ("database", "user", "password", "reason"),
    [
        ("books", "owner", f"{PASSWORD}-wrong", "the password is wrong"),
        ("books", "barred", PASSWORD, "the login is refused"),
        ("nothing", "owner", PASSWORD, "there is no such database"),
        ("others", "owner", PASSWORD, "owner may not make tables in it: ALTER DATABASE others OWNER TO owner"),
        ("latin", "owner", PASSWORD, "its encoding is LATIN1"),
        ("standing", "owner", PASSWORD, "it is read-only"),
    ],
)
def test_a_login_or_database_that_will_not_do(
    server: postgres.Server, database: str, user: str, password: str, reason: str
) -> None:
    said = one_line("company", "list", DATABASE_URL=url(server, database, user, password))
    assert f"/{database} (DATABASE_URL) can't be used: " in said
    assert reason in said


def test_a_schema_of_another_owner_and_of_a_newer_release(server: postgres.Server) -> None:
    own = url(server, "books")
    assert one_line("api-key", "list", DATABASE_URL=own).startswith("There is no company yet")  # it is usable
    value(
        server,
        "CREATE ROLE stranger LOGIN PASSWORD 'x' IN ROLE ledgerbee_app, ledgerbee_worker",
        "GRANT CREATE ON SCHEMA public TO stranger",
    )
    said = one_line("company", "list", DATABASE_URL=url(server, "books", "stranger", "x"))
    assert "its schema belongs to owner, not to stranger: log in as the owner" in said
    said = one_line("company", "list", DATABASE_URL=own, LEDGERBEE_DATABASE_APP_URL=url(server, "books", "nobody", "x"))
    assert "(LEDGERBEE_DATABASE_APP_URL) can't be used: the password is wrong" in said
    app = server.dsn(database="books")  # a superuser
    said = one_line("company", "list", DATABASE_URL=own, LEDGERBEE_DATABASE_APP_URL=app)
    assert "goes past row-level security" in said

    async def set_version(version: str) -> str:
        connection = await asyncpg.connect(own)
        try:
            before: str = await connection.fetchval("SELECT version_num FROM alembic_version")
            await connection.execute("UPDATE alembic_version SET version_num = $1", version)
        finally:
            await connection.close()
        return before

    asyncio.run(set_version("9999_future"))
    for command in (["company", "list"], ["serve", "--port", "0"]):
        assert "newer release (schema 9999_future" in one_line(*command, DATABASE_URL=own)
