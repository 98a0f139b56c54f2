"""What an invoice has to state, and what its sender should look at. Pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from ledgerbee.core.countries import EU_COUNTRIES
from ledgerbee.core.money import format_amount
from ledgerbee.parties.customers.model import Customer, CustomerType, VatZone
from ledgerbee.sales.documents.model import Computed, DocumentWarning, Tax
from ledgerbee.sales.documents.snapshot import Addressee, buyer, seller, vat_number_country
from ledgerbee.sales.invoices.model import (
    INVOICE_AMOUNT_NEGATIVE,
    INVOICE_BUYER_VAT_NUMBER_INVALID,
    INVOICE_BUYER_VAT_NUMBER_MISSING,
    INVOICE_SELLER_INCOMPLETE,
    Invoice,
)
from ledgerbee.tenancy.company.model import Company

#: VAT categories in which the buyer is named by its VAT number (VAT Directive, article 226 no. 4).
_BUYER_LIABLE: Final = frozenset({"AE", "K"})
#: VAT categories that a seller without a VAT number may use: exempt, outside the scope of VAT.
_WITHOUT_SELLERS_NUMBER: Final = frozenset({"E", "O"})
#: Kroner, VAT included, up to which an invoice may be a simplified one.
_SIMPLIFIED_UP_TO: Final = Decimal(3_000)


def check_sendable(computed: Computed, customer: Customer, currency: str, seller_country: str) -> None:
    """Refuse what can't be booked as an invoice: a negative total, a reverse charge without a liable buyer.

    In the zone `eu` a buyer is liable with a VAT number of an EU country that isn't the seller's (momslovens § 34,
    stk. 1, nr. 1; VAT Directive, articles 138 and 196). A company from outside the EU may have one.

    Raises `INVOICE_AMOUNT_NEGATIVE`, `INVOICE_BUYER_VAT_NUMBER_MISSING`, `INVOICE_BUYER_VAT_NUMBER_INVALID`.
    """
    if computed.totals.amount < 0:
        raise INVOICE_AMOUNT_NEGATIVE.error(amount=format_amount(computed.totals.amount, currency))
    liable = [row.category for row in computed.totals.rows if row.category in _BUYER_LIABLE]
    if not liable:
        return
    if not customer.vat_number:
        raise INVOICE_BUYER_VAT_NUMBER_MISSING.error(customerId=str(customer.id), vatCategory=liable[0])
    country = vat_number_country(customer.vat_number, customer.country_code)
    if customer.vat_zone is VatZone.EU and (country not in EU_COUNTRIES or country == seller_country):
        raise INVOICE_BUYER_VAT_NUMBER_INVALID.error(
            customerId=str(customer.id), vatCategory=liable[0], vatNumberCountry=country
        )


def check_seller(company: Company, taxes: Iterable[Tax]) -> None:
    """Refuse an invoice that doesn't state its seller (momsbekendtgørelsen § 58(1) nos. 3 and 4; VAT Directive, article
    226 nos. 3 and 5): name and address, and the VAT number unless all that is sold is exempt, outside the scope of VAT
    or without a VAT code.

    Raises `INVOICE_SELLER_INCOMPLETE` with what is missing, as `PATCH /v1/company` calls it.
    """
    missing = _missing_address(seller(company))
    is_taxable = any(tax.vat_code_id is not None and tax.category not in _WITHOUT_SELLERS_NUMBER for tax in taxes)
    if is_taxable and not company.vat_number:
        missing.append("vatNumber")
    if missing:
        raise INVOICE_SELLER_INCOMPLETE.error(missing=missing)


def warnings(
    invoice: Invoice, computed: Computed, addressee: Addressee, company: Company
) -> tuple[DocumentWarning, ...]:
    """What whoever sent a booked invoice should look at."""
    return (*_doubtful_zone(addressee.customer), *_incomplete_buyer(invoice, computed, addressee, company))


def _doubtful_zone(customer: Customer) -> tuple[DocumentWarning, ...]:
    """An export to a country of the EU: there it would be a supply with VAT, or to a business with a VAT number."""
    if customer.vat_zone is not VatZone.ABROAD or customer.country_code not in EU_COUNTRIES:
        return ()
    text = "The invoice has no VAT as an export (vatZone abroad), but its buyer is in the EU"
    return (DocumentWarning("INVOICE_VAT_ZONE_DOUBTFUL", text, {"countryCode": customer.country_code}),)


def _incomplete_buyer(
    invoice: Invoice, computed: Computed, addressee: Addressee, company: Company
) -> tuple[DocumentWarning, ...]:
    """A buyer without an address.

    Momsbekendtgørelsen § 58(1) no. 4 (VAT Directive, article 226 no. 5) wants the buyer's on invoices to businesses and
    the public. Simplified invoices, in Denmark of up to 3,000.00 kroner with VAT, need no buyer, unless it is the buyer
    who accounts for the VAT.
    """
    if addressee.customer.customer_type is CustomerType.PRIVATE:
        return ()
    in_kroner = invoice.base_amount if company.base_currency == "DKK" else None
    is_small = company.country_code == "DK" and in_kroner is not None and in_kroner <= _SIMPLIFIED_UP_TO
    if is_small and not any(row.category in _BUYER_LIABLE for row in computed.totals.rows):
        return ()
    missing = _missing_address(buyer(addressee))
    if not missing:
        return ()
    text = "The invoice states no full address of its buyer, who may need one to deduct the VAT"
    return (DocumentWarning("INVOICE_BUYER_INCOMPLETE", text, {"missing": missing}),)


def _missing_address(party: Mapping[str, Any]) -> list[str]:
    """What is missing of the address of a seller or buyer (`snapshot`). Outside the EU not every country has postal
    codes."""
    wanted = ("address", "postalCode", "city") if party["countryCode"] in EU_COUNTRIES else ("address", "city")
    return [name for name in wanted if not party[name]]
