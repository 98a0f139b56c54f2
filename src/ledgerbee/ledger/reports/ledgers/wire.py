"""The ledger of an account, a customer or a vendor on the wire (extension)."""

from datetime import date as day
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from ledgerbee.core.fields import fields_of
from ledgerbee.core.money import ZERO, format_amount
from ledgerbee.core.paging import PageRequest
from ledgerbee.http.list_query import Limit, PageNumber
from ledgerbee.http.wire import IdText, MoneyText, PageResponse, ResponseModel, pages
from ledgerbee.ledger.entries.model import EntryType, SourceType
from ledgerbee.ledger.periods.wire import BookDay
from ledgerbee.ledger.reports.ledgers.model import Ledger, LedgerLine, LedgerOf
from ledgerbee.ledger.reports.ledgers.rules import running
from ledgerbee.ledger.reports.query import OptionalId

_OptionalDay = Annotated[BookDay | None, WithJsonSchema({"type": "string", "format": "date"})]


class LedgerQuery(BaseModel):
    """The query parameters of a ledger."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    from_date: _OptionalDay = Field(None, description="First day, inclusive; default the fiscal year's start")
    to_date: _OptionalDay = Field(None, description="Last day, inclusive; default today")
    dimension_value_id: OptionalId = Field(
        None, description="Only lines that carry this dimension value or subproject; not those of values below it"
    )
    project_id: OptionalId = Field(None, description="Only lines that carry a subproject of this project")
    page: PageNumber = 1
    limit: Limit = 25

    @property
    def asked(self) -> PageRequest:
        """The page that is asked for."""
        return PageRequest(self.page, self.limit)


class LedgerOwnerResponse(ResponseModel):
    """Whose ledger it is."""

    kind: LedgerOf = Field(description="What `id` is of")
    id: IdText
    number: str = Field(examples=["1010"])
    name: str = Field(examples=["Salg af varer og ydelser"])


class LedgerLineResponse(ResponseModel):
    """A line of a posted entry, and the balance after it."""

    id: IdText = Field(description="The line's id")
    journal_entry_id: IdText = Field(description="The entry: read it for its other lines")
    entry_number: int = Field(description="Without gaps within the company's fiscal year", examples=[1])
    date: day = Field(examples=["2026-01-31"])
    entry_type: EntryType
    account_id: IdText
    account_number: int = Field(examples=[1010])
    account_name: str = Field(examples=["Salg af varer og ydelser"])
    description: str | None = Field(description="The line's, else the entry's")
    reference: str | None = Field(description="Invoice number or other outside reference of the entry")
    customer_id: IdText | None = Field(description="Of a line on receivables")
    vendor_id: IdText | None = Field(description="Of a line on payables")
    currency: str = Field(description="The entry's", examples=["DKK"])
    amount: MoneyText = Field(description="In the entry's currency, signed: debit positive", examples=["-100.00"])
    debit: MoneyText = Field(description="In the company's currency; zero on the other side", examples=["0.00"])
    credit: MoneyText = Field(description="In the company's currency; zero on the other side", examples=["100.00"])
    balance: MoneyText = Field(
        description="In the company's currency after this line, signed: debit positive", examples=["-350.00"]
    )
    vat_code_id: IdText | None
    tag_ids: list[IdText] = Field(description="Dimension values of the line and of its entry")
    source_type: SourceType = Field(description="What posted the entry, as the entry says it")
    source_id: IdText | None = Field(
        description="The draft, import, document, payment, write-off or reversed entry that posted it; null for API"
    )
    reversed_by_entry_id: IdText | None = Field(description="The entry that reverses this one")


class LedgerResponse(PageResponse[LedgerLineResponse]):
    """A page of a ledger, the oldest lines first. The figures are of the whole span, signed: debit positive."""

    owner: LedgerOwnerResponse = Field(description="Whose ledger it is")
    from_date: day = Field(description="First day, inclusive", examples=["2026-01-01"])
    to_date: day = Field(description="Last day, inclusive", examples=["2026-03-16"])
    currency: str = Field(description="The company's base currency", examples=["DKK"])
    opening: MoneyText = Field(
        description="Before the first day; of an account of profit and loss since the fiscal year of `fromDate` began",
        examples=["-250.00"],
    )
    debit: MoneyText = Field(description="Sum of the debits in the span", examples=["0.00"])
    credit: MoneyText = Field(description="Sum of the credits in the span", examples=["100.00"])
    closing: MoneyText = Field(description="At the end of the last day", examples=["-350.00"])


def render(ledger: Ledger, asked: PageRequest) -> LedgerResponse:
    """The page of a ledger that was asked for."""
    currency, balances = ledger.currency, ledger.balances
    after = running(ledger.before_page, [line.base_amount for line in ledger.lines])
    return LedgerResponse(
        data=[
            _line(line, format_amount(one, currency), currency) for line, one in zip(ledger.lines, after, strict=True)
        ],
        total=ledger.total,
        page=asked.page,
        limit=asked.limit,
        total_pages=pages(ledger.total, asked.limit),
        owner=LedgerOwnerResponse(**fields_of(ledger.owner)),
        from_date=ledger.from_date,
        to_date=ledger.to_date,
        currency=currency,
        opening=format_amount(balances.opening, currency),
        debit=format_amount(balances.debit, currency),
        credit=format_amount(balances.credit, currency),
        closing=format_amount(balances.closing, currency),
    )


def _line(line: LedgerLine, balance: str, currency: str) -> LedgerLineResponse:
    source_type, source_id = line.source
    shown = {
        "date": line.entry_date,
        "amount": format_amount(line.amount, line.currency),
        "debit": format_amount(line.base_amount if line.is_debit else ZERO, currency),
        "credit": format_amount(ZERO if line.is_debit else -line.base_amount, currency),
        "balance": balance,
        "source_type": source_type,
        "source_id": source_id,
    }
    return LedgerLineResponse.model_validate({**fields_of(line), **shown})
