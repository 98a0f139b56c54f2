"""Creating journal entries, one and many, by both versions of the API (contract 2.8, 2.28)."""

from collections.abc import Sequence
from functools import partial

from fastapi import Response

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, ACCOUNT_NOT_FOUND
from ledgerbee.chart.dimensions.model import DIMENSION_NOT_ADDITIVE, DIMENSION_VALUE_NOT_FOUND, PROJECT_ARCHIVED
from ledgerbee.chart.journal_categories.model import JOURNAL_CATEGORY_NOT_FOUND
from ledgerbee.chart.vat_codes.model import VAT_CODE_NOT_FOUND
from ledgerbee.http.body_limits import LARGE_BODY
from ledgerbee.http.caller import Caller
from ledgerbee.http.command_batcher import Work
from ledgerbee.http.operation import CallerDep, operation, resource_router
from ledgerbee.ledger.entries import actions
from ledgerbee.ledger.entries.http.responses import created, created_batch
from ledgerbee.ledger.entries.model import (
    FISCAL_YEAR_MISSING,
    JOURNAL_CATEGORY_TYPE_NOT_ALLOWED,
    JOURNAL_ENTRY_AMOUNT_INVALID,
    JOURNAL_ENTRY_CONTROL_LINE_NOT_ALLOWED,
    JOURNAL_ENTRY_PARTY_MISMATCH,
    JOURNAL_ENTRY_PARTY_REQUIRED,
    JOURNAL_ENTRY_UNBALANCED,
    JOURNAL_ENTRY_VAT_AMOUNT_MISMATCH,
    JOURNAL_ENTRY_VAT_NOT_ALLOWED,
    PERIOD_LOCKED,
    EntryInput,
    PostedEntry,
)
from ledgerbee.ledger.entries.wire import (
    AnyEntryBody,
    BatchBody,
    CreateJournalEntryBatchV1Request,
    CreateJournalEntryV1Request,
    EntryBody,
    JournalEntryBatchResponse,
    JournalEntryBatchV1Response,
    JournalEntryResponse,
    JournalEntryV1Response,
)
from ledgerbee.ledger.uploads.actions import decoded, staged
from ledgerbee.ledger.uploads.model import INVALID_ATTACHMENT_TYPE, NewAttachment
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND, VENDOR_NOT_FOUND
from ledgerbee.platform.blobs.store import ATTACHMENT_STORE_UNAVAILABLE
from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import StepCounter, give_way
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING

router = resource_router("Journal Entries")
router_v2 = resource_router("Journal Entries (v2)")

#: An operation that takes entries, with their files.
creating = partial(operation, scope="journal-entries-write", status=201, opens_transaction=False, max_body=LARGE_BODY)
#: What entering an entry can be refused with.
ENTERING_ERRORS = (
    JOURNAL_ENTRY_UNBALANCED,
    JOURNAL_ENTRY_AMOUNT_INVALID,
    JOURNAL_ENTRY_PARTY_REQUIRED,
    JOURNAL_ENTRY_PARTY_MISMATCH,
    JOURNAL_ENTRY_VAT_AMOUNT_MISMATCH,
    JOURNAL_ENTRY_VAT_NOT_ALLOWED,
    JOURNAL_CATEGORY_NOT_FOUND,
    JOURNAL_CATEGORY_TYPE_NOT_ALLOWED,
    DIMENSION_NOT_ADDITIVE,
    PROJECT_ARCHIVED,
    ACCOUNT_NOT_BOOKABLE,
    EXCHANGE_RATE_MISSING,
    FISCAL_YEAR_MISSING,
    ACCOUNT_NOT_FOUND,
    VAT_CODE_NOT_FOUND,
    CUSTOMER_NOT_FOUND,
    VENDOR_NOT_FOUND,
    DIMENSION_VALUE_NOT_FOUND,
    PERIOD_LOCKED,
    INVALID_ATTACHMENT_TYPE,
    ATTACHMENT_STORE_UNAVAILABLE,
)
_ERRORS_V2 = (JOURNAL_ENTRY_CONTROL_LINE_NOT_ALLOWED, *ENTERING_ERRORS)

_V1 = (
    "The caller sends every line, the receivable or payable too. `originalAmount` is the caller's own information: "
    "where it isn't what a CUSTOMER or SUPPLIER entry puts on a receivables or payables account, or the entry has no "
    "such line, the answer has `warnings`."
)
_V2 = (
    "For CUSTOMER_INVOICE, CUSTOMER_PAYMENT, SUPPLIER_INVOICE and SUPPLIER_PAYMENT the lines are the counter-side "
    "only: the receivable or payable is added on the account of the customer's or vendor's group, its side by the sign "
    "of originalAmount, and a line on that account is refused. JOURNAL_ENTRY is posted as it is sent."
)
_BATCH = "1 to 100 entries, posted together or not at all; an error names its entry, as in `entries.3.lines.0`. "


@router.post(
    "/v1/journal-entries",
    response_model=JournalEntryV1Response,
    **creating(
        "Create a single journal entry (deprecated)",
        description=f"Posts an entry. {_V1} Use `POST /v2/journal-entries` instead.",
        response="Journal entry posted",
        errors=ENTERING_ERRORS,
        superseded=True,
    ),
)
async def create_journal_entry(caller: CallerDep, body: CreateJournalEntryV1Request) -> Response:
    return await _enter(caller, body, actions.enter_together_with_warnings)


@router.post(
    "/v1/journal-batches",
    response_model=JournalEntryBatchV1Response,
    **creating(
        "Create multiple journal entries in batch (deprecated)",
        description=f"{_BATCH}{_V1} Use `POST /v2/journal-entries/batch` instead.",
        response="Journal entries posted",
        errors=ENTERING_ERRORS,
        superseded=True,
    ),
)
async def create_journal_batch(caller: CallerDep, body: CreateJournalEntryBatchV1Request) -> Response:
    return await _enter_batch(caller, body.entries, with_warnings=True)


@router_v2.post(
    "/v2/journal-entries",
    response_model=JournalEntryResponse,
    **creating(
        "Create a journal entry (v2)",
        description=f"Posts an entry. {_V2}",
        response="Journal entry posted",
        errors=_ERRORS_V2,
    ),
)
async def create_journal_entry_v2(caller: CallerDep, body: EntryBody) -> Response:
    return await _enter(caller, body, actions.enter_together)


@router_v2.post(
    "/v2/journal-entries/batch",
    response_model=JournalEntryBatchResponse,
    **creating(
        "Create journal entries in batch (v2)",
        description=f"{_BATCH}{_V2}",
        response="Journal entries posted",
        errors=_ERRORS_V2,
    ),
)
async def create_journal_batch_v2(caller: CallerDep, body: BatchBody) -> Response:
    return await _enter_batch(caller, body.entries)


async def _enter(caller: Caller, body: AnyEntryBody, enter: Work[EntryInput, PostedEntry]) -> Response:
    if not body.attachments:
        return await _post(caller, body.entered(), enter)
    async with staged(caller, await decoded([body.attachments], ["attachments"])) as (files,):
        return await _post(caller, body.entered(files), enter)


async def _post(caller: Caller, entry: EntryInput, enter: Work[EntryInput, PostedEntry]) -> Response:
    return await caller.command_batched(enter, entry, created, size=len(entry.lines))


async def _enter_batch(caller: Caller, bodies: Sequence[AnyEntryBody], *, with_warnings: bool = False) -> Response:
    paths = [f"entries.{index}.attachments" for index in range(len(bodies))]
    async with staged(caller, await decoded([body.attachments for body in bodies], paths)) as files:
        entries = await entered(bodies, files)

        async def work(context: Context) -> Response:
            posted = await actions.enter(context, entries)
            posted = await actions.warned(context, posted) if with_warnings else posted
            return created_batch(b"entries", [one.json for one in posted])

        return await caller.command(work)


async def entered(bodies: Sequence[AnyEntryBody], files: Sequence[tuple[NewAttachment, ...]]) -> list[EntryInput]:
    """The entries of a batch for the rules, each with its files; others get their turn in between."""
    entries, counter = [], StepCounter()
    for body, own in zip(bodies, files, strict=True):
        entries.append(body.entered(own))
        if counter.is_due(len(entries[-1].lines)):
            await give_way()
    return entries
