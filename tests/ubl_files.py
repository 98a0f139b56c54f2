"""E-invoices as others would send them, for tests: Peppol BIS Billing 3 and OIOUBL 2.1, right or wrong as told.

Written by hand here, not by the code that writes our own: who reads must not read what it wrote.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_PEPPOL = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
#: A vendor with a CVR number.
SENDER = {"name": "Tømmer & Søn ApS", "vat": "DK25313763", "country": "DK", "address": "Kajen 4", "city": "Aarhus C",
          "postal": "8000", "email": "faktura@toemmer.example", "contact": "Ib"}  # fmt: skip
#: The company of the tests (`tests/conftest.py`).
RECEIVER = {"name": "Nordlys ApS", "vat": "DK13585628", "country": "DK"}
_NAMES = {"S": "StandardRated", "Z": "ZeroRated", "AE": "ReverseCharge"}

Line = dict[str, Any]


def tag(name: str, text: object, **attributes: str) -> str:
    """An element with a text; nothing for None."""
    if text is None:
        return ""
    prefix = "cbc" if name[0].isupper() else "cac"
    written = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{prefix}:{name}{written}>{escape(str(text))}</{prefix}:{name}>"


def group(name: str, *inner: str) -> str:
    return f"<cac:{name}>{''.join(inner)}</cac:{name}>"


def line(net: str, **fields: Any) -> Line:
    """A line, and what else it says (`name`, `item`, `quantity`, `price`, `category`, `rate`, `entries`)."""
    return {"net": net, "name": "Tømmer", "quantity": "1", "category": "S", "rate": "25", "entries": (), **fields}


def entry(kind: str, amount: str, **fields: Any) -> Line:
    """An allowance or a charge, on a line or on the document."""
    return {"kind": kind, "amount": amount, "category": "S", "rate": "25", **fields}


def peppol(
    *lines: Line,
    number: str = "F-1001",
    kind: str = "Invoice",
    entries: Sequence[Line] = (),
    currency: str = "DKK",
    **fields: Any,
) -> bytes:
    """A document whose totals follow from its lines, but for those that `fields` say (`vat`, `gross`, ...).

    `taxes` are rows of category, rate, taxable, tax and reason; else they are computed. `sender` and `receiver` are
    facts as `SENDER` has them.
    """
    lines = lines or (line("1000.00"),)
    is_oioubl = fields.get("is_oioubl", False)
    taxes = fields["taxes"] if "taxes" in fields else computed([*lines, *entries])
    own = sum((Decimal(one["net"]) for one in lines), Decimal(0))
    adjusted = sum((signed(one) for one in entries), Decimal(0))
    net = Decimal(fields.get("exclusive", own + adjusted))
    vat = Decimal(fields.get("vat", sum((Decimal(row["tax"]) for row in taxes), Decimal(0))))
    gross = Decimal(fields.get("gross", net + vat))
    prepaid, rounding = Decimal(fields.get("prepaid", 0)), Decimal(fields.get("rounding", 0))
    payable = Decimal(fields.get("payable", gross - prepaid + rounding))
    totals = [
        ("LineExtensionAmount", fields.get("lines_total", own)),
        ("TaxExclusiveAmount", vat if is_oioubl else net),
        ("TaxInclusiveAmount", gross),
    ]
    totals += [(name, amount) for name, amount in (
        ("AllowanceTotalAmount", -sum(signed(one) for one in entries if signed(one) < 0)),
        ("ChargeTotalAmount", sum(signed(one) for one in entries if signed(one) > 0)),
        ("PrepaidAmount", prepaid), ("PayableRoundingAmount", rounding),
    ) if amount]  # fmt: skip
    totals.append(("PayableAmount", payable))
    vat_in = fields.get("vat_in")
    body = [
        tag("CustomizationID", "OIOUBL-2.1" if is_oioubl else fields.get("customization", _PEPPOL)),
        tag("ID", number),
        tag("IssueDate", fields.get("date", "2026-03-16")),
        tag("DueDate", fields.get("due")),
        tag("Note", fields.get("note")),
        tag("DocumentCurrencyCode", currency),
        group("AccountingSupplierParty", party(fields.get("sender") or SENDER, is_oioubl=is_oioubl)),
        group("AccountingCustomerParty", party(fields.get("receiver") or RECEIVER, is_oioubl=is_oioubl)),
        group("Delivery", tag("ActualDeliveryDate", fields["delivered"])) if "delivered" in fields else "",
        *[adjustment(one, currency, is_oioubl=is_oioubl) for one in entries],
        tax_total(vat, taxes, currency, is_oioubl=is_oioubl),
        group("TaxTotal", tag("TaxAmount", vat_in[1], currencyID=vat_in[0])) if vat_in else "",
        group("LegalMonetaryTotal", *[tag(name, amount, currencyID=currency) for name, amount in totals]),
        *[written(one, place, kind, currency, is_oioubl=is_oioubl) for place, one in enumerate(lines, 1)],
    ]
    spaces = f'xmlns:cac="{_UBL}CommonAggregateComponents-2" xmlns:cbc="{_UBL}CommonBasicComponents-2"'
    head = f'<{kind} xmlns="{_UBL}{kind}-2" {spaces}>'
    encoding = fields.get("encoding", "UTF-8")
    text = f'<?xml version="1.0" encoding="{encoding}"?>{head}{"".join(body)}</{kind}>'
    return text.encode(encoding)


def oioubl(*lines: Line, **fields: Any) -> bytes:
    """The same in OIOUBL 2.1."""
    return peppol(*lines, **fields, is_oioubl=True)


def signed(one: Line) -> Decimal:
    amount = Decimal(one["amount"])
    return amount if one["kind"] == "charge" else -amount


def computed(parts: Sequence[Line]) -> list[Line]:
    """VAT by category and rate on the sum of the lines."""
    bases: dict[tuple[str, str], Decimal] = {}
    for one in parts:
        key = (one["category"], one["rate"])
        bases[key] = bases.get(key, Decimal(0)) + (Decimal(one["net"]) if "net" in one else signed(one))
    return [
        {"category": category, "rate": rate, "taxable": base,
         "tax": (base * Decimal(rate) / 100).quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")}
        for (category, rate), base in bases.items()
    ]  # fmt: skip


def party(facts: dict[str, Any], *, is_oioubl: bool) -> str:
    vat, endpoint = facts.get("vat"), facts.get("endpoint")
    scheme, _, number = (endpoint or "").partition("|")
    return group(
        "Party",
        tag("EndpointID", number, schemeID=scheme) if endpoint else "",
        group("PartyName", tag("Name", facts["name"])),
        group(
            "PostalAddress",
            tag("StreetName", facts.get("address")),
            tag("CityName", facts.get("city")),
            tag("PostalZone", facts.get("postal")),
            group("Country", tag("IdentificationCode", facts["country"])) if facts.get("country") else "",
        ),
        group("PartyTaxScheme", tag("CompanyID", vat), group("TaxScheme", tag("ID", "63" if is_oioubl else "VAT")))
        if vat
        else "",
        group("PartyLegalEntity", tag("RegistrationName", facts["name"])),
        group("Contact", tag("Name", facts.get("contact")), tag("ElectronicMail", facts.get("email"))),
    )


def category(name: str, one: Line, *, is_oioubl: bool) -> str:
    code = _NAMES.get(one["category"], one["category"]) if is_oioubl else one["category"]
    return group(
        name,
        tag("ID", code),
        tag("Percent", one["rate"]),
        tag("TaxExemptionReason", one.get("reason")),
        group("TaxScheme", tag("ID", "63" if is_oioubl else "VAT")),
    )


def adjustment(one: Line, currency: str, *, is_oioubl: bool, of_line: bool = False) -> str:
    return group(
        "AllowanceCharge",
        tag("ChargeIndicator", "true" if one["kind"] == "charge" else "false"),
        tag("AllowanceChargeReason", one.get("reason")),
        tag("Amount", one["amount"], currencyID=currency),
        "" if of_line and not is_oioubl else category("TaxCategory", one, is_oioubl=is_oioubl),
    )


def tax_total(vat: object, taxes: Sequence[Line], currency: str, *, is_oioubl: bool) -> str:
    rows = [
        group(
            "TaxSubtotal",
            tag("TaxableAmount", row["taxable"], currencyID=currency),
            tag("TaxAmount", row["tax"], currencyID=currency),
            category("TaxCategory", row, is_oioubl=is_oioubl),
        )
        for row in taxes
    ]
    return group("TaxTotal", tag("TaxAmount", vat, currencyID=currency), *rows)


def written(one: Line, place: int, kind: str, currency: str, *, is_oioubl: bool) -> str:
    tax = {"category": one["category"], "rate": one["rate"], "taxable": one["net"],
           "tax": (Decimal(one["net"]) * Decimal(one["rate"]) / 100).quantize(Decimal("0.01"))}  # fmt: skip
    item = one.get("item")
    return group(
        f"{kind}Line",
        tag("ID", one.get("id", place)),
        tag("InvoicedQuantity" if kind == "Invoice" else "CreditedQuantity", one["quantity"], unitCode="EA"),
        tag("LineExtensionAmount", one["net"], currencyID=currency),
        *[adjustment(part, currency, is_oioubl=is_oioubl, of_line=True) for part in one["entries"]],
        tax_total(tax["tax"], [tax], currency, is_oioubl=True) if is_oioubl else "",
        group(
            "Item",
            tag("Name", one["name"]),
            group("SellersItemIdentification", tag("ID", item)) if item else "",
            "" if is_oioubl else category("ClassifiedTaxCategory", one, is_oioubl=False),
        ),
        group(
            "Price",
            tag("PriceAmount", one.get("price", one["net"]), currencyID=currency),
            tag("BaseQuantity", one["base"]) if "base" in one else "",
        ),
    )


def restated(document: dict[str, Any]) -> bytes:
    """A document of `examples/published-invoices.json` in the syntax that it was published in."""
    seller, buyer = document["seller"], document["buyer"]
    totals, is_oioubl = document["totals"], document["key"].startswith("oioubl")

    def facts(one: dict[str, Any]) -> dict[str, Any]:
        gln = one.get("gln")
        return {
            "name": one["name"], "vat": one.get("vatNumber"), "country": one["country"], "address": one["address"],
            "city": one["city"], "postal": one["postalCode"], "email": one.get("email"),
            "endpoint": f"{'GLN' if is_oioubl else '0088'}|{gln}" if gln else None,
        }  # fmt: skip

    def parts(found: Sequence[dict[str, Any]]) -> list[Line]:
        return [{**one, "category": one.get("vatCategory", "S"), "rate": one.get("vatRate", "25")} for one in found]

    lines = [
        line(
            one["net"], name=one["name"], item=one.get("itemNumber"), quantity=one["quantity"], price=one["unitPrice"],
            base=one.get("baseQuantity", "1"), category=one["vatCategory"], rate=one["vatRate"],
            entries=parts(one.get("allowancesAndCharges", ())), id=one["id"],
        )
        for one in document["lines"]
    ]  # fmt: skip
    taxes = [{**row, "reason": row.get("exemptionReason")} for row in document["vat"]]
    other = document.get("taxCurrency")
    return peppol(
        *lines, number=document["id"], kind="Invoice" if document["kind"] == "invoice" else "CreditNote",
        entries=parts(document["allowancesAndCharges"]), sender=facts(seller), receiver=facts(buyer),
        currency=document["currency"], date=document["issueDate"], taxes=taxes, is_oioubl=is_oioubl,
        vat=totals["vat"], gross=totals["gross"], exclusive=totals["net"], lines_total=totals["lines"],
        prepaid=totals["prepaid"], rounding=totals["rounding"], payable=totals["payable"],
        vat_in=(other, document["vatInTaxCurrency"]) if other and document.get("vatInTaxCurrency") else None,
        **({"due": document["dueDate"]} if "dueDate" in document else {}),
    )  # fmt: skip
