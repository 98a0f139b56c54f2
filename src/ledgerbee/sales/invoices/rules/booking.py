"""What is written when an invoice is booked. Pure."""

from datetime import datetime

from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries.rules import Conversion
from ledgerbee.sales.deferrals import rules as deferral_rules
from ledgerbee.sales.deferrals.model import NOTHING_DEFERRED
from ledgerbee.sales.delivery.model import DeliveryType
from ledgerbee.sales.documents.addressing import addressee as addressee_of
from ledgerbee.sales.documents.addressing import check_customer, choose_template
from ledgerbee.sales.documents.model import Computed, DocumentKind
from ledgerbee.sales.documents.snapshot import InBase
from ledgerbee.sales.invoices.model import (
    INVOICE_RECIPIENT_MISSING,
    Invoice,
)
from ledgerbee.sales.invoices.rules.checks import check_seller, check_sendable
from ledgerbee.sales.invoices.rules.states import status_when_sent
from ledgerbee.sales.sending.model import Booking, SendOptions, SendSources
from ledgerbee.sales.sending.rules import entry_lines, journal_entry, recipient_of, vat_in_base
from ledgerbee.sales.templates.model import TemplateType
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING


def book(
    draft: Invoice, found: SendSources, computed: Computed, options: SendOptions, now: datetime
) -> Booking[Invoice]:
    """All there is to write of a draft that is sent, or the first refusal, in this order:

    | refused | why |
    | --- | --- |
    | `SALES_DOCUMENT_CUSTOMER_INACTIVE` | nothing new is sold to the customer |
    | `INVOICE_AMOUNT_NEGATIVE` | what is owed to the customer is a credit note |
    | `INVOICE_BUYER_VAT_NUMBER_MISSING`, `INVOICE_BUYER_VAT_NUMBER_INVALID` | the buyer accounts for the VAT |
    | `INVOICE_SELLER_INCOMPLETE` | an invoice states its seller |
    | `DOCUMENT_TEMPLATE_NOT_FOUND`, `SALES_DOCUMENT_TEMPLATE_MISMATCH` | the chosen template is none for invoices |
    | `INVOICE_RECIPIENT_MISSING` | a mail needs an address |
    | `EXCHANGE_RATE_MISSING` | no rate of the day leads to the company's currency |
    | `INVOICE_DEFERRAL_ACCOUNT_MISSING` | revenue of days to come has no account to stand on |

    `computed` are the draft's lines as they are taxed now (`documents.rules.tax`).
    """
    sources = found.sources
    company, facts = sources.company, sources.facts
    check_customer(sources)
    check_sendable(computed, facts.customer, draft.currency, company.country_code)
    check_seller(company, computed.taxes.values())
    chosen = options.document_template_id or draft.document_template_id
    template = choose_template(TemplateType.INVOICE, sources, chosen)
    address = recipient_of(sources, options, INVOICE_RECIPIENT_MISSING)
    if found.rate is None:
        raise EXCHANGE_RATE_MISSING.error(
            currency=draft.currency, baseCurrency=company.base_currency, date=draft.issue_date.isoformat()
        )
    conversion = Conversion(draft.currency, company.base_currency, found.rate.value)
    deferred = (
        NOTHING_DEFERRED
        if draft.is_prepayment
        else deferral_rules.deferred(
            computed, found.sales, draft.issue_date, draft.currency, sources.deferred_revenue_account_id
        )
    )
    lines = entry_lines(computed, conversion, facts.group.account_id, deferred)
    booked = replace(
        draft,
        status=status_when_sent(options.delivery_type, computed.totals.amount),
        document_template_id=template.id if template else None,
        subtotal=computed.totals.subtotal,
        vat=computed.totals.vat,
        amount=computed.totals.amount,
        receivable_account_id=facts.group.account_id,
        exchange_rate=conversion.rate,
        base_amount=lines[0].base_amount,
        journal_entry_id=new_id(),
        sent_at=now if options.delivery_type is DeliveryType.MANUAL else None,
        updated_at=now,
    )
    vat = None if conversion.is_base else vat_in_base(lines)
    return Booking(
        document=booked,
        entry=journal_entry(DocumentKind.INVOICE, booked, lines, sources.journal_category_id),
        computed=computed,
        addressee=addressee_of(sources, options.override_ean_number),
        template=template,
        in_base=None if vat is None else InBase(company.base_currency, vat, conversion.rate),
        recipient=address,
        deferrals=deferral_rules.deferrals_of(booked, computed, deferred, lines, conversion, now) if deferred else (),
    )
