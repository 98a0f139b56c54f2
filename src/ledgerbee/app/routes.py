"""Every router of the API, in the reference's order of tags."""

from ledgerbee.app import companies
from ledgerbee.billing.backfills import http as backfills
from ledgerbee.billing.cards import http as cards
from ledgerbee.billing.meters import http as meters
from ledgerbee.billing.metrics import http as metrics
from ledgerbee.billing.plans import http as subscription_plans
from ledgerbee.billing.previews import http as subscription_previews
from ledgerbee.billing.runs import http as billing_runs
from ledgerbee.billing.subscriptions import http as subscriptions
from ledgerbee.billing.usage import http as usage
from ledgerbee.billing.usage_imports import http as usage_imports
from ledgerbee.catalog.prices import http as prices
from ledgerbee.catalog.product_groups import http as product_groups
from ledgerbee.catalog.products import http as products
from ledgerbee.chart.accounts import http as accounts
from ledgerbee.chart.dimensions import http as dimensions
from ledgerbee.chart.journal_categories import http as journal_categories
from ledgerbee.chart.vat_codes import http as vat_codes
from ledgerbee.http.operation import OperationRouter
from ledgerbee.identity.authorization import token_http as oauth_tokens
from ledgerbee.identity.connections import http as connections
from ledgerbee.identity.users import http as users
from ledgerbee.ledger.drafts import http as draft_journal_entries
from ledgerbee.ledger.entries import http as journal_entries
from ledgerbee.ledger.imports import http as imports
from ledgerbee.ledger.periods import http as periods
from ledgerbee.ledger.projects import http as projects
from ledgerbee.ledger.reports.ledgers import http as ledgers
from ledgerbee.ledger.reports.trial_balance import http as trial_balance
from ledgerbee.parties.contacts import http as contacts
from ledgerbee.parties.customers import http as customers
from ledgerbee.parties.departments import http as departments
from ledgerbee.parties.groups import http as party_groups
from ledgerbee.parties.vendors import http as vendors
from ledgerbee.payments.charges import http as charges
from ledgerbee.payments.customer_credit import http as customer_credit
from ledgerbee.payments.customer_payments import http as customer_payments
from ledgerbee.payments.disputes import http as disputes
from ledgerbee.payments.payment_methods import http as payment_methods
from ledgerbee.payments.payouts import http as payouts
from ledgerbee.payments.provider_settings import http as payment_providers
from ledgerbee.payments.refunds import http as refunds
from ledgerbee.payments.sandbox_events import http as sandbox_events
from ledgerbee.purchases.incoming_documents import http as incoming_documents
from ledgerbee.sales.credit_notes import http as credit_notes
from ledgerbee.sales.deferrals import http as deferrals
from ledgerbee.sales.delivery import http as deliveries
from ledgerbee.sales.documents import http as documents
from ledgerbee.sales.einvoices.answers import http as e_invoice_answers
from ledgerbee.sales.invoices import http as invoices
from ledgerbee.sales.open_invoices import http as open_invoices
from ledgerbee.sales.order_confirmations import http as order_confirmations
from ledgerbee.sales.quotes import http as quotes
from ledgerbee.sales.templates import http as document_templates
from ledgerbee.sales.write_offs import http as write_offs
from ledgerbee.tenancy.api_keys import http as api_keys
from ledgerbee.tenancy.audit import http as audit_events
from ledgerbee.tenancy.clocks import http as clocks
from ledgerbee.tenancy.company import http as company
from ledgerbee.tenancy.oauth import http as oauth_clients
from ledgerbee.tenancy.rates import http as exchange_rates
from ledgerbee.webhooks.deliveries import http as webhook_deliveries
from ledgerbee.webhooks.endpoints import http as webhook_endpoints
from ledgerbee.webhooks.events import http as events

ROUTERS: tuple[OperationRouter, ...] = (
    accounts.router,
    api_keys.router,
    company.router,
    clocks.router,
    companies.router,
    customers.router,
    contacts.customer_router,
    departments.customer_router,
    party_groups.customer_router,
    dimensions.router,
    document_templates.router,
    documents.router,
    journal_categories.router,
    *journal_entries.ROUTERS,
    periods.router,
    meters.router,
    usage.router,
    product_groups.router,
    prices.router,
    products.router,
    projects.router,
    subscriptions.router,
    subscription_previews.router,
    subscription_plans.router,
    billing_runs.router,
    metrics.router,
    vat_codes.router,
    webhook_endpoints.router,
    webhook_deliveries.router,
    draft_journal_entries.router,
    invoices.router,
    credit_notes.router,
    write_offs.router,
    deferrals.router,
    e_invoice_answers.router,
    payment_methods.router,
    cards.router,
    payment_providers.router,
    sandbox_events.router,
    customer_payments.router,
    customer_payments.payment_router,
    customer_credit.router,
    customer_credit.invoice_router,
    charges.router,
    refunds.router,
    disputes.router,
    payouts.router,
    order_confirmations.router,
    quotes.router,
    deliveries.router,
    vendors.router,
    contacts.vendor_router,
    departments.vendor_router,
    party_groups.vendor_router,
    draft_journal_entries.router_v2,
    *journal_entries.ROUTERS_V2,
    imports.router,
    incoming_documents.router,
    usage.usage_router,
    usage_imports.router,
    backfills.router,
    trial_balance.router,
    ledgers.router,
    open_invoices.router,
    exchange_rates.router,
    audit_events.router,
    events.router,
    oauth_clients.router,
    oauth_tokens.router,
    users.router,
    connections.router,
)
