"""E-invoices to another access point by AS4, in Peppol's profile: signed, encrypted, acknowledged by a signed receipt.

The `as4` package (the extra of that name) builds messages and checks receipts. It wraps the document in a Standard
Business Document and writes it anew there, so what is kept and hashed is our own document, before. It knows neither
duplicates nor repetition: each document keeps the id of its message, by which the other side tells that it has it.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import structlog

from ledgerbee.network.transport.model import Message, Receipt, TransportFailedError, TransportRefusedError

TIMEOUT_S: Final = 60.0
#: Bytes of a receipt at most.
_MOST_RECEIPT: Final = 1024 * 1024
#: ebMS errors that say to come back: the other side's own trouble (EBMS:0004 other, 0202 delivery failure).
_PASSING: Final = frozenset({"EBMS:0004", "EBMS:0005", "EBMS:0202", "EBMS:0301", "EBMS:0302"})
_DOMAIN: Final = "ledgerbee"

log = structlog.get_logger("ledgerbee.e_invoices")


@dataclass(frozen=True)
class As4Transport:
    """Sends each e-invoice to the access point at `url`.

    `folder` has `key.pem` and `certificate.pem`, our own, and `receiver.pem`, the certificate of that access point,
    which has to sign its receipts. Access points are named by the common names of their certificates.
    """

    url: str
    folder: Path
    timeout_s: float = TIMEOUT_S

    async def send(self, message: Message) -> Receipt:
        """Send a message, and see its receipt. Raises `TransportRefusedError` and `TransportFailedError`."""
        exchange, headers, body = await asyncio.to_thread(self._build, message)
        status, answer = await self._post(headers, body)
        return await asyncio.to_thread(_receipt, exchange, status, answer)

    def _build(self, message: Message) -> tuple[Any, dict[str, str], bytes]:
        from as4 import AS4References  # noqa: PLC0415  the extra: only who sends by AS4 has it
        from as4.peppol import (  # noqa: PLC0415
            BusdoxDocidQnsDocumentIdentifier,
            PeppolAS4MessageBuilderArgs,
            PeppolAS4Profile,
            PeppolSendingExchange,
        )

        local, remote = self._parties
        exchange = PeppolSendingExchange(
            profile=PeppolAS4Profile,
            local_party=local,
            remote_party=remote,
            # A receipt that got lost is asked for again under the same id.
            identifiers=AS4References(message_id=f"{message.id}@{_DOMAIN}", conversation_id=str(message.id)),
        )
        arguments = PeppolAS4MessageBuilderArgs(
            sender=message.sender,
            recipient=message.receiver,
            document_type_identifier=BusdoxDocidQnsDocumentIdentifier.from_identifier_value(message.document_type_id),
            document_identification_instance_identifier=str(message.id),
            process_identifier=message.process_id,
            c1_country_id=message.sender_country,
        )
        headers, body = exchange.build(message.content, arguments)
        return exchange, headers, body

    @cached_property
    def _parties(self) -> tuple[Any, Any]:
        """We and the other side. Raises `TransportFailedError` where the keys can't be used."""
        from as4 import AS4LocalPrivateKey  # noqa: PLC0415
        from as4.peppol import create_peppol_external_party, create_peppol_internal_party  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

        try:
            key = load_pem_private_key((self.folder / "key.pem").read_bytes(), password=None)
            own, other = (_certificate(self.folder / name) for name in ("certificate.pem", "receiver.pem"))
        except (OSError, ValueError, TypeError) as fault:  # not there, no PEM, a key with a password
            # Where the keys are, and what is wrong with them, is the operator's to know, and no company's.
            log.warning("e_invoices.keys_failed", folder=str(self.folder), error=f"{type(fault).__name__}: {fault}")
            raise TransportFailedError("The keys of the access point can't be read") from None
        if not isinstance(key, RSAPrivateKey) or key.public_key() != own.public_key():
            raise TransportFailedError("key.pem is not the RSA key of certificate.pem")
        return (
            create_peppol_internal_party(_name(own), own, AS4LocalPrivateKey(key)),
            create_peppol_external_party(_name(other), other),
        )

    async def _post(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        import httpx  # noqa: PLC0415

        try:
            async with (
                asyncio.timeout(self.timeout_s),
                httpx.AsyncClient(timeout=self.timeout_s, follow_redirects=False, trust_env=False) as http,
                http.stream("POST", self.url, content=body, headers=headers) as answer,
            ):
                content = bytearray()
                async for part in answer.aiter_bytes():
                    content += part
                    if len(content) > _MOST_RECEIPT:
                        raise TransportFailedError("The receipt is too long")
                return answer.status_code, bytes(content)
        except TimeoutError:
            raise TransportFailedError(f"No receipt came within {self.timeout_s:g} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            raise TransportFailedError(f"{type(fault).__name__}: {fault}") from fault


def _receipt(exchange: Any, status: int, answer: bytes) -> Receipt:
    """What the answer proves. Raises `TransportRefusedError` and `TransportFailedError`."""
    try:
        exchange.receive_signal(answer)
    except Exception as fault:  # forged, of another message, no receipt at all: the package has no common class
        raise TransportFailedError(
            f"{status}: the answer is no receipt of this message: {type(fault).__name__}: {fault}"
        ) from fault
    error = exchange.error
    if error is not None:
        detail = error.error_detail.value if error.error_detail else ""
        text = f"{error.error_code} {error.short_description or ''}: {detail}"
        raise (TransportFailedError if error.error_code in _PASSING else TransportRefusedError)(text)
    return Receipt("Acknowledged by a signed receipt", exchange.message_id)


def _certificate(path: Path) -> Any:
    """A certificate that is valid now. Raises `OSError`, `ValueError`."""
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415

    found = load_pem_x509_certificate(path.read_bytes())
    if not found.not_valid_before_utc <= datetime.now(UTC) <= found.not_valid_after_utc:
        raise ValueError(f"{path.name} is not valid today")
    return found


def _name(certificate: Any) -> str:
    """The common name of who a certificate is for."""
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(name.value)
