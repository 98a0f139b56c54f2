"""Every router of the API, in the reference's order of tags."""

from fastapi import APIRouter

from ledgerbee.catalog.prices import http as prices
from ledgerbee.catalog.product_groups import http as product_groups
from ledgerbee.catalog.products import http as products
from ledgerbee.chart.accounts import http as accounts
from ledgerbee.parties.contacts import http as contacts
from ledgerbee.parties.customers import http as customers
from ledgerbee.parties.departments import http as departments
from ledgerbee.parties.groups import http as party_groups
from ledgerbee.parties.vendors import http as vendors
from ledgerbee.payments.customer_payments import http as customer_payments
from ledgerbee.sales.invoices import http as invoices

ROUTERS: tuple[APIRouter, ...] = (
    accounts.router,
    customers.router,
    contacts.customer_router,
    departments.customer_router,
    party_groups.customer_router,
    product_groups.router,
    prices.router,
    products.router,
    invoices.router,
    customer_payments.router,
    vendors.router,
    contacts.vendor_router,
    departments.vendor_router,
    party_groups.vendor_router,
)
