"""Every router of the API, in the reference's order of tags."""

from fastapi import APIRouter

from ledgerbee.catalog.product_groups import http as product_groups
from ledgerbee.chart.accounts import http as accounts
from ledgerbee.ledger.entries import http as journal_entries
from ledgerbee.ledger.periods import http as periods
from ledgerbee.ledger.reports.trial_balance import http as trial_balance

ROUTERS: tuple[APIRouter, ...] = (
    accounts.router,
    journal_entries.router,
    periods.router,
    product_groups.router,
    trial_balance.router,
)
