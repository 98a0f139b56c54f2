"""Importing Beancount books: read, translated into JSON Lines, and posted as any import of these is."""

import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from ledgerbee.app.beancount.chart import ensure_accounts, ensure_tags
from ledgerbee.app.beancount.model import Books, BooksRefusedError, Transaction
from ledgerbee.app.beancount.reading import read_books
from ledgerbee.app.beancount.translation import Accounts, Part, needed_rates, translate
from ledgerbee.core.money import ZERO, format_decimal, total
from ledgerbee.http.wire import MAX_LINE, MAX_TEXT
from ledgerbee.ledger.imports import actions, entered, run, source, store
from ledgerbee.ledger.imports.model import FileToImport, ImportFormat, ImportId, JournalImport
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import CompanySession
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.rates import store as rates


@dataclass(frozen=True, slots=True)
class Prepared:
    """Books as JSON Lines: each line with its place in the books, and what there is to say of the whole."""

    lines: Sequence[bytes]
    places: Sequence[str]
    summary: Mapping[str, Any]


async def begin_import(
    session: CompanySession,
    file: Path,
    mapping: Mapping[str, int],
    *,
    seconds: float,
    again: bool = False,
    open_fiscal_years: bool = True,
) -> run.Begun:
    """An import of Beancount books for this process to carry out: a new one, or one of the same bookings to go on with.

    `mapping` gives the numbers of accounts for names; Beancount's tools have `seconds`. Raises `BooksRefusedError`
    before anything is made, and `JOURNAL_IMPORT_REPEATED` for bookings that were imported before (unless `again`).
    """
    base_currency = (await session.read(companies.get)).base_currency
    books = await read_books(file, base_currency, seconds)
    digest = hashlib.sha256(books.content_hash + json.dumps(mapping, sort_keys=True).encode()).digest()
    known = await session.read(lambda context: actions.unfinished(context, ImportFormat.BEANCOUNT, digest, again=again))
    prepared = await session.write(lambda context: _prepare(context, books, mapping, base_currency, digest.hex()[:16]))
    # Kept in the database like an upload: the rates of another day would give other lines to go on in.
    if known is not None:
        import_id = known.id
    else:
        secret = secrets.token_bytes(32)
        import_id, _, length = await actions.receive(
            actions.Door(session.write, partial(_give_up, session, secret), secret),
            FileToImport(ImportFormat.BEANCOUNT, file.name, open_fiscal_years=open_fiscal_years),
            _blocks(prepared.lines),
        )
        await session.write(lambda context: actions.queue_here(context, import_id, digest, length))

    async def rows_of(state: JournalImport) -> run.Rows:
        return await entered.rows_of(session, state, source.Parts(state.id, session.read), summary=prepared.summary)

    return run.Begun(import_id, rows_of, prepared.places)


async def _give_up(session: CompanySession, secret: bytes, import_id: ImportId, _: BaseException) -> None:
    """The command ends with what came up, and nothing stays."""
    async with session.database.connection() as connection:
        await store.give_up_upload(connection, session.tenant.company_id, import_id, secret)


async def _blocks(lines: Sequence[bytes]) -> AsyncIterator[bytes]:
    for line in lines:
        yield line


async def _prepare(
    context: Context, books: Books, mapping: Mapping[str, int], base_currency: str, prefix: str
) -> Prepared:
    """The books' transactions as entries, with the accounts and tags that these need. Raises `BooksRefusedError`."""
    if books.operating_currencies and base_currency not in books.operating_currencies:
        kept = ", ".join(books.operating_currencies)
        raise BooksRefusedError(f"The books are kept in {kept}, the company's in {base_currency}.")
    own = Accounts(f"{books.names['Equity']}:Conversions", f"{books.names['Equity']}:Rounding")
    days_rates = await _days_rates(context, books, base_currency)
    translated = [(one, translate(one, base_currency, own, days_rates)) for one in books.transactions]
    used = {line.account for _, parts in translated for part in parts for line in part.lines}
    numbers, accounts_made = await ensure_accounts(context, _kinds(used, books), mapping)
    tag_ids, tags_made = await ensure_tags(context, {tag for one in books.transactions for tag in one.tags})
    lines, places = [], []
    rounding: dict[str, Decimal] = {}
    for number, (transaction, parts) in enumerate(translated, 1):
        for part in parts:
            entry = _entry(transaction, part, numbers, tag_ids)
            if part.currency != base_currency:
                entry |= {"currency": part.currency, "exchangeRate": format_decimal(part.rate)}
            entry["externalSystemId"] = f"{prefix}:{number}"
            lines.append(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
            places.append(transaction.place)
            off = [line.amount for line in part.lines if line.account == own.rounding]
            rounding[part.currency] = rounding.get(part.currency, ZERO) + total(off)
    summary = {
        "transactions": len(books.transactions),
        "accountsCreated": accounts_made,
        "tagsCreated": tags_made,
        "rounding": {currency: format_decimal(amount) for currency, amount in sorted(rounding.items()) if amount},
    }
    return Prepared(lines, places, summary)


async def _days_rates(context: Context, books: Books, base_currency: str) -> dict[tuple[str, date], Decimal]:
    """The rates of the days that the books may need."""
    wanted = {pair for one in books.transactions for pair in needed_rates(one, base_currency)}
    found = {pair: await rates.find(context, *pair) for pair in sorted(wanted)}
    return {pair: rate.value for pair, rate in found.items() if rate is not None}


def _kinds(names: set[str], books: Books) -> dict[str, str]:
    """The kind of each account by the first part of its name."""
    by_root = {name: kind for kind, name in books.names.items()}
    found = {name: by_root.get(name.partition(":")[0]) for name in names}
    unknown = sorted(name for name, kind in found.items() if kind is None)
    if unknown:
        raise BooksRefusedError(f"No account begins like {unknown[0]}: the kinds are {', '.join(by_root)}.")
    return {name: kind for name, kind in found.items() if kind is not None}


def _entry(
    transaction: Transaction, part: Part, numbers: Mapping[str, int], tag_ids: Mapping[str, UUID]
) -> dict[str, Any]:
    """A part as the body of `POST /v2/journal-entries`."""
    lines = []
    for account, amount, description in part.lines:
        line = {
            "accountNumber": numbers[account],
            "side": "DEBIT" if amount > 0 else "CREDIT",
            "amount": format_decimal(abs(amount)),
        }
        if description is not None:
            line["description"] = " ".join(description.split())[:MAX_LINE]
        lines.append(line)
    entry: dict[str, Any] = {
        "entryType": "JOURNAL_ENTRY",
        "date": transaction.date.isoformat(),
        "originalAmount": format_decimal(total([line.amount for line in part.lines if line.amount > 0])),
        "lines": lines,
    }
    if text := transaction.description.replace("\x00", "")[:MAX_TEXT]:
        entry["description"] = text
    if transaction.tags:
        entry["tagIds"] = [str(tag_id) for tag_id in dict.fromkeys(tag_ids[tag] for tag in transaction.tags)]
    return entry
