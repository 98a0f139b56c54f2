"""Whether the database of `DATABASE_URL` can be worked with; what is wrong is said in one line, with the remedy."""

import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncpg

from ledgerbee.app.cli import store
from ledgerbee.app.config import Settings
from ledgerbee.platform.connection import Connection
from ledgerbee.platform.db import APPLICATION_ROLE, WORKER_ROLE

#: The oldest major version of PostgreSQL that will do.
OLDEST: Final = 15
#: Seconds that a server may take to let a command in.
PATIENCE_S: Final = 15

#: Options of an address that name a file.
_FILES: Final = {"sslrootcert", "sslcert", "sslkey", "sslcrl"}

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
async def connected(
    url: str, setting: str, *, role: str | None = None, patience: float = PATIENCE_S
) -> AsyncIterator[Connection]:
    """A connection to `url`, which stands in the environment variable `setting`, switched to `role`.

    Raises `DatabaseUnusableError` for a server that can't be reached, is too old or doesn't let us in.
    """
    try:
        settings = {"role": role} if role else None
        connection = await asyncpg.connect(url, timeout=patience, server_settings=settings)
    except asyncpg.PostgresError as fault:
        kind = next((text for kind, text in _REFUSALS.items() if isinstance(fault, kind)), f"it says: {fault}")
        raise unusable(url, setting, kind) from fault
    except TimeoutError as fault:
        reason = f"no answer within {patience:g} seconds (is the host right, and does a firewall let it through?)"
        raise unusable(url, setting, reason) from fault
    except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError, ValueError) as fault:
        raise unusable(url, setting, _unreached(fault, url)) from fault
    try:
        major = connection.get_server_version().major
        if major < OLDEST:
            raise unusable(
                url, setting, f"it is PostgreSQL {major}, and {OLDEST} is the oldest that will do: upgrade it"
            )
        yield connection
    finally:
        await connection.close(timeout=PATIENCE_S)


async def check_owner(url: str) -> None:
    """Refuse a database that the login of `DATABASE_URL` can't bring to this release's schema and keep there."""
    async with connected(url, "DATABASE_URL") as connection:
        facts = await store.get_owner_facts(connection)
        reason = None
        if facts.is_read_only:
            reason = "it is read-only: name the primary server"
        elif facts.encoding != "UTF8":
            reason = f"its encoding is {facts.encoding}: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        elif facts.is_owner is False:
            reason = f"its schema belongs to {facts.owner}, not to {facts.login}: log in as the owner"
        elif facts.owner is None and not facts.may_create:
            reason = f"{facts.login} may not make tables in it: ALTER DATABASE {facts.name} OWNER TO {facts.login}"
        if reason is not None:
            raise unusable(url, "DATABASE_URL", reason)


async def check_logins(settings: Settings, *, backs_up: bool = False) -> bool:
    """Refuse a `LEDGERBEE_DATABASE_…_URL` that leads to another database than `DATABASE_URL`, or to another role.

    Each URL is set by itself, so one that was forgotten after a move would go on to work on the old books. Before the
    first migration the roles may not be there yet: their logins are then left to a second call, after it, and the
    answer is False. The login for backups has to answer only for what uses it (`backs_up`): a replica that is down is
    no reason not to serve.
    """
    url = settings.database_url
    assert url is not None
    logins = [
        (settings.database_app_url, "LEDGERBEE_DATABASE_APP_URL", APPLICATION_ROLE),
        (settings.database_worker_url, "LEDGERBEE_DATABASE_WORKER_URL", WORKER_ROLE),
        (settings.database_backup_url, "LEDGERBEE_DATABASE_BACKUP_URL", None),
    ]
    if not any(other for other, _, _ in logins):
        return True
    all_looked_at = True
    async with connected(url, "DATABASE_URL") as owner, owner.transaction():
        # A lock is of one database of one running server: whoever finds it taken is in the same one. It takes no right,
        # and distinguishes a copy from its original, which names and numbers of databases and servers don't.
        token = secrets.randbits(62)
        await store.lock(owner, token)
        for other, setting, role in logins:
            if not other:
                continue
            is_missing = role is not None and not await store.has_role(owner, role)
            async with AsyncExitStack() as stack:
                try:
                    connection = await stack.enter_async_context(connected(other, setting))
                except DatabaseUnusableError:
                    if not is_missing and (role is not None or backs_up):
                        raise
                    all_looked_at = all_looked_at and role is None
                    continue
                if not await _is_same_database(owner, connection, token, may_follow=role is None):
                    raise unusable(
                        other,
                        setting,
                        f"it is not the database of DATABASE_URL, {place_of(url)}: change DATABASE_URL and all "
                        "LEDGERBEE_DATABASE_…_URL together",
                    )
                if role is not None:
                    await _check_role(connection, other, setting, role, await store.get_login(owner))
    return all_looked_at


async def _is_same_database(owner: Connection, other: Connection, token: int, *, may_follow: bool) -> bool:
    """Whether two connections are to one database. `may_follow`: the other one may be to a standby of its server."""
    if may_follow and (follows := await store.is_standby_of(other, owner)) is not None:
        return follows
    async with other.transaction():
        return await store.is_locked(other, token)


async def _check_role(connection: Connection, url: str, setting: str, role: str, owner: str) -> None:
    """Refuse a login that is not the role itself, or has more rights than the role."""
    facts = await store.get_role_facts(connection, [owner, WORKER_ROLE] if role == APPLICATION_ROLE else [owner])
    remedy = f"name {role}, or leave the variable unset"
    if facts.passes:
        raise unusable(url, setting, f"its login goes past row-level security: {remedy}")
    if facts.login != role:
        raise unusable(url, setting, f"it logs in as {facts.login}, and {role} is whom it is for: {remedy}")
    if facts.is_more:
        raise unusable(
            url, setting, f"its login is a member of a role with more rights than {role}: REVOKE that, or {remedy}"
        )


def place_of(url: str) -> str:
    """Where an address leads, as it may be shown: login, host, port and database, without the password."""
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2]
    login = unquote(parts.username) + "@" if parts.username else ""
    return f"{login}{hosts or 'the local socket'}{parts.path}"


def unusable(url: str, setting: str, reason: str) -> DatabaseUnusableError:
    """The error of a database: `setting` names its address, `reason` is half a sentence with the remedy."""
    return DatabaseUnusableError(f"The database {place_of(url)} ({setting}) can't be used: {reason}.")


def _unreached(fault: Exception, url: str) -> str:
    if isinstance(fault, socket.gaierror):
        return "the host's name is not known: check it"
    if isinstance(fault, ConnectionRefusedError) or "Connect call failed" in str(fault):
        return "nobody listens there: start PostgreSQL there, or put host and port right"
    if isinstance(fault, FileNotFoundError):
        for option, file in parse_qsl(urlsplit(url).query):
            if option in _FILES and not Path(file).exists():
                return f"there is no file {file} ({option}): put the path right"
        return "there is no such socket: start PostgreSQL, or put the folder right"
    if isinstance(fault, ConnectionError | asyncpg.InterfaceError | asyncpg.InternalClientError):
        said = " ".join(str(fault).split()) or type(fault).__name__
        return f"what answers there does not let us in as PostgreSQL does ({said})"
    return " ".join(str(fault).split()) or type(fault).__name__
