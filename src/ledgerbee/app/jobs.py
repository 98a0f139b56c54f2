"""Every background job by name, and what runs on a timetable."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from ledgerbee.app.daily import DAILY
from ledgerbee.app.settling import settle
from ledgerbee.billing.card_payments.jobs import FOLLOWED_DECLINES
from ledgerbee.billing.runs.jobs import BILLING_RUNS, SUBSCRIPTION_BILLS
from ledgerbee.billing.runs.model import BILLING_RUN_JOB
from ledgerbee.billing.subscriptions.model import BILL_SUBSCRIPTIONS_JOB, FOLLOW_DECLINE_JOB
from ledgerbee.billing.usage_imports.jobs import USAGE_IMPORTS
from ledgerbee.billing.usage_imports.jobs import end_broken_uploads as end_broken_usage_uploads
from ledgerbee.billing.usage_imports.model import IMPORT_USAGE_JOB
from ledgerbee.identity.sign_in.jobs import RESET_JOB, RESETS
from ledgerbee.identity.users.jobs import INVITATIONS
from ledgerbee.identity.users.model import INVITATION_JOB
from ledgerbee.ledger.imports.jobs import IMPORTS, end_broken_uploads
from ledgerbee.ledger.imports.model import IMPORT_JOB
from ledgerbee.ledger.uploads.actions import release_stale
from ledgerbee.network.transport.model import NoTransport, Transport
from ledgerbee.payments.callbacks.jobs import SANDBOX_EVENTS
from ledgerbee.payments.charges.jobs import charges_of, charges_together_of
from ledgerbee.payments.charges.model import CHARGE_JOB, CHARGES_JOB
from ledgerbee.payments.disputes.jobs import disputes_of
from ledgerbee.payments.disputes.model import DISPUTE_JOB
from ledgerbee.payments.payment_methods.jobs import looks_of
from ledgerbee.payments.payment_methods.model import CARD_LINK_JOB
from ledgerbee.payments.payouts.jobs import payouts_of
from ledgerbee.payments.payouts.model import PAYOUTS_JOB
from ledgerbee.payments.providers.model import Providers
from ledgerbee.payments.providers.sandbox.model import SANDBOX_EVENT_JOB
from ledgerbee.payments.refunds.jobs import refunds_of
from ledgerbee.payments.refunds.model import REFUND_JOB
from ledgerbee.platform.daily import DailyTask
from ledgerbee.platform.jobs import JobKind, Timed
from ledgerbee.purchases.incoming_documents.answers.actions import SEND_ANSWER_JOB
from ledgerbee.purchases.incoming_documents.answers.jobs import answers_of
from ledgerbee.sales.delivery.jobs import bounces_of, deliveries_of
from ledgerbee.sales.delivery.model import BOUNCE_JOB, DELIVER_E_INVOICE_JOB, DELIVER_JOB, PRINT_JOB
from ledgerbee.sales.delivery.printing import prints_of
from ledgerbee.sales.einvoices.jobs import e_invoices_of
from ledgerbee.sales.kinds import KINDS
from ledgerbee.tenancy.clocks.jobs import Settle, advances_of, days_of, start_days
from ledgerbee.tenancy.clocks.model import ADVANCE_JOB, DAILY_JOB
from ledgerbee.webhooks.sending.notices import DISABLED_JOB, NOTICES

#: Of a worker that charges no cards.
NO_PROVIDERS: Final[Providers] = {}


def jobs_with(
    transport: Transport,
    providers: Providers = NO_PROVIDERS,
    daily: Sequence[DailyTask] = DAILY,
    settle: Settle = settle,
) -> Mapping[str, JobKind]:
    """Every job; e-invoices and answers to them leave by this transport, cards are saved and charged by these adapters,
    these are the daily tasks, and `settle` is what a sandbox waits for between two days."""
    return {
        ADVANCE_JOB: advances_of(daily, settle),
        BILL_SUBSCRIPTIONS_JOB: SUBSCRIPTION_BILLS,
        BILLING_RUN_JOB: BILLING_RUNS,
        BOUNCE_JOB: bounces_of(KINDS),
        CARD_LINK_JOB: looks_of(providers),
        CHARGE_JOB: charges_of(providers),
        CHARGES_JOB: charges_together_of(providers),
        DISPUTE_JOB: disputes_of(providers),
        DAILY_JOB: days_of(daily),
        DELIVER_JOB: deliveries_of(KINDS),
        DELIVER_E_INVOICE_JOB: e_invoices_of(KINDS, transport),
        FOLLOW_DECLINE_JOB: FOLLOWED_DECLINES,
        IMPORT_JOB: IMPORTS,
        IMPORT_USAGE_JOB: USAGE_IMPORTS,
        INVITATION_JOB: INVITATIONS,
        PAYOUTS_JOB: payouts_of(providers),
        PRINT_JOB: prints_of(KINDS),
        REFUND_JOB: refunds_of(providers),
        RESET_JOB: RESETS,
        SANDBOX_EVENT_JOB: SANDBOX_EVENTS,
        SEND_ANSWER_JOB: answers_of(transport),
        DISABLED_JOB: NOTICES,
    }


JOBS: Final = jobs_with(NoTransport())

#: Jobs of a kind that a worker runs at the same time, where that is fewer than any: each of these takes connections, or
#: waits for others.
AT_ONCE: Final[Mapping[str, int]] = {
    ADVANCE_JOB: 2,
    CHARGES_JOB: 4,
    DAILY_JOB: 2,
    DISPUTE_JOB: 4,
    IMPORT_JOB: 3,
    IMPORT_USAGE_JOB: 2,
    PRINT_JOB: 2,
}

#: When new published rates are looked for, where the settings allow it: each hour until they are there.
RENEW_RATES: Final = ("renew_rates", "7 * * * *")

#: When the worker looks once more after jobs that were held of late, and how long ago that is.
END_GIVEN_UP: Final = ("end_given_up", "*/5 * * * *")
HELD_OF_LATE: Final = timedelta(days=1)

#: What runs by itself: name -> (crontab, what to do).
TIMETABLE: Final[Mapping[str, tuple[str, Timed]]] = {
    "purge_authorizations": ("23 * * * *", "SELECT purge_authorizations($1)"),
    "purge_expired": ("17 * * * *", "SELECT purge_expired($1)"),
    "end_broken_uploads": ("*/10 * * * *", end_broken_uploads),
    "end_broken_usage_uploads": ("5-59/10 * * * *", end_broken_usage_uploads),
    "purge_job_log": (
        "43 4 * * *",
        """
        DELETE FROM pgqueuer_log l WHERE l.created < $1::timestamptz - interval '30 days'
        AND NOT EXISTS (SELECT FROM pgqueuer q WHERE q.id = l.job_id)
        """,
    ),
    "purge_staged_commands": ("37 * * * *", "SELECT purge_staged_commands($1)"),
    "purge_webhook_deliveries": ("29 * * * *", "SELECT purge_webhook_deliveries($1)"),
    "release_blob_leases": ("*/15 * * * *", release_stale),
    "start_days": ("* * * * *", start_days),
}
