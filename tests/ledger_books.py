"""Entries to post in tests, on the accounts of a new Danish company."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
from tests.conftest import Api

from ledgerbee.app import verify as whole
from ledgerbee.chart.accounts import store as accounts
from ledgerbee.core.dates import system_clock
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries import actions, rules
from ledgerbee.ledger.entries.model import EntryToPost, EntryType, JournalEntry, LineToPost, LineType, PostedEntry, Side
from ledgerbee.ledger.verify import Verification, verify
from ledgerbee.platform.context import Context

SALES, GOODS, RECEIVABLES, BANK, CAPITAL, RETAINED, PAYABLES, OUTPUT_VAT = (
    1010, 1610, 6190, 6480, 6510, 6935, 7440, 7680,
)  # fmt: skip


def money(text: str) -> Decimal:
    return Decimal(text)


async def post(context: Context, entries: Sequence[EntryToPost]) -> list[PostedEntry]:
    """Post complete entries, as a caller that sent them together."""
    paths = [f"entries.{index}" for index in range(len(entries))]
    for entry, path in zip(entries, paths, strict=True):
        rules.check_entry(entry, path)
    return await actions.post_with_events([context] * len(entries), entries, paths)


@dataclass
class Books:
    """A company's ledger in a test."""

    api: Api
    accounts: dict[int, UUID]

    def line(self, number: int, amount: str, base: str | None = None, **fields: Any) -> LineToPost:
        """A line on an account by number; a negative amount is a credit, "-0" too."""
        side = Side.CREDIT if amount.startswith("-") else Side.DEBIT
        value = money(amount.removeprefix("-"))
        return LineToPost(
            account_id=self.accounts[number],
            side=side,
            amount=value,
            base_amount=money(base) if base is not None else value,
            **fields,
        )

    def entry(self, day: str | date, lines: Sequence[LineToPost], **fields: Any) -> EntryToPost:
        """An entry in kroner unless told otherwise."""
        values: dict[str, Any] = {
            "id": new_id(),
            "entry_type": EntryType.JOURNAL_ENTRY,
            "date": date.fromisoformat(day) if isinstance(day, str) else day,
            "currency": "DKK",
            "exchange_rate": Decimal(1),
            "original_amount": lines[0].amount if lines else Decimal(0),
            "lines": tuple(lines),
        }
        return EntryToPost(**(values | fields))

    def sale(self, day: str | date, amount: str, **fields: Any) -> EntryToPost:
        """Bank against sales."""
        return self.entry(day, [self.line(BANK, amount), self.line(SALES, f"-{amount}")], **fields)

    def invoice(self, day: str | date, customer: UUID | None, **fields: Any) -> EntryToPost:
        """1,250.00 receivable, of which 250.00 VAT."""
        lines = [
            self.line(RECEIVABLES, "1250.00", line_type=LineType.CONTROL),
            self.line(SALES, "-1000.00"),
            self.line(OUTPUT_VAT, "-250.00", line_type=LineType.VAT),
        ]
        return self.entry(day, lines, entry_type=EntryType.CUSTOMER_INVOICE, customer_id=customer, **fields)

    async def post(self, *entries: EntryToPost) -> list[JournalEntry]:
        async def work(context: Context) -> list[JournalEntry]:
            return [entry for entry, _ in await post(context, entries)]

        posted: list[JournalEntry] = await self.api.run(work)
        return posted

    async def verify(self) -> Verification:
        result: Verification = await self.api.run(verify, one_snapshot=True)
        return result

    async def verify_now(self) -> Verification:
        """The whole audit, at the present moment: other processes, whose clock nobody steers, have posted."""
        self.api.clock.now = system_clock()
        return await self.verify_all()

    async def verify_all(self) -> Verification:
        """The whole audit, documents and all."""
        result: Verification = await self.api.run(whole.verify, one_snapshot=True)
        return result

    async def customer(self, number: str = "1") -> UUID:
        """A customer, as a row."""
        customer_id = new_id()

        async def work(context: Context) -> None:
            await context.connection.execute(
                "INSERT INTO customers (company_id, id, number, customer_type, name, vat_zone, customer_group_id,"
                " country_code, currency, created_at, updated_at)"
                " SELECT $1, $2, $3, 'company', 'Havnens Cykler', 'domestic', g.id, 'DK', 'DKK', $4, $4"
                " FROM customer_groups g WHERE g.company_id = $1 LIMIT 1",
                context.company_id,
                customer_id,
                number,
                context.now,
            )

        await self.api.run(work)
        return customer_id

    async def vendor(self, number: str = "1") -> UUID:
        """A vendor, as a row."""
        vendor_id = new_id()

        async def work(context: Context) -> None:
            await context.connection.execute(
                "INSERT INTO vendors (company_id, id, number, name, vendor_group_id, currency, country_code,"
                " created_at, updated_at) SELECT $1, $2, $3, 'Stål A/S', g.id, 'DKK', 'DK', $4, $4"
                " FROM vendor_groups g WHERE g.company_id = $1 LIMIT 1",
                context.company_id,
                vendor_id,
                number,
                context.now,
            )

        await self.api.run(work)
        return vendor_id

    async def tag(self, name: str = "Odense", dimension: str = "Place") -> UUID:
        """A value of a dimension of its own, as rows."""
        dimension_id, value_id = new_id(), new_id()

        async def work(context: Context) -> None:
            await context.connection.execute(
                "INSERT INTO dimensions (company_id, id, name, is_unique, is_project, created_at, updated_at)"
                " VALUES ($1, $2, $3, false, false, $4, $4)",
                context.company_id,
                dimension_id,
                dimension,
                context.now,
            )
            await context.connection.execute(
                "INSERT INTO dimension_values (company_id, id, dimension_id, name, created_at, updated_at)"
                " VALUES ($1, $2, $3, $4, $5, $5)",
                context.company_id,
                value_id,
                dimension_id,
                name,
                context.now,
            )

        await self.api.run(work)
        return value_id

    async def open_years(self, first: int) -> None:
        """The calendar years from `first` on that lie before the company's own."""
        known = (await self.api.get("/v1/fiscal-years")).json()
        for year in range(int(known[0]["startDate"][:4]) - 1, first - 1, -1):
            answer = await self.api.post("/v1/fiscal-years", {"endDate": f"{year}-12-31"})
            assert answer.status_code == 201, answer.text

    async def lock(self, day: str | None, *, reopen: bool = False) -> None:
        answer = await self.api.put("/v1/ledger/lock-date", {"lockedThrough": day, "reopen": reopen})
        assert answer.status_code == 200, answer.text


async def books_of(api: Api) -> Books:
    """The company's books with its accounts by number."""

    async def work(context: Context) -> dict[int, UUID]:
        return {account.number: account.id for account in await accounts.list_all(context)}

    return Books(api, await api.run(work))


async def as_owner(database_url: str) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection of the role that owns the tables."""
    return await asyncpg.connect(database_url)


async def allow_temporary_tables(database_url: str) -> None:
    """Let everybody make temporary tables, as in a new database: a migration takes that away."""
    owner = await as_owner(database_url)
    name = await owner.fetchval("SELECT quote_ident(current_database())")
    await owner.execute(f"GRANT TEMPORARY ON DATABASE {name} TO PUBLIC")
    await owner.close()


async def enter(connection: "asyncpg.Connection[asyncpg.Record]", company_id: UUID) -> None:
    """Go on with the owner's transaction as the API's role, in a company that no credential was shown for."""
    await connection.execute("RESET ROLE")
    await connection.execute(
        "SELECT set_config('app.company_id', $1::text, true),"
        " set_config('app.company_proof', company_proof($1::text::uuid), true)",
        str(company_id),
    )
    await connection.execute("SET ROLE ledgerbee_app")
