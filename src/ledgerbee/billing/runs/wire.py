"""Billing runs on the wire (ours). Without FastAPI: jobs emit events of runs."""

from datetime import date

from pydantic import Field

from ledgerbee.billing.runs.model import (
    BillingOutcome,
    BillingResult,
    BillingRun,
    BillingRunStatus,
    BillingRunTrigger,
)
from ledgerbee.billing.subscriptions.wire import last_day
from ledgerbee.core.money import format_amount
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.http.wire import IdText, Moment, MoneyText, PageResponse, ResponseModel, WholeNumber, pages


class BillingRunResponse(ResponseModel):
    """A billing run, and how far it is."""

    id: IdText
    status: BillingRunStatus = Field(
        description="`completed` and `failed` are ends. What was billed stays billed; `code` says why a run failed"
    )
    trigger: BillingRunTrigger = Field(
        description="What started it: `requested` by a request or command, `daily` at the company's hour, `change` by "
        "a subscription that was made or changed"
    )
    as_of: date = Field(description="The day up to which it bills. What it makes is dated the day on which it runs")
    dry_run: bool = Field(description="Whether it only says what it would do")
    confirm_catch_up: bool = Field(description="Whether it bills subscriptions with more than 24 due periods")
    subscription_ids: list[IdText] | None = Field(description="Only these; null: every subscription that is due")
    processed: WholeNumber = Field(description="Subscriptions that were looked at", examples=[250])
    invoices: WholeNumber = Field(description="Results `invoiced`", examples=[240])
    credit_notes: WholeNumber = Field(description="Results `credited`", examples=[0])
    skipped: WholeNumber = Field(description="Results `skipped`", examples=[0])
    refused: WholeNumber = Field(description="Results `refused`", examples=[1])
    code: str | None = Field(description="Why all of it failed; null otherwise", examples=["PERIOD_LOCKED"])
    message: str | None = Field(description="The same in words")
    created_at: Moment
    started_at: Moment | None
    completed_at: Moment | None


class BillingResultResponse(ResponseModel):
    """What came of one subscription: a document, or why there is none."""

    customer_id: IdText
    subscription_id: IdText = Field(description="The subscription")
    outcome: BillingOutcome = Field(
        description="`advanced`: it moved on without a document, `skipped`: it waits for `confirmCatchUp`, `refused`: "
        "nothing of it was billed"
    )
    invoice_id: IdText | None = Field(description="The invoice; null without one, and in a dry run")
    credit_note_id: IdText | None = Field(description="The credit note; null without one, and in a dry run")
    amount: MoneyText | None = Field(
        description="What the document has of the subscription, excluding VAT; below zero of a credit note",
        examples=["200.00"],
    )
    currency: str | None = Field(examples=["DKK"])
    service_period_start: date | None = Field(description="The first day that it is for")
    service_period_end: date | None = Field(description="The last day that it is for")
    code: str | None = Field(
        description="Why there is none: the code of an error, or `needs_confirmation`", examples=["needs_confirmation"]
    )
    message: str | None = Field(description="The same in words")


class BillingRunDetailResponse(BillingRunResponse):
    """A billing run with a page of its results."""

    results: list[BillingResultResponse] = Field(description="A page of what came of each subscription")
    total: WholeNumber = Field(description="Total number of matching results", examples=[42])
    page: WholeNumber = Field(description="Current page of results", examples=[1])
    limit: WholeNumber = Field(description="Results per page", examples=[25])
    total_pages: WholeNumber = Field(description="Total number of pages", examples=[2])


class ListBillingRunsResponse(PageResponse[BillingRunResponse]):
    """A page of billing runs."""


def render(run: BillingRun) -> BillingRunResponse:
    """A run on the wire."""
    return BillingRunResponse(
        id=run.id,
        status=run.status,
        trigger=run.trigger,
        as_of=run.as_of,
        dry_run=run.is_dry_run,
        confirm_catch_up=run.confirms_catch_up,
        subscription_ids=run.subscription_ids,
        processed=run.processed,
        invoices=run.invoices,
        credit_notes=run.credit_notes,
        skipped=run.skipped,
        refused=run.refused,
        code=run.code,
        message=run.message,
        created_at=run.created_at,
        started_at=run.started_at,
        completed_at=run.completed_at,
    )


def render_detail(run: BillingRun, found: Page[BillingResult], asked: PageRequest) -> BillingRunDetailResponse:
    """A run on the wire, with the page of results that was asked for."""
    return BillingRunDetailResponse(
        **dict(render(run)),
        results=[render_result(one) for one in found.rows],
        total=found.total,
        page=asked.page,
        limit=asked.limit,
        total_pages=pages(found.total, asked.limit),
    )


def render_result(result: BillingResult) -> BillingResultResponse:
    """A result on the wire."""
    amount, currency = result.amount, result.currency
    return BillingResultResponse(
        customer_id=result.customer_id,
        subscription_id=result.subscription_id,
        outcome=result.outcome,
        invoice_id=result.invoice_id,
        credit_note_id=result.credit_note_id,
        amount=None if amount is None or currency is None else format_amount(amount, currency),
        currency=currency,
        service_period_start=result.service_start,
        service_period_end=last_day(result.service_end),
        code=result.code,
        message=result.message,
    )
