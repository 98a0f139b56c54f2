"""Telling what is odd about entries of which the caller sent all lines (v1, contract 2.8)."""

from collections.abc import Sequence

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.ledger.entries import rules
from ledgerbee.ledger.entries.actions.enter import enter_together
from ledgerbee.ledger.entries.model import CONTROL_SIDES, EntryInput, PostedEntry
from ledgerbee.platform.context import Context


async def warned(context: Context, posted: Sequence[PostedEntry]) -> list[PostedEntry]:
    """The posted entries, with `warnings` in the JSON of those that have some. One round trip, if any may have."""
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
    told = iter(await warned(contexts[0], [one for one in outcomes if isinstance(one, PostedEntry)]))
    return [next(told) if isinstance(outcome, PostedEntry) else outcome for outcome in outcomes]
