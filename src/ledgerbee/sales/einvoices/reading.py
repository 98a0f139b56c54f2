"""From a document's snapshot to what an e-invoice says. Old snapshots read as new ones do."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from ledgerbee.core.money import EXACT, HUNDRED, ONE, ZERO, multiply, percent_of, round_money, total
from ledgerbee.network.identifiers import company_of, endpoint_of, registration_of, vat_number_of
from ledgerbee.sales.documents.model import DocumentKind, DocumentLineType
from ledgerbee.sales.documents.terms import terms_in_words
from ledgerbee.sales.documents.units import unit_code
from ledgerbee.sales.einvoices.model import PaymentAccount, TradeDocument, TradeLine, TradeParty, TradeTax

#: How far quantity x price may be from the rounded amount: rules allow 0.02 (PEPPOL-EN16931-R120), in all currencies.
_TOLERANCE: Final = Decimal("0.01")
_OUTSIDE_SCOPE: Final = "O"
_EXEMPT: Final = "E"


def document_of(snapshot: Mapping[str, Any]) -> TradeDocument:
    """The invoice or credit note that a snapshot describes.

    A credit note's amounts are turned here and nowhere else.
    """
    is_credit_note = snapshot["kind"] == DocumentKind.CREDIT_NOTE
    sign = -ONE if is_credit_note else ONE
    categories = _categories(snapshot)
    lines, opening = _lines(snapshot, sign, categories)
    references, buyer, in_base = snapshot["references"], snapshot["buyer"], snapshot["vatInBase"]
    template = snapshot.get("template") or {}
    how_to_pay = None if is_credit_note else template.get("paymentText")
    texts = (references["description"], template.get("introText"), *opening, snapshot["notes"])
    return TradeDocument(
        is_credit_note=is_credit_note,
        is_prepayment=snapshot.get("isPrepayment", False),
        number=snapshot["number"] or "",
        uuid=snapshot.get("id"),
        language=snapshot["language"],
        issue_date=snapshot["issueDate"],
        due_date=snapshot["dueDate"],
        delivery_date=snapshot.get("deliveryDate"),
        currency=snapshot["currency"],
        seller=_party(snapshot["seller"], references["ourReference"]),
        buyer=_party(buyer, buyer["attention"] or references["yourReference"]),
        buyer_reference=references["yourReference"] or buyer["customerNumber"],
        purchase_order=references["purchaseOrder"],
        credits_invoice_number=snapshot["creditsInvoiceNumber"],
        note="\n".join(text for text in texts if text) or None,
        lines=lines,
        taxes=_taxes(snapshot, sign, categories),
        subtotal=_turned(snapshot["subtotal"], sign),
        vat=_turned(snapshot["vat"], sign),
        amount=_turned(snapshot["amount"], sign),
        vat_in_base=None if in_base is None else (in_base["currency"], _turned(in_base["amount"], sign)),
        payment=_payment(snapshot["payment"], snapshot["language"], how_to_pay),
    )


def _turned(text: str, sign: Decimal) -> Decimal:
    return EXACT.multiply(Decimal(text), sign)


def _categories(snapshot: Mapping[str, Any]) -> Mapping[str, str]:
    """VAT categories by those of the document. What is outside the scope of VAT can't stand beside anything else in an
    e-invoice (BR-O-11), so there it is exempt, with the reason that it is outside."""
    found = {row["category"] for row in snapshot["vatRows"]}
    return {one: _EXEMPT if one == _OUTSIDE_SCOPE and len(found) > 1 else one for one in found}


def _taxes(snapshot: Mapping[str, Any], sign: Decimal, categories: Mapping[str, str]) -> tuple[TradeTax, ...]:
    """Rows that differ in their reason only are one (BG-23 has a row per category and rate)."""
    language = snapshot["language"]
    groups: dict[tuple[str, Decimal], list[Mapping[str, Any]]] = {}
    for row in snapshot["vatRows"]:
        groups.setdefault((categories[row["category"]], Decimal(row["rate"])), []).append(row)
    return tuple(
        TradeTax(
            category=category,
            rate=rate,
            taxable=total([_turned(row["taxable"], sign) for row in rows]),
            vat=total([_turned(row["vat"], sign) for row in rows]),
            reasons=tuple(dict.fromkeys(filter(None, (_reason(row, language) for row in rows)))),
        )
        for (category, rate), rows in groups.items()
    )


def _reason(row: Mapping[str, Any], language: str) -> str | None:
    reasons: Mapping[str, str | None] = row["exemptionReason"]
    return reasons.get(language) or reasons["en"] or reasons["da"]


def _lines(
    snapshot: Mapping[str, Any], sign: Decimal, categories: Mapping[str, str]
) -> tuple[tuple[TradeLine, ...], tuple[str, ...]]:
    """The product lines, each with the child that it is for and the texts below it as its note; and the texts above the
    first of them."""
    products: list[Mapping[str, Any]] = []
    texts: list[list[str]] = [[]]
    children: dict[str, str] = {}
    for line in snapshot["lines"]:
        if line["kind"] == DocumentLineType.PRODUCT:
            products.append(line)
            texts.append([children[line["child"]]] if "child" in line else [])
        elif "child" in line:
            children[line["child"]] = line["description"]
        elif line["description"]:
            texts[-1].append(line["description"])
    currency = snapshot["currency"]
    made = (
        _line(number, line, "\n".join(note) or None, sign, currency, categories)
        for number, (line, note) in enumerate(zip(products, texts[1:], strict=True), 1)
    )
    return tuple(made), tuple(texts[0])


def _line(
    number: int, line: Mapping[str, Any], note: str | None, sign: Decimal, currency: str, categories: Mapping[str, str]
) -> TradeLine:
    net, discount = _turned(line["total"], sign), Decimal(line["discountPercent"])
    quantity, price, base_quantity, gross = _price(line, abs(net), discount, currency)
    direction = -ONE if net < 0 else ONE
    texts = [text for text in (line["description"] or "").strip().splitlines() if text.strip()]
    return TradeLine(
        number=number,
        name=texts[0].strip() if texts else str(number),
        description=line["description"] if len(texts) > 1 else None,
        note=note,
        quantity=quantity * direction,
        unit_code=line.get("unitCode") or unit_code(line["unit"]),
        unit_price=price,
        base_quantity=base_quantity,
        discount_percent=discount,
        gross=gross * direction,
        net=net,
        vat=_turned(line["vat"], sign),
        category=categories[line["vatCategory"]],
        rate=Decimal(line["vatRate"]),
        period=_period(line),
    )


def _period(line: Mapping[str, Any]) -> tuple[str, str] | None:
    if "servicePeriod" not in line:
        return None
    first, last = line["servicePeriod"]
    return first, last


def _price(
    line: Mapping[str, Any], net: Decimal, discount: Decimal, currency: str
) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """Quantity, price and the quantity that the price is for, and their product in whole units of the currency.

    All without signs: an e-invoice has no negative price (BR-27). Quantity x price is what comes to `net`; where it
    doesn't (the average of a tiered price is rounded, or nothing was used of a price with a fixed part), or isn't near
    enough to a whole unit of the currency, the price is that of the whole quantity.
    """
    quantity, price = abs(Decimal(line["quantity"])), abs(Decimal(line["unitPrice"]))
    exact, share = multiply(quantity, price), EXACT.subtract(HUNDRED, discount)
    gross = round_money(exact, currency)
    if round_money(percent_of(exact, share), currency) != net:
        gross = net if share == ZERO else round_money(EXACT.divide(EXACT.multiply(net, HUNDRED), share), currency)
    if abs(exact - gross) <= _TOLERANCE:
        return quantity, price, ONE, gross
    whole = quantity or ONE
    return whole, gross, whole, gross


def _party(party: Mapping[str, Any], contact: str | None) -> TradeParty:
    country: str = party["countryCode"]
    known = party["vatNumber"]
    vat_number = vat_number_of(country, known)
    company = company_of(country, known)
    return TradeParty(
        name=party["name"],
        address=tuple(line.strip() for line in (party["address"] or "").splitlines() if line.strip()),
        postal_code=party["postalCode"],
        city=party["city"],
        country_code=country,
        endpoint=endpoint_of(country, vat_number or known, party.get("ean"), party.get("endpoint")),
        vat_number=vat_number,
        company=company,
        company_number=None if company else registration_of(country, party.get("registrationNumber") or known),
        contact=contact,
        phone=party["phone"],
        email=party["email"],
    )


def _payment(payment: Mapping[str, Any], language: str, text: str | None) -> PaymentAccount:
    registration, account = _danish_account(payment)
    return PaymentAccount(
        payment_id=payment["paymentId"],
        fik_payment_id=payment.get("fikPaymentId"),
        fik_creditor_number=payment.get("fikCreditorNumber"),
        registration_number=registration,
        account_number=account,
        iban=payment["iban"],
        bic=payment["bic"],
        terms="\n".join(filter(None, (terms_in_words(payment["termsDays"], language), text))) or None,
    )


def _danish_account(payment: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Registration and account number; a Danish IBAN holds both after its check digits: four digits and ten."""
    registration, account, iban = payment["registrationNumber"], payment["accountNumber"], payment["iban"] or ""
    if not (registration and account) and iban.startswith("DK"):
        return iban[4:8], iban[8:]
    return registration, account
