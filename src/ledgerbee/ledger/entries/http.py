"""Posted journal entries over HTTP: the list and the single read (contract 2.8, decisions "Ledger")."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

from ledgerbee.ledger.entries import rules, store
from ledgerbee.ledger.entries.model import JOURNAL_ENTRY_NOT_FOUND, EntryType, JournalEntry, LineType, Side
from ledgerbee.ledger.entries.store import EntryFilter
from ledgerbee.platform.http.operation import Ctx, operation, resource_router
from ledgerbee.platform.http.query import Limit, PageNumber, Search, search_schema
from ledgerbee.platform.http.wire import (
    Amount,
    Day,
    Id,
    IdText,
    Moment,
    MoneyText,
    OptionalLine,
    PageResponse,
    ResponseModel,
    pages,
)

router = resource_router("Journal Entries")

EntryId = Annotated[Id, Path(alias="journalEntryId", description="Journal entry ID")]


class JournalLineResponse(ResponseModel):
    """A line of a posted entry."""

    id: IdText
    account_id: IdText
    account_number: int = Field(examples=[1010])
    account_name: str = Field(examples=["Salg af varer og ydelser"])
    side: Side
    amount: MoneyText = Field(description="In the entry's currency, never negative")
    amount_in_base_currency: MoneyText = Field(description="In the company's currency, never negative")
    line_type: LineType = Field(description="ENTERED by the caller; the others were added by the system")
    vat_code_id: IdText | None
    description: str | None
    tag_ids: list[IdText]


class JournalEntryResponse(ResponseModel):
    """A posted, immutable entry."""

    id: IdText
    entry_number: int = Field(description="Without gaps within the company's fiscal year", examples=[1])
    entry_type: EntryType
    date: Day = Field(examples=["2026-01-31"])
    description: str | None
    reference: str | None = Field(description="Invoice number or other outside reference; may be corrected")
    external_system_id: str | None = Field(description="Your own id; may be set later, need not be unique")
    currency: str = Field(examples=["DKK"])
    exchange_rate: str = Field(description="Base currency units for one unit of the currency", examples=["7.46"])
    original_amount: MoneyText = Field(
        description="Signed: positive for an invoice or payment, negative for a credit note or refund"
    )
    customer_id: IdText | None
    vendor_id: IdText | None
    journal_category_id: IdText | None
    tag_ids: list[IdText]
    lines: list[JournalLineResponse]
    attachment_count: int = Field(examples=[0])
    reverses_entry_id: IdText | None = Field(description="The entry that this one reverses")
    reversed_by_entry_id: IdText | None = Field(description="The entry that reverses this one")
    posted_at: Moment
    created_at: Moment
    previous_hash: str = Field(description="Hash of the entry before it in the company's audit chain (hexadecimal)")
    hash: str = Field(description="This entry's hash in the company's audit chain (hexadecimal)")


def render(entry: JournalEntry) -> JournalEntryResponse:
    """The wire form of a posted entry."""
    return JournalEntryResponse.model_validate(rules.wire_form(entry))


@router.get(
    "/v1/journal-entries",
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
) -> PageResponse[JournalEntryResponse]:
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
    return PageResponse(
        data=[render(entry) for entry in found.rows],
        total=found.total,
        page=page,
        limit=limit,
        total_pages=pages(found.total, limit),
    )


@router.get(
    "/v1/journal-entries/{journalEntryId}",
    **operation(
        "Get a single journal entry",
        scope="journal-entries-read",
        description="One posted entry with its lines and its place in the company's audit chain.",
        errors=[JOURNAL_ENTRY_NOT_FOUND],
    ),
)
async def get_journal_entry(context: Ctx, journal_entry_id: EntryId) -> JournalEntryResponse:
    """Get a single journal entry."""
    return render(await store.get(context, journal_entry_id))
