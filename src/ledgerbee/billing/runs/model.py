"""Billing runs: everything that is due up to a day, billed (decisions "Billing")."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple, NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode, LedgerBeeError

BillingRunId = NewType("BillingRunId", UUID)

#: The job that carries out a run.
BILLING_RUN_JOB: Final = "billing_run"


class BillingRunStatus(StrEnum):
    """Where a run stands. `failed`: nothing could be booked on its day, or it was given up."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class BillingRunTrigger(StrEnum):
    """What started a run: a request or command, the company's hour, a new or changed subscription."""

    REQUESTED = "requested"
    DAILY = "daily"
    CHANGE = "change"


class BillingOutcome(StrEnum):
    """What came of a subscription in a run."""

    INVOICED = "invoiced"
    CREDITED = "credited"
    #: Its state moved on, without a document: a period that costs nothing, a change, a start or an end.
    ADVANCED = "advanced"
    #: It waits for a word: `needs_confirmation`.
    SKIPPED = "skipped"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingRun:
    """One run. `as_of` is the day up to which it bills; what it books is dated the day on which it runs."""

    id: BillingRunId
    status: BillingRunStatus
    trigger: BillingRunTrigger
    as_of: date
    is_dry_run: bool
    confirms_catch_up: bool
    subscription_ids: list[UUID] | None
    processed: int = 0
    invoices: int = 0
    credit_notes: int = 0
    skipped: int = 0
    refused: int = 0
    code: str | None = None
    message: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingResult:
    """What came of one subscription: a document, or why there is none.

    `amount` is what the document has of the subscription, without VAT, below zero of a credit note; the days that it is
    for end before `service_end`. A dry run has no ids of documents.
    """

    id: UUID
    billing_run_id: BillingRunId
    customer_id: UUID
    subscription_id: UUID
    outcome: BillingOutcome
    invoice_id: UUID | None = None
    credit_note_id: UUID | None = None
    amount: Decimal | None = None
    currency: str | None = None
    service_start: date | None = None
    service_end: date | None = None
    code: str | None = None
    message: str | None = None


class DuePayer(NamedTuple):
    """Somebody who pays, and the subscriptions that are due for it."""

    payer_id: UUID
    subscription_ids: list[UUID]


class RefusedPayer(NamedTuple):
    """Somebody for whom nothing can be billed, and why."""

    due: DuePayer
    fault: LedgerBeeError


BILLING_RUN_NOT_FOUND = ErrorCode("BILLING_RUN_NOT_FOUND", 404, "No such billing run in the company")
#: The code of a subscription with more than 24 due periods.
NEEDS_CONFIRMATION: Final = "needs_confirmation"
#: The code of a run that was tried so often that it was given up.
BILLING_RUN_GIVEN_UP: Final = "BILLING_RUN_GIVEN_UP"
