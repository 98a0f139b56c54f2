"""An answer's XML to what it says: UBL 2.1's ApplicationResponse, as OIOUBL and Peppol use it."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.texts import readable
from ledgerbee.network.ubl import Element, UnreadableXmlError, parse
from ledgerbee.sales.documents.model import DocumentKind
from ledgerbee.sales.einvoices.answers.model import (
    E_INVOICE_RESPONSE_UNREADABLE,
    MAX_BYTES,
    AnswerKind,
    PartyNumber,
    ReadAnswer,
)

_ROOT: Final = ("ApplicationResponse", "urn:oasis:names:specification:ubl:schema:xsd:ApplicationResponse-2")
_MOST_ELEMENTS: Final = 20_000
_DEEPEST: Final = 40
#: How the customization of each kind begins.
_KINDS: Final[Mapping[str, AnswerKind]] = {
    "OIOUBL": AnswerKind.APPLICATION_RESPONSE,
    "urn:fdc:peppol.eu:poacc:trns:invoice_response:": AnswerKind.INVOICE_RESPONSE,
    "urn:fdc:peppol.eu:poacc:trns:mlr:": AnswerKind.MESSAGE_LEVEL_RESPONSE,
    "urn:peppol:edec:mls:": AnswerKind.MESSAGE_LEVEL_STATUS,
}
#: UNTDID 1001 in Peppol, names in OIOUBL.
_DOCUMENT_TYPES: Final[Mapping[str, DocumentKind]] = {
    "380": DocumentKind.INVOICE,
    "Invoice": DocumentKind.INVOICE,
    "381": DocumentKind.CREDIT_NOTE,
    "CreditNote": DocumentKind.CREDIT_NOTE,
}
_RESPONSE: Final = "DocumentResponse"
#: Where the answer gives its reasons.
_REASONS: Final = (
    "DocumentResponse/Response/Description",
    "DocumentResponse/Response/Status/StatusReason",
    "DocumentResponse/LineResponse/Response/Description",
    "DocumentResponse/LineResponse/Response/Status/StatusReason",
    "Note",
)
#: Numbers of whom the answer is for.
_RECEIVERS: Final = (
    "ReceiverParty/EndpointID",
    "ReceiverParty/PartyIdentification/ID",
    "ReceiverParty/PartyTaxScheme/CompanyID",
    "ReceiverParty/PartyLegalEntity/CompanyID",
)
#: Characters of a code, a reference and of all reasons together.
_LONGEST_CODE: Final = 50
_LONGEST_REFERENCE: Final = 200
_LONGEST_TEXT: Final = 4_000
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def read(content: bytes) -> ReadAnswer:
    """What an answer says. Raises `E_INVOICE_RESPONSE_UNREADABLE` with the reason."""
    root = _root(content)
    customization = _one(root, "CustomizationID")
    kind = next((kind for start, kind in _KINDS.items() if customization.startswith(start)), None)
    if kind is None:
        raise _unreadable("CustomizationID is none of OIOUBL's or Peppol's answers to invoices")
    if any(len(root.all(path)) != 1 for path in (_RESPONSE, f"{_RESPONSE}/DocumentReference")):
        raise _unreadable("there has to be one DocumentResponse with one DocumentReference")
    reasons = [seen for path in _REASONS for text in _texts(root, path) if (seen := readable(text, _LONGEST_TEXT))]
    return ReadAnswer(
        kind=kind,
        code=_bounded(_one(root, f"{_RESPONSE}/Response/ResponseCode"), _LONGEST_CODE, "ResponseCode"),
        text="\n".join(dict.fromkeys(reasons))[:_LONGEST_TEXT] or None,
        issue_date=_day(_one(root, "IssueDate")),
        reference=_bounded(_one(root, f"{_RESPONSE}/DocumentReference/ID"), _LONGEST_REFERENCE, "DocumentReference/ID"),
        document_type=_DOCUMENT_TYPES.get(
            next(iter(_texts(root, f"{_RESPONSE}/DocumentReference/DocumentTypeCode")), "")
        ),
        receivers=tuple(dict.fromkeys(one for path in _RECEIVERS for one in _numbers(root, path))),
        document_uuid=next(iter(_texts(root, f"{_RESPONSE}/DocumentReference/UUID")), None),
    )


def _unreadable(reason: str) -> LedgerBeeError:
    return E_INVOICE_RESPONSE_UNREADABLE.error(reason=reason)


def _bounded(text: str, longest: int, name: str) -> str:
    if len(text) > longest:
        raise _unreadable(f"{name} is longer than {longest} characters")
    return text


def _day(text: str) -> date:
    """A day, which may have a time zone behind it. Raises `E_INVOICE_RESPONSE_UNREADABLE`."""
    found = _DATE.match(text)
    try:
        return date.fromisoformat(found[0] if found else "")
    except ValueError:
        raise _unreadable("IssueDate is no date") from None


def _root(content: bytes) -> Element:
    """Raises `E_INVOICE_RESPONSE_UNREADABLE` for what is no answer, isn't read, or is too much."""
    if len(content) > MAX_BYTES:
        raise _unreadable(f"it is longer than {MAX_BYTES} bytes")
    try:
        root = parse(content, _MOST_ELEMENTS, _DEEPEST)
    except UnreadableXmlError as fault:
        raise _unreadable(f"it is no XML that is read: {fault}") from None
    if (root.name, root.namespace) != _ROOT:
        raise _unreadable("its root is no ApplicationResponse of UBL 2")
    return root


def _texts(root: Element, path: str) -> list[str]:
    """The texts, each on one line, of the elements of a path that have any."""
    return [" ".join(text.split()) for one in root.leaves(path) if (text := one.own_text)]


def _numbers(root: Element, path: str) -> list[PartyNumber]:
    """The numbers of a path with the registers that they say."""
    return [
        PartyNumber(one.attributes.get("schemeID", ""), " ".join(text.split()))
        for one in root.leaves(path)
        if (text := one.own_text)
    ]


def _one(root: Element, path: str) -> str:
    """The text of the one element of a path that has any. Raises `E_INVOICE_RESPONSE_UNREADABLE`."""
    found = _texts(root, path)
    if len(found) != 1:
        raise _unreadable(f"there has to be one {path}")
    return found[0]
