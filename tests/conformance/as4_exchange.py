"""E-invoices by AS4 to an access point of its own, with keys and receipts that are wrong too: `make conformance`.

What went over is compared with the bytes that are kept.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from as4 import AS4LocalPrivateKey
from as4.peppol import create_peppol_internal_party
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from tests.as4_point import Authority, TestAccessPoint, write_keys
from tests.conformance.grid import BUYER, LINES, SELLER, TREATMENTS, snapshot
from tests.conformance.statuses import statuses

from ledgerbee.network.model import EInvoiceFormat, MessageType
from ledgerbee.network.transport.as4 import As4Transport
from ledgerbee.network.transport.model import Message, TransportFailedError, TransportRefusedError
from ledgerbee.sales.documents.model import DocumentKind
from ledgerbee.sales.einvoices.writing import write

_SBDH = "{http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader}"


def _message() -> Message:
    content = snapshot(DocumentKind.INVOICE, SELLER, BUYER, "DKK", LINES["thirds"], TREATMENTS["standard"])
    return Message(
        id=UUID("0198f0a4-3d1c-7c5e-8a54-6d0f1f2b7c01"),
        document_type=MessageType.INVOICE,
        number=content["number"],
        form=EInvoiceFormat.PEPPOL,
        sender="0184:13585628",
        receiver="0088:5798009811578",
        sender_country="DK",
        content=write(content, EInvoiceFormat.PEPPOL),
    )


def _status() -> Message:
    """A Message Level Status, which goes from one access point to the other."""
    xml = dict(statuses())["unreadable"]
    return replace(
        _message(),
        id=UUID(int=8),
        document_type=MessageType.MESSAGE_LEVEL_STATUS,
        number="m-1",
        sender="0242:000123",
        receiver="0242:000456-BILLING.test-1",
        content=xml,
    )


def _canonical(xml: Any) -> bytes:
    return bytes(etree.tostring(xml, method="c14n2"))


async def _outcome(transport: As4Transport, message: Message) -> str:
    try:
        receipt = await transport.send(message)
    except TransportRefusedError as fault:
        return f"refused: {fault}"
    except TransportFailedError as fault:
        return f"failed: {fault}"
    return receipt.message


async def _exchange(folder: Path) -> list[str]:
    ours, theirs, strangers = Authority(), Authority("Their root"), Authority("A stranger's root")
    own_key, other_key = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 2048)
    own, other = ours.certify("PDK000001", own_key), theirs.certify("POP000002", other_key)
    party = create_peppol_internal_party("POP000002", other, AS4LocalPrivateKey(other_key))
    point = TestAccessPoint(party, ours)
    message = _message()
    stranger_key = rsa.generate_private_key(65537, 2048)
    stranger = strangers.certify("PDK000001", stranger_key)
    other_receiver = theirs.certify("POP000002", stranger_key)
    seen: list[bytes] = []
    expired = ours.certify("PDK000001", own_key, days=0)
    async with point.opened():
        url = point.url
        good = As4Transport(url, write_keys(folder / "good", own_key, own, other), timeout_s=20)
        faults: list[str] = []
        for one in (message, _status()):
            point.got.clear()
            faults += _faults_of_exchange([await _outcome(good, one) for _ in range(2)], point, one)
        tried = {
            "a receipt that got lost": (good, lambda _: None, "failed"),
            "a receipt that was changed": (good, lambda signal: signal.replace(b"Id>", b"Id> ", 1), "failed"),
            "an answer that is none": (good, lambda _: b"<html/>", "failed"),
            "a receipt of another message": (good, lambda signal: _first(signal, seen), None),
            "a certificate of a stranger": (
                As4Transport(url, write_keys(folder / "stranger", stranger_key, stranger, other)), _same, "refused"),
            "a receipt signed by another key": (
                As4Transport(url, write_keys(folder / "receiver", own_key, own, other_receiver)), _same, "failed"),
            "an expired certificate": (
                As4Transport(url, write_keys(folder / "expired", own_key, expired, other)), _same, "failed"),
            "a key of another certificate": (
                As4Transport(url, write_keys(folder / "key", stranger_key, own, other)), _same, "failed"),
            "no keys": (As4Transport(url, folder / "nowhere"), _same, "failed"),
        }  # fmt: skip
        for name, (transport, spoil, expected) in tried.items():
            point.spoil = spoil
            outcome = await _outcome(transport, message)
            if expected is None:  # the receipt of that message is shown for another one
                outcome = await _outcome(transport, replace(message, id=UUID(int=7)))
            if not outcome.startswith(expected or "failed"):
                faults.append(f"AS4: {name}: {outcome}")
    return faults


def _same(signal: bytes) -> bytes:
    return signal


def _first(signal: bytes, first: list[bytes]) -> bytes:
    first.append(signal)
    return first[0]


def _faults_of_exchange(outcomes: list[str], point: TestAccessPoint, message: Message) -> Iterator[str]:
    """What is wrong with a message that was sent twice, as after a lost receipt."""
    if outcomes != ["Acknowledged by a signed receipt"] * 2:
        yield f"AS4: {outcomes}"
    if [exchange.message_id for exchange in point.got] != [f"{message.id}@ledgerbee"] * 2:
        yield "AS4: the message's id isn't the same each time"
    for exchange in point.got:
        payload = etree.fromstring(next(iter(exchange.message.decrypted_data.values())))
        header, document = payload
        if _canonical(document) != _canonical(etree.fromstring(message.content)):
            yield "AS4: another document came in"
        if header.findtext(f"{_SBDH}DocumentIdentification/{_SBDH}InstanceIdentifier") != str(message.id):
            yield "AS4: the envelope has another id"
        if (exchange.message.sender, exchange.message.recipient) != (message.sender, message.receiver):
            yield "AS4: other participants"


def faults() -> list[str]:
    """What is wrong with sending by AS4; nothing, one hopes."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_exchange(Path(folder)))
