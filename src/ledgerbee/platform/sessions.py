"""Settings and statement names of a session that SQL, run in another session or earlier in this one, can't change."""

import secrets
from typing import TYPE_CHECKING, Final

import asyncpg

if TYPE_CHECKING:
    _DriverConnection = asyncpg.Connection[asyncpg.Record]
else:
    _DriverConnection = asyncpg.Connection

#: A role may change its own settings for all its later sessions (ALTER ROLE ... SET). What a session names when it
#: connects goes before them, so that it names all that decides whether it can write, what is kept after a power cut,
#: where names are looked up and how values are read, with PostgreSQL's defaults.
SESSION_SETTINGS: Final = {
    "search_path": "public, pg_temp",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
    "synchronous_commit": "on",
    "row_security": "on",
    "idle_session_timeout": "0",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "array_nulls": "on",
    "transform_null_equals": "off",
    "standard_conforming_strings": "on",
    "client_min_messages": "warning",
    "plan_cache_mode": "auto",
    "default_tablespace": "",
    "gin_fuzzy_search_limit": "0",
    "enable_indexscan": "on",
    "enable_indexonlyscan": "on",
    "enable_bitmapscan": "on",
    "enable_nestloop": "on",
}


class RandomStatementNames(_DriverConnection):
    """A connection whose prepared statements have random names.

    SQL can deallocate a prepared statement of a session and prepare another one under its name, which the session's
    next user would run. The driver's own names are numbers.
    """

    def _get_unique_id(self, prefix: str) -> str:
        return f"ledgerbee_{prefix}_{secrets.token_hex(16)}"
