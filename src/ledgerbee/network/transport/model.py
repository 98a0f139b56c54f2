"""What a transport of e-invoices is given, and what it answers.

A transport knows nothing of companies and databases: it gets a message with its bytes and hands them on as they are.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from ledgerbee.network.model import (
    INVOICE_RESPONSE_CUSTOMIZATION,
    INVOICE_RESPONSE_PROFILE,
    MESSAGE_LEVEL_STATUS_CUSTOMIZATION,
    MESSAGE_LEVEL_STATUS_PROFILE,
    OIOUBL_CUSTOMIZATION,
    OIOUBL_PROFILE,
    PEPPOL_CUSTOMIZATION,
    PEPPOL_PROFILE,
    EInvoiceFormat,
    MessageType,
)

#: The roots of UBL documents.
_ROOTS: Final[Mapping[MessageType, str]] = {
    MessageType.INVOICE: "Invoice",
    MessageType.CREDIT_NOTE: "CreditNote",
    MessageType.APPLICATION_RESPONSE: "ApplicationResponse",
    MessageType.INVOICE_RESPONSE: "ApplicationResponse",
    MessageType.MESSAGE_LEVEL_STATUS: "ApplicationResponse",
}
_UBL: Final = "2.1"
#: Seconds that a message may take to be handed over: shorter than a claim of a job on it lasts.
SEND_TIMEOUT_S: Final = 120
#: Customization and profile.
_FORMATS: Final[Mapping[EInvoiceFormat, tuple[str, str]]] = {
    EInvoiceFormat.PEPPOL: (PEPPOL_CUSTOMIZATION, PEPPOL_PROFILE),
    EInvoiceFormat.OIOUBL: (OIOUBL_CUSTOMIZATION, OIOUBL_PROFILE),
}
#: Those of messages that are of one kind in whatever format.
_OWN: Final[Mapping[MessageType, tuple[str, str]]] = {
    MessageType.INVOICE_RESPONSE: (INVOICE_RESPONSE_CUSTOMIZATION, INVOICE_RESPONSE_PROFILE),
    MessageType.MESSAGE_LEVEL_STATUS: (MESSAGE_LEVEL_STATUS_CUSTOMIZATION, MESSAGE_LEVEL_STATUS_PROFILE),
}


@dataclass(frozen=True, slots=True)
class Message:
    """A document, an answer to one, or a status of a message, on its way.

    `id` is the same each time it is handed over; sender and receiver are participants of the network, `0184:13585628`.
    `number` is the document's; of a Message Level Status it is the id of the message that it is about.
    """

    id: UUID
    document_type: MessageType
    number: str
    form: EInvoiceFormat
    sender: str
    receiver: str
    sender_country: str
    content: bytes

    @property
    def digest(self) -> bytes:
        """SHA-256 of the content."""
        return digest_of(self.content)

    @property
    def document_type_id(self) -> str:
        """What the network calls documents of this kind and format (scheme `busdox-docid-qns`)."""
        root = _ROOTS[self.document_type]
        namespace = f"urn:oasis:names:specification:ubl:schema:xsd:{root}-2"
        return f"{namespace}::{root}##{self._names[0]}::{_UBL}"

    @property
    def process_id(self) -> str:
        """What the network calls the process that it belongs to."""
        return self._names[1]

    @property
    def _names(self) -> tuple[str, str]:
        return _OWN.get(self.document_type) or _FORMATS[self.form]


def digest_of(content: bytes) -> bytes:
    """SHA-256 of a document's bytes."""
    return sha256(content).digest()


class Receipt(NamedTuple):
    """The other side has it: its answer in words, and its own id for it, if it told one."""

    message: str
    provider_id: str | None = None


class TransportRefusedError(Exception):
    """The other side refused the message for good: trying again is no use."""


class TransportFailedError(Exception):
    """The other side is away, didn't let us in, or asked to come back later: worth another try."""


class TransportNotConfiguredError(Exception):
    """There is no way for e-invoices to leave."""


#: What transports raise, in words for the company.
FORESEEN: Final = (TransportFailedError, TransportNotConfiguredError, TransportRefusedError)
#: Those that another try may not meet again.
PASSING: Final = (TransportFailedError, TransportNotConfiguredError)


class Transport(Protocol):
    """A way for e-invoices to leave."""

    async def send(self, message: Message) -> Receipt:
        """Hand a message on, as often as it takes: the other side knows it by its id.

        Raises `TransportRefusedError` and `TransportFailedError`.
        """
        ...


async def hand_over(transport: Transport, message: Message) -> Receipt:
    """Hand a message on within `SEND_TIMEOUT_S`. Raises what `FORESEEN` has."""
    try:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            return await transport.send(message)
    except TimeoutError:
        raise TransportFailedError(f"Handing it over took more than {SEND_TIMEOUT_S} seconds") from None


class Nowhere:
    """What sandboxes send e-invoices by: they go nowhere, and count as received."""

    async def send(self, message: Message) -> Receipt:  # noqa: ARG002
        """The receipt of what was not sent."""
        return Receipt("Not sent: the company is a sandbox")


class NoTransport:
    """Where no way is set."""

    async def send(self, message: Message) -> Receipt:  # noqa: ARG002
        """Raises `TransportNotConfiguredError`."""
        raise TransportNotConfiguredError("No way for e-invoices to leave is set")
