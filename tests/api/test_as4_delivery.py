"""An e-invoice by AS4: signed, encrypted, acknowledged by a signed receipt; what is kept is our own document."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from as4 import AS4LocalPrivateKey
from as4.peppol import create_peppol_internal_party
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from tests.api.test_e_invoice_delivery import EAN, SELLER, delivery_id_of, sent, status_of, work, xml_of
from tests.as4_point import Authority, TestAccessPoint, write_keys
from tests.conftest import Api
from tests.selling import Shop
from tests.ubl import Ubl

from ledgerbee.network.transport.as4 import As4Transport
from ledgerbee.network.transport.model import TransportFailedError

_SBDH = "{http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader}"


@dataclass
class Exchange:
    """The other side, and our way to it."""

    point: TestAccessPoint
    transport: As4Transport


@pytest.fixture(scope="module")
def keys() -> tuple[Authority, rsa.RSAPrivateKey, rsa.RSAPrivateKey]:
    """An authority, our key and the other side's: making them takes longer than using them."""
    return (
        Authority(),
        rsa.generate_private_key(65537, 2048),
        rsa.generate_private_key(65537, 2048),
    )


@pytest.fixture
async def exchange(
    keys: tuple[Authority, rsa.RSAPrivateKey, rsa.RSAPrivateKey], tmp_path: Path
) -> AsyncIterator[Exchange]:
    authority, own_key, other_key = keys
    own, other = authority.certify("PDK000001", own_key), authority.certify("POP000002", other_key)
    party = create_peppol_internal_party("POP000002", other, AS4LocalPrivateKey(other_key))
    async with TestAccessPoint(party, authority).opened() as point:
        yield Exchange(point, As4Transport(point.url, write_keys(tmp_path / "keys", own_key, own, other)))


@pytest.fixture
async def shop(api: Api) -> Shop:
    shop = Shop(api)
    await shop.ok("PATCH", "/v1/company", {"vatNumber": "13585628"})
    return shop


async def kept(shop: Shop, invoice: dict[str, Any], column: str) -> Any:
    return await shop.value(f"SELECT {column} FROM e_invoices WHERE document_id = $1", UUID(invoice["id"]))


async def test_what_is_kept_is_our_own_document_and_what_comes_in_says_the_same(shop: Shop, exchange: Exchange) -> None:
    invoice = await sent(shop)
    content = await xml_of(shop, invoice, "oioubl")
    await work(shop, invoice, exchange.transport)
    assert (await shop.invoice(invoice["id"]))["status"] == "sent"
    (attempt,) = (await status_of(shop, invoice))["attempts"]
    assert (attempt["outcome"], attempt["message"]) == ("delivered", "Acknowledged by a signed receipt")

    # The other side has decrypted it, and checked the signature and our certificate: else there were no receipt.
    (got,) = exchange.point.got
    (payload,) = got.message.decrypted_data.values()
    header, document = etree.fromstring(payload)
    assert etree.tostring(document, method="c14n2") == etree.tostring(etree.fromstring(content), method="c14n2")
    assert payload != content
    assert (got.message.sender, got.message.recipient) == (SELLER, f"0088:{EAN}")

    # The envelope is written anew there: what is kept, hashed and told is the document before.
    assert await kept(shop, invoice, "content") == content
    assert await kept(shop, invoice, "sha256") == hashlib.sha256(content).digest()
    (event,) = await shop.events("e_invoice.delivered")
    assert event["sha256"] == hashlib.sha256(content).hexdigest()
    assert event["messageId"] == header.findtext(f"{_SBDH}DocumentIdentification/{_SBDH}InstanceIdentifier")
    assert got.message_id == f"{event['messageId']}@ledgerbee"
    assert Ubl.of(content).text("ID") == invoice["number"]


async def test_nothing_of_the_document_can_be_read_on_the_way(shop: Shop, exchange: Exchange) -> None:
    invoice = await sent(shop)
    await work(shop, invoice, exchange.transport)
    (body,) = exchange.point.bodies
    assert b"EncryptedData" in body
    assert b"SignatureValue" in body
    assert EAN.encode() in body, "who sends and who receives is for those that carry it"
    for of_the_document in (b"Nordlys", b"LegalMonetaryTotal", invoice["amount"].encode()):
        assert of_the_document not in body


@pytest.mark.parametrize("spoiled", ["lost", "changed", "none"])
async def test_without_a_receipt_it_goes_again_and_is_no_second_document(
    shop: Shop, exchange: Exchange, spoiled: str
) -> None:
    """The other side has it: it knows the second message as the first by its id, and it is the same document."""
    invoice = await sent(shop)
    answers = {
        "lost": lambda _: None,
        "changed": lambda signal: signal.replace(b"Id>", b"Id> ", 1),
        "none": lambda _: b"<html/>",
    }
    exchange.point.spoil = answers[spoiled]
    with pytest.raises(TransportFailedError):
        await work(shop, invoice, exchange.transport)
    assert (await shop.invoice(invoice["id"]))["status"] == "scheduled"
    exchange.point.spoil = lambda signal: signal
    await work(shop, invoice, exchange.transport, 2)

    first, second = exchange.point.got
    assert first.message_id == second.message_id
    documents = []
    for got in (first, second):
        (payload,) = got.message.decrypted_data.values()
        _, document = etree.fromstring(payload)
        documents.append(etree.tostring(document, method="c14n2"))
    assert documents[0] == documents[1]
    assert await kept(shop, invoice, "count(*)") == 1
    assert await shop.value("SELECT count(*) FROM deliveries") == 1
    attempts = (await status_of(shop, invoice))["attempts"]
    assert [attempt["outcome"] for attempt in attempts] == ["failed", "delivered"]

    await work(shop, invoice, exchange.transport, 3)  # a job that runs once more
    assert len(exchange.point.got) == 2
    assert (await shop.invoice(invoice["id"]))["status"] == "sent"
    assert await delivery_id_of(shop, invoice)
