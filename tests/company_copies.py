"""Companies that are copies of one that was made through the application: rows, jobs and files under ids of their own.

A test that needs a company to itself needs it as it was made, not the making once more: that costs a hundred requests
where there is an object of every kind, and the copy some dozens of statements without their guards. What a copy can't
have is a chain of hashes that verifies, as its entries were digested under other ids. New companies have no entries.
"""

import asyncio
import re
import secrets
import shutil
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.core.ids import parse_id
from ledgerbee.ledger.entries.rules.chain import genesis
from ledgerbee.platform.credentials.model import secret_hash
from ledgerbee.platform.secrets import SecretBox

#: What the application of tests encrypts stored secrets with: the same under each name that this module is loaded by.
SECRET_KEY: Final = urlsafe_b64encode(bytes(range(32))).decode()
_BOX: Final = SecretBox(lambda: [SECRET_KEY])

#: The columns of each table that has rows of companies, without those that the database computes.
_COLUMNS: Final = """
SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
AND a.attgenerated = '' AND EXISTS (
    SELECT FROM pg_attribute o WHERE o.attrelid = c.oid AND o.attname = 'company_id' AND NOT o.attisdropped
)
GROUP BY c.relname ORDER BY c.relname
"""
#: Who works in a company: of no company themselves, and copied with it.
_PEOPLE: Final = "SELECT * FROM users WHERE id IN (SELECT user_id FROM memberships WHERE company_id = $1)"
_PEOPLE_COLUMNS: Final = (
    "SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a"
    " WHERE a.attrelid = 'users'::regclass AND a.attnum > 0 AND NOT a.attisdropped"
)
#: The jobs of a company that wait, in the form of `_ADD_JOBS`.
_JOBS: Final = """
SELECT json_agg(json_build_object(
    'priority', priority, 'created', created, 'updated', updated, 'heartbeat', heartbeat,
    'execute_after', execute_after, 'status', status, 'entrypoint', entrypoint, 'dedupe_key', dedupe_key,
    'headers', headers, 'attempts', attempts, 'payload', convert_from(payload, 'UTF8')
) ORDER BY id)::text
FROM pgqueuer WHERE convert_from(payload, 'UTF8')::json ->> 'companyId' = $1 AND status = 'queued'
"""
_ADD_JOBS: Final = """
INSERT INTO pgqueuer (priority, created, updated, heartbeat, execute_after, status, entrypoint, dedupe_key, headers,
    attempts, payload)
SELECT priority, created, updated, heartbeat, execute_after, status, entrypoint, dedupe_key, headers, attempts,
    convert_to(payload, 'UTF8')
FROM json_to_recordset($1::json) AS j(
    priority int, created timestamptz, updated timestamptz, heartbeat timestamptz, execute_after timestamptz,
    status pgqueuer_status, entrypoint text, dedupe_key text, headers jsonb, attempts int, payload text
)
"""
_ID: Final = re.compile(rb"([0-9a-f]{8})-([0-9a-f]{4})(-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")
#: How much later the ids of each copy are, in milliseconds, the first 48 bits of an id: their order stays, and as no
#: copy is made in one, they are no later than the copy.
_STEPS: Final = count(1)
#: A column of 32 bytes in the form of COPY: the hash of a secret.
_HASH: Final = re.compile(rb"\\\\x([0-9a-f]{64})")
#: An address in the form of COPY.
_EMAIL: Final = re.compile(rb"[^\t\n]+@example\.com")
#: How much of a key its row shows.
_SHOWN: Final = 11


@dataclass(frozen=True)
class Shifted:
    """A text with ids in it, cut at them: what stands between two, and each as its milliseconds and the rest."""

    between: list[bytes]
    ids: list[tuple[int, bytes]]

    @classmethod
    def of(cls, text: bytes) -> "Shifted":
        parts = _ID.split(text)
        ids = [
            (int(high + low, 16), rest) for high, low, rest in zip(parts[1::4], parts[2::4], parts[3::4], strict=True)
        ]
        return cls(parts[::4], ids)

    def by(self, step: int) -> bytes:
        """The text with each id that much later."""
        return b"".join(self._parts(step))

    def _parts(self, step: int) -> Iterator[bytes]:
        yield self.between[0]
        for (moment, rest), then in zip(self.ids, self.between[1:], strict=True):
            high = b"%012x" % (moment + step)
            yield high[:8] + b"-" + high[8:] + rest + then


@dataclass(frozen=True)
class Original:
    """A company to copy."""

    company_id: UUID
    key: str
    #: The secrets of its quotes' pages.
    links: list[str]
    #: Those of the addresses that its payment providers call, as they are stored and in clear.
    callbacks: dict[bytes, str]
    #: By table: the columns, and its rows as COPY writes them.
    rows: dict[str, tuple[list[str], Shifted]]
    #: Its jobs that wait.
    jobs: Shifted | None

    @classmethod
    async def of(cls, owner: "asyncpg.Connection[Any]", company_id: UUID, key: str) -> "Original":
        """The company with that API key as it is now. `owner` sees all rows."""
        rows = {}
        for name, columns in await owner.fetch(_COLUMNS):
            content = BytesIO()
            names = ", ".join(f'"{column}"' for column in columns)
            query = f'SELECT {names} FROM "{name}" WHERE company_id = $1'
            await owner.copy_from_query(query, company_id, output=content)
            if content.getvalue():
                rows[name] = (columns, Shifted.of(content.getvalue()))
        people = BytesIO()
        await owner.copy_from_query(_PEOPLE, company_id, output=people)
        if people.getvalue():
            rows["users"] = (await owner.fetchval(_PEOPLE_COLUMNS), Shifted.of(people.getvalue()))
        jobs = await owner.fetchval(_JOBS, str(company_id))
        links = await owner.fetch("SELECT secret FROM quote_links WHERE company_id = $1", company_id)
        waiting = Shifted.of(jobs.encode()) if jobs else None
        stored = await owner.fetch("SELECT callback_secret FROM payment_providers WHERE company_id = $1", company_id)
        callbacks = {bytes(row[0]): _BOX.decrypt(bytes(row[0])).decode() for row in stored}
        return cls(company_id, key, [row["secret"] for row in links], callbacks, rows, waiting)


@dataclass(frozen=True)
class Copy:
    """A copy: its company, an API key with every scope, and how much later its ids are."""

    company_id: UUID
    key: str
    step: int

    def id_of(self, original: str) -> str:
        """The id, as a text, of what has that id in the original."""
        return Shifted.of(original.encode()).by(self.step).decode()


class Copies:
    """Makes companies that are like another one."""

    def __init__(self, owner: "asyncpg.Connection[Any]", files: Path) -> None:
        self._owner = owner
        self._files = files
        self._one_at_a_time = asyncio.Lock()

    @classmethod
    async def open(cls, database_url: str, files: Path) -> "Copies":
        """Copy in that database, as an owner who may write rows that no trigger and no foreign key looks at.

        `files` is the folder of attached files.
        """
        owner = await asyncpg.connect(database_url)
        await owner.execute("SET session_replication_role = replica")
        return cls(owner, files)

    async def close(self) -> None:
        """Close the connection."""
        await self._owner.close()

    async def original(self, company_id: UUID, key: str) -> Original:
        """The company with that API key, as it is now."""
        async with self._one_at_a_time:
            return await Original.of(self._owner, company_id, key)

    async def make(self, original: Original) -> Copy:  # noqa: C901  each table has a line of its own
        """Another company like that one."""
        step = next(_STEPS)
        new = Copy(_later(original.company_id, step), _other(original.key), step)
        callbacks = {stored: _other(secret) for stored, secret in original.callbacks.items()}
        known = {original.key: new.key} | {link: _other(link) for link in original.links}
        known |= {secret: callbacks[stored] for stored, secret in original.callbacks.items()}
        async with self._one_at_a_time, self._owner.transaction():
            for table, (columns, rows) in original.rows.items():
                content = rows.by(step)
                if table == "credentials":
                    content = _with_other_hashes(content, known)
                elif table == "users":
                    content = _EMAIL.sub(rb"%d.\g<0>" % step, content)
                elif table == "quote_links":
                    for link in original.links:
                        content = content.replace(link.encode(), known[link].encode())
                elif table == "payment_providers":
                    for stored, secret in callbacks.items():
                        other_stored = _BOX.encrypt(secret.encode())
                        content = content.replace(stored.hex().encode(), other_stored.hex().encode())
                elif table == "ledgers":
                    first, other = genesis(original.company_id).hex(), genesis(new.company_id).hex()
                    content = content.replace(first.encode(), other.encode())
                await self._owner.copy_to_table(table, source=BytesIO(content), columns=columns)
            if original.jobs is not None:
                await self._owner.execute(_ADD_JOBS, original.jobs.by(step).decode())
        files = self._files / str(original.company_id)
        if files.exists():
            shutil.copytree(files, self._files / str(new.company_id))
        return new


def _later(original: UUID, step: int) -> UUID:
    return parse_id(Shifted.of(str(original).encode()).by(step).decode())


def _other(secret: str) -> str:
    """Another secret, with the part of the first that is shown."""
    return secret[:_SHOWN] + secrets.token_urlsafe(len(secret))[: len(secret) - _SHOWN]


def _with_other_hashes(credentials: bytes, known: dict[str, str]) -> bytes:
    """Those rows with the hashes of other secrets: of secrets that are known, and of others that nobody knows."""
    hashes = {secret_hash(first).hex(): secret_hash(other).hex() for first, other in known.items()}
    return _HASH.sub(
        lambda found: b"\\\\x" + hashes.get(found[1].decode(), secrets.token_hex(32)).encode(), credentials
    )
