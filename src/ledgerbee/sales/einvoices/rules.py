"""What an e-invoice needs, and how it is paid. Pure."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from ledgerbee.core.money import minor_units
from ledgerbee.network.identifiers import scheme_id
from ledgerbee.network.model import EInvoiceFormat
from ledgerbee.parties.endpoints import in_network
from ledgerbee.sales.einvoices.model import E_INVOICE_INCOMPLETE, Route, TradeDocument, TradeParty

#: EN 16931 has amounts of two decimals at most (BR-DEC-09 and others).
_MOST_DECIMALS: Final = 2
#: VAT categories in which the buyer accounts for the VAT, and is named by its VAT number or that of the company.
_REVERSE_CHARGE: Final = "AE"
_INTRA_COMMUNITY: Final = "K"
_OUTSIDE_SCOPE: Final = "O"
_DENMARK: Final = "DK"
#: Where accounts are Danish ones.
_DANISH_BANKS: Final = frozenset({"DK", "GL", "FO"})


class PaymentMeans(StrEnum):
    """How a document is paid (UNTDID 4461)."""

    UNDEFINED = "1"
    CREDIT_TRANSFER = "30"
    FOREIGN_TRANSFER = "31"
    DOMESTIC_TRANSFER = "42"
    SEPA_TRANSFER = "58"
    FIK = "93"


def missing(document: TradeDocument, form: EInvoiceFormat) -> tuple[str, ...]:
    """What a document lacks to be an e-invoice of a format, as fields of its parties; empty if nothing is.

    `buyer.endpoint`: an EAN (GLN) or a VAT number, whose check digits are right, in a scheme of the format.
    `currency`: e-invoices have amounts of at most two decimals. `vatRates`: OIOUBL has one rate beside zero.
    """
    return tuple(dict.fromkeys(_missing(document, form)))


def check_complete(document: TradeDocument, form: EInvoiceFormat) -> None:
    """Raises `E_INVOICE_INCOMPLETE` with what is missing."""
    found = missing(document, form)
    if found:
        raise E_INVOICE_INCOMPLETE.error(format=form.value, missing=list(found))


def route(document: TradeDocument) -> Route:
    """In which format a document goes out, and between whom.

    Between Danish parties OIOUBL, which NemHandel's receivers have to take; Peppol BIS where OIOUBL can't state the
    document or doesn't know the receiver's scheme, and to anyone else. Raises `E_INVOICE_INCOMPLETE` with what the last
    of them lacks: OIOUBL lacks all that Peppol does.
    """
    is_danish = document.seller.country_code == document.buyer.country_code == _DENMARK
    if is_danish and not missing(document, EInvoiceFormat.OIOUBL):
        form = EInvoiceFormat.OIOUBL
    else:
        form = EInvoiceFormat.PEPPOL
        check_complete(document, form)
    seller, buyer = document.seller, document.buyer
    return Route(form, _participant(seller), _participant(buyer), seller.country_code)


def _participant(party: TradeParty) -> str:
    assert party.endpoint is not None, "the document is complete"
    return f"{party.endpoint.scheme}:{in_network(party.endpoint)}"


def _missing(document: TradeDocument, form: EInvoiceFormat) -> Iterator[str]:
    seller, buyer = document.seller, document.buyer
    categories = {row.category for row in document.taxes}
    if minor_units(document.currency) > _MOST_DECIMALS:
        yield "currency"
    if form is EInvoiceFormat.OIOUBL and len({row.rate for row in document.taxes if row.rate}) > 1:
        yield "vatRates"
    if seller.endpoint is None or scheme_id(seller.endpoint.scheme, form) is None:
        yield "seller.vatNumber"
    if not seller.vat_number and categories != {_OUTSIDE_SCOPE}:
        yield "seller.vatNumber"
    if buyer.endpoint is None or scheme_id(buyer.endpoint.scheme, form) is None:
        yield "buyer.endpoint"
    if _INTRA_COMMUNITY in categories and not buyer.vat_number:
        yield "buyer.vatNumber"
    if _REVERSE_CHARGE in categories and not (buyer.vat_number or buyer.company or buyer.company_number):
        yield "buyer.vatNumber"


def payment_means(document: TradeDocument) -> PaymentMeans | None:
    """How an invoice is paid; None where the seller has told no account (decisions "Documents").

    A payment slip (FIK) in kroner only, else a domestic transfer; EUR by SEPA, also to a Danish buyer; anything else to
    the IBAN. Between Danish parties 30 is not allowed (DK-R-005), and 31 needs the bank's BIC beside the IBAN
    (DK-R-006).
    """
    payment, currency = document.payment, document.currency
    is_domestic = {document.seller.country_code, document.buyer.country_code} <= _DANISH_BANKS
    if currency == "DKK" and (is_domestic or not payment.iban):
        if payment.fik_payment_id and payment.fik_creditor_number:
            return PaymentMeans.FIK
        if payment.registration_number and payment.account_number:
            return PaymentMeans.DOMESTIC_TRANSFER
    if not payment.iban:
        return None
    if currency == "EUR":
        return PaymentMeans.SEPA_TRANSFER
    if not is_domestic:
        return PaymentMeans.CREDIT_TRANSFER
    return PaymentMeans.FOREIGN_TRANSFER if payment.bic else PaymentMeans.UNDEFINED
