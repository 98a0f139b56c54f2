"""The whole audit of a company: the ledger by itself, then what documents say of it, then settings and their events."""

from dataclasses import replace

from ledgerbee.app.audit import fault_in_settings
from ledgerbee.billing.subscriptions.audit import fault_in_charges
from ledgerbee.billing.usage.audit import fault_in_usage
from ledgerbee.ledger import verify as ledger
from ledgerbee.ledger.verify import Fault, Progress, Verification
from ledgerbee.payments.charge_returns.audit import fault_in_returns
from ledgerbee.payments.charges.audit import fault_in_card_charges
from ledgerbee.payments.customer_credit.audit import fault_in_credit
from ledgerbee.payments.customer_payments.audit import fault_in_documents, fault_in_payments
from ledgerbee.payments.payouts.audit import fault_in_payouts
from ledgerbee.platform.blobs.store import BlobStore
from ledgerbee.platform.context import Context


async def verify(context: Context, progress: Progress | None = None, blobs: BlobStore | None = None) -> Verification:
    """As `ledger.verify.verify`, which looks at the ledger alone; all of it sees the same state of the database."""
    result = await ledger.verify(context, progress, blobs)
    looks = (
        fault_in_documents,
        fault_in_payments,
        fault_in_credit,
        fault_in_card_charges,
        fault_in_returns,
        fault_in_payouts,
        fault_in_usage,
        fault_in_charges,
        fault_in_settings,
    )
    for look in looks if result.passed else ():
        if (what := await look(context)) is not None:
            return replace(result, fault=Fault(what))
    return result
