"""Whether the database of `DATABASE_URL` can be worked with; what is wrong is told in one line, with the remedy."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import unquote, urlsplit

import asyncpg

from ledgerbee.platform.db import Connection

#: The oldest major version of PostgreSQL that will do.
OLDEST: Final = 15
#: Seconds that a server may take to let a command in.
PATIENCE_S: Final = 15

_REFUSALS: Final = {
    asyncpg.InvalidPasswordError: "the password is wrong",
    asyncpg.InvalidAuthorizationSpecificationError: "the login is refused (does the role exist, and does pg_hba.conf "
    "let it in from here?)",
    asyncpg.InvalidCatalogNameError: "there is no such database: CREATE DATABASE it, owned by that login",
    asyncpg.TooManyConnectionsError: "it has no connection left: raise max_connections, or lower LEDGERBEE_POOL_SIZE",
    asyncpg.CannotConnectNowError: "it is starting or stopping: try again in a moment",
}


class DatabaseUnusableError(Exception):
    """The operator's database can't be worked with. The message names the place, the setting and the remedy."""


@asynccontextmanager
async def connected(url: str, setting: str) -> AsyncIterator[Connection]:
    """A connection to `url`, which stands in the environment variable `setting`.

    Raises `DatabaseUnusableError` for a server that can't be reached, is too old or doesn't let us in.
    """
    try:
        connection = await asyncpg.connect(url, timeout=PATIENCE_S)
    except asyncpg.PostgresError as fault:
        kind = next((text for kind, text in _REFUSALS.items() if isinstance(fault, kind)), f"it says: {fault}")
        raise _unusable(url, setting, kind) from fault
    except TimeoutError as fault:
        reason = f"no answer within {PATIENCE_S} seconds (is the host right, and does a firewall let it through?)"
        raise _unusable(url, setting, reason) from fault
    except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError, ValueError) as fault:
        raise _unusable(url, setting, _unreached(fault)) from fault
    try:
        major = connection.get_server_version().major
        if major < OLDEST:
            raise _unusable(
                url, setting, f"it is PostgreSQL {major}, and {OLDEST} is the oldest that will do: upgrade it"
            )
        yield connection
    finally:
        await connection.close(timeout=PATIENCE_S)


async def check_owner(url: str) -> None:
    """Refuse a database that the login of `DATABASE_URL` can't bring to this release's schema and keep there."""
    async with connected(url, "DATABASE_URL") as connection:
        facts = await connection.fetchrow(
            """
            SELECT current_user AS login, current_database() AS name, pg_is_in_recovery() AS is_standby,
                   current_setting('default_transaction_read_only') = 'on' AS is_read_only,
                   current_setting('server_encoding') AS encoding,
                   has_schema_privilege(current_user, 'public', 'CREATE') AS may_create,
                   (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = to_regclass('public.alembic_version'))
                       AS owner,
                   (SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class
                    WHERE oid = to_regclass('public.alembic_version')) AS is_owner
            """
        )
        assert facts is not None
        reason = None
        if facts["is_standby"] or facts["is_read_only"]:
            reason = "it is read-only: name the primary server"
        elif facts["encoding"] != "UTF8":
            reason = f"its encoding is {facts['encoding']}: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        elif facts["is_owner"] is False:
            reason = f"its schema belongs to {facts['owner']}, not to {facts['login']}: log in as the owner"
        elif facts["owner"] is None and not facts["may_create"]:
            reason = (
                f"{facts['login']} may not make tables in it: ALTER DATABASE {facts['name']} OWNER TO {facts['login']}"
            )
        if reason is not None:
            raise _unusable(url, "DATABASE_URL", reason)


async def check_application(url: str) -> None:
    """Refuse a login of `LEDGERBEE_DATABASE_APP_URL` that the application can't work with."""
    setting = "LEDGERBEE_DATABASE_APP_URL"
    async with connected(url, setting) as connection:
        if await connection.fetchval("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"):
            reason = "its login goes past row-level security: name ledgerbee_app, or leave the variable unset"
            raise _unusable(url, setting, reason)


def place_of(url: str) -> str:
    """Where an address leads, as it may be shown: login, host, port and database, without the password."""
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2]
    login = unquote(parts.username) + "@" if parts.username else ""
    return f"{login}{hosts or 'the local socket'}{parts.path}"


def _unusable(url: str, setting: str, reason: str) -> DatabaseUnusableError:
    return DatabaseUnusableError(f"The database {place_of(url)} ({setting}) can't be used: {reason}.")


def _unreached(fault: Exception) -> str:
    if isinstance(fault, socket.gaierror):
        return "the host's name is not known: check it"
    if isinstance(fault, ConnectionRefusedError) or "Connect call failed" in str(fault):
        return "nobody listens there: start PostgreSQL there, or put host and port right"
    if isinstance(fault, FileNotFoundError):
        return "there is no such socket: start PostgreSQL, or put the folder right"
    if isinstance(fault, ConnectionError | asyncpg.InterfaceError | asyncpg.InternalClientError):
        said = " ".join(str(fault).split()) or type(fault).__name__
        return f"what answers there does not let us in as PostgreSQL does ({said})"
    return " ".join(str(fault).split()) or type(fault).__name__
