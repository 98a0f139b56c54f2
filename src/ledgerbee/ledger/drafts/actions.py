"""Drafting entries, and booking what was drafted."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from msgspec.structs import replace as with_fields

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.core.changes import Changes
from ledgerbee.core.errors import LedgerBeeError, refuse_first
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.attachments import store as attachments
from ledgerbee.ledger.drafts import rules, store
from ledgerbee.ledger.drafts.model import Draft, DraftId, DraftStatus
from ledgerbee.ledger.drafts.wire import json_in_steps
from ledgerbee.ledger.entries import actions as entries
from ledgerbee.ledger.entries import rules as entry_rules
from ledgerbee.ledger.entries.model import DRAFT_SOURCE, AccountName, EntryInput, PostedEntry
from ledgerbee.ledger.entries.store.books import hold_tags, load_books, load_references
from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import in_steps


async def create(context: Context, entered: Sequence[EntryInput], paths: Sequence[str]) -> list[bytes]:
    """Draft entries, all or none, and answer with their wire forms in order. Emits `draft_journal_entry.created`.

    `paths` name the entries' places in the request, for `details.property`. Raises what
    `entries.rules.validated` raises and `rules.account_faults` finds.
    """
    return [written for _, written in await create_identified(context, entered, paths)]


async def create_identified(
    context: Context, entered: Sequence[EntryInput], paths: Sequence[str]
) -> list[tuple[DraftId, bytes]]:
    """As `create`, with the id of each draft: for whatever refers to it."""
    contents, names = await _checked(context, entered, paths)
    drafts = [
        Draft(
            id=DraftId(new_id()),
            content=content,
            line_ids=tuple([new_id() for _ in content.lines]),
            accounts=names,
            created_at=context.now,
            updated_at=context.now,
            attachment_count=len(content.attachments),
        )
        async for content in in_steps(contents, lambda content: len(content.lines))
    ]
    await store.insert(context, drafts)
    await attachments.insert_for_drafts(context, [(draft.id, draft.content.attachments) for draft in drafts])
    written = [await json_in_steps(draft) async for draft in in_steps(drafts, lambda draft: len(draft.content.lines))]
    for draft, one in zip(drafts, written, strict=True):
        context.emit("draft_journal_entry.created", draft.id, one)
    return [(draft.id, one) for draft, one in zip(drafts, written, strict=True)]


async def update(context: Context, draft_id: DraftId, changes: Changes[EntryInput]) -> bytes:
    """Change a draft as `rules.changed` has it, and answer with its wire form. Emits `draft_journal_entry.updated`.

    Raises `DRAFT_JOURNAL_ENTRY_NOT_FOUND`, `DRAFT_JOURNAL_ENTRY_INVALID_STATE` and what `create` raises.
    """
    before = await _get_open(context, draft_id)
    earlier = await json_in_steps(before)
    if not changes:
        return earlier
    (content,), names = await _checked(context, [rules.changed(before.content, changes)], [""])
    after = replace(
        before,
        content=content,
        line_ids=rules.line_ids(before, content, new_id),
        accounts=names,
        updated_at=context.now,
        attachment_count=len(content.attachments) if "attachments" in changes else before.attachment_count,
    )
    if after == replace(before, updated_at=context.now) and "attachments" not in changes:
        return earlier
    if "attachments" in changes:
        await attachments.delete_for_drafts(context, [draft_id])
        await attachments.insert_for_drafts(context, [(draft_id, content.attachments)])
    await store.update(context, before, after)
    written = await json_in_steps(after)
    context.emit("draft_journal_entry.updated", draft_id, written, before=earlier)
    return written


async def delete(context: Context, draft_id: DraftId) -> None:
    """Delete a draft. Emits `draft_journal_entry.deleted` with what it was.

    Raises `DRAFT_JOURNAL_ENTRY_NOT_FOUND` and `DRAFT_JOURNAL_ENTRY_INVALID_STATE`.
    """
    draft = await _get_open(context, draft_id)
    await attachments.delete_for_drafts(context, [draft_id])
    await store.delete(context, draft_id)
    written = await json_in_steps(draft)
    context.emit("draft_journal_entry.deleted", draft_id, written, before=written)


async def book(context: Context, draft_id: DraftId) -> PostedEntry:
    """Post the entry that a draft describes, once. Emits `draft_journal_entry.booked` beside `journal_entry.posted`.

    Of two bookings at once, one wins. Raises `DRAFT_JOURNAL_ENTRY_NOT_FOUND`, `DRAFT_JOURNAL_ENTRY_INVALID_STATE` and
    what entering an entry raises: the books may have changed since it was drafted, and only now it has to balance.
    """
    draft = await _get_open(context, draft_id)
    attached = await attachments.list_for_draft(context, draft_id) if draft.attachment_count else []
    await hold_tags(context, [draft.content])
    books = await load_books(context, [draft.content])
    entry = with_fields(
        entry_rules.entry_to_post(draft.content, books, new_id()),
        attachment_hashes=tuple([file.hash for file in attached]),
        source_type=DRAFT_SOURCE,
        source_id=draft_id,
    )
    booked = replace(draft, status=DraftStatus.BOOKED, journal_entry_id=entry.id, updated_at=context.now)
    await store.mark_booked(context, booked)
    earlier = await json_in_steps(draft)
    context.emit("draft_journal_entry.booked", draft_id, await json_in_steps(booked), before=earlier)
    (posted,) = await entries.post_with_events([context], [entry], [""])
    if attached:
        await attachments.move_to_entry(context, draft_id, entry.id)
    return posted


async def _get_open(context: Context, draft_id: DraftId) -> Draft:
    draft = await store.get_for_update(context, draft_id)
    rules.check_open(draft)
    return draft


async def _checked(
    context: Context, entered: Sequence[EntryInput], paths: Sequence[str]
) -> tuple[list[EntryInput], dict[UUID, AccountName]]:
    """The entries with all their lines and their currency, and the accounts that the lines stand on."""
    await hold_tags(context, entered)
    books = await load_references(context, entered)
    try:
        contents = [
            with_fields(entry_rules.validated(entry, books, path), currency=entry.currency or books.base_currency)
            async for entry, path in in_steps(zip(entered, paths, strict=True), lambda pair: len(pair[0].lines))
        ]
    except LedgerBeeError as fault:
        raise await entries.with_faults_of_others(fault, entry_rules.validated, entered, books, paths) from None
    known = await accounts.get_many(context, {line.account_id for content in contents for line in content.lines})
    faults: list[LedgerBeeError] = []
    async for content, path in in_steps(zip(contents, paths, strict=True), lambda pair: len(pair[0].lines)):
        faults += rules.account_faults(content, known, path)
    refuse_first(faults)
    return contents, {account.id: AccountName(account.number, account.name) for account in known.values()}
