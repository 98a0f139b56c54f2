"""Imports of usage on the wire (ours). Without FastAPI: jobs emit events of imports."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from ledgerbee.billing.usage_imports.model import UsageImport
from ledgerbee.core.fields import fields_of
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.http.wire import IdText, Moment, OptionalLine, PageResponse, ResponseModel, WholeNumber, pages
from ledgerbee.ledger.imports.model import ImportStatus, Refusal


class UsageImportUploadQuery(BaseModel):
    """What is said of a file. What isn't said it has to settle by itself."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    file_name: OptionalLine | None = Field(None, description="Name of the file, for people")
    encoding: Literal["utf-8", "windows-1252"] | None = Field(
        None, description="The file's encoding. Default: UTF-8, and a file with anything else in it fails whole"
    )
    decimal_mark: Literal[",", "."] | None = Field(None, description="What stands before the decimals of all numbers")


class UsageImportResponse(ResponseModel):
    """An import of usage, and how far it is."""

    id: IdText
    file_name: str | None = Field(examples=["usage-2026-03.csv"])
    status: ImportStatus = Field(description="completed, failed and cancelled are ends; what was taken in stays")
    bytes_total: WholeNumber = Field(description="Length of the file", examples=[1_048_576])
    bytes_read: WholeNumber = Field(description="How much of it is done", examples=[524_288])
    accepted: WholeNumber = Field(description="Rows whose event was taken in", examples=[1500])
    duplicates: WholeNumber = Field(description="Rows whose event was there before, under the same key", examples=[0])
    refused: WholeNumber = Field(description="Rows refused; the first 10,000 are kept", examples=[1])
    failure: str | None = Field(description="Why it failed")
    created_at: Moment
    started_at: Moment | None
    completed_at: Moment | None


class UsageImportErrorResponse(ResponseModel):
    """What was wrong with a row."""

    line: WholeNumber = Field(description="The line of the file that the row begins on", examples=[17])
    code: str = Field(description="The code of the error", examples=["CUSTOMER_NOT_FOUND"])
    property: str = Field(description="The column; may be empty", examples=["customerNumber"])
    message: str = Field(description="The same in words", examples=["No such customer in the company: 1042"])


class UsageImportDetailResponse(UsageImportResponse):
    """An import of usage with a page of its errors."""

    errors: list[UsageImportErrorResponse] = Field(description="A page of what was refused, in order of the lines")
    total: WholeNumber = Field(description="Total number of errors that are kept", examples=[1])
    page: WholeNumber = Field(description="Current page of errors", examples=[1])
    limit: WholeNumber = Field(description="Errors per page", examples=[25])
    total_pages: WholeNumber = Field(description="Total number of pages", examples=[1])


class ListUsageImportsResponse(PageResponse[UsageImportResponse]):
    """A page of imports of usage."""


def render(found: UsageImport) -> UsageImportResponse:
    """An import on the wire."""
    shown = {name: value for name, value in fields_of(found).items() if name in UsageImportResponse.model_fields}
    return UsageImportResponse(**shown, bytes_read=found.place.bytes_read)


def render_detail(found: UsageImport, errors: Page[Refusal], asked: PageRequest) -> UsageImportDetailResponse:
    """An import on the wire, with the page of errors that was asked for."""
    return UsageImportDetailResponse(
        **dict(render(found)),
        errors=[UsageImportErrorResponse.model_validate(one) for one in errors.rows],
        total=errors.total,
        page=asked.page,
        limit=asked.limit,
        total_pages=pages(errors.total, asked.limit),
    )
