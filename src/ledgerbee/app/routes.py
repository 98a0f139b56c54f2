"""Every router of the API, in the reference's order of tags."""

from fastapi import APIRouter

from ledgerbee.catalog.prices import http as prices
from ledgerbee.catalog.product_groups import http as product_groups
from ledgerbee.catalog.products import http as products
from ledgerbee.chart.accounts import http as accounts

ROUTERS: tuple[APIRouter, ...] = (
    accounts.router,
    product_groups.router,
    prices.router,
    products.router,
)
