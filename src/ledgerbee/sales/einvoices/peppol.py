"""Peppol BIS Billing 3 in UBL 2.1: invoices and credit notes, with the rules of Danish sellers (DK-R).

The order of elements is UBL's, the terms in brackets are those of EN 16931.
"""

from decimal import Decimal
from functools import partial
from typing import Final

from ledgerbee.core.money import EXACT, ONE, ZERO, format_amount, format_decimal, multiply, percent_of
from ledgerbee.network.identifiers import printed, scheme_id
from ledgerbee.network.model import PEPPOL_CUSTOMIZATION, PEPPOL_PROFILE, EInvoiceFormat
from ledgerbee.network.xml import leaf, node, root
from ledgerbee.parties.endpoints import Identifier
from ledgerbee.sales.documents import fik
from ledgerbee.sales.einvoices.model import TradeDocument, TradeLine, TradeParty, TradeTax
from ledgerbee.sales.einvoices.rules import PaymentMeans, payment_means

_INVOICE: Final = "380"
_PREPAYMENT: Final = "386"
_CREDIT_NOTE: Final = "381"
#: Reason of an allowance: a discount (UNTDID 5189).
_DISCOUNT: Final = "95"
#: How far an amount may be from what its parts come to, by the rules less their own rounding.
_NEAR: Final = Decimal("0.015")
_OUTSIDE_SCOPE: Final = "O"
_INTRA_COMMUNITY: Final = "K"
_VAT: Final = node("TaxScheme", leaf("ID", "VAT"))


def write(document: TradeDocument) -> bytes:
    """The document as XML. It must lack nothing (`rules.missing`)."""
    is_note, currency = document.is_credit_note, document.currency
    kind = "CreditNoteTypeCode" if is_note else "InvoiceTypeCode"
    in_base = document.vat_in_base
    outside = all(row.category == _OUTSIDE_SCOPE for row in document.taxes)
    return root(
        "CreditNote" if is_note else "Invoice",
        leaf("CustomizationID", PEPPOL_CUSTOMIZATION),
        leaf("ProfileID", PEPPOL_PROFILE),
        leaf("ID", document.number),
        leaf("IssueDate", document.issue_date),
        "" if is_note else leaf("DueDate", document.due_date),
        leaf(kind, _CREDIT_NOTE if is_note else _PREPAYMENT if document.is_prepayment else _INVOICE),
        leaf("Note", document.note),
        leaf("DocumentCurrencyCode", currency),
        leaf("TaxCurrencyCode", in_base[0] if in_base else None),
        leaf("BuyerReference", document.buyer_reference),
        node("OrderReference", leaf("ID", document.purchase_order)),
        node("BillingReference", node("InvoiceDocumentReference", leaf("ID", document.credits_invoice_number))),
        node("AccountingSupplierParty", _party(document.seller, outside=outside)),
        node("AccountingCustomerParty", _party(document.buyer, outside=outside)),
        _delivery(document),
        "" if is_note else _means(document),
        node("PaymentTerms", leaf("Note", document.payment.terms)),
        _tax_total(document),
        "" if in_base is None else node("TaxTotal", _amount("TaxAmount", in_base[1], in_base[0])),
        _totals(document),
        *[_line(line, currency, is_note=is_note) for line in document.lines],
    )


def _amount(name: str, amount: Decimal, currency: str) -> str:
    return leaf(name, format_amount(amount, currency), currencyID=currency)


def _identifier(name: str, identifier: Identifier | None) -> str:
    if identifier is None:
        return ""
    form = EInvoiceFormat.PEPPOL
    return leaf(name, printed(identifier, form), schemeID=scheme_id(identifier.scheme, form))


def _party(party: TradeParty, *, outside: bool) -> str:
    """A party; where all that is sold is outside the scope of VAT, none has a VAT number (BR-O-02)."""
    street, more, *rest = (*party.address, "", "")
    return node(
        "Party",
        _identifier("EndpointID", party.endpoint),
        node("PartyName", leaf("Name", party.name)),
        node(
            "PostalAddress",
            leaf("StreetName", street),
            leaf("AdditionalStreetName", more),
            leaf("CityName", party.city),
            leaf("PostalZone", party.postal_code),
            node("AddressLine", leaf("Line", ", ".join(filter(None, rest)))),
            node("Country", leaf("IdentificationCode", party.country_code)),
        ),
        "" if outside or not party.vat_number else node("PartyTaxScheme", leaf("CompanyID", party.vat_number), _VAT),
        node(
            "PartyLegalEntity",
            leaf("RegistrationName", party.name),
            _identifier("CompanyID", party.company) or leaf("CompanyID", party.company_number),
        ),
        node(
            "Contact",
            leaf("Name", party.contact),
            leaf("Telephone", party.phone),
            leaf("ElectronicMail", party.email),
        ),
    )


def _delivery(document: TradeDocument) -> str:
    """The day of delivery where it is another one; an intra-Community supply says day and country (BR-IC-11, 12)."""
    is_supply = any(row.category == _INTRA_COMMUNITY for row in document.taxes)
    day = document.delivery_date or (document.issue_date if is_supply else None)
    country = leaf("IdentificationCode", document.buyer.country_code if is_supply else None)
    return node(
        "Delivery",
        leaf("ActualDeliveryDate", day),
        node("DeliveryLocation", node("Address", node("Country", country))),
    )


def _means(document: TradeDocument) -> str:
    payment, means = document.payment, payment_means(document)
    if means is None:
        return ""
    reference, account, bank = payment.payment_id, payment.iban, payment.bic
    if means is PaymentMeans.FIK:
        reference, bank = f"{fik.CARD_TYPE}#{payment.fik_payment_id}", None
        account = payment.fik_creditor_number
    elif means is PaymentMeans.DOMESTIC_TRANSFER:
        account, bank = payment.account_number, payment.registration_number
    return node(
        "PaymentMeans",
        leaf("PaymentMeansCode", means),
        leaf("PaymentID", reference),
        node("PayeeFinancialAccount", leaf("ID", account), node("FinancialInstitutionBranch", leaf("ID", bank))),
    )


def _tax_total(document: TradeDocument) -> str:
    amount = partial(_amount, currency=document.currency)
    return node(
        "TaxTotal",
        amount("TaxAmount", document.vat),
        *[
            node("TaxSubtotal", amount("TaxableAmount", row.taxable), amount("TaxAmount", row.vat), _tax_category(row))
            for row in document.taxes
        ],
    )


def _tax_category(row: TradeTax) -> str:
    return node(
        "TaxCategory", leaf("ID", row.category), _percent(row), leaf("TaxExemptionReason", "; ".join(row.reasons)), _VAT
    )


def _percent(taxed: TradeTax | TradeLine) -> str:
    """What is outside the scope of VAT has no rate (BR-O-05), not even zero."""
    return "" if taxed.category == _OUTSIDE_SCOPE else leaf("Percent", format_decimal(taxed.rate))


def _totals(document: TradeDocument) -> str:
    amount = partial(_amount, currency=document.currency)
    return node(
        "LegalMonetaryTotal",
        amount("LineExtensionAmount", document.subtotal),
        amount("TaxExclusiveAmount", document.subtotal),
        amount("TaxInclusiveAmount", document.amount),
        amount("PayableAmount", document.amount),
    )


def _line(line: TradeLine, currency: str, *, is_note: bool) -> str:
    quantity = "CreditedQuantity" if is_note else "InvoicedQuantity"
    return node(
        "CreditNoteLine" if is_note else "InvoiceLine",
        leaf("ID", str(line.number)),
        leaf("Note", line.note),
        leaf(quantity, format_decimal(line.quantity), unitCode=line.unit_code),
        _amount("LineExtensionAmount", line.net, currency),
        _period(line),
        _discount(line, currency),
        node(
            "Item",
            leaf("Description", line.description),
            leaf("Name", line.name),
            node("ClassifiedTaxCategory", leaf("ID", line.category), _percent(line), _VAT),
        ),
        _price(line, currency),
    )


def _period(line: TradeLine) -> str:
    """The first and the last day that the line is for (BT-134, BT-135)."""
    if line.period is None:
        return ""
    return node("InvoicePeriod", leaf("StartDate", line.period[0]), leaf("EndDate", line.period[1]))


def _discount(line: TradeLine, currency: str) -> str:
    """The line's discount as an allowance; that of a negative line is in its price."""
    allowance = EXACT.subtract(line.gross, line.net)
    if allowance <= ZERO:
        return ""
    # The percentage is said where it gives the amount (PEPPOL-EN16931-R040), which whole yen may not.
    exact = percent_of(line.gross, line.discount_percent)
    says = abs(EXACT.subtract(exact, allowance)) <= _NEAR
    return node(
        "AllowanceCharge",
        leaf("ChargeIndicator", "false"),
        leaf("AllowanceChargeReasonCode", _DISCOUNT),
        leaf("AllowanceChargeReason", "Discount"),
        leaf("MultiplierFactorNumeric", format_decimal(line.discount_percent)) if says else "",
        _amount("Amount", allowance, currency),
        _amount("BaseAmount", line.gross, currency) if says else "",
    )


def _price(line: TradeLine, currency: str) -> str:
    price, base, allowance = line.unit_price, line.base_quantity, ""
    if line.net < ZERO and line.discount_percent:
        reduction = percent_of(price, line.discount_percent)
        net_price = EXACT.subtract(price, reduction)
        exact = EXACT.divide(multiply(net_price, line.quantity), base)
        if abs(EXACT.subtract(exact, line.net)) > _NEAR:
            price, base = abs(line.net), abs(line.quantity)
        else:
            allowance = node(
                "AllowanceCharge",
                leaf("ChargeIndicator", "false"),
                leaf("Amount", format_decimal(reduction), currencyID=currency),
                leaf("BaseAmount", format_decimal(price), currencyID=currency),
            )
            price = net_price
    return node(
        "Price",
        leaf("PriceAmount", format_decimal(price), currencyID=currency),
        leaf("BaseQuantity", format_decimal(base), unitCode=line.unit_code) if base != ONE else "",
        allowance,
    )
