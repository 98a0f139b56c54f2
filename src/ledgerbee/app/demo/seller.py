"""One seller of the published invoices: sets its company up over the API and sells what it published."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any, Final

import stdnum.dk.cvr
import stdnum.iban
import stdnum.no.orgnr

from ledgerbee.app.demo import published
from ledgerbee.app.demo.client import ApiError, Client, DemoError, stated
from ledgerbee.app.demo.published import Document, Item, SoldLine, Tax
from ledgerbee.core.money import format_decimal
from ledgerbee.network.identifiers import endpoint_of, vat_number_of

#: Seconds that the worker gets to deliver a mail.
DELIVERY_TIMEOUT_S: Final = 60
#: Where the e-invoices of all go that have no EAN: to the company that buys (`buyer.py`), whose CVR number it is.
ENDPOINT: Final = "0184:13585628"
#: Delivery statuses from which nothing moves any more.
_SETTLED: Final = frozenset({"delivered", "failed", "manual"})


@dataclass(frozen=True, slots=True)
class Sold:
    """One published document as it was sold. The dictionaries are the API's answers.

    Of a credit note `invoice` is what was sold and then credited by `note`; delivery, PDF and e-invoice are the note's.
    """

    document: Document
    company_id: str
    invoice: dict[str, Any]
    delivery: dict[str, Any]
    payments: list[dict[str, Any]]
    pdf: bytes
    e_invoice: bytes
    note: dict[str, Any] | None = None

    @property
    def made(self) -> dict[str, Any]:
        """What stands for the published document: the invoice, or the credit note on it."""
        return self.invoice if self.note is None else self.note


@dataclass
class Seller:
    """A company and what it has set up so far. `refused` has which published identifiers the API didn't take."""

    client: Client
    company: dict[str, Any]
    refused: list[str] = field(default_factory=list)
    _accounts: list[dict[str, Any]] = field(default_factory=list)
    _vat_codes: list[dict[str, Any]] = field(default_factory=list)
    _groups: dict[Tax, str] = field(default_factory=dict)
    _prices: dict[tuple[Item, str], str] = field(default_factory=dict)
    _numbers: set[str] = field(default_factory=set)

    @property
    def company_id(self) -> str:
        return str(self.company["id"])

    async def open_books(self, party: Document) -> None:
        """Send the company's particulars and read the chart it started with."""
        particulars = {
            "address": party["address"],
            "postalCode": party["postalCode"],
            "city": party["city"],
            "email": party.get("email"),
            "vatNumber": self._number(party),
        }
        if party["country"] == "DK":
            particulars |= _danish_account(cvr_number(party["vatNumber"]))
        self.company |= await self._lenient(self.client.patch, "/v1/company", particulars, {"vatNumber"})
        self._accounts = await self.client.get("/v1/accounts")
        self._vat_codes = await self.client.get("/v1/vat-codes")

    def _number(self, party: Document) -> str:
        """The published VAT number, or a made-up one where its documents could not be sent under it.

        A Danish invoice states a CVR number that passes its check, an e-invoice one that can be its seller's address;
        published examples mostly don't.
        """
        published = str(party["vatNumber"])
        number = vat_number(party["country"], published)
        if number not in "".join(published.split()):
            kind = "CVR number" if party["country"] == "DK" else "number of its country"
            self.refused.append(f"{published}: no {kind}; the made-up {number} stands in for it")
        return number

    async def sell(self, document: Document) -> Sold:
        """Draft, send and settle one published invoice, or sell and credit a credit note; what became of it."""
        lines = published.lines(document)
        for tax in dict.fromkeys(line.item.tax for line in lines):
            await self._group(tax)
        currency = document["currency"]
        items = list(dict.fromkeys(line.item for line in lines))
        price_ids = await asyncio.gather(*(self._price(item, currency) for item in items))
        prices = dict(zip(items, price_ids, strict=True))
        draft = await self.client.post("/v1/invoices", await self._draft(document, lines, prices))
        path = f"/v1/invoices/{draft['id']}"
        if published.is_credit_note(document):
            return await self._credit(document, path)
        is_mailed = document["buyer"].get("email") is not None
        await self.client.post(f"{path}/send", {"deliveryType": "Email" if is_mailed else "Manual"})
        # Ahead of its payment, which the PDF would say, and that in the mail doesn't.
        pdf, xml, delivery = await self._outputs(path)
        payments = await self._settle(document, path)
        return Sold(document, self.company_id, await self.client.get(path), delivery, payments, pdf, xml)

    async def _credit(self, document: Document, path: str) -> Sold:
        """Send the invoice, and credit all of it."""
        await self.client.post(f"{path}/send", {"deliveryType": "Manual"})
        invoice = await self.client.get(path)
        body = {
            "customerId": invoice["customerId"],
            "invoiceNumber": invoice["number"],
            "date": document["issueDate"],
            "description": f"{document['id']} ({document['source']})",
        }
        note_path = f"/v1/credit-notes/{(await self.client.post('/v1/credit-notes', body))['id']}"
        await self.client.post(f"{note_path}/send", {"deliveryType": "Manual"})
        pdf, xml, delivery = await self._outputs(note_path)
        invoice, note = await asyncio.gather(self.client.get(path), self.client.get(note_path))
        return Sold(document, self.company_id, invoice, delivery, [], pdf, xml, note)

    async def _outputs(self, path: str) -> tuple[bytes, bytes, dict[str, Any]]:
        """PDF, e-invoice and delivery of what was sent."""
        get = self.client.get_bytes
        pdf, xml = await asyncio.gather(get(f"{path}/pdf"), get(f"{path}/e-invoice"))
        return pdf, xml, await self._delivered(path)

    async def _draft(self, document: Document, lines: Sequence[SoldLine], prices: dict[Item, str]) -> dict[str, Any]:
        customer_id = await self._customer(document)
        return {
            "customerId": customer_id,
            "date": document["issueDate"],
            "dueDate": document.get("dueDate"),
            "currency": document["currency"],
            "reference": document.get("orderReference"),
            "ourReference": document["seller"].get("contactName"),
            "description": f"{document['id']} ({document['source']})",
            "notes": document.get("paymentTerms"),
            "lines": [_line(line, prices[line.item]) for line in lines],
        }

    async def _settle(self, document: Document, path: str) -> list[dict[str, Any]]:
        """Record what the document says was paid in advance, and in full what a mailed invoice without it asks for."""
        paid = published.prepaid(document)
        if not paid and document["buyer"].get("email") and not document["notes"]:
            paid = published.figures(document).gross
        if not paid:
            return []
        payment = {"date": document["issueDate"], "amount": f"{paid:f}", "reference": f"{document['id']} paid"}
        return [await self.client.post(f"{path}/payments", payment)]

    async def _delivered(self, path: str) -> dict[str, Any]:
        """The delivery status once nothing moves any more."""
        try:
            async with asyncio.timeout(DELIVERY_TIMEOUT_S):
                while True:
                    delivery: dict[str, Any] = await self.client.get(f"{path}/delivery-status")
                    if delivery["status"] in _SETTLED:
                        return delivery
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise DemoError(f"{path} was not delivered within {DELIVERY_TIMEOUT_S} seconds") from None

    async def _customer(self, document: Document) -> str:
        buyer = document["buyer"]
        groups = await self.client.get("/v1/customer-groups")
        body = {
            "customerNumber": document["key"],
            "customerType": "company",
            "name": buyer["name"],
            "countryCode": buyer["country"],
            # The published sellers charge their own country's VAT, across borders too.
            "vatZone": "domestic",
            "customerGroupId": groups[0]["id"],
            "address": buyer["address"],
            "postalCode": buyer["postalCode"],
            "city": buyer["city"],
            "vatNumber": buyer.get("vatNumber"),
            "eanNumber": buyer.get("gln"),
            "endpointId": ENDPOINT,
            "email": buyer.get("email"),
            "contacts": [stated({"name": buyer["contactName"], "email": buyer.get("email")})]
            if "contactName" in buyer
            else None,
        }
        created = await self._lenient(self.client.post, "/v1/customers", body, {"eanNumber", "vatNumber"})
        return str(created["id"])

    async def _price(self, item: Item, currency: str) -> str:
        """The id of the item's price; product and price are made on the first sale."""
        if (item, currency) in self._prices:
            return self._prices[item, currency]
        number, copy = item.number, 1
        while number in self._numbers:
            copy += 1
            number = f"{item.number}-{copy}"
        self._numbers.add(number)
        product = await self.client.post(
            "/v1/products",
            {
                "number": number,
                "name": item.name,
                "description": item.description,
                "unit": item.unit,
                "productGroupId": self._groups[item.tax],
            },
        )
        price = await self.client.post(
            "/v1/product-prices",
            {
                "productId": product["id"],
                "billingPeriodType": "ONE_TIME",
                "pricingModel": "FLAT_RATE",
                "currency": currency,
                "unitAmount": format_decimal(item.unit_price),
            },
        )
        self._prices[item, currency] = str(price["id"])
        return str(price["id"])

    async def _group(self, tax: Tax) -> str:
        """The product group whose domestic sales are taxed so; code, account and group are made as needed."""
        if tax not in self._groups:
            account = await self._revenue_account(tax, await self._vat_code(tax))
            seeded = (await self.client.get("/v1/product-groups"))["data"][0]
            group = await self.client.post(
                "/v1/product-groups",
                {
                    "number": f"{tax.category}-{format_decimal(tax.rate)}-{len(self._groups) + 1}",
                    "name": f"Sales, {tax.label}",
                    "domesticAccountId": account["id"],
                    "euAccountId": seeded["euAccountId"],
                    "abroadAccountId": seeded["abroadAccountId"],
                    "domesticWithoutVatAccountId": seeded["domesticWithoutVatAccountId"],
                },
            )
            self._groups[tax] = str(group["id"])
        return self._groups[tax]

    async def _vat_code(self, tax: Tax) -> dict[str, Any]:
        codes = [code for code in self._vat_codes if _is_plain_sale(code)]
        for code in codes:
            if (code["eInvoiceCategory"], Decimal(str(code["vatRate"]))) == (tax.category, tax.rate) and (
                code["exemptionReason"] == tax.reason
            ):
                return code
        charged = next(code for code in codes if code["accountToBookId"])
        code = await self.client.post(
            "/v1/vat-codes",
            {
                "vatCode": f"{tax.category}-{format_decimal(tax.rate)}-{len(self._vat_codes)}",
                "name": f"Sale, {tax.label}",
                "vatRate": format_decimal(tax.rate),
                "type": "SALES",
                "principle": "Net",
                "eInvoiceCategory": tax.category,
                "exemptionReason": tax.reason,
                "accountToBookId": charged["accountToBookId"] if tax.rate else None,
            },
        )
        self._vat_codes.append(code)
        return dict(code)

    async def _revenue_account(self, tax: Tax, code: dict[str, Any]) -> dict[str, Any]:
        revenue = [account for account in self._accounts if account["accountClassification"] == "REVENUE"]
        for account in revenue:
            if account["vatCodeId"] == code["id"] and account["isActive"]:
                return account
        taken = {account["accountNumber"] for account in self._accounts}
        number = min(account["accountNumber"] for account in revenue)
        while number in taken:
            number += 1
        account = await self.client.post(
            "/v1/accounts",
            {
                "accountNumber": number,
                "name": f"Sales, {tax.label}",
                "ledgerType": "PROFIT_AND_LOSS",
                "accountClassification": "REVENUE",
                "vatCodeId": code["id"],
            },
        )
        self._accounts.append(account)
        return dict(account)

    async def _lenient(self, send: Any, path: str, body: dict[str, Any], optional: set[str]) -> dict[str, Any]:
        """Send `body`; what of `optional` the API refuses is left out and remembered."""
        try:
            answer: dict[str, Any] = await send(path, body)
        except ApiError as fault:
            refused = fault.refusals()
            if not refused or not refused.keys() <= optional:
                raise
            self.refused.extend(f"{body[name]}: {reason}" for name, reason in refused.items())
            answer = await send(path, {name: value for name, value in body.items() if name not in refused})
        return answer


def vat_number(country: str, published: str) -> str:
    """The number as published if e-invoices can come from it, else one like it, in the countries that have a form."""
    if country == "DK":
        return cvr_number(published)
    if endpoint_of(country, vat_number_of(country, published)) is not None:
        return published
    digits = "".join(character for character in published if character.isdigit())
    if country == "NO":
        numbers = (str(number) for number in count(int(digits[:8].ljust(8, "0")) * 10))
        return f"NO{next(filter(stdnum.no.orgnr.is_valid, numbers))}MVA"
    return f"NL{digits[:9].ljust(9, '0')}B01" if country == "NL" else published


def cvr_number(published: str) -> str:
    """The number as published if it is a CVR number, else the next one that starts with its first digits."""
    digits = "".join(character for character in published if character.isdigit())
    numbers = (str(number) for number in count(int(digits[:7].ljust(7, "0")) * 10))
    return digits if stdnum.dk.cvr.is_valid(digits) else next(filter(stdnum.dk.cvr.is_valid, numbers))


def _danish_account(number: str) -> dict[str, str]:
    """A made-up bank account of a Danish company, with its IBAN."""
    registration, account = "0001", number.zfill(10)
    check = stdnum.iban.calc_check_digits(f"DK00{registration}{account}")
    return {
        "bankName": "Eksempelbanken",
        "bankRegistrationNumber": registration,
        "bankAccountNumber": account,
        "iban": f"DK{check}{registration}{account}",
    }


def _line(line: SoldLine, price_id: str) -> dict[str, Any]:
    return stated(
        {
            "priceId": price_id,
            "quantity": format_decimal(line.quantity),
            "unitPrice": None if line.unit_price is None else format_decimal(line.unit_price),
            "discountPercent": format_decimal(line.discount_percent),
            "description": line.description,
        }
    )


def _is_plain_sale(code: dict[str, Any]) -> bool:
    return bool(code["type"] == "SALES" and code["principle"] == "Net" and code["isActive"])
