"""From the bytes of a file to what it says: UBL 2.1 (Peppol BIS Billing 3 and others) and OIOUBL 2.1.

The terms in brackets are those of EN 16931. Nothing is decided here but where a figure stands: OIOUBL states the VAT in
`TaxExclusiveAmount`, and the VAT of a line with the line.
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Final

from ledgerbee.core.countries import is_country
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.money import EXACT, MAX_AMOUNT, ONE, ZERO, is_currency, multiply, total
from ledgerbee.network.ubl import Element, UnreadableXmlError, parse
from ledgerbee.parties.endpoints import VAT_SCHEMES, Scheme
from ledgerbee.purchases.incoming_documents.model import (
    INCOMING_DOCUMENT_UNREADABLE,
    MAX_DOCUMENT_LINES,
    NOWHERE,
    DocumentFormat,
    DocumentType,
    HowToPay,
    ReceivedDocument,
    ReceivedLine,
    ReceivedTax,
    Totals,
    TradingParty,
    shown,
)
from ledgerbee.purchases.incoming_documents.rules.parties import canonical_number

_NAMESPACE: Final = "urn:oasis:names:specification:ubl:schema:xsd:{}-2"
_TYPES: Final = {"Invoice": DocumentType.INVOICE, "CreditNote": DocumentType.CREDIT_NOTE}
_OIOUBL: Final = "OIOUBL"
_PEPPOL: Final = "peppol"
#: VAT categories of EN 16931, and OIOUBL's names of them.
_CATEGORIES: Final = {
    **{code: code for code in ("S", "Z", "E", "AE", "K", "G", "O")},
    "StandardRated": "S", "ZeroRated": "Z", "ReverseCharge": "AE",
}  # fmt: skip
#: Tax schemes that are VAT: UBL's, and the Danish one of OIOUBL.
_VAT: Final = frozenset({None, "VAT", "63"})
#: Schemes of numbers that are a company's VAT number, too.
_DANISH: Final = frozenset({Scheme.CVR, Scheme.SE_NUMBER, "DK:CVR", "DK:SE"})
_OF_VAT: Final = frozenset(VAT_SCHEMES.values())
#: OIOUBL's names of schemes that endpoints are kept by.
_SCHEMES: Final = {"GLN": Scheme.GLN, "DK:CVR": Scheme.CVR, "DK:SE": Scheme.SE_NUMBER, "DK:P": Scheme.P_NUMBER}
_DECIMAL: Final = re.compile(r"[+-]?([0-9]{1,18}(\.[0-9]{0,20})?|\.[0-9]{1,20})")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})?")
#: Amounts that are read: of the document, and of a line.
_AMOUNTS: Final = (
    "AllowanceCharge/Amount",
    *(
        f"LegalMonetaryTotal/{name}Amount"
        for name in ("LineExtension", "TaxExclusive", "TaxInclusive", "AllowanceTotal", "ChargeTotal", "Prepaid",
                     "PayableRounding", "Payable")
    ),
)  # fmt: skip
_AMOUNTS_OF_LINE: Final = ("LineExtensionAmount", "Price/PriceAmount", "AllowanceCharge/Amount")
#: Currencies that are named of those that a document's amounts shouldn't be in.
_MOST_CURRENCIES: Final = 5
#: Characters that are kept of a text on one line, of a number, and of a text over several lines.
_LINE: Final = 300
_NUMBER: Final = 200
_TEXT: Final = 2_000


def read(raw: bytes) -> ReceivedDocument:
    """The document in a file. Raises `INCOMING_DOCUMENT_UNREADABLE`, which says why."""
    try:
        root = parse(raw)
    except UnreadableXmlError as fault:
        raise unreadable(f"The file can't be read: {fault}") from None
    if root.name not in _TYPES or root.namespace != _NAMESPACE.format(root.name):
        raise unreadable("The file is XML, but no Invoice or CreditNote of UBL 2.1")
    return _Reader(root).document()


def unreadable(message: str) -> LedgerBeeError:
    """The refusal of a file, with the reason."""
    return INCOMING_DOCUMENT_UNREADABLE.error(message)


class _Reader:
    """Reads one document."""

    def __init__(self, root: Element) -> None:
        self.root = root
        self.type = _TYPES[root.name]
        self.format = _format(root.text("CustomizationID") or "")

    def document(self) -> ReceivedDocument:
        root = self.root
        number = _stated(root, "ID")
        lines = [self._line(line, place) for place, line in enumerate(self._line_elements(), 1)]
        currency = root.text("DocumentCurrencyCode")
        if not lines or currency is None:
            raise unreadable("The document has no lines, or no DocumentCurrencyCode")
        issued = _day(root, "IssueDate")
        if issued is None:
            raise unreadable("The document has no IssueDate")
        return ReceivedDocument(
            format=self.format,
            type=self.type,
            number=_required(_one_line(shown(number), _NUMBER), "ID"),
            stated_number=number,
            issue_date=issued,
            due_date=_day(root, "DueDate") or _day(root, "PaymentMeans/PaymentDueDate"),
            delivery_date=_day(root, "Delivery/ActualDeliveryDate"),
            currency=currency[:_NUMBER],
            sender=_party(root, "AccountingSupplierParty"),
            receiver=_party(root, "AccountingCustomerParty"),
            lines=(*lines, *[self._adjustment(one) for one in root.all("AllowanceCharge")]),
            taxes=tuple(self._taxes(currency)),
            totals=self._totals(currency),
            order_reference=_one_line(root.text("OrderReference/ID"), _NUMBER),
            preceding_invoice=_one_line(root.text("BillingReference/InvoiceDocumentReference/ID"), _NUMBER),
            note="\n".join(filter(None, (note.own_text for note in root.leaves("Note"))))[:_TEXT] or None,
            how_to_pay=_how_to_pay(root),
            type_code=_one_line(root.text(f"{root.name}TypeCode"), _NUMBER),
            other_currencies=tuple(sorted(self._other_currencies(currency)))[:_MOST_CURRENCIES],
        )

    def _line_elements(self) -> list[Element]:
        found = self.root.all("InvoiceLine" if self.type is DocumentType.INVOICE else "CreditNoteLine")
        others = (len(self.root.all(path)) for path in ("AllowanceCharge", "TaxTotal/TaxSubtotal"))
        if sum(others, len(found)) > MAX_DOCUMENT_LINES:
            raise unreadable(f"The document has more than {MAX_DOCUMENT_LINES} lines, charges and amounts of VAT")
        return found

    def _line(self, line: Element, place: int) -> ReceivedLine:
        invoiced = line.leaf("InvoicedQuantity") or line.leaf("CreditedQuantity")
        quantity = None if invoiced is None else _decimal(invoiced, "quantity")
        price = _optional(line, "Price/PriceAmount")
        base = _optional(line, "Price/BaseQuantity") or ONE
        category, rate = self._line_tax(line)
        name = _one_line(line.text("Item/Name"), _LINE) or _one_line(line.text("Item/Description"), _LINE)
        return ReceivedLine(
            number=_one_line(line.text("ID"), _NUMBER) or str(place),
            name=name or "",
            net=_amount(line, "LineExtensionAmount"),
            category=category,
            rate=rate,
            item_number=_one_line(line.text("Item/SellersItemIdentification/ID"), _NUMBER),
            description=(line.text("Item/Description") or "")[:_TEXT] or None,
            quantity=quantity,
            unit_code=None if invoiced is None else invoiced.attributes.get("unitCode", "")[:_NUMBER] or None,
            unit_price=None if price is None else EXACT.divide(price, base),
            parts=self._parts(line, quantity, price, base),
        )

    def _parts(
        self, line: Element, quantity: Decimal | None, price: Decimal | None, base: Decimal
    ) -> tuple[Decimal, ...]:
        """What the line's parts come to. A price of OIOUBL carries the discount already, as a rule."""
        if quantity is None or price is None:
            return ()
        plain = EXACT.divide(multiply(quantity, price), base)
        adjusted = total([plain, *[_signed(one) for one in line.all("AllowanceCharge")]])
        return (adjusted, plain) if self.format is DocumentFormat.OIOUBL else (adjusted,)

    def _line_tax(self, line: Element) -> tuple[str | None, Decimal]:
        """Category and rate of a line: EN 16931 has them with the item (BT-151), OIOUBL with the line's own VAT. A
        line that says nothing has those of the document where there is one of them."""
        stated = line.first("Item/ClassifiedTaxCategory") or line.first("TaxTotal/TaxSubtotal/TaxCategory")
        if stated is None:
            every = self.root.all("TaxTotal/TaxSubtotal/TaxCategory")
            stated = every[0] if len(every) == 1 else None
        return _category(stated)

    def _adjustment(self, entry: Element) -> ReceivedLine:
        """An allowance (BG-20) or a charge (BG-21) on the whole document."""
        category, rate = _category(entry.first("TaxCategory"))
        is_charge = entry.text("ChargeIndicator") == "true"
        reason = _one_line(entry.text("AllowanceChargeReason"), _LINE)
        return ReceivedLine(
            number="",
            name=reason or ("Charge" if is_charge else "Allowance"),
            net=_signed(entry),
            category=category,
            rate=rate,
        )

    def _taxes(self, currency: str) -> Iterator[ReceivedTax]:
        for row in self._tax_total(currency).all("TaxSubtotal"):
            category, rate = _category(row.first("TaxCategory"))
            yield ReceivedTax(
                category,
                rate,
                _amount(row, "TaxableAmount"),
                _amount(row, "TaxAmount"),
                _one_line(row.text("TaxCategory/TaxExemptionReason"), _LINE),
            )

    def _tax_total(self, currency: str) -> Element:
        """The VAT in the document's currency; nothing where it states none."""
        for found in self.root.all("TaxTotal"):
            amount = found.leaf("TaxAmount")
            if amount is not None and _currency(amount, currency) == currency:
                return found
        return Element("TaxTotal", "", {})

    def _other_currencies(self, currency: str) -> set[str]:
        """Currencies of the amounts that are read, but for the document's. VAT in another one beside that in the
        document's is the one in the tax currency (BT-111)."""
        line = "InvoiceLine" if self.type is DocumentType.INVOICE else "CreditNoteLine"
        paths = (*_AMOUNTS, *[f"{line}/{path}" for path in _AMOUNTS_OF_LINE])
        stated = [found for path in paths for found in self.root.leaves(path)]
        total_vat = self._tax_total(currency)
        if total_vat.children:
            stated += [*total_vat.leaves("TaxSubtotal/TaxableAmount"), *total_vat.leaves("TaxSubtotal/TaxAmount")]
        else:
            stated += self.root.leaves("TaxTotal/TaxAmount")
        return {_currency(found, currency)[:_NUMBER] for found in stated} - {currency}

    def _vat_in(self, currency: str) -> tuple[str, Decimal] | None:
        """The VAT in another currency: a TaxTotal of its own (BT-111), in OIOUBL beside the VAT of a category."""
        stated = self.root.leaves("TaxTotal/TaxAmount")
        stated += self.root.leaves("TaxTotal/TaxSubtotal/TransactionCurrencyTaxAmount")
        for found in stated:
            other = _currency(found, currency)
            if other != currency and is_currency(other):
                return other, _bounded(_decimal(found, "TaxAmount"))
        return None

    def _totals(self, currency: str) -> Totals:
        stated = self.root.first("LegalMonetaryTotal")
        if stated is None:
            raise unreadable("The document has no LegalMonetaryTotal")
        vat = _bounded(_optional(self._tax_total(currency), "TaxAmount") or ZERO)
        payable, prepaid = _amount(stated, "PayableAmount"), _sum(stated, "PrepaidAmount")
        rounding = _sum(stated, "PayableRoundingAmount")
        gross = _optional(stated, "TaxInclusiveAmount")
        if gross is None:
            gross = total([payable, prepaid, EXACT.minus(rounding)])
        exclusive = _optional(stated, "TaxExclusiveAmount")
        is_net = self.format is not DocumentFormat.OIOUBL and exclusive is not None
        return Totals(
            lines=_amount(stated, "LineExtensionAmount"),
            allowances=_sum(stated, "AllowanceTotalAmount"),
            charges=_sum(stated, "ChargeTotalAmount"),
            net=_bounded(exclusive if is_net and exclusive is not None else EXACT.subtract(gross, vat)),
            vat=vat,
            gross=_bounded(gross),
            prepaid=prepaid,
            rounding=rounding,
            payable=payable,
            vat_in=self._vat_in(currency),
        )


def _currency(amount: Element, currency: str) -> str:
    """What an amount is in: the document's currency where it doesn't say."""
    return amount.attributes.get("currencyID", "").strip() or currency


def _format(customization: str) -> DocumentFormat:
    if customization.startswith(_OIOUBL):
        return DocumentFormat.OIOUBL
    return DocumentFormat.PEPPOL if _PEPPOL in customization else DocumentFormat.UBL


def _category(stated: Element | None) -> tuple[str | None, Decimal]:
    if stated is None:
        return None, ZERO
    return _CATEGORIES.get(stated.text("ID") or ""), _optional(stated, "Percent") or ZERO


def _signed(entry: Element) -> Decimal:
    amount = _amount(entry, "Amount")
    return amount if entry.text("ChargeIndicator") == "true" else EXACT.minus(amount)


def _party(root: Element, role: str) -> TradingParty:
    party = root.first(f"{role}/Party")
    if party is None:
        raise unreadable(f"The document has no {role}")
    country = (party.text("PostalAddress/Country/IdentificationCode") or "").upper()
    country = country if is_country(country) else NOWHERE
    vat_number = _vat_number(party)
    endpoint = party.leaf("EndpointID")
    name = party.text("PartyName/Name") or party.text("PartyLegalEntity/RegistrationName")
    address = [_street(party), party.text("PostalAddress/AdditionalStreetName")]
    return TradingParty(
        name=_required(_one_line(name, _LINE), f"name of the {role}"),
        country_code=country,
        numbers=tuple(dict.fromkeys(_numbers(party, vat_number, country))),
        vat_number=vat_number,
        endpoint=None if endpoint is None else _endpoint(endpoint),
        address=_one_line(", ".join(filter(None, address)), _LINE),
        city=_one_line(party.text("PostalAddress/CityName"), _LINE),
        postal_code=_one_line(party.text("PostalAddress/PostalZone"), _NUMBER),
        email=_one_line(party.text("Contact/ElectronicMail"), _LINE),
        phone=_one_line(party.text("Contact/Telephone"), _NUMBER),
        contact_name=_one_line(party.text("Contact/Name"), _LINE),
    )


def _vat_number(party: Element) -> str | None:
    schemes = party.all("PartyTaxScheme")
    found = next((one for one in schemes if one.text("TaxScheme/ID") in _VAT and one.text("CompanyID")), None)
    return None if found is None else "".join((found.text("CompanyID") or "").split()).upper()[:_NUMBER]


def _street(party: Element) -> str | None:
    """The street, in OIOUBL with a number of the building in an element of its own."""
    texts = (party.text("PostalAddress/StreetName"), party.text("PostalAddress/BuildingNumber"))
    return " ".join(filter(None, texts)) or party.text("PostalAddress/AddressLine/Line")


def _numbers(party: Element, vat_number: str | None, country: str) -> Iterator[str]:
    """The numbers that a vendor may be known by, with their country's prefix."""
    if vat_number:
        yield canonical_number(vat_number, country)
    for found in (*party.leaves("PartyLegalEntity/CompanyID"), *party.leaves("EndpointID")):
        scheme, number = found.attributes.get("schemeID", ""), found.own_text
        if number and scheme in _DANISH:
            yield canonical_number(number[:_NUMBER], "DK")
        elif number and scheme in _OF_VAT:
            yield canonical_number(number[:_NUMBER], country)


def _endpoint(endpoint: Element) -> str | None:
    number, scheme = endpoint.own_text, endpoint.attributes.get("schemeID", "")
    if not number:
        return None
    scheme = _SCHEMES.get(scheme, scheme)
    bare = number.removeprefix("DK") if scheme in _DANISH else number
    return f"{scheme}:{''.join(bare.split())}"[:_NUMBER]


def _how_to_pay(root: Element) -> HowToPay:
    means = root.first("PaymentMeans") or Element("PaymentMeans", "", {})
    account = means.text("PayeeFinancialAccount/ID") or means.text("CreditAccount/AccountID")
    branch = means.text("PayeeFinancialAccount/FinancialInstitutionBranch/ID")
    return HowToPay(
        account=_one_line(account, _NUMBER),
        branch=_one_line(branch, _NUMBER),
        payment_id=_one_line(means.text("InstructionID") or means.text("PaymentID"), _NUMBER),
        terms=_one_line(root.text("PaymentTerms/Note"), _LINE),
    )


def _one_line(text: str | None, limit: int) -> str | None:
    """A text as one line, cut where it is longer than anybody writes; None for a blank one."""
    joined = " ".join((text or "").split())
    return (joined if len(joined) <= limit else f"{joined[: limit - 1]}…") or None


def _stated(root: Element, path: str) -> str:
    """A text as it is written, but for the white space of XML at its ends; cut as a text over several lines is."""
    found = root.leaf(path)
    return "" if found is None else "".join(found.texts).strip(" \t\n\r")[:_TEXT]


def _required(text: str | None, name: str) -> str:
    if text is None:
        raise unreadable(f"The document has no {name}")
    return text


def _day(root: Element, path: str) -> date | None:
    """A day (xsd:date); the time zone that it may have is nobody's business."""
    text = root.text(path)
    if text is None:
        return None
    try:
        return date.fromisoformat(text[:10]) if _DAY.fullmatch(text) else _bad(path, text)
    except ValueError:
        return _bad(path, text)


def _bad(name: str, text: str) -> date:
    raise unreadable(f"{name} is {text[:50]!r}, which is no day")


def _amount(parent: Element, path: str) -> Decimal:
    """An amount that has to be there."""
    found = parent.leaf(path)
    if found is None:
        raise unreadable(f"{parent.name} has no {path}")
    return _bounded(_decimal(found, path))


def _optional(parent: Element, path: str) -> Decimal | None:
    found = parent.leaf(path)
    return None if found is None else _decimal(found, path)


def _sum(parent: Element, path: str) -> Decimal:
    """An amount that is zero where it isn't stated."""
    return _bounded(_optional(parent, path) or ZERO)


def _decimal(element: Element, name: str) -> Decimal:
    text = element.own_text or ""
    if not _DECIMAL.fullmatch(text):
        raise unreadable(f"{name} is {text[:50]!r}, which is no number")
    return Decimal(text)


def _bounded(amount: Decimal) -> Decimal:
    if abs(amount) > MAX_AMOUNT:
        raise unreadable("An amount is larger than any that can be booked")
    return amount
