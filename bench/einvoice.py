"""Milliseconds for the XML of an invoice of 20 lines, from its snapshot, in each format; and of one of 5,000 lines.

Each document is another one. Other work on the machine can only slow a round down, so the best of a few rounds counts;
the slowest is printed too.
"""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from time import perf_counter
from typing import Any

from bench.support import verdict

from ledgerbee.network.answering import (
    AnsweredDocument,
    AnsweringParty,
    OioublCode,
    PeppolCode,
    Reply,
    StatusCode,
    application_response,
    invoice_response,
    message_level_status,
)
from ledgerbee.network.model import EInvoiceFormat, MessageType
from ledgerbee.parties.endpoints import Identifier
from ledgerbee.sales.documents import fik
from ledgerbee.sales.einvoices.writing import write

#: Milliseconds a document may take.
LIMIT_MS = 2
ROUNDS = 5
DOCUMENTS_IN_A_ROUND = 200
LINES = 20
MOST_LINES = 5_000

_SELLER = {
    "name": "Nordlys Kaffe ApS",
    "address": "Havnegade 12\n2. tv.",
    "postalCode": "8000",
    "city": "Aarhus C",
    "countryCode": "DK",
    "vatNumber": "DK13585628",
    "registrationNumber": "13585628",
    "email": "regnskab@nordlyskaffe.example",
    "phone": "+45 86 12 34 56",
    "website": None,
}


def snapshot(serial: int, lines: int) -> dict[str, Any]:
    """A Danish invoice, every other line with a discount; no text and no figure is the same in the next one."""
    made = [_line(serial, place) for place in range(lines)]
    subtotal = sum((Decimal(line["total"]) for line in made), Decimal(0))
    vat = (subtotal / 4).quantize(Decimal("0.01"))
    number = f"2026-{serial}"
    return {
        "version": 1,
        "kind": "invoice",
        "id": f"0198f0a4-3d1c-7c5e-8a54-{serial:012d}",
        "language": "da",
        "number": number,
        "issueDate": date(2026, 11, 22).isoformat(),
        "dueDate": date(2026, 11, 30).isoformat(),
        "validUntil": None,
        "deliveryDate": date(2026, 11, 20).isoformat(),
        "currency": "DKK",
        "seller": _SELLER,
        "buyer": _SELLER
        | {
            "customerId": "",
            "customerNumber": f"C{serial}",
            "customerType": "company",
            "name": f"Kunde nr. {serial} <A/S> & søn",
            "attention": None,
            "vatNumber": "DK25313763",
            "ean": "5798009811578",
        },
        "references": {
            "ourReference": "Mette Holm",
            "yourReference": None,
            "purchaseOrder": f"PO-{serial}",
            "description": "Kaffe og service",
        },
        "lines": made,
        "vatRows": [
            {
                "category": "S",
                "rate": "25",
                "taxable": f"{subtotal}",
                "vat": f"{vat}",
                "exemptionReason": {"en": None, "da": None},
            }
        ],
        "subtotal": f"{subtotal}",
        "vat": f"{vat}",
        "amount": f"{subtotal + vat}",
        "vatInBase": None,
        "payment": {
            "bankName": "Nordjyske Bank",
            "registrationNumber": "9070",
            "accountNumber": "1626347102",
            "iban": "DK5000400440116243",
            "bic": "DABADKKK",
            "paymentId": number,
            "fikPaymentId": fik.payment_id(number),
            "fikCreditorNumber": "12345674",
            "termsDays": 8,
        },
        "creditsInvoiceNumber": None,
        "notes": "Tak for handlen.",
    }


def _line(serial: int, place: int) -> dict[str, Any]:
    quantity, price = Decimal(place % 9 + 1), Decimal(serial) + Decimal("0.25") * place
    discount = 10 if place % 2 else 0
    net = (quantity * price * (100 - discount) / 100).quantize(Decimal("0.01"))
    return {
        "id": "",
        "kind": "product",
        "description": f"Espressobønner {serial}-{place}\nRistet i går",
        "productId": "",
        "quantity": f"{quantity}",
        "unit": "kg",
        "unitCode": "KGM",
        "unitPrice": f"{price}",
        "discountPercent": f"{discount}",
        "total": f"{net}",
        "vat": f"{(net / 4).quantize(Decimal('0.01'))}",
        "vatRate": "25",
        "vatCategory": "S",
        "vatRow": 0,
    }


def measure(form: EInvoiceFormat, lines: int, documents: int) -> list[float]:
    """Milliseconds a document in each round but the first. The JSON of a snapshot is read before."""
    rounds = []
    for number in range(ROUNDS + 1):
        texts = [json.dumps(snapshot(1_000 + number * documents + index, lines)) for index in range(documents)]
        contents = [json.loads(text) for text in texts]
        start = perf_counter()
        for content in contents:
            write(content, form)
        rounds.append((perf_counter() - start) * 1_000 / documents)
    return rounds[1:]


def measure_answers(documents: int) -> float:
    """Milliseconds for an answer of each kind to a document, in the best round."""
    buyer = AnsweringParty("Kunde A/S", Identifier("0088", "5798009811578"))
    seller = AnsweringParty("Nordlys Kaffe ApS", Identifier("0184", "13585628"))
    at, rounds = datetime(2026, 11, 22, 12, tzinfo=UTC), []
    for _ in range(ROUNDS):
        start = perf_counter()
        for serial in range(documents):
            reply, document = (
                Reply(f"A-{serial}", at, buyer, seller),
                AnsweredDocument(MessageType.INVOICE, f"{serial}"),
            )
            application_response(reply, document, OioublCode.BUSINESS_ACCEPT)
            invoice_response(reply, document, PeppolCode.ACCEPTED)
            message_level_status(reply.id, at, ("000123", "000456"), f"m-{serial}", StatusCode.ACCEPTED)
        rounds.append((perf_counter() - start) * 1_000 / documents)
    return min(rounds)


def main() -> None:
    """Print a line for each format, what the largest document takes, and an answer of each kind."""
    print(f"three answers to an e-invoice: {measure_answers(DOCUMENTS_IN_A_ROUND):.2f} ms", flush=True)
    for form in EInvoiceFormat:
        rounds = measure(form, LINES, DOCUMENTS_IN_A_ROUND)
        best = min(rounds)
        print(
            f"e-invoice as {form.value}, {LINES} lines: {best:.2f} ms ({verdict(best, LIMIT_MS)}; "
            f"slowest round {max(rounds):.2f})",
            flush=True,
        )
        largest = min(measure(form, MOST_LINES, 1))
        print(f"e-invoice as {form.value}, {MOST_LINES} lines: {largest:.0f} ms", flush=True)


if __name__ == "__main__":
    main()
