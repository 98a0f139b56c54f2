"""An invented draft of the company's, which shows what a template looks like. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from ledgerbee.core.dates import day_in
from ledgerbee.core.money import multiply
from ledgerbee.parties.customers.model import Customer, CustomerType, VatZone
from ledgerbee.parties.groups.model import CustomerGroupId
from ledgerbee.parties.party.model import CustomerId
from ledgerbee.sales.documents.model import Document, DocumentKind, DocumentLineType, Line, Tax, Terms
from ledgerbee.sales.documents.rules import compute, line_net
from ledgerbee.sales.documents.snapshot import Addressee, compose
from ledgerbee.sales.templates.model import DocumentTemplate, TemplateType
from ledgerbee.tenancy.company.model import Company

_KINDS: Final[Mapping[TemplateType, DocumentKind]] = {
    TemplateType.INVOICE: DocumentKind.INVOICE,
    TemplateType.CREDIT_NOTE: DocumentKind.CREDIT_NOTE,
    TemplateType.QUOTE: DocumentKind.QUOTE,
    TemplateType.ORDER_CONFIRMATION: DocumentKind.ORDER_CONFIRMATION,
}
#: Nothing of it is kept or looked up: any id does.
_ID: Final = UUID(int=0)
_DAYS: Final = 14
_TAX: Final = Tax(_ID, _ID, Decimal(25), "S", _ID)


class _Status(StrEnum):
    DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class _Words:
    buyer: str
    address: str
    city: str
    headline: str
    work: str
    hours: str
    goods: str
    pieces: str
    notes: str


_WORDS: Final[Mapping[str, _Words]] = {
    "da": _Words(
        "Eksempel A/S",
        "Prøvevej 1",
        "Eksempelby",
        "Et eksempel",
        "Rådgivning",
        "timer",
        "Papir, 500 ark",
        "stk.",
        "En bemærkning.",
    ),
    "en": _Words(
        "Example Ltd",
        "1 Sample Road",
        "Sampletown",
        "An example",
        "Consulting",
        "hours",
        "Paper, 500 sheets",
        "pcs",
        "A note.",
    ),
}


def sample_document(template: DocumentTemplate, company: Company, now: datetime) -> dict[str, Any]:
    """The snapshot of a draft in the company's name and currency, to an invented buyer in its country.

    Prices and the VAT rate (25 %) are invented as well.
    """
    words, kind = _WORDS[template.language], _KINDS[template.document_type]
    today = day_in(now, company.time_zone)
    computed = compute(
        [
            _line(words.work, words.hours, Decimal("7.5"), Decimal(950), Decimal(0), company.base_currency),
            _line(words.goods, words.pieces, Decimal(20), Decimal("39.95"), Decimal(10), company.base_currency),
        ],
        {_ID: _TAX},
        company.base_currency,
    )
    totals, then = computed.totals, today + timedelta(days=_DAYS)
    document = Document(
        id=_ID, status=_Status.DRAFT, customer_id=_ID, issue_date=today, description=words.headline, notes=words.notes,
        currency=company.base_currency, subtotal=totals.subtotal, vat=totals.vat, amount=totals.amount, created_at=now,
        updated_at=now,
    )  # fmt: skip
    terms = Terms(
        due_date=then if kind is DocumentKind.INVOICE else None,
        valid_until=then if kind is DocumentKind.QUOTE else None,
        payment_terms_days=_DAYS if kind is DocumentKind.INVOICE else None,
    )
    buyer = Addressee(_customer(words, company, now))
    return compose(kind, document, terms, template, company, buyer, computed, None)


def _line(
    description: str, unit: str, quantity: Decimal, unit_price: Decimal, discount: Decimal, currency: str
) -> Line:
    net = line_net(multiply(quantity, unit_price), discount, currency)
    return Line(
        id=_ID, line_type=DocumentLineType.PRODUCT, description=description, price_id=_ID, product_id=_ID, unit=unit,
        quantity=quantity, unit_price=unit_price, discount_percent=discount, net=net,
    )  # fmt: skip


def _customer(words: _Words, company: Company, now: datetime) -> Customer:
    return Customer(
        id=CustomerId(_ID), number="1", customer_type=CustomerType.COMPANY, name=words.buyer, vat_zone=VatZone.DOMESTIC,
        customer_group_id=CustomerGroupId(_ID), country_code=company.country_code, currency=company.base_currency,
        address=words.address, postal_code="1000", city=words.city, created_at=now,
        updated_at=now,
    )  # fmt: skip
