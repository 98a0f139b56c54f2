"""What a document says that it is, by its type code (BT-3, UNTDID 1001). Pure."""

from collections.abc import Iterator, Mapping
from typing import Final

from ledgerbee.purchases.incoming_documents.model import DocumentType, Problem, ProblemCode, ReceivedDocument

_INVOICES: Final = (
    "71 80 82 84 102 130 202 203 204 211 218 219 295 325 326 331 380 382 383 384 385 386 387 388 389 390 393 394 395 "
    "456 457 527 553 575 623 633 751 780 817 870 875 876 877 935"
)
_CREDIT_NOTES: Final = "81 83 261 262 296 308 381 396 420 458 502 503 532"
#: Codes that a document of the other type has (EN 16931, BR-CL-01).
_OF_OTHERS: Final[Mapping[DocumentType, frozenset[str]]] = {
    DocumentType.INVOICE: frozenset(_CREDIT_NOTES.split()),
    DocumentType.CREDIT_NOTE: frozenset(_INVOICES.split()),
}
#: Those of which nothing is to be said: invoices and debit notes for goods, services, metered use or a part of the
#: whole, and credit notes for them.
_USUAL: Final[Mapping[DocumentType, frozenset[str]]] = {
    DocumentType.INVOICE: frozenset({"80", "82", "84", "326", "380", "382", "383", "385", "388"}),
    DocumentType.CREDIT_NOTE: frozenset({"81", "83", "262", "381", "420", "458", "532"}),
}
_PRO_FORMA: Final = "325"
#: Those that whoever books them should know of.
_UNUSUAL: Final[Mapping[str, str]] = {
    "261": "a credit note that the buyer wrote",
    "384": "a correction, which takes the place of an earlier invoice",
    "386": "an invoice for a prepayment",
    "389": "an invoice that the buyer wrote",
    "393": "an invoice that is paid to a factor",
    "396": "a credit note of a factor",
    "503": "a credit note for a prepayment",
}
#: All of them: what something else says of itself is no document's type.
_KNOWN: Final = frozenset(f"{_INVOICES} {_CREDIT_NOTES}".split())
_NAMES: Final = {DocumentType.INVOICE: "an invoice", DocumentType.CREDIT_NOTE: "a credit note"}


def code_of(document: ReceivedDocument) -> str | None:
    """The document's own code, by which it is referred to; None where it has none that is one of an invoice or a credit
    note."""
    return document.type_code if document.type_code in _KNOWN else None


def check_type(document: ReceivedDocument) -> Iterator[Problem]:
    """Whether it is what it is written as: an invoice whose code is that of a credit note is neither for sure."""
    code = document.type_code
    if code is None or code in _USUAL[document.type]:
        return
    what = _NAMES[document.type]
    if code == _PRO_FORMA:
        yield Problem(ProblemCode.DOCUMENT_TYPE_DIFFERS, f"Its type, {code}, is a pro forma invoice: no claim to book")
    elif code in _OF_OTHERS[document.type]:
        text = f"It is written as {what}, and its type, {code}, is none of {what}"
        yield Problem(ProblemCode.DOCUMENT_TYPE_DIFFERS, text)
    else:
        text = f"Its type, {code}, is {_UNUSUAL.get(code, 'not a usual one')}; it is drafted as {what}"
        yield Problem(ProblemCode.DOCUMENT_TYPE_UNUSUAL, text)
