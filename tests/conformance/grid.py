"""Every kind of invoice and credit note that the system can issue, as the snapshots that it would keep.

Not the product of everything: how lines are priced and taxed is crossed with currencies and kinds, and who trades with
whom is crossed with currencies and kinds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import product
from typing import Any, Final, NamedTuple
from uuid import UUID

from ledgerbee.core.ids import new_id
from ledgerbee.core.money import multiply, round_money
from ledgerbee.parties.contacts.model import Contact, ContactId
from ledgerbee.parties.customers.model import Customer, CustomerType, VatZone
from ledgerbee.parties.groups.model import CustomerGroupId
from ledgerbee.parties.party.model import CustomerId
from ledgerbee.sales.documents import rules
from ledgerbee.sales.documents.model import Document, DocumentKind, DocumentLineType, Line, Tax, Terms
from ledgerbee.sales.documents.snapshot import Addressee, InBase, compose, numbered
from ledgerbee.sales.invoices.model import Invoice, InvoiceId, InvoiceStatus
from ledgerbee.tenancy.company.model import Company

D = Decimal
NOW: Final = datetime(2026, 3, 16, 12, tzinfo=UTC)
DAY: Final = date(2026, 3, 16)

SELLER: Final = Company(
    company_id=new_id(),
    name="Nordlys Kaffe ApS",
    country_code="DK",
    base_currency="DKK",
    preferred_language="da",
    time_zone="Europe/Copenhagen",
    email="regnskab@nordlyskaffe.example",
    phone="+45 86 12 34 56",
    address="Havnegade 12\n2. tv.\nPort B\nGård 3",
    city="Aarhus C",
    postal_code="8000",
    vat_number="13585628",
    bank_name="Nordjyske Bank",
    bank_registration_number="9070",
    bank_account_number="1626347102",
    iban="DK5000400440116243",
    bic="DABADKKK",
    fik_creditor_number="12345674",
    created_at=NOW,
    updated_at=NOW,
)
_NO_BANK: Final[Mapping[str, Any]] = dict.fromkeys(
    ("bank_name", "bank_registration_number", "bank_account_number", "iban", "bic", "fik_creditor_number")
)
SELLERS: Final[Mapping[str, Company]] = {
    "all ways to pay": SELLER,
    "account only": replace(SELLER, iban=None, bic=None, fik_creditor_number=None),
    "slip only": replace(SELLER, **{**_NO_BANK, "fik_creditor_number": "12345674"}),
    "IBAN only": replace(SELLER, **{**_NO_BANK, "iban": "DK5000400440116243"}),
    "no bank": replace(SELLER, **_NO_BANK, email=None, phone=None),
    "Swedish": replace(
        SELLER,
        **{**_NO_BANK, "iban": "SE4550000000058398257466", "bic": "ESSESESS"},
        country_code="SE",
        base_currency="SEK",
        vat_number="SE556703748501",
        postal_code="111 22",
        city="Stockholm",
    ),
}

BUYER: Final = Customer(
    id=CustomerId(new_id()),
    number="C1",
    customer_type=CustomerType.COMPANY,
    name="Ærø Rederi & Færgefart <A/S>",
    vat_zone=VatZone.DOMESTIC,
    customer_group_id=CustomerGroupId(new_id()),
    country_code="DK",
    currency="DKK",
    email="faktura@aero.example",
    address="Søndergade 44",
    postal_code="5970",
    city="Ærøskøbing",
    vat_number="25313763",
    created_at=NOW,
    updated_at=NOW,
)


def _abroad(country: str, vat_number: str | None, **others: Any) -> Customer:
    return replace(BUYER, name=f"Buyer of {country}", country_code=country, vat_number=vat_number, **others)


BUYERS: Final[Mapping[str, Customer]] = {
    "company": BUYER,
    "public": replace(BUYER, customer_type=CustomerType.PUBLIC, vat_number=None, ean_number="5798009811578"),
    "bare": replace(BUYER, address=None, postal_code=None, city=None, email=None),
    "SE number": replace(BUYER, endpoint_id="0198:DK13585628"),
    "P-number": replace(BUYER, vat_number=None, endpoint_id="0096:1003388394"),
    "German": _abroad("DE", "DE129273398"),
    "Greek": _abroad("GR", "094259216"),
    "Italian": _abroad("IT", "IT00743110157"),
    "Swedish": _abroad("SE", "SE556703748501"),
    "Norwegian": _abroad("NO", "NO923609016MVA"),
    "American": _abroad("US", None, ean_number="5798009811578"),
    "Greenlandic": _abroad("GL", "12345678", ean_number="5798009811578"),
}


def _tax(category: str, rate: str = "0", reason: str | None = None) -> Tax:
    danish = f"{reason} (dansk)" if reason else None
    return Tax(new_id(), new_id(), D(rate), category, new_id() if D(rate) else None, reason, danish)


_S: Final = _tax("S", "25")
#: How the lines of a document are taxed, in turn.
TREATMENTS: Final[Mapping[str, Sequence[Tax]]] = {
    "standard": [_S],
    "two rates": [_S, _tax("S", "5")],
    "zero rate": [_tax("Z")],
    "standard and zero": [_S, _tax("Z")],
    "exempt": [_tax("E", reason="Exempt from VAT (section 13)")],
    "reverse charge": [_tax("AE", reason="Reverse charge (section 46)")],
    "goods to the EU": [_tax("K", reason="Article 138")],
    "goods and services to the EU": [_tax("K", reason="Article 138"), _tax("AE", reason="Article 196")],
    "export": [_tax("G", reason="Article 146"), _tax("G", reason="Articles 44 and 59")],
    "outside the scope": [_tax("O", reason="Outside the scope (section 4)")],
    "standard and outside": [_S, _tax("O", reason="Outside the scope (section 4)")],
    "exempt and outside": [_tax("E", reason="Exempt (section 13)"), _tax("O", reason="Outside (section 4)")],
    "everything": [_S, _tax("Z"), _tax("E", reason="Section 13"), _tax("AE", reason="Section 46")],
}


class Sold(NamedTuple):
    """A line: quantity, unit price, discount in percent, unit."""

    quantity: str
    price: str
    discount: str = "0"
    unit: str | None = "stk."


#: Lines of documents; one of none is a text.
LINES: Final[Mapping[str, Sequence[Sold | str]]] = {
    "plain": [Sold("1", "1000")],
    "thirds": [Sold("1", "99.99"), Sold("1", "99.99"), Sold("1", "99.99")],
    "discounts": [Sold("6", "5.504", "20"), Sold("3", "33.33", "33.3333"), Sold("1", "7", "100", "timer")],
    "small and large": [Sold("1000000", "0.000123456789"), Sold("0.333333", "12345.678901", "12.5", "kg")],
    "negative": [Sold("10", "100"), Sold("-6", "5.504", "20"), Sold("2", "-10", "3.5"), Sold("-3", "0.3333", "100")],
    "nothing": [Sold("0", "100"), Sold("5", "0"), Sold("0", "0", "50"), Sold("1", "0.01")],
    "texts": ["Above the lines", Sold("2", "100"), "Below the first\nin two lines", Sold("1", "0.05"), "<&\"'>\x0b"],
    "units": [
        Sold("1", "10", unit=unit) for unit in ("timer", "kg", "m²", "år", "sæt", "par", "dusin", "ukendt", None)
    ],
}
#: Lines with deductions of prepayments, which leave something of the total, or nothing.
DEDUCTIONS: Final[Mapping[str, Sequence[Sold | str]]] = {
    "deducts": [*(Sold("3", "1000") for _ in range(4)), *(Sold("-1", "333.33", unit=None) for _ in range(4))],
    "deducts all": [*(Sold("1", "1000") for _ in range(4)), *(Sold("-1", "1000", unit=None) for _ in range(4))],
}
CURRENCIES: Final = ("DKK", "EUR", "USD", "JPY")
KINDS: Final = (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE)
_RATE: Final = D("7.46")


class Case(NamedTuple):
    """A document and what it is."""

    name: str
    snapshot: dict[str, Any]


def cases() -> Iterator[Case]:
    """All of them. What has a negative total can't be issued and isn't among them."""
    for treatment, lines, currency, kind in product(TREATMENTS, LINES, CURRENCIES, KINDS):
        name = f"{kind.value}: {treatment}, {lines}, {currency}"
        buyer = BUYERS["German"] if "EU" in treatment else BUYER
        yield Case(name, snapshot(kind, SELLER, buyer, currency, LINES[lines], TREATMENTS[treatment]))
    for seller, buyer_name, currency, kind in product(SELLERS, BUYERS, CURRENCIES, KINDS):
        name = f"{kind.value}: seller {seller}, buyer {buyer_name}, {currency}"
        yield Case(name, snapshot(kind, SELLERS[seller], BUYERS[buyer_name], currency, LINES["discounts"], [_S]))
    for treatment, currency in product(TREATMENTS, CURRENCIES):
        buyer, taxes = BUYERS["German"] if "EU" in treatment else BUYER, TREATMENTS[treatment]
        ahead = snapshot(DocumentKind.INVOICE, SELLER, buyer, currency, LINES["discounts"], taxes, is_prepayment=True)
        yield Case(f"prepayment: {treatment}, {currency}", ahead)
        for (name, sold), kind in product(DEDUCTIONS.items(), KINDS):
            final = snapshot(kind, SELLER, buyer, currency, sold, taxes)
            yield Case(f"{kind.value}, {name}: {treatment}, {currency}", final)


def snapshot(
    kind: DocumentKind,
    company: Company,
    customer: Customer,
    currency: str,
    sold: Sequence[Sold | str],
    taxes: Sequence[Tax],
    *,
    is_prepayment: bool = False,
) -> dict[str, Any]:
    """What a document keeps of itself: a credit note's amounts are negative, as in the books."""
    is_note = kind is DocumentKind.CREDIT_NOTE
    lines, by_price = _lines(sold, taxes, currency, is_note=is_note)
    computed = rules.compute(lines, by_price, currency)
    is_foreign = currency != company.base_currency
    vat = round_money(multiply(computed.totals.vat, _RATE), company.base_currency)
    terms = Terms(
        due_date=None if is_note else date(2026, 4, 15),
        delivery_date=None if is_note else date(2026, 3, 14),
        payment_terms_days=None if is_note else 30,
        credits_invoice_number="1041" if is_note else None,
        is_prepayment=is_prepayment,
    )
    content = compose(
        kind,
        _document(customer, currency),
        terms,
        None,
        company,
        Addressee(customer, None, _contact(), customer.ean_number),
        computed,
        InBase(company.base_currency, vat, _RATE) if is_foreign and computed.totals.vat else None,
    )
    return numbered(content, "2026-1042")


def _lines(
    sold: Sequence[Sold | str], taxes: Sequence[Tax], currency: str, *, is_note: bool
) -> tuple[list[Line], dict[UUID, Tax]]:
    lines: list[Line] = []
    by_price: dict[UUID, Tax] = {}
    for place, one in enumerate(sold):
        if isinstance(one, str):
            lines.append(Line(new_id(), DocumentLineType.TEXT, one))
            continue
        price_id = new_id()
        by_price[price_id] = taxes[place % len(taxes)]
        quantity = -D(one.quantity) if is_note else D(one.quantity)
        lines.append(
            Line(
                id=new_id(),
                line_type=DocumentLineType.PRODUCT,
                description=f"Vare {place}\nmed en linje til" if place else "Vare & <b>",
                price_id=price_id,
                product_id=new_id(),
                unit=one.unit,
                quantity=quantity,
                unit_price=D(one.price),
                discount_percent=D(one.discount),
                net=rules.line_net(multiply(quantity, D(one.price)), D(one.discount), currency),
            )
        )
    return lines, by_price


def _document(customer: Customer, currency: str) -> Document:
    return Invoice(
        id=InvoiceId(new_id()),
        status=InvoiceStatus.SENT,
        customer_id=customer.id,
        issue_date=DAY,
        due_date=DAY,
        payment_terms_days=30,
        currency=currency,
        subtotal=D(0),
        vat=D(0),
        amount=D(0),
        our_reference="Mette Holm",
        reference="PO-77812",
        description="Kaffe, november",
        notes="Tak for handlen.",
        created_at=NOW,
        updated_at=NOW,
    )


def _contact() -> Contact:
    return Contact(id=ContactId(new_id()), name="Åse Ørsted", created_at=NOW)
