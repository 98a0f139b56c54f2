"""Entering entries: what callers enter is completed from the books and posted."""

from collections.abc import Callable, Sequence

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.core.errors import VALIDATION_FAILED, LedgerBeeError, with_others
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.attachments import store as attachments
from ledgerbee.ledger.entries import rules
from ledgerbee.ledger.entries.actions.post import post_with_events
from ledgerbee.ledger.entries.model import CONTROL_SIDES, EntryInput, EntryToPost, PostedEntry
from ledgerbee.ledger.entries.store.books import hold_tags, load_books
from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import StepCounter, give_way, in_steps


async def enter(context: Context, entries: Sequence[EntryInput]) -> list[PostedEntry]:
    """Post entered entries, all or none, in order.

    Raises what `rules.entry_to_post` and `post_with_events` raise, with the entry's place as `entries.3` in
    `details.property`.
    """
    await hold_tags(context, entries)
    books = await load_books(context, entries)
    paths = [f"entries.{index}" for index in range(len(entries))]
    try:
        completed = [
            rules.entry_to_post(entered, books, new_id(), path)
            async for entered, path in in_steps(zip(entries, paths, strict=True), lambda pair: len(pair[0].lines))
        ]
    except LedgerBeeError as fault:
        # What only the whole entry shows (its balance, its rate) is no validation error.
        check = rules.validated if fault.error_code is VALIDATION_FAILED else _entry_to_post
        raise await with_faults_of_others(fault, check, entries, books, paths) from None
    posted = await post_with_events([context] * len(entries), completed, paths)
    await _attach(context, entries, completed)
    return posted


async def with_faults_of_others(
    fault: LedgerBeeError,
    check: Callable[[EntryInput, rules.Books, str], object],
    entries: Sequence[EntryInput],
    books: rules.Books,
    paths: Sequence[str],
) -> LedgerBeeError:
    """The refusal of one entry, with what `check` finds of the same kind in the others."""
    faults = []
    async for entered, path in in_steps(zip(entries, paths, strict=True), lambda pair: len(pair[0].lines)):
        try:
            check(entered, books, path)
        except LedgerBeeError as refusal:
            faults.append(refusal)
    return with_others(fault, faults)


def _entry_to_post(entered: EntryInput, books: rules.Books, path: str) -> EntryToPost:
    return rules.entry_to_post(entered, books, new_id(), path)


async def enter_together(
    contexts: Sequence[Context], entries: Sequence[EntryInput]
) -> list[PostedEntry | LedgerBeeError]:
    """Post the entries of several callers in one transaction: an entry or an error of its own for each, in order.

    What the books refuse of one entry leaves the others alone; what only the database refuses is raised, for the
    caller to find out whose it is.
    """
    await hold_tags(contexts[0], entries)
    books = await load_books(contexts[0], entries)
    outcomes: list[EntryToPost | LedgerBeeError] = []
    counter = StepCounter()
    for entered in entries:
        try:
            outcomes.append(rules.entry_to_post(entered, books, new_id()))
        except LedgerBeeError as refusal:
            outcomes.append(refusal)
        if counter.is_due(len(entered.lines)):
            await give_way()
    completed = {index: outcome for index, outcome in enumerate(outcomes) if isinstance(outcome, EntryToPost)}
    to_post = list(completed.values())
    posted = iter(await post_with_events([contexts[index] for index in completed], to_post, [""] * len(to_post)))
    await _attach(contexts[0], [entries[index] for index in completed], to_post)
    return [next(posted) if isinstance(outcome, EntryToPost) else outcome for outcome in outcomes]


async def warned(context: Context, posted: Sequence[PostedEntry]) -> list[PostedEntry]:
    """The posted entries, with `warnings` in the JSON of those that have some. One round trip, if any may have.

    It is for entries of which the caller sent all lines (v1, contract 2.8).
    """
    content = [one.entry.content for one in posted]
    wanted = {line.account_id for entry in content if entry.entry_type in CONTROL_SIDES for line in entry.lines}
    if not wanted:
        return list(posted)
    controls = {
        account_id: account.control_account_type
        for account_id, account in (await accounts.get_many(context, wanted)).items()
    }
    return [
        PostedEntry(one.entry, rules.with_warnings(one.json, rules.control_warnings(one.entry.content, controls)))
        for one in posted
    ]


async def enter_together_with_warnings(
    contexts: Sequence[Context], entries: Sequence[EntryInput]
) -> list[PostedEntry | LedgerBeeError]:
    """As `enter_together`, with `warnings` in the entries' JSON."""
    outcomes = await enter_together(contexts, entries)
    posted = iter(await warned(contexts[0], [one for one in outcomes if isinstance(one, PostedEntry)]))
    return [next(posted) if isinstance(outcome, PostedEntry) else outcome for outcome in outcomes]


async def _attach(context: Context, entered: Sequence[EntryInput], posted: Sequence[EntryToPost]) -> None:
    files = [(new.id, entry.attachments) for entry, new in zip(entered, posted, strict=True) if entry.attachments]
    if files:
        await attachments.insert_for_entries(context, files)
