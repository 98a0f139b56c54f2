"""A document as it was when it was booked: JSON that holds everything its PDF and e-invoice say.

Decimals are strings, days ISO 8601. Once stored, nothing in it follows later changes of the customer, the company
or the catalogue. Wording that depends on the language is kept in both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from ledgerbee.core.countries import EU_COUNTRIES, is_country
from ledgerbee.core.money import format_amount, format_decimal
from ledgerbee.parties.contacts.model import Contact
from ledgerbee.parties.customers.model import Customer
from ledgerbee.parties.departments.model import Department
from ledgerbee.sales.documents.model import Computed, DocumentKind, Line, Tax, VatRow
from ledgerbee.sales.documents.rules import Treatment, treatment_of
from ledgerbee.tenancy.company.model import Company

#: The form of the JSON; readers of stored snapshots tell old ones apart by it.
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Heading:
    """What a document says beside its lines. `valid_until` is for quotes, `payment_terms_days` and `due_date` for
    invoices; `exchange_rate` is base units for one unit of `currency`, None while it isn't known."""

    kind: DocumentKind
    language: str
    issue_date: date
    currency: str
    number: str | None = None
    due_date: date | None = None
    valid_until: date | None = None
    delivery_date: date | None = None
    payment_terms_days: int | None = None
    reference: str | None = None
    our_reference: str | None = None
    description: str | None = None
    notes: str | None = None
    exchange_rate: Decimal | None = None
    credits_invoice_number: str | None = None


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom a document is for: the customer, perhaps one of its departments and contacts, and the EAN it goes to."""

    customer: Customer
    department: Department | None = None
    contact: Contact | None = None
    ean_number: str | None = None


def compose(
    company: Company, addressee: Addressee, heading: Heading, computed: Computed, vat_in_base: Decimal | None
) -> dict[str, Any]:
    """The document as JSON. `vat_in_base` is the VAT that it charges, if any, in the company's currency when that isn't
    the document's (VAT Directive, article 230)."""
    currency, totals = heading.currency, computed.totals
    return {
        "version": VERSION,
        "kind": heading.kind.value,
        "language": heading.language,
        "number": heading.number,
        "issueDate": heading.issue_date.isoformat(),
        "dueDate": _day(heading.due_date),
        "validUntil": _day(heading.valid_until),
        "deliveryDate": _day(heading.delivery_date),
        "currency": currency,
        "seller": seller(company),
        "buyer": buyer(addressee),
        "references": {
            "ourReference": heading.our_reference,
            "yourReference": addressee.contact.name if addressee.contact else None,
            "purchaseOrder": heading.reference,
            "description": heading.description,
        },
        "lines": _lines(computed, currency),
        "vatRows": [_vat_row(row, currency) for row in totals.rows],
        "subtotal": format_amount(totals.subtotal, currency),
        "vat": format_amount(totals.vat, currency),
        "amount": format_amount(totals.amount, currency),
        "vatInBase": None
        if vat_in_base is None or heading.exchange_rate is None
        else {
            "currency": company.base_currency,
            "amount": format_amount(vat_in_base, company.base_currency),
            "rate": format_decimal(heading.exchange_rate),
        },
        "payment": {
            "bankName": company.bank_name,
            "registrationNumber": company.bank_registration_number,
            "accountNumber": company.bank_account_number,
            "iban": company.iban,
            "bic": company.bic,
            "paymentId": heading.number,
            "termsDays": heading.payment_terms_days,
        },
        "creditsInvoiceNumber": heading.credits_invoice_number,
        "notes": heading.notes,
    }


def seller(company: Company) -> dict[str, Any]:
    """The company as the seller on a document."""
    return {
        "name": company.name,
        "address": company.address,
        "postalCode": company.postal_code,
        "city": company.city,
        "countryCode": company.country_code,
        "vatNumber": prefixed_vat_number(company.vat_number, company.country_code),
        "registrationNumber": company.vat_number,
        "email": company.email,
        "phone": company.phone,
        "website": company.website,
    }


def buyer(addressee: Addressee) -> dict[str, Any]:
    """The customer as the buyer: a department's address replaces its own where the department has one."""
    customer, department = addressee.customer, addressee.department
    place: Customer | Department = department if department and department.address else customer
    return {
        "customerId": str(customer.id),
        "customerNumber": customer.number,
        "customerType": customer.customer_type.value,
        "name": customer.name,
        "address": place.address,
        "postalCode": place.postal_code,
        "city": place.city,
        "countryCode": place.country_code or customer.country_code,
        "attention": department.name if department else None,
        "vatNumber": prefixed_vat_number(customer.vat_number, customer.country_code),
        "ean": addressee.ean_number,
        "email": customer.email,
        "phone": customer.phone,
    }


def prefixed_vat_number(number: str | None, country_code: str) -> str | None:
    """A VAT number as it is written across borders: DK12345674. Outside the EU it stays as it is."""
    if not number or country_code not in EU_COUNTRIES or number[:2].isalpha():
        return number
    return f"{'EL' if country_code == 'GR' else country_code}{number}"


def vat_number_country(number: str, country_code: str) -> str:
    """The country of a VAT number (ISO 3166-1): by its prefix, else that of who has it.

    Two letters are no prefix by themselves: a French number may begin with others, such as AB.
    """
    prefix = number[:2].upper()
    found = {"EL": "GR"}.get(prefix, prefix)
    return found if found in EU_COUNTRIES or is_country(found) else country_code


def _lines(computed: Computed, currency: str) -> list[dict[str, Any]]:
    rows = {treatment_of(row): index for index, row in enumerate(computed.totals.rows)}
    taxes = computed.taxes
    return [_line(line, taxes[line.price_id] if line.price_id else None, rows, currency) for line in computed.lines]


def _line(line: Line, tax: Tax | None, rows: Mapping[Treatment, int], currency: str) -> dict[str, Any]:
    written: dict[str, Any] = {"id": str(line.id), "kind": line.line_type.value, "description": line.description}
    if tax is None or line.net is None or line.vat is None:
        return written
    return written | {
        "productId": str(line.product_id),
        "quantity": _number(line.quantity),
        "unit": line.unit,
        "unitPrice": _number(line.unit_price),
        "discountPercent": _number(line.discount_percent),
        "total": format_amount(line.net, currency),
        "vat": format_amount(line.vat, currency),
        "vatRate": format_decimal(tax.rate),
        "vatCategory": tax.category,
        "vatRow": rows[treatment_of(tax)],
    }


def _vat_row(row: VatRow, currency: str) -> dict[str, Any]:
    return {
        "category": row.category,
        "rate": format_decimal(row.rate),
        "taxable": format_amount(row.taxable, currency),
        "vat": format_amount(row.vat, currency),
        "exemptionReason": {"en": row.exemption_reason, "da": row.exemption_reason_da},
    }


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _number(value: Decimal | None) -> str | None:
    return None if value is None else format_decimal(value)
