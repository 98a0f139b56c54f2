"""Every router of the API, in the reference's order of tags."""

from fastapi import APIRouter

from ledgerbee.catalog.product_groups import http as product_groups
from ledgerbee.chart.accounts import http as accounts

ROUTERS: tuple[APIRouter, ...] = (
    accounts.router,
    product_groups.router,
)
