"""Faults that are put into sound documents, and the rule that has to find each: whether the judges see at all."""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from tests.conformance.grid import BUYER, BUYERS, LINES, SELLER, TREATMENTS, snapshot
from tests.conformance.judges import Fault, Judges
from tests.conformance.statuses import statuses

from ledgerbee.network.model import EInvoiceFormat
from ledgerbee.sales.documents.model import DocumentKind
from ledgerbee.sales.einvoices.writing import write


class Mutation(NamedTuple):
    """A pattern in the XML, what takes its place, and the rule that is broken then."""

    pattern: str
    replacement: str
    rule: str


_SELLER: Final = "(<cac:AccountingSupplierParty>.*?"
_BUYER: Final = "(<cac:AccountingCustomerParty>.*?"
#: Of an invoice in kroner, paid by a slip.
_OF_INVOICE: Final = (
    Mutation(_SELLER + r'<cac:PartyLegalEntity>.*?)<cbc:CompanyID schemeID="0184">\d+</cbc:CompanyID>', r"\1",
             "DK-R-002"),
    Mutation(_SELLER + r'<cac:PartyLegalEntity>.*?)schemeID="0184"', r'\1schemeID="0088"', "DK-R-014"),
    Mutation(_SELLER + r")<cac:PartyTaxScheme>.*?</cac:PartyTaxScheme>", r"\1", "BR-S-02"),
    Mutation(_SELLER + r'<cbc:EndpointID) schemeID="0184">', r'\1 schemeID="0000">', "PEPPOL-EN16931-CL008"),
    Mutation(_SELLER + r")<cbc:EndpointID.*?</cbc:EndpointID>", r"\1", "PEPPOL-EN16931-R020"),
    Mutation(_SELLER + r'<cbc:EndpointID schemeID=)"0184">13585628', r'\1"0184">DK13585628', "PEPPOL-COMMON-R042"),
    Mutation(_SELLER + r'<cbc:EndpointID schemeID=)"0184">13585628', r'\1"0198">13585628', "PEPPOL-COMMON-R053"),
    Mutation(_SELLER + r'<cbc:EndpointID schemeID=)"0184">13585628', r'\1"0096">13585628', "PEPPOL-COMMON-R052"),
    Mutation(_SELLER + r'<cbc:EndpointID schemeID=)"0184">13585628', r'\1"0088">5798009811579', "PEPPOL-COMMON-R040"),
    Mutation(_BUYER + r'<cac:PartyLegalEntity>.*?)schemeID="0184">', r'\1schemeID="0088">', "DK-R-017"),
    Mutation(_BUYER + r")<cbc:EndpointID.*?</cbc:EndpointID>", r"\1", "PEPPOL-EN16931-R010"),
    Mutation(r'(<cbc:PayableAmount currencyID="DKK">)[\d.]+', r"\g<1>1.00", "BR-CO-16"),
    Mutation(r'(<cbc:TaxInclusiveAmount currencyID="DKK">)[\d.]+', r"\g<1>1.00", "BR-CO-15"),
    Mutation(r'(<cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID="DKK">)[\d.]+', r"\g<1>1.00", "BR-CO-10"),
    Mutation(r'(<cac:TaxTotal><cbc:TaxAmount currencyID="DKK">)[\d.]+', r"\g<1>1.00", "BR-CO-14"),
    Mutation(r'(<cbc:PriceAmount currencyID="DKK">)5\.504', r"\g<1>5.6", "PEPPOL-EN16931-R120"),
    Mutation(r'(<cbc:PriceAmount currencyID="DKK">)5\.504', r"\g<1>-5.504", "BR-27"),
    Mutation(r"<cbc:PaymentMeansCode>93", "<cbc:PaymentMeansCode>30", "DK-R-005"),
    Mutation(r"<cbc:PaymentMeansCode>93", "<cbc:PaymentMeansCode>42", "DK-R-006"),
    Mutation(r"<cbc:PaymentID>71#", "<cbc:PaymentID>70#", "DK-R-010"),
    Mutation(r"<cbc:PaymentID>71#0", "<cbc:PaymentID>71#", "DK-R-011"),
    Mutation(r"DKK</cbc:DocumentCurrencyCode>", r"\g<0><cbc:TaxCurrencyCode>DKK</cbc:TaxCurrencyCode>",
             "PEPPOL-EN16931-R005"),
    Mutation(r"<cbc:BuyerReference>.*?</cbc:BuyerReference><cac:OrderReference>.*?</cac:OrderReference>", "",
             "PEPPOL-EN16931-R003"),
    Mutation(r"<cbc:IssueDate>.*?</cbc:IssueDate>", "", "XSD"),
    Mutation(r"(<cbc:ID)>2026-1042</cbc:ID>", r"\1></cbc:ID>", "PEPPOL-EN16931-R008"),
)  # fmt: skip
#: Of an invoice in euro, of goods to the EU and of a credit note.
_OF_EURO: Final = (
    Mutation(r'<cac:TaxTotal><cbc:TaxAmount currencyID="DKK">[\d.]+</cbc:TaxAmount></cac:TaxTotal>', "", "BR-53"),
    Mutation(r"<cbc:TaxCurrencyCode>DKK</cbc:TaxCurrencyCode>", "", "PEPPOL-EN16931-R054"),
    Mutation(r'(<cac:TaxTotal><cbc:TaxAmount currencyID="DKK">)', r"\1-", "PEPPOL-EN16931-R055"),
)
_OF_SUPPLY: Final = (
    Mutation(r"<cbc:ActualDeliveryDate>.*?</cbc:ActualDeliveryDate>", "", "BR-IC-11"),
    Mutation(r"<cac:DeliveryLocation>.*?</cac:DeliveryLocation>", "", "BR-IC-12"),
    Mutation(r"<cbc:TaxExemptionReason>.*?</cbc:TaxExemptionReason>", "", "BR-IC-10"),
    Mutation(_BUYER + r")<cac:PartyTaxScheme>.*?</cac:PartyTaxScheme>", r"\1", "BR-IC-02"),
)
_OF_NOTE: Final = (
    Mutation(r'(<cbc:PayableAmount currencyID="DKK">)', r"\1-", "DK-R-016"),
    Mutation(r"<cbc:CreditNoteTypeCode>381", "<cbc:CreditNoteTypeCode>380", "PEPPOL-EN16931-P0101"),
)
_OF_OIOUBL: Final = (
    Mutation(r'(schemeID="DK:CVR">)DK', r"\1", "OIOUBL-IDENTIFIER"),
    Mutation(r'(schemeID="DK:SE">)DK', r"\1", "OIOUBL-IDENTIFIER"),
    Mutation("StandardRated", "Standard", "OIOUBL-CATEGORY"),
    Mutation(r'(<cbc:PayableAmount currencyID="DKK">)[\d.]+', r"\g<1>1.00", "OIOUBL-SUM"),
    Mutation(r'(<cbc:PayableAmount currencyID="DKK">)[\d.]+', r"\g<1>1", "OIOUBL-DECIMALS"),
    Mutation(r'(<cbc:TaxExclusiveAmount currencyID="DKK">)[\d.]+', r"\g<1>1.00", "OIOUBL-SUM"),
    Mutation(r'(<cbc:PriceAmount currencyID="DKK">)4\.4032', r"\g<1>5.504", "OIOUBL-LINE"),
    Mutation(r"(<cac:AllowanceCharge>.*?)<cac:TaxCategory>.*?</cac:TaxCategory>", r"\1", "OIOUBL-ALLOWANCE"),
    Mutation(r"<cbc:InstructionID>0", "<cbc:InstructionID>", "OIOUBL-MEANS"),
    Mutation(r"<cbc:IssueDate>.*?</cbc:IssueDate>", "", "OIOUBL-HEAD"),
    Mutation(r"<cbc:EndpointID.*?</cbc:EndpointID>", "", "OIOUBL-PARTY"),
)
#: Of a status that refuses, and of one that doesn't.
_OF_REFUSAL: Final = (
    Mutation("urn:peppol:edec:mls:1.0", "urn:peppol:edec:mls:2.0", "SCH-MLS-01"),
    Mutation("urn:peppol:edec:mls<", "urn:peppol:edec<", "SCH-MLS-02"),
    Mutation(r"(<cbc:IssueDate>[\d-]+)", r"\1Z", "SCH-MLS-04"),
    Mutation(r"(<cbc:IssueTime>[\d:]+)Z", r"\1", "SCH-MLS-06"),
    Mutation(">000123<", ">POP000123<", "SCH-MLS-09"),
    Mutation('schemeID="0242">000123', 'schemeID="0088">000123', "SCH-MLS-11"),
    Mutation(">000456<", ">456<", "SCH-MLS-14"),
    Mutation("<cbc:ResponseCode>RE", "<cbc:ResponseCode>AP", "SCH-MLS-25"),
    Mutation("<cbc:ResponseCode>RE", "<cbc:ResponseCode>UQ", "SCH-MLS-19"),
    Mutation("(RE</cbc:ResponseCode>)<cbc:Description>.*?</cbc:Description>", r"\1", "SCH-MLS-21"),
    Mutation("<cac:LineResponse>.*</cac:LineResponse>", "", "SCH-MLS-24"),
    Mutation("(<cac:DocumentReference><cbc:ID>)[^<]+", r"\1", "SCH-MLS-26"),
    Mutation("<cbc:LineID>NA", "<cbc:LineID>", "SCH-MLS-27"),
    Mutation("<cbc:StatusReasonCode>BV", "<cbc:StatusReasonCode>BX", "SCH-MLS-31"),
    Mutation("(<cac:DocumentReference>.*?</cac:DocumentReference>)(<cac:LineResponse>.*?</cac:LineResponse>)", r"\2\1",
             "XSD"),
)  # fmt: skip
_OF_ACCEPTANCE: Final = (
    Mutation("<cbc:ResponseCode>AP", "<cbc:ResponseCode>RE", "SCH-MLS-24"),
    Mutation("<cbc:StatusReasonCode>BW", "<cbc:StatusReasonCode>FD", "SCH-MLS-25"),
)


def _document(form: EInvoiceFormat, kind: DocumentKind = DocumentKind.INVOICE, currency: str = "DKK") -> str:
    content = snapshot(kind, SELLER, BUYER, currency, LINES["discounts"], TREATMENTS["standard"])
    return write(content, form).decode()


def _supply() -> str:
    content = snapshot(
        DocumentKind.INVOICE, SELLER, BUYERS["German"], "DKK", LINES["plain"], TREATMENTS["goods to the EU"]
    )
    return write(content, EInvoiceFormat.PEPPOL).decode()


def unseen(judges: Judges) -> tuple[int, list[str]]:
    """How many faults were put in, and those whose rule said nothing."""
    peppol, oioubl = EInvoiceFormat.PEPPOL, EInvoiceFormat.OIOUBL
    told = dict(reversed(list(statuses())))  # by name the first of each
    documents = (
        (_document(peppol), _OF_INVOICE, judges.of_peppol),
        (_document(peppol, currency="EUR"), _OF_EURO, judges.of_peppol),
        (_supply(), _OF_SUPPLY, judges.of_peppol),
        (_document(peppol, DocumentKind.CREDIT_NOTE), _OF_NOTE, judges.of_peppol),
        (_document(oioubl), _OF_OIOUBL, judges.of_oioubl),
        (told["CURRENCY_DIFFERS"].decode(), _OF_REFUSAL, judges.of_status),
        (told["TOTALS_DIFFER"].decode(), _OF_ACCEPTANCE, judges.of_status),
    )
    count, found = 0, []
    for xml, mutations, judge in documents:
        for mutation in mutations:
            count += 1
            found += _unseen(xml, mutation, judge)
    return count, found


def _unseen(xml: str, mutation: Mutation, judge: Callable[[bytes], list[Fault]]) -> list[str]:
    mutated, places = re.subn(mutation.pattern, mutation.replacement, xml, count=1, flags=re.DOTALL)
    if not places:
        return [f"{mutation.rule}: {mutation.pattern} stands nowhere"]
    rules = {fault.rule for fault in judge(mutated.encode())}
    return [] if mutation.rule in rules else [f"{mutation.rule}: said nothing, but {sorted(rules)}"]
