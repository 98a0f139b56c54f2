"""E-invoices by AS4 to an access point of its own, with its own certificate authority: `make conformance`.

The other side is the `as4` package's receiving half: it checks our certificate against the authority, the signature and
what it covers, decrypts, and answers with a signed receipt. What went over is compared with the bytes that are kept.
"""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from as4 import AS4LocalPrivateKey
from as4.peppol import create_peppol_internal_party, parse_peppol_message, peppol_security_policy
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from tests.conformance.grid import BUYER, LINES, SELLER, TREATMENTS, snapshot
from tests.conformance.statuses import statuses

from ledgerbee.network.model import EInvoiceFormat, MessageType
from ledgerbee.network.transport.as4 import As4Transport
from ledgerbee.network.transport.model import Message, TransportFailedError, TransportRefusedError
from ledgerbee.sales.documents.model import DocumentKind
from ledgerbee.sales.einvoices.writing import write

_SBDH = "{http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader}"


@dataclass
class Authority:
    """A certificate authority, and the keys that it has certified."""

    name: str = "Test root"
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def __post_init__(self) -> None:
        self.certificate = self.certify(self.name, self.key, is_authority=True)

    def certify(self, name: str, key: rsa.RSAPrivateKey, *, is_authority: bool = False, days: int = 2) -> Any:
        """A certificate for a key under a name, valid since yesterday for so many days."""

        def named(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        start = datetime.now(UTC) - timedelta(days=1)
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        return builder.sign(self.key, hashes.SHA256())


@dataclass
class TestAccessPoint:
    """Takes messages, as an access point that trusts the authority does; `spoil` changes what it answers."""

    party: Any
    authority: Authority
    got: list[Any] = field(default_factory=list)
    spoil: Callable[[bytes], bytes | None] = lambda signal: signal
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One message over HTTP, and the signal that answers it."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[1:-2]
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head)}
        body = await reader.readexactly(int(fields["content-length"]))
        exchange = parse_peppol_message(
            request_headers={"Content-Type": fields["content-type"]},
            request_body=body,
            local_party=self.party,
            security_policy=peppol_security_policy(self.authority.certificate),
        )
        self.got.append(exchange)
        _, signal = exchange.build_signal()
        answer = self.spoil(signal)
        if answer is not None:
            writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(answer)}\r\nconnection: close\r\n\r\n".encode())
            writer.write(answer)
            await writer.drain()
        writer.close()


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


def _write_keys(folder: Path, key: rsa.RSAPrivateKey, own: Any, receiver: Any) -> Path:
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    folder.mkdir()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    (folder / "certificate.pem").write_bytes(own.public_bytes(pem))
    (folder / "receiver.pem").write_bytes(receiver.public_bytes(pem))
    return folder


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
    server = await asyncio.start_server(point.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/as4"
    message = _message()
    good = As4Transport(url, _write_keys(folder / "good", own_key, own, other), timeout_s=20)
    stranger_key = rsa.generate_private_key(65537, 2048)
    stranger = strangers.certify("PDK000001", stranger_key)
    other_receiver = theirs.certify("POP000002", stranger_key)
    seen: list[bytes] = []
    expired = ours.certify("PDK000001", own_key, days=0)
    async with server:
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
                As4Transport(url, _write_keys(folder / "stranger", stranger_key, stranger, other)), _same, "refused"),
            "a receipt signed by another key": (
                As4Transport(url, _write_keys(folder / "receiver", own_key, own, other_receiver)), _same, "failed"),
            "an expired certificate": (
                As4Transport(url, _write_keys(folder / "expired", own_key, expired, other)), _same, "failed"),
            "a key of another certificate": (
                As4Transport(url, _write_keys(folder / "key", stranger_key, own, other)), _same, "failed"),
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
