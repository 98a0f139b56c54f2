"""The ledger of an account, a customer or a vendor."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_FOUND, BOOKABLE
from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.money import EXACT
from ledgerbee.core.paging import PageRequest
from ledgerbee.ledger.reports.ledgers import store
from ledgerbee.ledger.reports.ledgers.model import Ledger, LedgerOf
from ledgerbee.ledger.reports.trial_balance.actions import trial_balance
from ledgerbee.ledger.reports.trial_balance.model import NO_BALANCES, Balances
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND, VENDOR_NOT_FOUND
from ledgerbee.platform.context import Context

_NOT_FOUND: Final[Mapping[LedgerOf, ErrorCode]] = {
    LedgerOf.ACCOUNT: ACCOUNT_NOT_FOUND,
    LedgerOf.CUSTOMER: CUSTOMER_NOT_FOUND,
    LedgerOf.VENDOR: VENDOR_NOT_FOUND,
}


async def ledger(
    context: Context,
    kind: LedgerOf,
    owner_id: UUID,
    from_date: date | None,
    to_date: date | None,
    tag_ids: Sequence[UUID] | None,
    asked: PageRequest,
) -> Ledger:
    """A page of the ledger over `from_date`..`to_date`, both inclusive, which default as those of the trial balance.

    An account opens and closes as in the trial balance of the same days; a heading or total has no lines. A customer
    or vendor opens with all that was posted before, on receivables and payables. Raises `ACCOUNT_NOT_FOUND`,
    `CUSTOMER_NOT_FOUND` or `VENDOR_NOT_FOUND`, and a validation error when the first day is after the last.
    """
    owner = _NOT_FOUND[kind].unless(await store.find_owner(context, kind, owner_id))
    report = await trial_balance(context, from_date, to_date, tag_ids)
    from_date, to_date = report.from_date, report.to_date
    total, debit, credit = await store.get_sums(context, owner, from_date, to_date, tag_ids)
    if kind is LedgerOf.ACCOUNT:
        figures = (row.balances for row in report.rows if row.account_id == owner_id and row.ledger_type in BOOKABLE)
        opening = (next(figures, None) or NO_BALANCES).opening
    else:
        _, before, less = await store.get_sums(context, owner, None, from_date - timedelta(days=1), tag_ids)
        opening = EXACT.subtract(before, less)
    lines, skipped = await store.list_page(context, owner, from_date, to_date, tag_ids, asked)
    return Ledger(
        owner=owner,
        from_date=from_date,
        to_date=to_date,
        currency=report.currency,
        balances=Balances(opening, debit, credit),
        before_page=EXACT.add(opening, skipped),
        lines=lines,
        total=total,
    )
