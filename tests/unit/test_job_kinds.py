"""Every job ends: each kind says when and how, and none can do without."""

import ast
from collections.abc import Awaitable, Callable
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ledgerbee
from ledgerbee.app.jobs import AT_ONCE, JOBS
from ledgerbee.app.worker import Worker
from ledgerbee.billing.runs.model import BILLING_RUN_JOB
from ledgerbee.billing.subscriptions.model import BILL_SUBSCRIPTIONS_JOB, FOLLOW_DECLINE_JOB
from ledgerbee.billing.usage_imports.model import IMPORT_USAGE_JOB
from ledgerbee.core.errors import ErrorCode
from ledgerbee.identity.sign_in.jobs import RESET_JOB
from ledgerbee.identity.users.model import INVITATION_JOB
from ledgerbee.ledger.imports.model import IMPORT_JOB, JOURNAL_IMPORT_BUSY
from ledgerbee.payments.charges.model import CHARGE_JOB, CHARGES_JOB
from ledgerbee.payments.disputes.model import DISPUTE_JOB
from ledgerbee.payments.payment_methods.model import CARD_LINK_JOB
from ledgerbee.payments.payouts.model import PAYOUTS_JOB
from ledgerbee.payments.providers.sandbox.model import SANDBOX_EVENT_JOB
from ledgerbee.payments.refunds.model import REFUND_JOB
from ledgerbee.platform.blobs.store import Folder
from ledgerbee.platform.db import Database
from ledgerbee.platform.jobs import JobKind, JobRun
from ledgerbee.platform.mail import Mailer, MailFailedError, MailNotConfiguredError
from ledgerbee.purchases.incoming_documents.answers.actions import SEND_ANSWER_JOB
from ledgerbee.sales.delivery.model import BOUNCE_JOB, DELIVER_JOB, DELIVERY_UNDERWAY, JOB_OF, PRINT_JOB
from ledgerbee.tenancy.clocks.model import ADVANCE_JOB, DAILY_JOB
from ledgerbee.webhooks.sending.notices import DISABLED_JOB

UNFORESEEN = [
    KeyError("x"), RecursionError(), MemoryError(), ZeroDivisionError(), OverflowError(),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"), AssertionError(), ErrorCode("X", 400, "refused").error(),
]  # fmt: skip
AWAY = ErrorCode("DATABASE_UNAVAILABLE", 503, "away").error()


async def nothing(_run: JobRun, *_: Any) -> None:
    """Do nothing."""


def kind(**changes: Any) -> JobKind:
    return JobKind(**{
        "run": nothing, "give_up": nothing, "is_foreseen": lambda _: False, "max_attempts": 8, "max_unforeseen": 4,
        "first_pause": timedelta(seconds=15), "longest_pause": timedelta(hours=16), **changes,
    })  # fmt: skip


def waits(one: JobKind, attempts: int) -> timedelta:
    """The pauses between so many tries."""
    return sum((one.pause_after(attempt) for attempt in range(1, attempts)), timedelta(0))


@pytest.mark.parametrize("name", JOBS)
def test_what_is_unforeseen_ends_a_job_within_minutes_and_anything_else_within_days(name: str) -> None:
    one = JOBS[name]
    assert {one.attempts_for(fault) for fault in UNFORESEEN} == {one.max_unforeseen}
    assert waits(one, one.max_unforeseen) < timedelta(minutes=10)
    assert one.attempts_for(AWAY) == one.max_attempts
    assert waits(one, one.max_attempts) < timedelta(days=2)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        (IMPORT_JOB, JOURNAL_IMPORT_BUSY.error()),
        (DELIVER_JOB, DELIVERY_UNDERWAY.error()),
        (DELIVER_JOB, MailFailedError("451 later")),
        (DELIVER_JOB, MailNotConfiguredError()),
    ],
)
def test_what_is_foreseen_is_waited_for(name: str, fault: Exception) -> None:
    assert JOBS[name].attempts_for(fault) == JOBS[name].max_attempts


@pytest.mark.parametrize("name", [field.name for field in fields(JobKind)])
def test_a_kind_leaves_nothing_out(name: str) -> None:
    given = {field.name: getattr(kind(), field.name) for field in fields(JobKind) if field.name != name}
    with pytest.raises(TypeError, match=name):
        JobKind(**given)


@pytest.mark.parametrize(
    "changes",
    [
        {"max_attempts": 0, "max_unforeseen": 0},
        {"max_unforeseen": 9},
        {"first_pause": timedelta(0)},
        {"longest_pause": timedelta(seconds=1)},
    ],
)
def test_a_kind_that_would_not_end_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"tried|tries"):
        kind(**changes)


async def test_a_job_that_does_not_say_how_it_ends_is_not_registered(database: Database, tmp_path: Path) -> None:
    handler: Callable[[JobRun], Awaitable[None]] = nothing
    jobs: Any = {"endless": handler}
    with pytest.raises(TypeError, match="endless doesn't say how it ends"):
        Worker(database, Mailer(None, "a@b.dk"), Folder(tmp_path), lambda: None, jobs=jobs)  # type: ignore[arg-type, return-value]


def test_every_job_that_is_asked_for_is_of_a_kind() -> None:
    """Each `context.enqueue(NAME, ...)` names a job that the worker knows."""
    names = {
        "BOUNCE_JOB": BOUNCE_JOB, "DELIVER_JOB": DELIVER_JOB, "IMPORT_JOB": IMPORT_JOB, "PRINT_JOB": PRINT_JOB,
        "IMPORT_USAGE_JOB": IMPORT_USAGE_JOB,
        "SEND_ANSWER_JOB": SEND_ANSWER_JOB, "DISABLED_JOB": DISABLED_JOB,
        "ADVANCE_JOB": ADVANCE_JOB, "DAILY_JOB": DAILY_JOB,
        "CARD_LINK_JOB": CARD_LINK_JOB, "CHARGE_JOB": CHARGE_JOB, "CHARGES_JOB": CHARGES_JOB,
        "DISPUTE_JOB": DISPUTE_JOB, "SANDBOX_EVENT_JOB": SANDBOX_EVENT_JOB, "REFUND_JOB": REFUND_JOB,
        "PAYOUTS_JOB": PAYOUTS_JOB,
        "BILLING_RUN_JOB": BILLING_RUN_JOB, "BILL_SUBSCRIPTIONS_JOB": BILL_SUBSCRIPTIONS_JOB,
        "FOLLOW_DECLINE_JOB": FOLLOW_DECLINE_JOB, "INVITATION_JOB": INVITATION_JOB,
    }  # fmt: skip
    asked = {RESET_JOB}  # by the database, of a user whose company nobody has entered
    for file in Path(ledgerbee.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "enqueue":
                first = call.args[0]
                if isinstance(first, ast.Name) and first.id == "job":  # of a delivery, by its type
                    asked |= set(JOB_OF.values())
                elif isinstance(first, ast.Name):
                    asked.add(names[first.id])
    assert asked == set(JOBS)
    assert set(AT_ONCE) <= set(JOBS)


@given(st.integers(1, 10_000))
def test_pauses_grow_to_the_longest_and_no_further(attempt: int) -> None:
    one = kind()
    assert one.first_pause <= one.pause_after(attempt) <= one.pause_after(attempt + 1) <= one.longest_pause
