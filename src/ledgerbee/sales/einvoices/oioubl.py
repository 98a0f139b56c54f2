"""OIOUBL 2.1: invoices and credit notes as the Danish public sector takes them (NemHandel).

It differs from Peppol where both are UBL: `TaxExclusiveAmount` is the tax, a line has its own VAT and its price already
carries the discount, numbers of companies have `DK` before them, and VAT categories have names of their own.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Final

from ledgerbee.core.money import (
    EXACT,
    HUNDRED,
    ZERO,
    format_decimal,
    percent_of,
    round_to,
    total,
)
from ledgerbee.network.identifiers import printed, scheme_id
from ledgerbee.network.model import OIOUBL_CUSTOMIZATION, OIOUBL_PROFILE, OIOUBL_VERSION, EInvoiceFormat
from ledgerbee.network.xml import leaf, node, root
from ledgerbee.parties.endpoints import Identifier, Scheme
from ledgerbee.sales.documents import fik
from ledgerbee.sales.einvoices.model import TradeDocument, TradeLine, TradeParty, TradeTax
from ledgerbee.sales.einvoices.rules import PaymentMeans, payment_means

_AGENCY: Final = "320"
_GS1: Final = "9"
_STANDARD: Final = "StandardRated"
#: By VAT category of EN 16931; all others are `ZeroRated`.
_CATEGORIES: Final = {"S": _STANDARD, "AE": "ReverseCharge", "K": "ReverseCharge"}
#: Danish VAT among the tax schemes.
_MOMS: Final = node(
    "TaxScheme",
    leaf("ID", "63", schemeAgencyID=_AGENCY, schemeID="urn:oioubl:id:taxschemeid-1.1"),
    leaf("Name", "Moms"),
)
#: Currencies that VAT may be stated in beside the document's own.
_TAX_CURRENCIES: Final = frozenset({"DKK", "EUR"})
#: Characters of the text that goes with a payment.
_MOST_NOTE: Final = 20
_MEANS_ID: Final = "1"


def write(document: TradeDocument) -> bytes:
    """The document as XML. It must lack nothing (`rules.missing`)."""
    return _Writer(document).write()


class _Writer:
    """Writes one document."""

    def __init__(self, document: TradeDocument) -> None:
        self.document = document
        self.currency = document.currency

    def write(self) -> bytes:
        document = self.document
        is_note, in_base = document.is_credit_note, self._vat_in_base()
        stated = self._amount("TransactionCurrencyTaxAmount", in_base[1], in_base[0]) if in_base else ""
        return root(
            "CreditNote" if is_note else "Invoice",
            leaf("UBLVersionID", OIOUBL_VERSION),
            leaf("CustomizationID", OIOUBL_CUSTOMIZATION),
            leaf("ProfileID", OIOUBL_PROFILE, schemeAgencyID=_AGENCY, schemeID="urn:oioubl:id:profileid-1.2"),
            leaf("ID", document.number),
            leaf("CopyIndicator", "false"),
            leaf("UUID", document.uuid),
            leaf("IssueDate", document.issue_date),
            ""
            if is_note
            else leaf("InvoiceTypeCode", "380", listAgencyID=_AGENCY, listID="urn:oioubl:codelist:invoicetypecode-1.1"),
            leaf("Note", self._note()),
            leaf("DocumentCurrencyCode", self.currency),
            leaf("TaxCurrencyCode", in_base[0] if in_base else None),
            node("OrderReference", leaf("ID", document.purchase_order)),
            node("BillingReference", node("InvoiceDocumentReference", leaf("ID", document.credits_invoice_number))),
            node("AccountingSupplierParty", self._party(document.seller, None)),
            node("AccountingCustomerParty", self._party(document.buyer, document.buyer_reference)),
            "" if is_note else node("Delivery", leaf("ActualDeliveryDate", document.delivery_date)),
            "" if is_note else self._means(),
            "" if is_note else self._terms(),
            self._tax_total(document.vat, document.taxes, stated),
            self._totals(),
            *[self._line(line) for line in document.lines],
        )

    def _amount(self, name: str, amount: Decimal, currency: str | None = None) -> str:
        """An amount with two decimals, whatever its currency."""
        return leaf(name, f"{round_to(amount, 2):zf}", currencyID=currency or self.currency)

    def _note(self) -> str:
        """The document's note, and why what it sells is without VAT."""
        reasons = dict.fromkeys(reason for row in self.document.taxes for reason in row.reasons)
        return "\n".join(text for text in (self.document.note, *reasons) if text)

    def _vat_in_base(self) -> tuple[str, Decimal] | None:
        """VAT in the seller's currency, which stands with what is standard rated (VAT Directive, article 230)."""
        in_base = self.document.vat_in_base
        return in_base if in_base and in_base[0] in _TAX_CURRENCIES else None

    def _identifier(self, name: str, identifier: Identifier | None) -> str:
        if identifier is None:
            return ""
        form = EInvoiceFormat.OIOUBL
        agency = _GS1 if identifier.scheme == Scheme.GLN else None
        scheme = scheme_id(identifier.scheme, form)
        return leaf(name, printed(identifier, form), schemeAgencyID=agency, schemeID=scheme)

    def _party(self, party: TradeParty, contact_id: str | None) -> str:
        vat_scheme = "DK:SE" if party.company else "ZZZ"
        return node(
            "Party",
            self._identifier("EndpointID", party.endpoint),
            node("PartyIdentification", self._identifier("ID", party.company or party.endpoint)),
            node("PartyName", leaf("Name", party.name)),
            _address(party),
            node("PartyTaxScheme", leaf("CompanyID", party.vat_number, schemeID=vat_scheme), _MOMS)
            if party.vat_number
            else "",
            self._legal_entity(party),
            node(
                "Contact",
                leaf("ID", contact_id),
                leaf("Name", party.contact),
                leaf("Telephone", party.phone),
                leaf("ElectronicMail", party.email),
            ),
        )

    def _legal_entity(self, party: TradeParty) -> str:
        number = self._identifier("CompanyID", party.company) or leaf("CompanyID", party.company_number, schemeID="ZZZ")
        return node("PartyLegalEntity", leaf("RegistrationName", party.name), number) if number else ""

    def _means(self) -> str:
        payment, means = self.document.payment, payment_means(self.document)
        if means is None:
            return ""
        note = leaf("PaymentNote", (payment.payment_id or "")[:_MOST_NOTE])
        match means:
            case PaymentMeans.FIK:
                own = leaf("InstructionID", payment.fik_payment_id) + leaf(
                    "PaymentID", fik.CARD_TYPE, schemeAgencyID=_AGENCY, schemeID="urn:oioubl:id:paymentid-1.1"
                )
                return self._payment(
                    means, "DK:FIK", own, node("CreditAccount", leaf("AccountID", payment.fik_creditor_number))
                )
            case PaymentMeans.DOMESTIC_TRANSFER:
                branch = node("FinancialInstitutionBranch", leaf("ID", payment.registration_number))
                account = node("PayeeFinancialAccount", leaf("ID", payment.account_number), note, branch)
                return self._payment(means, "DK:BANK", account)
        bank = node("FinancialInstitutionBranch", node("FinancialInstitution", leaf("ID", payment.bic)))
        account = node("PayeeFinancialAccount", leaf("ID", payment.iban), note, bank)
        if means is PaymentMeans.CREDIT_TRANSFER:
            means = PaymentMeans.FOREIGN_TRANSFER if payment.bic else PaymentMeans.UNDEFINED
        return self._payment(means, None if means is PaymentMeans.UNDEFINED else "IBAN", account)

    def _payment(self, means: PaymentMeans, channel: str | None, *content: str) -> str:
        return node(
            "PaymentMeans",
            leaf("ID", _MEANS_ID),
            leaf("PaymentMeansCode", means),
            leaf("PaymentDueDate", self.document.due_date),
            leaf(
                "PaymentChannelCode",
                channel,
                listAgencyID=_AGENCY,
                listID="urn:oioubl:codelist:paymentchannelcode-1.1",
            ),
            *content,
        )

    def _terms(self) -> str:
        if payment_means(self.document) is None:
            return ""
        return node(
            "PaymentTerms",
            leaf("ID", "1"),
            leaf("PaymentMeansID", _MEANS_ID),
            leaf("Note", self.document.payment.terms),
            self._amount("Amount", self.document.amount),
        )

    def _tax_total(self, vat: Decimal, taxes: Sequence[TradeTax], in_base: str = "") -> str:
        """VAT in all and by category; `in_base` stands with what is standard rated."""
        return node(
            "TaxTotal",
            self._amount("TaxAmount", vat),
            *[
                node(
                    "TaxSubtotal",
                    self._amount("TaxableAmount", row.taxable),
                    self._amount("TaxAmount", row.vat),
                    in_base if row.category == _STANDARD else "",
                    _category(row.category, row.rate),
                )
                for row in _merged(taxes)
            ],
        )

    def _totals(self) -> str:
        document = self.document
        return node(
            "LegalMonetaryTotal",
            self._amount("LineExtensionAmount", document.subtotal),
            self._amount("TaxExclusiveAmount", document.vat),
            self._amount("TaxInclusiveAmount", document.amount),
            self._amount("PayableAmount", document.amount),
        )

    def _line(self, line: TradeLine) -> str:
        is_note = self.document.is_credit_note
        # A quantity of zero is refused: nothing of it is one for nothing.
        quantity = line.quantity or Decimal(1)
        price = percent_of(line.unit_price, EXACT.subtract(HUNDRED, line.discount_percent)) if line.quantity else ZERO
        taxed = TradeTax(line.category, line.rate, line.net, line.vat)
        return node(
            "CreditNoteLine" if is_note else "InvoiceLine",
            leaf("ID", str(line.number)),
            leaf("Note", line.note),
            leaf(
                "CreditedQuantity" if is_note else "InvoicedQuantity",
                format_decimal(quantity),
                unitCode=line.unit_code,
            ),
            self._amount("LineExtensionAmount", line.net),
            _period(line),
            "" if is_note else self._discount(line),
            self._tax_total(line.vat, (taxed,)),
            node("Item", leaf("Description", line.description), leaf("Name", line.name)),
            node(
                "Price",
                leaf("PriceAmount", format_decimal(price), currencyID=self.currency),
                leaf("BaseQuantity", format_decimal(line.base_quantity), unitCode=line.unit_code),
            ),
        )

    def _discount(self, line: TradeLine) -> str:
        """For information: the price is less it already. A negative line tells its price only."""
        allowance = EXACT.subtract(line.gross, line.net)
        if allowance <= ZERO:
            return ""
        name = _CATEGORIES.get(line.category, "ZeroRated")
        return node(
            "AllowanceCharge",
            leaf("ChargeIndicator", "false"),
            leaf("AllowanceChargeReason", "Rabat" if self.document.language == "da" else "Discount"),
            leaf("MultiplierFactorNumeric", format_decimal(EXACT.divide(line.discount_percent, HUNDRED))),
            self._amount("Amount", allowance),
            self._amount("BaseAmount", line.gross),
            _category(name, line.rate),
        )


def _period(line: TradeLine) -> str:
    """The days that the line is for: of a line, OIOUBL has the period of its delivery."""
    if line.period is None:
        return ""
    first, last = line.period
    return node("Delivery", node("RequestedDeliveryPeriod", leaf("StartDate", first), leaf("EndDate", last)))


@lru_cache(maxsize=64)
def _category(name: str, rate: Decimal) -> str:
    """A tax category of OIOUBL, the same on many lines."""
    return node(
        "TaxCategory",
        leaf("ID", name, schemeAgencyID=_AGENCY, schemeID="urn:oioubl:id:taxcategoryid-1.1"),
        leaf("Percent", format_decimal(rate)),
        _MOMS,
    )


def _address(party: TradeParty) -> str:
    street, *more = party.address or ("",)
    return node(
        "PostalAddress",
        leaf(
            "AddressFormatCode",
            "StructuredLax",
            listAgencyID=_AGENCY,
            listID="urn:oioubl:codelist:addressformatcode-1.1",
        ),
        leaf("StreetName", street),
        leaf("AdditionalStreetName", ", ".join(more)),
        leaf("CityName", party.city),
        leaf("PostalZone", party.postal_code),
        node("Country", leaf("IdentificationCode", party.country_code)),
    )


def _merged(taxes: Sequence[TradeTax]) -> list[TradeTax]:
    """The rows under OIOUBL's names of their categories, one a name and rate."""
    groups: dict[tuple[str, Decimal], list[TradeTax]] = {}
    for row in taxes:
        groups.setdefault((_CATEGORIES.get(row.category, "ZeroRated"), row.rate), []).append(row)
    return [
        TradeTax(name, rate, total([row.taxable for row in rows]), total([row.vat for row in rows]))
        for (name, rate), rows in groups.items()
    ]
