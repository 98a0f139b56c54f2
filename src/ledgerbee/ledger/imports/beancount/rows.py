"""Beancount books as rows of an import: each transaction the entries that it is translated into."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import ONE, ZERO, format_decimal
from ledgerbee.ledger.entries import actions as entries
from ledgerbee.ledger.entries import rules as entry_rules
from ledgerbee.ledger.entries import store as entry_store
from ledgerbee.ledger.entries.model import EntryType, NewEntry, NewLine, Side
from ledgerbee.ledger.imports import rules, store
from ledgerbee.ledger.imports.beancount.booking import Assertion, Bookkeeper
from ledgerbee.ledger.imports.beancount.model import Booked, Pad, Price, Problem, Source, Transaction
from ledgerbee.ledger.imports.beancount.setup import ensure_accounts, ensure_tags
from ledgerbee.ledger.imports.beancount.translation import Accounts, NoRateError, Translated, needed_rates, translate
from ledgerbee.ledger.imports.model import (
    CHUNK_ENTRIES,
    JOURNAL_IMPORT_BALANCE_DIFFERS,
    JOURNAL_IMPORT_UNREADABLE,
    JournalImport,
    Place,
    Refusal,
)
from ledgerbee.ledger.imports.run import Chunk, Completed, Finish, Means, chunk_of, refused
from ledgerbee.platform.context import Context
from ledgerbee.platform.http.wire import MAX_TEXT
from ledgerbee.platform.rates import store as rates
from ledgerbee.platform.rates.model import EXCHANGE_RATE_MISSING

#: Transactions that are translated together.
_BATCH: Final = CHUNK_ENTRIES // 2

Rates = dict[tuple[str, date], Decimal]


@dataclass(frozen=True, slots=True)
class Standing:
    """What of the company's books the entries stand on."""

    base_currency: str
    category_id: UUID | None
    account_ids: Mapping[str, UUID]
    tag_ids: Mapping[str, UUID]
    accounts_created: int


@dataclass(slots=True)
class BeancountRows:
    """The transactions of books. `accounts` are those that the translation itself books on."""

    means: Means
    state: JournalImport
    source: Source
    accounts: Accounts
    standing: Standing
    _bookkeeper: Bookkeeper = field(init=False)
    _prices: Mapping[str, list[tuple[date, Decimal]]] = field(init=False)

    def __post_init__(self) -> None:
        self._bookkeeper = Bookkeeper(self.source)
        self._prices = _prices(self.source, self.standing.base_currency)

    async def chunks(self, start: Place) -> AsyncIterator[Chunk]:
        """What can't be read, then the transactions in order; those before `start` are booked but not posted again."""
        total = len(self.source.problems) + sum(isinstance(one, Transaction | Pad) for one in self.source.directives)
        batch: list[tuple[Place, Booked | Problem]] = []
        for number, item in enumerate(self._items(), 1):
            if number <= start.position:
                continue
            read = self.state.bytes_total * min(number, total) // max(total, 1)
            batch.append((Place(number, 1, read), item))
            if len(batch) >= _BATCH:
                yield await self._completed(batch)
                batch = []
        if batch:
            yield await self._completed(batch)

    def _items(self) -> Iterator[Booked | Problem]:
        yield from self.source.problems
        yield from self._bookkeeper.booked()

    async def _completed(self, batch: Sequence[tuple[Place, Booked | Problem]]) -> Chunk:
        wanted: set[tuple[str, date]] = set()
        for _, item in batch:
            if isinstance(item, Booked):
                wanted |= needed_rates(item, self.standing.base_currency)

        async def look_up(context: Context) -> tuple[Rates, rules.Directory]:
            found = await self._rates(context, wanted)
            return found, await store.load_directory(context, rules.References())

        known, directory = await self.means.read(look_up)
        moment = self.means.clock()
        rows = []
        for place, item in batch:
            if isinstance(item, Problem):
                rows.append(refused(item.where.line, _unreadable(item), place))
                continue
            try:
                rules.check_day(item.source.date, directory, self.state.opens)
                parts = translate(item, self.standing.base_currency, self.accounts, lambda *day: known.get(day))
                new = [self._entry(item, part, place.position) for part in parts]
                for entry in new:
                    entry_rules.check(entry)
                ready = tuple(entries.prepare(self.means.tenant.company_id, moment, entry) for entry in new)
            except NoRateError as fault:
                error = EXCHANGE_RATE_MISSING.error(f"{EXCHANGE_RATE_MISSING.meaning}: {fault.currency}")
                rows.append(refused(item.source.where.line, error, place))
            except LedgerBeeError as fault:
                rows.append(refused(item.source.where.line, fault, place))
            else:
                rows.append(Completed(item.source.where.line, ready, None, place))
        return chunk_of(moment, rows)

    async def _rates(self, context: Context, wanted: set[tuple[str, date]]) -> Rates:
        """What currencies were worth on the days: as the books themselves say, else as published."""
        found: Rates = {}
        for currency, day in sorted(wanted):
            own = [rate for since, rate in self._prices.get(currency, ()) if since <= day]
            if own:
                found[currency, day] = own[-1]
                continue
            try:
                found[currency, day] = (await rates.rate_for(context, currency, day)).value
            except LedgerBeeError as fault:
                if fault.error_code is not EXCHANGE_RATE_MISSING:
                    raise
        return found

    def _entry(self, booked: Booked, part: Translated, number: int) -> NewEntry:
        source = booked.source
        lines = []
        for account, amount, base_amount, description in part.lines:
            side = Side.DEBIT if (amount or base_amount) >= 0 else Side.CREDIT
            account_id = self.standing.account_ids[account]
            lines.append(NewLine(account_id, side, abs(amount), abs(base_amount), description=description))
        text = " | ".join(text for text in (source.payee, source.narration) if text).replace("\x00", "")
        return NewEntry(
            id=new_id(),
            entry_type=EntryType.JOURNAL_ENTRY,
            date=source.date,
            currency=part.currency,
            exchange_rate=part.rate,
            lines=tuple(lines),
            original_amount=sum((line.amount for line in lines if line.side is Side.DEBIT), ZERO),
            description=text[:MAX_TEXT] or None,
            external_system_id=f"{_prefix(self.state)}:{number}",
            journal_category_id=self.standing.category_id,
            tag_ids=tuple(dict.fromkeys(self.standing.tag_ids[tag] for tag in source.tags)),
        )

    async def finish(self) -> Finish:
        """The balances that the books assert, against ours; and what was made, skipped and rounded."""
        differing = [one for one in self._bookkeeper.assertions if one.units is not None and not _holds(one, one.units)]
        refusals = [_differs(one, one.units or ZERO) for one in differing]

        async def look_up(context: Context) -> tuple[list[Refusal], dict[str, Decimal]]:
            return await self._check(context), await self._rounding(context)

        found, rounding = await self.means.read(look_up)
        summary: dict[str, Any] = {
            "accountsCreated": self.standing.accounts_created,
            "balancesChecked": len(self._bookkeeper.assertions),
            "skipped": dict(self.source.skipped),
            "rounding": {currency: format_decimal(amount) for currency, amount in rounding.items() if amount},
        }
        return Finish(sorted((*refusals, *found), key=lambda refusal: refusal.line), summary)

    async def _rounding(self, context: Context) -> dict[str, Decimal]:
        prefix, account_id = _prefix(self.state), self.standing.account_ids[self.accounts.rounding]
        since = self.state.started_at or self.state.created_at
        return await store.sum_of_import(context, account_id, (f"{prefix}:", f"{prefix};"), since)

    async def _check(self, context: Context) -> list[Refusal]:
        """The assertions that our books don't meet."""
        open_ones = sorted((one for one in self._bookkeeper.assertions if one.units is None), key=_day_of)
        of = {one.source.account: self._below(one.source.account) for one in open_ones}
        sums = iter(await store.load_daily_sums(context, list({account for ids in of.values() for account in ids})))
        totals: dict[tuple[UUID, str], Decimal] = {}
        row = next(sums, None)
        refusals = []
        for one in open_ones:
            while row is not None and row["entry_date"] < one.source.date:
                key = row["account_id"], row["currency"]
                totals[key] = totals.get(key, ZERO) + row["amount"]
                row = next(sums, None)
            held = sum((totals.get((account, one.source.currency), ZERO) for account in of[one.source.account]), ZERO)
            if not _holds(one, held):
                refusals.append(_differs(one, held))
        return refusals

    def _below(self, name: str) -> set[UUID]:
        """An account and those below it."""
        ids = self.standing.account_ids
        return {ids[other] for other in ids if other == name or other.startswith(name + ":")}


async def open_books(means: Means, state: JournalImport, source: Source, numbers: Mapping[str, int]) -> BeancountRows:
    """Make the accounts and tags that the books need, and answer with their rows.

    `numbers` maps names of accounts to numbers of ours. Raises `JOURNAL_IMPORT_UNREADABLE`.
    """
    names = {root: name for name, root in source.roots.items()}
    accounts = Accounts(f"{names['Equity']}:Conversions", f"{names['Equity']}:Rounding")
    used = {accounts.conversions, accounts.rounding}
    tags: set[str] = set()
    for directive in source.directives:
        match directive:
            case Transaction():
                used.update(posting.account for posting in directive.postings)
                tags.update(directive.tags)
            case Pad():
                used.update((directive.account, directive.source))
            case Price():
                pass
            case _:
                used.add(directive.account)
    unknown = {name for name in used if name.partition(":")[0] not in source.roots}

    async def work(context: Context) -> Standing:
        books = await entry_store.load_books(context, [])
        operating = source.options.get("operating_currency", [books.base_currency])
        if books.base_currency not in operating:
            raise JOURNAL_IMPORT_UNREADABLE.error(
                f"The books are kept in {', '.join(operating)}, the company's in {books.base_currency}"
            )
        account_ids, made = await ensure_accounts(context, used, source.roots, numbers)
        category = books.default_category
        return Standing(
            base_currency=books.base_currency,
            category_id=category.id if category is not None else None,
            account_ids=account_ids,
            tag_ids=await ensure_tags(context, tags),
            accounts_created=made,
        )

    if unknown:
        raise JOURNAL_IMPORT_UNREADABLE.error(
            f"No account begins like {min(unknown)}: the kinds are {', '.join(source.roots)}"
        )
    return BeancountRows(means, state, source, accounts, await means.write(work))


def _prefix(state: JournalImport) -> str:
    """What the external ids of an import's entries begin with: the entries of one transaction share theirs."""
    assert state.content_hash is not None, "an import that runs has its file"
    return state.content_hash.hex()[:16]


def _prices(source: Source, base_currency: str) -> dict[str, list[tuple[date, Decimal]]]:
    """The prices that the books give of one currency in the base currency, or the other way round, by day."""
    found: dict[str, list[tuple[date, Decimal]]] = {}
    for one in source.directives:
        if isinstance(one, Price) and one.amount > 0:
            if one.in_currency == base_currency:
                found.setdefault(one.currency, []).append((one.date, one.amount))
            elif one.currency == base_currency:
                found.setdefault(one.in_currency, []).append((one.date, ONE / one.amount))
    for prices in found.values():
        prices.sort(key=lambda price: price[0])
    return found


def _unreadable(problem: Problem) -> LedgerBeeError:
    place = f"{problem.where.file}: " if problem.where.file else ""
    return JOURNAL_IMPORT_UNREADABLE.error(f"{place}{problem.message}")


def _day_of(one: Assertion) -> date:
    return one.source.date


def _holds(one: Assertion, held: Decimal) -> bool:
    return abs(held - one.source.number) <= one.tolerance


def _differs(one: Assertion, held: Decimal) -> Refusal:
    wanted = one.source
    text = (
        f"{wanted.account} holds {format_decimal(held)} {wanted.currency} at the start of {wanted.date}, the file says "
        f"{format_decimal(wanted.number)}"
    )
    return Refusal(wanted.where.line, JOURNAL_IMPORT_BALANCE_DIFFERS.code, wanted.account, text)
