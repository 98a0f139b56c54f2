"""What an answer means, and what it is to. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ledgerbee.parties.endpoints import Scheme
from ledgerbee.sales.einvoices.answers.model import (
    E_INVOICE_REFERENCE_UNKNOWN,
    Answered,
    AnswerKind,
    PartyNumber,
    ReadAnswer,
    Verdict,
)

#: Codes of OIOUBL's list, and of Peppol's part of UNCL 4343: accepted, in part or with conditions, paid.
_VERDICTS: Final[Mapping[str, Verdict]] = {
    **dict.fromkeys(("BusinessAccept", "ProfileAccept", "TechnicalAccept", "AP", "CA", "PD"), Verdict.ACCEPTED),
    **dict.fromkeys(("BusinessReject", "ProfileReject", "TechnicalReject", "RE"), Verdict.REJECTED),
}


#: Kinds of answers that the receiver of a document gives, to its sender.
_OF_RECEIVERS: Final = frozenset({AnswerKind.APPLICATION_RESPONSE, AnswerKind.INVOICE_RESPONSE})
#: OIOUBL's names of registers. A company's CVR number is also its SE number, and it may have others.
_SCHEMES: Final[Mapping[str, str]] = {
    "GLN": Scheme.GLN,
    "DK:P": Scheme.P_NUMBER,
    "DK:CVR": Scheme.CVR,
    "DK:SE": Scheme.SE_NUMBER,
}
_LONGEST_RECEIVER: Final = 200


def verdict(code: str) -> Verdict:
    """What a code comes to; one that is neither yes nor no (received, in process, questioned) is under way."""
    return _VERDICTS.get(code, Verdict.UNDERWAY)


def match(answer: ReadAnswer, candidates: Sequence[Answered]) -> Answered:
    """The document that an answer is to, of those that its reference may mean.

    The id of a message says it by itself. A number has to be that of one document of the kind that the answer states.
    Where it states a UUID, that is the document's own, or the message's. Raises `E_INVOICE_REFERENCE_UNKNOWN`.
    """
    by_message = [one for one in candidates if str(one.message_id) == answer.reference.lower()]
    found = by_message or [one for one in candidates if answer.document_type in {None, one.document_type}]
    if found and answer.document_uuid is not None:
        wanted = answer.document_uuid.lower().removeprefix("urn:uuid:").strip("{}")
        found = [one for one in found if wanted in {str(one.document_id), str(one.message_id)}]
        if not found:
            text = "The document that the answer names by its reference has another UUID"
            raise E_INVOICE_REFERENCE_UNKNOWN.error(text, reference=answer.reference, uuid=answer.document_uuid)
    if len(found) != 1:
        raise E_INVOICE_REFERENCE_UNKNOWN.error(reference=answer.reference)
    return found[0]


def check_receiver(answer: ReadAnswer, own: Iterable[PartyNumber]) -> None:
    """Whether an answer is for the company, by those of its receiver's numbers that are in a register of `own`.

    What the network says on the way is for access points, whose numbers are others. Raises
    `E_INVOICE_REFERENCE_UNKNOWN` where none of the numbers that can be compared is one of the company's.
    """
    if answer.kind not in _OF_RECEIVERS:
        return
    known = {_canonical(one) for one in own}
    registers = {scheme for scheme, _ in known}
    known |= {PartyNumber(Scheme.SE_NUMBER, number) for scheme, number in known if scheme == Scheme.CVR}
    stated = {_canonical(one) for one in answer.receivers}
    compared = {one for one in stated if one.scheme in registers or one in known}
    if compared and not compared & known:
        text = "The answer is for another party than the one that sent the document"
        receiver = ", ".join(sorted(f"{scheme}:{number}" for scheme, number in compared))[:_LONGEST_RECEIVER]
        raise E_INVOICE_REFERENCE_UNKNOWN.error(text, reference=answer.reference, receiver=receiver)


def _canonical(one: PartyNumber) -> PartyNumber:
    """A number without blanks and marks, by Peppol's code of its register; Danish ones without `DK`."""
    scheme = _SCHEMES.get(one.scheme, one.scheme)
    number = "".join(char for char in one.number.upper() if char.isascii() and char.isalnum())
    if scheme in {Scheme.CVR, Scheme.SE_NUMBER}:
        number = number.removeprefix("DK")
    return PartyNumber(scheme, number)
