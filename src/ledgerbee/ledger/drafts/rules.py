"""What may be drafted, and how a draft changes. Pure."""

from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from uuid import UUID

from msgspec.structs import replace

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, ACCOUNT_NOT_FOUND, Account, ControlAccountType
from ledgerbee.core.changes import Changes
from ledgerbee.core.errors import LedgerBeeError, property_path
from ledgerbee.ledger.drafts.model import DRAFT_JOURNAL_ENTRY_INVALID_STATE, Draft, DraftStatus
from ledgerbee.ledger.entries.model import (
    CONTROL_SIDES,
    JOURNAL_ENTRY_PARTY_REQUIRED,
    EntryInput,
    LineType,
)


def account_faults(entered: EntryInput, known: Mapping[UUID, Account], path: str = "") -> Iterator[LedgerBeeError]:
    """Why lines can't be posted on their accounts; `known` are those of them that the company has.

    Of posted entries the database holds the same. Of each line at most one, with its place below `path` in
    `details.property`: `ACCOUNT_NOT_FOUND`, `ACCOUNT_NOT_BOOKABLE`, `JOURNAL_ENTRY_PARTY_REQUIRED`.
    """
    parties = {
        ControlAccountType.ACCOUNTS_RECEIVABLE: ("customerId", entered.customer_id),
        ControlAccountType.ACCOUNTS_PAYABLE: ("vendorId", entered.vendor_id),
    }
    for number, line in enumerate(entered.lines):
        account = known.get(line.account_id)
        place, account_id = property_path(path, f"lines.{number}"), str(line.account_id)
        if account is None:
            yield ACCOUNT_NOT_FOUND.missing(f"{place}.accountId", "accountId", account_id)
        elif not account.is_bookable:
            yield ACCOUNT_NOT_BOOKABLE.error(property=f"{place}.accountId", accountId=account_id)
        elif account.control_account_type is not None:
            name, party = parties[account.control_account_type]
            if party is None:
                yield JOURNAL_ENTRY_PARTY_REQUIRED.error(property=place, field=name, accountId=account_id)


def check_open(draft: Draft) -> None:
    """Refuse to touch a draft that is booked. Raises `DRAFT_JOURNAL_ENTRY_INVALID_STATE`."""
    if draft.status is not DraftStatus.DRAFT:
        raise DRAFT_JOURNAL_ENTRY_INVALID_STATE.in_state(draft.status, journalEntryId=str(draft.journal_entry_id))


def changed(before: EntryInput, changes: Changes[EntryInput]) -> EntryInput:
    """The entry with the changes; `entries.rules.validated` adds what it owes.

    New lines are the counter-side only, and a receivable or payable that the system had added is added anew: it follows
    from amount, type and party. An entry that becomes one of a type with a receivable or payable owes it too. A rate is
    that of its currency: a new currency without one takes the day's.
    """
    kept = tuple([line for line in before.lines if line.line_type is not LineType.CONTROL])
    sent = changes.fields
    entry_type = sent.get("entry_type", before.entry_type)
    owes = (
        "lines" in sent
        or len(kept) < len(before.lines)
        or (entry_type in CONTROL_SIDES and before.entry_type not in CONTROL_SIDES)
    )
    other_currency = "currency" in sent and sent["currency"] != before.currency
    rate = {"exchange_rate": None} if other_currency else {}
    return replace(before, **{"lines": kept, "owes_control_line": owes, **rate, **sent})


def line_ids(before: Draft, after: EntryInput, new_id: Callable[[], UUID]) -> tuple[UUID, ...]:
    """Ids for the lines of a draft that changes: a line that stays as it was, where it was, keeps its own."""
    pairs = zip_longest(after.lines, before.content.lines[: len(after.lines)], before.line_ids[: len(after.lines)])
    return tuple([known if line == old else new_id() for line, old, known in pairs])
