"""Answers to documents of others, as XML: facts in, bytes out (BEK 97 of 2023, annex 2.1 and 2.2).

OIOUBL has one answer, the ApplicationResponse. Peppol has two: the receiver's Invoice Response (BIS 3, transaction
T111), and the Message Level Status, by which one access point tells another what became of a message.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final

from ledgerbee.core.texts import readable
from ledgerbee.network.identifiers import printed, scheme_id
from ledgerbee.network.model import (
    ACCESS_POINTS,
    INVOICE_RESPONSE_CUSTOMIZATION,
    INVOICE_RESPONSE_PROFILE,
    MESSAGE_LEVEL_STATUS_CUSTOMIZATION,
    MESSAGE_LEVEL_STATUS_PROFILE,
    OIOUBL_CUSTOMIZATION,
    OIOUBL_PROFILE,
    OIOUBL_VERSION,
    EInvoiceFormat,
    MessageType,
)
from ledgerbee.network.xml import kept, leaf, node, root
from ledgerbee.parties.endpoints import Identifier, Scheme, in_network

_ROOT: Final = "ApplicationResponse"
_AGENCY: Final = "320"
_GS1: Final = "9"
#: The profile of an answer that is about no business: it was no document, or one of a process that isn't taken.
_NO_PROFILE: Final = "NONE"
#: What kinds of documents are called: by OIOUBL, and by UNTDID 1001.
_NAMES: Final = {MessageType.INVOICE: "Invoice", MessageType.CREDIT_NOTE: "CreditNote"}
_CODES: Final = {MessageType.INVOICE: "380", MessageType.CREDIT_NOTE: "381"}


class OioublCode(StrEnum):
    """What an ApplicationResponse may say (OIOUBL's list `responsecode-1.1`)."""

    BUSINESS_ACCEPT = "BusinessAccept"
    BUSINESS_REJECT = "BusinessReject"
    PROFILE_REJECT = "ProfileReject"
    TECHNICAL_REJECT = "TechnicalReject"


class PeppolCode(StrEnum):
    """What an Invoice Response may say (Peppol's part of UNCL 4343)."""

    RECEIVED = "AB"
    IN_PROCESS = "IP"
    UNDER_QUERY = "UQ"
    CONDITIONALLY_ACCEPTED = "CA"
    REJECTED = "RE"
    ACCEPTED = "AP"
    PAID = "PD"


class StatusCode(StrEnum):
    """What a Message Level Status may say: delivered for certain, delivered as far as is known, not delivered."""

    ACCEPTED = "AP"
    ACKNOWLEDGED = "AB"
    REJECTED = "RE"


class IssueCode(StrEnum):
    """What is wrong with a message: its syntax, a rule (an error, a warning), or it couldn't be delivered."""

    SYNTAX = "SV"
    RULE = "BV"
    WARNING = "BW"
    DELIVERY = "FD"


@dataclass(frozen=True, slots=True)
class AnsweringParty:
    """Who answers, or is answered."""

    name: str
    endpoint: Identifier


@dataclass(frozen=True, slots=True)
class AnsweredDocument:
    """The document that is answered, as it names itself: an invoice or a credit note.

    `type_code` is its own of UNTDID 1001 (a prepayment, a correction, ...), None where it is the usual one.
    """

    document_type: MessageType
    number: str
    issue_date: date | None = None
    uuid: str | None = None
    type_code: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer itself: its own id, when it is given, and between whom."""

    id: str
    at: datetime
    sender: AnsweringParty
    receiver: AnsweringParty


@dataclass(frozen=True, slots=True)
class Issue:
    """Something that is wrong with a message, and where in it (an XPath, or `NA`)."""

    code: IssueCode
    location: str
    text: str


def application_response(reply: Reply, document: AnsweredDocument, code: OioublCode, text: str | None = None) -> bytes:
    """An ApplicationResponse of OIOUBL 2.1. A rejection says why: raises `ValueError` without a text."""
    _require_text(is_rejected=code is not OioublCode.BUSINESS_ACCEPT, text=text)
    is_business = code in {OioublCode.BUSINESS_ACCEPT, OioublCode.BUSINESS_REJECT}
    profile = OIOUBL_PROFILE if is_business else _NO_PROFILE
    at = reply.at.astimezone(UTC)
    return root(
        _ROOT,
        leaf("UBLVersionID", OIOUBL_VERSION),
        leaf("CustomizationID", OIOUBL_CUSTOMIZATION),
        leaf("ProfileID", profile, schemeAgencyID=_AGENCY, schemeID="urn:oioubl:id:profileid-1.2"),
        leaf("ID", reply.id),
        leaf("IssueDate", at.date().isoformat()),
        leaf("IssueTime", f"{at:%H:%M:%S}Z"),
        node("SenderParty", _oioubl_party(reply.sender)),
        node("ReceiverParty", _oioubl_party(reply.receiver)),
        node(
            "DocumentResponse",
            node(
                "Response",
                leaf("ReferenceID", "1"),
                leaf("ResponseCode", code, listAgencyID=_AGENCY, listID="urn:oioubl:codelist:responsecode-1.1"),
                leaf("Description", text),
            ),
            node(
                "DocumentReference",
                kept("ID", document.number),
                leaf("UUID", document.uuid),
                leaf("IssueDate", document.issue_date.isoformat() if document.issue_date else None),
                leaf(
                    "DocumentTypeCode",
                    _NAMES[document.document_type],
                    listAgencyID=_AGENCY,
                    listID="urn:oioubl:codelist:responsedocumenttypecode-1.1",
                ),
            ),
        ),
    )


def invoice_response(
    reply: Reply, document: AnsweredDocument, code: PeppolCode, text: str | None = None, reason: str = "OTH"
) -> bytes:
    """A Peppol Invoice Response. `reason` is a code of OPStatusReason (`OTH`: as the text says).

    A rejection, a question and a condition say why: raises `ValueError` without a text.
    """
    needs_text = code in {PeppolCode.REJECTED, PeppolCode.UNDER_QUERY, PeppolCode.CONDITIONALLY_ACCEPTED}
    _require_text(is_rejected=needs_text, text=text)
    at = reply.at.astimezone(UTC)
    status = node("Status", leaf("StatusReasonCode", reason, listID="OPStatusReason"), leaf("StatusReason", text))
    return root(
        _ROOT,
        leaf("CustomizationID", INVOICE_RESPONSE_CUSTOMIZATION),
        leaf("ProfileID", INVOICE_RESPONSE_PROFILE),
        leaf("ID", reply.id),
        leaf("IssueDate", at.date().isoformat()),
        leaf("IssueTime", f"{at:%H:%M:%S}Z"),
        node("SenderParty", _peppol_party(reply.sender)),
        node("ReceiverParty", _peppol_party(reply.receiver)),
        node(
            "DocumentResponse",
            node("Response", leaf("ResponseCode", code), status if text else ""),
            node(
                "DocumentReference",
                kept("ID", document.number),
                leaf("IssueDate", document.issue_date.isoformat() if document.issue_date else None),
                leaf("DocumentTypeCode", document.type_code or _CODES[document.document_type]),
            ),
        ),
    )


def message_level_status(
    reply_id: str,
    at: datetime,
    between: tuple[str, str],
    message_id: str,
    code: StatusCode,
    text: str | None = None,
    issues: Sequence[Issue] = (),
) -> bytes:
    """A Peppol Message Level Status 1.0 on the message of this id (the instance identifier of its envelope).

    `between` are the answering access point and the one that sent the message, by their provider ids: six digits, or
    those with what the provider says of its own parts (`000456-BILLING`). A rejection has a text and an issue that
    isn't a warning, anything else has none such: raises `ValueError` otherwise.
    """
    is_rejected = code is StatusCode.REJECTED
    _require_text(is_rejected=is_rejected, text=text)
    if any(issue.code is not IssueCode.WARNING for issue in issues) is not is_rejected:
        raise ValueError("a rejection names what is wrong, and nothing else does")
    at = at.astimezone(UTC)
    sender, receiver = between
    return root(
        _ROOT,
        leaf("CustomizationID", MESSAGE_LEVEL_STATUS_CUSTOMIZATION),
        leaf("ProfileID", MESSAGE_LEVEL_STATUS_PROFILE),
        leaf("ID", reply_id),
        leaf("IssueDate", at.date().isoformat()),
        leaf("IssueTime", f"{at:%H:%M:%S}Z"),
        node("SenderParty", leaf("EndpointID", sender, schemeID=ACCESS_POINTS)),
        node("ReceiverParty", leaf("EndpointID", receiver, schemeID=ACCESS_POINTS)),
        node(
            "DocumentResponse",
            node("Response", leaf("ResponseCode", code), leaf("Description", text)),
            node("DocumentReference", leaf("ID", message_id)),
            *[_issue(issue) for issue in issues],
        ),
    )


def _issue(issue: Issue) -> str:
    status = node("Status", leaf("StatusReasonCode", issue.code))
    return node(
        "LineResponse",
        node("LineReference", leaf("LineID", issue.location)),
        node("Response", leaf("Description", issue.text), status),
    )


def _require_text(*, is_rejected: bool, text: str | None) -> None:
    if is_rejected and not readable(text or "", 1):
        raise ValueError("whoever is refused is told why")


def _oioubl_party(party: AnsweringParty) -> str:
    form = EInvoiceFormat.OIOUBL
    agency = _GS1 if party.endpoint.scheme == Scheme.GLN else None
    number, scheme = printed(party.endpoint, form), scheme_id(party.endpoint.scheme, form)
    return "".join(
        (
            leaf("EndpointID", number, schemeAgencyID=agency, schemeID=scheme),
            node("PartyIdentification", leaf("ID", number, schemeAgencyID=agency, schemeID=scheme)),
            node("PartyName", leaf("Name", party.name)),
        )
    )


def _peppol_party(party: AnsweringParty) -> str:
    endpoint = leaf("EndpointID", in_network(party.endpoint), schemeID=party.endpoint.scheme)
    return endpoint + node("PartyLegalEntity", leaf("RegistrationName", party.name))
