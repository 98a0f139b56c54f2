"""An access point that takes e-invoices by AS4, with a certificate authority of its own.

It is the `as4` package's receiving half: it checks our certificate against the authority, the signature and what it
covers, decrypts, and answers with a signed receipt.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from as4.peppol import parse_peppol_message, peppol_security_policy
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


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

    __test__ = False  # its name is that of what it is, and no test's

    party: Any
    authority: Authority
    got: list[Any] = field(default_factory=list)
    #: What came over the wire.
    bodies: list[bytes] = field(default_factory=list)
    spoil: Callable[[bytes], bytes | None] = lambda signal: signal
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One message over HTTP, and the signal that answers it."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[1:-2]
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head)}
        body = await reader.readexactly(int(fields["content-length"]))
        self.bodies.append(body)
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

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["TestAccessPoint"]:
        """Serve at `url`."""
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/as4"
        async with server:
            yield self


def write_keys(folder: Path, key: rsa.RSAPrivateKey, own: Any, receiver: Any) -> Path:
    """The folder that `As4Transport` wants: our key and certificate, and the other side's certificate."""
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    folder.mkdir()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    (folder / "certificate.pem").write_bytes(own.public_bytes(pem))
    (folder / "receiver.pem").write_bytes(receiver.public_bytes(pem))
    return folder
