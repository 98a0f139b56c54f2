"""Posted journal entries: the list and the single read (contract 2.8)."""

from typing import Annotated

from fastapi import Path, Query, Response

from ledgerbee.ledger.entries import rules, store
from ledgerbee.ledger.entries.model import JOURNAL_ENTRY_NOT_FOUND, EntryType
from ledgerbee.ledger.entries.store import EntryFilter
from ledgerbee.ledger.entries.wire import JournalEntryResponse, ListJournalEntriesResponse
from ledgerbee.platform.http.operation import Ctx, operation, resource_router
from ledgerbee.platform.http.query import Limit, PageNumber, Search, search_schema
from ledgerbee.platform.http.wire import Amount, Day, Id, OptionalLine, pages

router = resource_router("Journal Entries")

EntryId = Annotated[Id, Path(alias="journalEntryId", description="Journal entry ID")]


@router.get(
    "/v1/journal-entries",
    response_model=ListJournalEntriesResponse,
    **operation(
        "List journal entries",
        scope="journal-entries-read",
        description="A page of posted entries with their lines, newest date first. Days and amounts are inclusive; "
        "amounts compare with the signed original amount.",
    ),
)
async def list_journal_entries(  # noqa: PLR0913, PLR0917  one argument a query parameter
    context: Ctx,
    page: PageNumber = 1,
    limit: Limit = 25,
    from_date: Annotated[Day | None, Query(alias="fromDate", description="First day, inclusive")] = None,
    to_date: Annotated[Day | None, Query(alias="toDate", description="Last day, inclusive")] = None,
    account_id: Annotated[Id | None, Query(alias="accountId", description="Account of any line")] = None,
    customer_id: Annotated[Id | None, Query(alias="customerId", description="The entry's customer")] = None,
    vendor_id: Annotated[Id | None, Query(alias="vendorId", description="The entry's vendor")] = None,
    journal_type: Annotated[EntryType | None, Query(alias="journalType", description="Type of entry")] = None,
    min_amount: Annotated[Amount | None, Query(alias="minAmount", description="Smallest original amount")] = None,
    max_amount: Annotated[Amount | None, Query(alias="maxAmount", description="Largest original amount")] = None,
    external_system_id: Annotated[
        OptionalLine | None, Query(alias="externalSystemId", description="Exact; need not be unique")
    ] = None,
    search: Annotated[
        Search, Query(description="Prefix search on description or reference"), search_schema("Faktura")
    ] = None,
) -> Response:
    """List journal entries."""
    wanted = EntryFilter(
        from_date=from_date,
        to_date=to_date,
        account_id=account_id,
        customer_id=customer_id,
        vendor_id=vendor_id,
        entry_type=journal_type,
        min_amount=min_amount,
        max_amount=max_amount,
        external_system_id=external_system_id,
        search=search,
    )
    found = await store.list_page(context, wanted, page=page, limit=limit)
    texts = ",".join([rules.text_of(entry) for entry in found.rows])
    body = f'{{"data":[{texts}],"total":{found.total},"page":{page},"limit":{limit},"totalPages":'
    return Response(f"{body}{pages(found.total, limit)}}}", media_type="application/json")


@router.get(
    "/v1/journal-entries/{journalEntryId}",
    response_model=JournalEntryResponse,
    **operation(
        "Get a single journal entry",
        scope="journal-entries-read",
        description="One posted entry with its lines and its place in the company's audit chain.",
        errors=[JOURNAL_ENTRY_NOT_FOUND],
    ),
)
async def get_journal_entry(context: Ctx, journal_entry_id: EntryId) -> Response:
    """Get a single journal entry."""
    return Response(rules.text_of(await store.get(context, journal_entry_id)), media_type="application/json")
