"""Imports on the wire. Without FastAPI, which workers need not load: they emit events of imports."""

from typing import Any

from pydantic import Field

from ledgerbee.core.fields import fields_of
from ledgerbee.http.wire import IdText, Moment, PageResponse, ResponseModel, WholeNumber
from ledgerbee.ledger.imports.model import ImportFormat, ImportStatus, JournalImport, Refusal
from ledgerbee.ledger.imports.rules import opens_all


class JournalImportResponse(ResponseModel):
    """An import and how far it is."""

    id: IdText
    format: ImportFormat = Field(description="beancount: JSON Lines that `ledgerbee import beancount` made of books")
    file_name: str | None = Field(examples=["2025.csv"])
    status: ImportStatus = Field(description="completed, failed and cancelled are ends; what was posted stays")
    bytes_total: WholeNumber = Field(description="Length of the file", examples=[1_048_576])
    bytes_read: WholeNumber = Field(description="How much of it is done", examples=[524_288])
    entries_posted: WholeNumber = Field(examples=[1500])
    error_count: WholeNumber = Field(description="Rows refused; the first 10,000 can be listed", examples=[0])
    failure: str | None = Field(description="Why it failed")
    summary: dict[str, Any] | None = Field(description="What the format tells at the end (Beancount)")
    open_fiscal_years: bool = Field(description="Whether it opens all fiscal years that its rows need")
    created_at: Moment
    started_at: Moment | None
    completed_at: Moment | None


class JournalImportErrorResponse(ResponseModel):
    """What was wrong with a row."""

    line: WholeNumber = Field(description="The line of the file that the row begins on", examples=[17])
    code: str = Field(examples=["ACCOUNT_NOT_FOUND"])
    property: str = Field(description="What of it, as a path; may be empty", examples=["lines.0.accountNumber"])
    message: str = Field(examples=["No such account in the company: 1011"])


class ListJournalImportsResponse(PageResponse[JournalImportResponse]):
    """A page of imports."""


class ListJournalImportErrorsResponse(PageResponse[JournalImportErrorResponse]):
    """A page of what was refused of an import."""


def render(found: JournalImport) -> JournalImportResponse:
    return JournalImportResponse(
        **fields_of(found), bytes_read=found.place.bytes_read, open_fiscal_years=opens_all(found.opens)
    )


def render_error(refusal: Refusal) -> JournalImportErrorResponse:
    return JournalImportErrorResponse.model_validate(refusal)
