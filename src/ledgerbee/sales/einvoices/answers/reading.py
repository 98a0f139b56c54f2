"""An answer's XML to what it says: UBL 2.1's ApplicationResponse, as OIOUBL and Peppol use it.

The parser refuses document types, so there are no entities to expand or fetch; depth and number of elements are
bounded.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final
from xml.parsers import expat

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.texts import readable
from ledgerbee.network.xml import AGGREGATES, BASICS
from ledgerbee.sales.documents.model import DocumentKind
from ledgerbee.sales.einvoices.answers.model import (
    E_INVOICE_RESPONSE_UNREADABLE,
    MAX_BYTES,
    AnswerKind,
    PartyNumber,
    ReadAnswer,
)

_ROOT: Final = "urn:oasis:names:specification:ubl:schema:xsd:ApplicationResponse-2 ApplicationResponse"
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
    texts = _Texts.of(content)
    customization = texts.one("CustomizationID")
    kind = next((kind for start, kind in _KINDS.items() if customization.startswith(start)), None)
    if kind is None:
        raise _unreadable("CustomizationID is none of OIOUBL's or Peppol's answers to invoices")
    if texts.counts.get(_RESPONSE, 0) != 1 or texts.counts.get(f"{_RESPONSE}/DocumentReference", 0) != 1:
        raise _unreadable("there has to be one DocumentResponse with one DocumentReference")
    reasons = [seen for path in _REASONS for text in texts.all(path) if (seen := readable(text, _LONGEST_TEXT))]
    return ReadAnswer(
        kind=kind,
        code=_bounded(texts.one(f"{_RESPONSE}/Response/ResponseCode"), _LONGEST_CODE, "ResponseCode"),
        text="\n".join(dict.fromkeys(reasons))[:_LONGEST_TEXT] or None,
        issue_date=_day(texts.one("IssueDate")),
        reference=_bounded(texts.one(f"{_RESPONSE}/DocumentReference/ID"), _LONGEST_REFERENCE, "DocumentReference/ID"),
        document_type=_DOCUMENT_TYPES.get(next(iter(texts.all(f"{_RESPONSE}/DocumentReference/DocumentTypeCode")), "")),
        receivers=tuple(dict.fromkeys(one for path in _RECEIVERS for one in texts.numbers(path))),
        document_uuid=next(iter(texts.all(f"{_RESPONSE}/DocumentReference/UUID")), None),
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


class _Texts:
    """The texts of an answer by the path of their element below the root, and how many aggregates there are of a path.

    A text is that of a basic element in aggregates; what has another namespace, or the wrong one of the two, is not
    read, whatever its name.
    """

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._found: dict[str, list[str]] = {}
        self._path: list[str] = []
        self._texts: list[list[str]] = []
        self._schemes: list[str] = []
        self._numbers: dict[str, list[PartyNumber]] = {}
        self._elements = 0

    @classmethod
    def of(cls, content: bytes) -> "_Texts":
        """Raises `E_INVOICE_RESPONSE_UNREADABLE` for what isn't XML, has a document type, or is too much."""
        if len(content) > MAX_BYTES:
            raise _unreadable(f"it is longer than {MAX_BYTES} bytes")
        texts = cls()
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.StartElementHandler = texts._begin
        parser.EndElementHandler = texts._end
        parser.CharacterDataHandler = texts._add
        try:
            parser.Parse(content, True)
        except (expat.ExpatError, LookupError, ValueError) as fault:  # no XML, or in no encoding that there is
            raise _unreadable(f"it is no XML: {fault}") from None
        return texts

    def all(self, path: str) -> list[str]:
        """The texts of all elements of a path that have any."""
        return self._found.get(path, [])

    def numbers(self, path: str) -> list[PartyNumber]:
        """The texts of a path with the schemes that they say."""
        return self._numbers.get(path, [])

    def one(self, path: str) -> str:
        """The text of the one element of a path. Raises `E_INVOICE_RESPONSE_UNREADABLE`."""
        found = self.all(path)
        if len(found) != 1:
            raise _unreadable(f"there has to be one {path}")
        return found[0]

    def _begin(self, name: str, attributes: Mapping[str, str]) -> None:
        self._elements += 1
        if not self._path and name != _ROOT:
            raise _unreadable("its root is no ApplicationResponse of UBL 2")
        if self._elements > _MOST_ELEMENTS or len(self._path) >= _DEEPEST:
            raise _unreadable("it has too many elements, or lies too deep")
        namespace, _, local = name.rpartition(" ")
        is_aggregate = namespace == AGGREGATES
        self._path.append(local if is_aggregate else name)
        self._texts.append([])
        self._schemes.append(attributes.get("schemeID", ""))
        if is_aggregate:
            path = "/".join(self._path[1:])
            self.counts[path] = self.counts.get(path, 0) + 1

    def _add(self, text: str) -> None:
        self._texts[-1].append(text)

    def _end(self, name: str) -> None:
        namespace, _, local = name.rpartition(" ")
        self._path.pop()
        text = " ".join("".join(self._texts.pop()).split())
        scheme = self._schemes.pop()
        if text and namespace == BASICS:
            path = "/".join((*self._path[1:], local))
            self._found.setdefault(path, []).append(text)
            self._numbers.setdefault(path, []).append(PartyNumber(scheme, text))


def _refuse_doctype(*_: object) -> None:
    raise _unreadable("it has a document type, which is not read")
