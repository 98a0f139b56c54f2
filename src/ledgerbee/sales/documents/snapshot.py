"""A document as it was when it was booked: JSON that holds everything its PDF and e-invoice say.

Decimals are strings, days ISO 8601. Once stored, nothing in it follows later changes of the customer, the company
or the catalogue. Wording that depends on the language is kept in both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from ledgerbee.core.countries import EU_COUNTRIES, is_country
from ledgerbee.core.money import format_amount, format_decimal
from ledgerbee.parties.contacts.model import Contact
from ledgerbee.parties.customers.model import Customer, InvoicingMode
from ledgerbee.parties.departments.model import Department
from ledgerbee.sales.documents import fik
from ledgerbee.sales.documents.model import Computed, Document, DocumentKind, Line, Tax, Terms, VatRow, period_of
from ledgerbee.sales.documents.rules import Treatment, buyer_language, treatment_of
from ledgerbee.sales.documents.units import unit_code
from ledgerbee.sales.templates.model import DocumentTemplate
from ledgerbee.tenancy.company.model import Company

#: The form of the JSON; readers of stored snapshots tell old ones apart by it.
VERSION: Final = 1
#: What is paid by payment slip (FIK): nothing but invoices, and in kroner only.
PAID_BY_SLIP: Final = (DocumentKind.INVOICE, "DKK")


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom a document is for: the customer, perhaps one of its departments and contacts, and the EAN it goes to."""

    customer: Customer
    department: Department | None = None
    contact: Contact | None = None
    ean_number: str | None = None


@dataclass(frozen=True, slots=True)
class InBase:
    """The VAT that a document charges in the company's currency, by `rate`, where that isn't the document's (VAT
    Directive, article 230)."""

    currency: str
    vat: Decimal
    rate: Decimal


def compose(
    kind: DocumentKind,
    document: Document,
    terms: Terms,
    template: DocumentTemplate | None,
    company: Company,
    addressee: Addressee,
    computed: Computed,
    in_base: InBase | None,
) -> dict[str, Any]:
    """The document as JSON, in the template's language, else the buyer's."""
    currency, totals = document.currency, computed.totals
    return {
        "version": VERSION,
        "kind": kind.value,
        "id": str(document.id),
        "language": _language(template, addressee.customer),
        "number": document.number,
        "issueDate": document.issue_date.isoformat(),
        "dueDate": _day(terms.due_date),
        "validUntil": _day(terms.valid_until),
        "deliveryDate": _day(terms.delivery_date),
        "currency": currency,
        "seller": seller(company),
        "buyer": buyer(addressee),
        "references": {
            "ourReference": document.our_reference,
            "yourReference": addressee.contact.name if addressee.contact else None,
            "purchaseOrder": document.reference,
            "description": document.description,
        },
        "lines": _lines(computed, currency),
        "vatRows": [_vat_row(row, currency) for row in totals.rows],
        "subtotal": format_amount(totals.subtotal, currency),
        "vat": format_amount(totals.vat, currency),
        "amount": format_amount(totals.amount, currency),
        "vatInBase": None
        if in_base is None
        else {
            "currency": in_base.currency,
            "amount": format_amount(in_base.vat, in_base.currency),
            "rate": format_decimal(in_base.rate),
        },
        "payment": {
            "bankName": company.bank_name,
            "registrationNumber": company.bank_registration_number,
            "accountNumber": company.bank_account_number,
            "iban": company.iban,
            "bic": company.bic,
            **_payment_ids(document.number),
            "fikCreditorNumber": company.fik_creditor_number if (kind, currency) == PAID_BY_SLIP else None,
            "termsDays": terms.payment_terms_days,
        },
        "creditsInvoiceNumber": terms.credits_invoice_number,
        "isPrepayment": terms.is_prepayment,
        "notes": document.notes,
        "template": None if template is None else _template(template),
        **_child_details(addressee.customer, computed.lines),
    }


def current(content: Mapping[str, Any], terms: Terms) -> dict[str, Any]:
    """A document as it stands: as it was sent, but for `validUntil`, which may be moved afterwards, and for `settled`,
    what was paid and credited since (None: nothing was)."""
    paid, credited, currency = terms.amount_paid, terms.amount_credited, content["currency"]
    settled = {
        "paid": format_amount(paid, currency) if paid else None,
        "credited": format_amount(credited, currency) if credited else None,
    }
    return {**content, "validUntil": _day(terms.valid_until), "settled": settled if paid or credited else None}


def numbered(content: Mapping[str, Any], number: str) -> dict[str, Any]:
    """A document that was composed before it had its number."""
    return {**content, "number": number, "payment": {**content["payment"], **_payment_ids(number)}}


def _payment_ids(number: str | None) -> dict[str, Any]:
    """What a payer states: the document's number, on a payment slip as its payment id."""
    return {"paymentId": number, "fikPaymentId": fik.payment_id(number) if number else None}


def with_buyer(content: Mapping[str, Any], earlier: Mapping[str, Any] | None) -> dict[str, Any]:
    """A document with the buyer as another document's snapshot has it, if one is given."""
    return {**content, "buyer": dict(earlier)} if earlier is not None else dict(content)


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
        "endpoint": customer.endpoint_id,
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


def _language(template: DocumentTemplate | None, customer: Customer) -> str:
    return template.language if template is not None else buyer_language(customer.language, customer.country_code)


def _template(template: DocumentTemplate) -> dict[str, Any]:
    """How the document looks and what its template adds to it."""
    return {
        "accentColor": template.accent_color,
        "showsLogo": template.shows_logo,
        "introText": template.intro_text,
        "paymentText": template.payment_text,
        "footerText": template.footer_text,
    }


def _child_details(customer: Customer, lines: Sequence[Line]) -> dict[str, Any]:
    """Whether details of each child go along with it: of what a parent pays for several at once, if it wants them."""
    is_wanted = customer.include_child_details_pdf and customer.invoicing_mode is InvoicingMode.SINGLE_INVOICE
    return {"childDetails": True} if is_wanted and any(line.child_id for line in lines) else {}


def _lines(computed: Computed, currency: str) -> list[dict[str, Any]]:
    rows = {treatment_of(row): index for index, row in enumerate(computed.totals.rows)}
    taxes = computed.taxes
    return [_line(line, taxes[line.tax_key] if line.tax_key else None, rows, currency) for line in computed.lines]


def _line(line: Line, tax: Tax | None, rows: Mapping[Treatment, int], currency: str) -> dict[str, Any]:
    written: dict[str, Any] = {"id": str(line.id), "kind": line.line_type.value, "description": line.description}
    if line.child_id is not None:
        written["child"] = str(line.child_id)
    if tax is None or line.net is None or line.vat is None:
        return written
    return written | {
        "productId": str(line.product_id),
        "quantity": _number(line.quantity),
        "unit": line.unit,
        "unitCode": unit_code(line.unit),
        "unitPrice": _number(line.unit_price),
        "discountPercent": _number(line.discount_percent),
        "total": format_amount(line.net, currency),
        "vat": format_amount(line.vat, currency),
        "vatRate": format_decimal(tax.rate),
        "vatCategory": tax.category,
        "vatRow": rows[treatment_of(tax)],
        **_period(line),
    }


def _period(line: Line) -> dict[str, Any]:
    """The days that a line is for, where it says so."""
    period = period_of(line)
    return {} if period is None else {"servicePeriod": [period.start.isoformat(), period.end.isoformat()]}


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
