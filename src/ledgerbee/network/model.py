"""What goes over the networks of e-invoices, and what the formats call themselves."""

from enum import StrEnum
from typing import Final


class EInvoiceFormat(StrEnum):
    """The formats that documents are written in."""

    PEPPOL = "peppol"
    OIOUBL = "oioubl"


class MessageType(StrEnum):
    """What a message carries: a document, the receiver's answer to one, or an access point's word on a message."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    APPLICATION_RESPONSE = "application_response"
    INVOICE_RESPONSE = "invoice_response"
    MESSAGE_LEVEL_STATUS = "message_level_status"


OIOUBL_VERSION: Final = "2.1"
OIOUBL_CUSTOMIZATION: Final = "OIOUBL-2.1"
OIOUBL_PROFILE: Final = "urn:www.nesubl.eu:profiles:profile5:ver2.0"
PEPPOL_CUSTOMIZATION: Final = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PEPPOL_PROFILE: Final = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
INVOICE_RESPONSE_CUSTOMIZATION: Final = "urn:fdc:peppol.eu:poacc:trns:invoice_response:3"
INVOICE_RESPONSE_PROFILE: Final = "urn:fdc:peppol.eu:poacc:bis:invoice_response:3"
MESSAGE_LEVEL_STATUS_CUSTOMIZATION: Final = "urn:peppol:edec:mls:1.0"
MESSAGE_LEVEL_STATUS_PROFILE: Final = "urn:peppol:edec:mls"
#: Access points among the participants of Peppol (Service Provider Identification Scheme).
ACCESS_POINTS: Final = "0242"
