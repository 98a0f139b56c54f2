"""What an answer means, and what it is to. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from ledgerbee.sales.einvoices.answers.model import E_INVOICE_REFERENCE_UNKNOWN, Answered, ReadAnswer, Verdict

#: Codes of OIOUBL's list, and of Peppol's part of UNCL 4343: accepted, in part or with conditions, paid.
_VERDICTS: Final[Mapping[str, Verdict]] = {
    **dict.fromkeys(("BusinessAccept", "ProfileAccept", "TechnicalAccept", "AP", "CA", "PD"), Verdict.ACCEPTED),
    **dict.fromkeys(("BusinessReject", "ProfileReject", "TechnicalReject", "RE"), Verdict.REJECTED),
}


def verdict(code: str) -> Verdict:
    """What a code comes to; one that is neither yes nor no (received, in process, questioned) is under way."""
    return _VERDICTS.get(code, Verdict.UNDERWAY)


def match(answer: ReadAnswer, candidates: Sequence[Answered]) -> Answered:
    """The document that an answer is to, of those that its reference may mean.

    The id of a message says it by itself. A number has to be that of one document of the kind that the answer states;
    where several are left, the document's own id decides. Raises `E_INVOICE_REFERENCE_UNKNOWN`.
    """
    by_message = [one for one in candidates if str(one.message_id) == answer.reference.lower()]
    found = by_message or [one for one in candidates if answer.document_type in {None, one.document_type}]
    if len(found) > 1 and answer.document_uuid is not None:
        found = [one for one in found if str(one.document_id) == answer.document_uuid.lower()]
    if len(found) != 1:
        raise E_INVOICE_REFERENCE_UNKNOWN.error(reference=answer.reference)
    return found[0]
