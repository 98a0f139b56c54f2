"""What lists of entries, posted and drafted, can be narrowed to (contract 2.8, 2.21)."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from ledgerbee.core.fields import fields_of
from ledgerbee.http.list_query import Limit, PageNumber, Search, search_schema
from ledgerbee.http.wire import Amount, Day, Id, OptionalLine
from ledgerbee.ledger.entries.model import EntryType
from ledgerbee.ledger.entries.store.reads import EntryFilter


class EntryQuery(BaseModel):
    """The query parameters of such a list."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    page: PageNumber = 1
    limit: Limit = 25
    from_date: Day | None = Field(None, description="First day, inclusive")
    to_date: Day | None = Field(None, description="Last day, inclusive")
    account_id: Id | None = Field(None, description="Account of any line")
    customer_id: Id | None = Field(None, description="The entry's customer")
    vendor_id: Id | None = Field(None, description="The entry's vendor")
    entry_type: EntryType | None = Field(None, alias="journalType", description="Type of entry")
    min_amount: Amount | None = Field(None, description="Smallest original amount")
    max_amount: Amount | None = Field(None, description="Largest original amount")
    external_system_id: OptionalLine | None = Field(None, description="Exact; need not be unique")
    search: Annotated[Search, search_schema("Faktura")] = Field(
        None, description="Prefix search on description or reference"
    )

    def wanted(self) -> EntryFilter:
        return EntryFilter(**fields_of(self, EntryFilter))
