"""Beancount books: imported as the command line does, and judged by the `beancount` package."""

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from beancount import loader
from beancount.core import convert
from beancount.core.data import Transaction
from tests.conftest import Api

from ledgerbee.app.beancount.importing import begin_import
from ledgerbee.core.money import places_of
from ledgerbee.core.paging import PageRequest
from ledgerbee.ledger.imports import run, store
from ledgerbee.ledger.imports.model import JournalImport
from ledgerbee.ledger.verify import verify
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import CompanySession

#: Books kept in dollars.
HEAD: Final = 'option "operating_currency" "USD"\n'

Balances = dict[tuple[str, str], Decimal]


class Imported(NamedTuple):
    """An import that is over, its errors by their place in the books, and what stands on each account afterwards."""

    state: JournalImport
    errors: list[tuple[str, str]]
    balances: Balances
    base_balances: dict[str, Decimal]


async def imported(api: Api, file: Path, mapping: dict[str, int] | None = None, **options: bool) -> Imported:
    """Import a file as the command line does."""
    session = CompanySession(api.database, api.clock, api.tenant)
    begun = await begin_import(session, file, mapping or {}, seconds=60, **options)
    state = await run.carry_out(session, begun.import_id, begun.rows_of)
    listed = await session.read(lambda context: store.list_errors(context, state.id, PageRequest(limit=100)))
    errors = [(begun.places[error.line - 1], error.code) for error in listed.rows]

    async def sums(context: Context) -> list[Any]:
        return await context.connection.fetch(
            "SELECT a.name, l.currency, sum(l.amount) AS amount, sum(l.base_amount) AS base_amount"
            " FROM journal_lines l JOIN accounts a ON a.company_id = l.company_id AND a.id = l.account_id"
            " WHERE l.company_id = $1 GROUP BY 1, 2",
            context.company_id,
        )

    balances: Balances = {}
    base_balances: dict[str, Decimal] = defaultdict(Decimal)
    for row in await session.read(sums):
        if row["amount"]:
            balances[row["name"], row["currency"]] = row["amount"]
        base_balances[row["name"]] += row["base_amount"]
    assert (await api.run(verify, one_snapshot=True)).passed
    return Imported(state, errors, balances, base_balances)


def rounded(number: Decimal, currency: str) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places_of(currency)), rounding=ROUND_HALF_UP)


def expected(file: Path) -> Balances:
    """What stands on each account by the judge: units, or of what is held at cost its cost, rounded a posting."""
    entries, errors, _ = loader.load_file(str(file))
    assert not [error for error in errors if "unknown account" not in error.message], errors
    balances: Balances = defaultdict(Decimal)
    for entry in entries:
        if not isinstance(entry, Transaction):
            continue
        off: dict[str, Decimal] = defaultdict(Decimal)
        for posting in entry.postings:
            weight = convert.get_weight(posting)  # type: ignore[no-untyped-call]
            held: Any = weight if posting.cost is not None else posting.units
            balances[posting.account, held.currency] += rounded(held.number, held.currency)
            off[weight.currency] += rounded(weight.number, weight.currency)
            if posting.cost is None and posting.price is not None:
                balances["Equity:Conversions", held.currency] -= rounded(held.number, held.currency)
                balances["Equity:Conversions", weight.currency] += rounded(weight.number, weight.currency)
        for currency, number in off.items():
            balances["Equity:Rounding", currency] -= number
    return {key: number for key, number in balances.items() if number}


async def nothing_was_made(api: Api) -> bool:
    """Whether the company has neither accounts nor dimensions nor imports of Beancount books."""
    accounts = (await api.get("/v1/accounts")).json()
    dimensions = (await api.get("/v1/dimensions")).json()
    imports = (await api.get("/v2/journal-entries/import")).json()["data"]
    return not (imports or dimensions or [one for one in accounts if one["accountNumber"] > 1_000_000])
