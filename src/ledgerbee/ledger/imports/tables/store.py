"""The tables that every kind of import has: how far each is, the parts of its file that wait, and the errors."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from ledgerbee.core.errors import ErrorCode, LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.ledger.imports.model import MAX_ERRORS, PART_BYTES, Place, Refusal
from ledgerbee.platform import rows
from ledgerbee.platform.connection import Connection
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page


@dataclass(frozen=True, slots=True)
class ImportTables:
    """The tables of a kind of import, by their names; `columns` are those of `imports` (as `i`) that it is read by.

    `first_kept` parts stay until the end, whatever was read of the file. `silent` is the function that names the
    uploads of which nothing has come for long. The codes are what its operations answer.
    """

    imports: str
    parts: str
    errors: str
    silent: str
    columns: str
    first_kept: int
    max_waiting: int
    not_found: ErrorCode
    invalid_state: ErrorCode
    quota_exceeded: ErrorCode

    async def get(self, context: Context, import_id: UUID) -> asyncpg.Record:
        """The row of one import. Raises `not_found`."""
        statement = f"SELECT {self.columns} FROM {self.imports} i WHERE i.company_id = $1 AND i.id = $2"
        return self.not_found.unless(await context.connection.fetchrow(statement, context.company_id, import_id))

    async def list_page(self, context: Context, request: PageRequest) -> Page[asyncpg.Record]:
        """A page of rows of imports, newest first."""
        return await fetch_page(
            context,
            table=self.imports,
            select=f"SELECT {self.columns} FROM page p JOIN {self.imports} i USING (company_id, id)",
            filters=Filter(),
            order_by={"createdAt": "t.created_at"},
            request=request,
        )

    async def change(
        self, context: Context, import_id: UUID, change: str, when: str, *arguments: Any
    ) -> asyncpg.Record:
        """The row of an import after an UPDATE (arguments from `$3` on); `when` says in which state there may be one.

        Raises `invalid_state` in another, and `not_found`.
        """
        row = await context.connection.fetchrow(
            f"UPDATE {self.imports} i {change} WHERE company_id = $1 AND id = $2 AND {when} RETURNING {self.columns}",
            context.company_id,
            import_id,
            *arguments,
        )
        if row is None:
            raise await self._wrong_state(context, import_id)
        return row

    async def check_quota(self, context: Context, more_bytes: int, max_bytes: int) -> None:
        """Whether the company may have so many bytes more waiting. Raises `quota_exceeded`.

        Uploads that come in at the same time don't see each other's last part: each may go beyond it by one.
        """
        count, waiting = await context.connection.fetchrow(
            f"SELECT count(*), coalesce(sum(bytes_kept), 0)::bigint FROM {self.imports}"
            " WHERE company_id = $1 AND status IN ('receiving', 'queued', 'running')",
            context.company_id,
        ) or (0, 0)
        if count > self.max_waiting or waiting + more_bytes > max_bytes:
            raise self.quota_exceeded.error(
                waitingImports=count, maxImports=self.max_waiting, waitingBytes=waiting, maxBytes=max_bytes
            )

    async def add_part(self, context: Context, import_id: UUID, part: int, data: bytes) -> None:
        """Keep a part of a file that comes in. Raises `invalid_state` when its import has ended."""
        kept = await context.connection.fetchval(
            f"WITH receiving AS (UPDATE {self.imports} SET bytes_kept = bytes_kept + length($4::bytea),"
            " received_at = now() WHERE company_id = $1 AND id = $2 AND status = 'receiving' RETURNING company_id, id)"
            f" INSERT INTO {self.parts} (company_id, import_id, part, data)"
            " SELECT r.company_id, r.id, $3, $4::bytea FROM receiving r RETURNING part",
            context.company_id,
            import_id,
            part,
            data,
        )
        if kept is None:
            raise await self._wrong_state(context, import_id)

    async def get_part(self, context: Context, import_id: UUID, part: int) -> bytes | None:
        """A part of a file that waits, None after the last one."""
        data: bytes | None = await context.connection.fetchval(
            f"SELECT data FROM {self.parts} WHERE company_id = $1 AND import_id = $2 AND part = $3",
            context.company_id,
            import_id,
            part,
        )
        return data

    async def delete_parts_read(self, context: Context, import_id: UUID, before: Place, after: Place) -> None:
        """Forget the parts that were left behind between two places, of a file whose positions are its bytes."""
        part = after.position // PART_BYTES
        if after.position != after.bytes_read or part == before.position // PART_BYTES:
            return
        await context.connection.execute(
            f"WITH gone AS (DELETE FROM {self.parts} WHERE company_id = $1 AND import_id = $2"
            " AND part >= $3 AND part < $4 RETURNING length(data) AS bytes)"
            f" UPDATE {self.imports} SET bytes_kept = bytes_kept - (SELECT coalesce(sum(bytes), 0) FROM gone)"
            " WHERE company_id = $1 AND id = $2",
            context.company_id,
            import_id,
            self.first_kept,
            part,
        )

    async def delete_parts(self, context: Context, import_id: UUID) -> None:
        """Forget what has arrived of a file."""
        await context.connection.execute(
            f"DELETE FROM {self.parts} WHERE company_id = $1 AND import_id = $2", context.company_id, import_id
        )

    async def add_errors(self, context: Context, import_id: UUID, refusals: Sequence[Refusal], before: int) -> None:
        """Keep errors, as many as are kept when `before` were counted already."""
        kept = refusals[: max(0, MAX_ERRORS - before)]
        if not kept:
            return
        await context.connection.execute(
            f"INSERT INTO {self.errors} (company_id, id, import_id, line, code, property, message)"
            " SELECT $1, e.id, $2, e.line, e.code, e.property, e.message"
            " FROM unnest($3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::text[])"
            " AS e (id, line, code, property, message)",
            context.company_id,
            import_id,
            [new_id() for _ in kept],
            [refusal.line for refusal in kept],
            [refusal.code for refusal in kept],
            [refusal.property for refusal in kept],
            [refusal.message for refusal in kept],
        )

    async def list_errors(self, context: Context, import_id: UUID, request: PageRequest) -> Page[Refusal]:
        """A page of an import's errors, by line."""
        filters = Filter()
        filters.add("t.import_id = {}", import_id)
        found = await fetch_page(
            context,
            table=self.errors,
            select=f"SELECT {rows.columns(Refusal, 'e')} FROM page p JOIN {self.errors} e USING (company_id, id)",
            filters=filters,
            order_by={"line": "t.line"},
            request=replace(request, sort_by="line", descending=False),
        )
        return Page([Refusal(**row) for row in found.rows], found.total)

    async def silent_uploads(self, connection: Connection, moment: datetime) -> list[tuple[UUID, UUID]]:
        """The uploads of all companies of which nothing has come since the moment: company and import.

        For the worker.
        """
        found = await connection.fetch(f"SELECT company_id, import_id FROM {self.silent}($1)", moment)
        return [(row["company_id"], row["import_id"]) for row in found]

    async def _wrong_state(self, context: Context, import_id: UUID) -> LedgerBeeError:
        status = await context.connection.fetchval(
            f"SELECT status FROM {self.imports} WHERE company_id = $1 AND id = $2", context.company_id, import_id
        )
        return self.invalid_state.in_state(self.not_found.unless(status))
