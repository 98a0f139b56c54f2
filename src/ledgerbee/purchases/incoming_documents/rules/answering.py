"""What may be answered to a document, in which format and between whom. Pure.

OIOUBL has one answer, yes or no (BEK 97 of 2023, annex 2.1). A Peppol Invoice Response goes several steps (annex 2.2,
BIS Invoice Response 3): a verdict is final, and what is accepted may be paid.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from ledgerbee.core.errors import LedgerBeeError, refuse
from ledgerbee.core.texts import readable
from ledgerbee.network.answering import OioublCode, PeppolCode
from ledgerbee.network.identifiers import company_of, endpoint_of, scheme_id, vat_number_of
from ledgerbee.network.model import EInvoiceFormat
from ledgerbee.parties.endpoints import EAS, Identifier, parse_stated
from ledgerbee.purchases.incoming_documents.model import (
    INCOMING_ANSWER_UNDERWAY,
    INCOMING_DOCUMENT_ANSWER_NOT_ALLOWED,
    INCOMING_DOCUMENT_NOT_ANSWERABLE,
    Answer,
    AnswerCode,
    AnswerGiven,
    AnswerReason,
    AnswerStatus,
    DocumentFormat,
    SentAnswer,
    TradingParty,
)
from ledgerbee.purchases.incoming_documents.rules.parties import Known, is_number_of, number_of_endpoint

PEPPOL_CODES: Final[Mapping[AnswerCode, PeppolCode]] = {
    AnswerCode.RECEIVED: PeppolCode.RECEIVED,
    AnswerCode.IN_PROCESS: PeppolCode.IN_PROCESS,
    AnswerCode.UNDER_QUERY: PeppolCode.UNDER_QUERY,
    AnswerCode.CONDITIONALLY_ACCEPTED: PeppolCode.CONDITIONALLY_ACCEPTED,
    AnswerCode.ACCEPTED: PeppolCode.ACCEPTED,
    AnswerCode.REJECTED: PeppolCode.REJECTED,
    AnswerCode.PAID: PeppolCode.PAID,
}
OIOUBL_CODES: Final[Mapping[AnswerCode, OioublCode]] = {
    AnswerCode.ACCEPTED: OioublCode.BUSINESS_ACCEPT,
    AnswerCode.REJECTED: OioublCode.BUSINESS_REJECT,
}
_CODES: Final[Mapping[DocumentFormat, Sequence[AnswerCode]]] = {
    DocumentFormat.PEPPOL: tuple(PEPPOL_CODES),
    DocumentFormat.OIOUBL: tuple(OIOUBL_CODES),
}
_VERDICTS: Final = (AnswerCode.ACCEPTED, AnswerCode.REJECTED, AnswerCode.PAID)
#: What may follow an answer. A question may follow another one.
_NEXT: Final[Mapping[AnswerCode, Sequence[AnswerCode]]] = {
    AnswerCode.RECEIVED: (
        AnswerCode.IN_PROCESS, AnswerCode.UNDER_QUERY, AnswerCode.CONDITIONALLY_ACCEPTED, *_VERDICTS,
    ),
    AnswerCode.IN_PROCESS: (AnswerCode.UNDER_QUERY, AnswerCode.CONDITIONALLY_ACCEPTED, *_VERDICTS),
    AnswerCode.UNDER_QUERY: (
        AnswerCode.IN_PROCESS, AnswerCode.UNDER_QUERY, AnswerCode.CONDITIONALLY_ACCEPTED, *_VERDICTS,
    ),
    AnswerCode.CONDITIONALLY_ACCEPTED: (AnswerCode.UNDER_QUERY, *_VERDICTS),
    AnswerCode.ACCEPTED: (AnswerCode.PAID,),
    AnswerCode.REJECTED: (),
    AnswerCode.PAID: (),
}  # fmt: skip
#: Answers that say why.
_WITH_NOTE: Final = frozenset({AnswerCode.REJECTED, AnswerCode.UNDER_QUERY, AnswerCode.CONDITIONALLY_ACCEPTED})
#: Characters of a scheme of the network: another text before a number is none.
_SCHEME_LENGTH: Final = 4
#: States that an answer doesn't stay in.
_OPEN: Final = frozenset({AnswerStatus.PENDING, AnswerStatus.SENDING})
#: How long a claim holds: longer than a worker may take for one try, so that no two are at it.
CLAIM_LASTS: Final = timedelta(minutes=8)


def check_given(given: AnswerGiven) -> None:
    """Whoever is refused, asked or given conditions is told why, and a code for a reason goes with words, and with an
    answer that it may be the reason of (PEPPOL-T111-R001, R002, R004 and R005). What can't be seen is no note.

    Raises a validation error.
    """
    is_needed = given.answer in _WITH_NOTE or given.reason is not None
    problems = []
    if is_needed and not is_said(given.note):
        problems.append(("note", "isNotEmpty", f"note is required for {given.answer} and with a reason"))
    if given.reason is AnswerReason.PARTLY_PAID and given.answer is not AnswerCode.PAID:
        problems.append(("reason", "isPaid", f"{given.reason} says that a part was paid: it goes with paid alone"))
    refuse(problems)


def is_said(note: str | None) -> bool:
    """Whether a note says anything: it has a character that can be seen."""
    return bool(readable(note or "", 1))


def check_reason(given: AnswerGiven, form: DocumentFormat) -> None:
    """OIOUBL has no codes for reasons. Raises a validation error."""
    if given.reason is not None and form is DocumentFormat.OIOUBL:
        refuse([("reason", "isEmpty", "reason is Peppol's alone: in OIOUBL note says why")])


def format_of(form: DocumentFormat) -> EInvoiceFormat:
    """The format of answers to documents of this one. Raises `INCOMING_DOCUMENT_NOT_ANSWERABLE`."""
    if form is DocumentFormat.UBL:
        raise INCOMING_DOCUMENT_NOT_ANSWERABLE.error(missing=["format"])
    return EInvoiceFormat(form.value)


def check_next(given: AnswerGiven, form: DocumentFormat, answers: Sequence[SentAnswer]) -> None:
    """The format has the answer, and those that were given allow it. Raises `INCOMING_DOCUMENT_ANSWER_NOT_ALLOWED`.

    An answer that failed counts as well: it may have arrived.
    """
    last = answers[-1].answer.answer if answers else None
    allowed = [code for code in _CODES[form] if last is None or code in _NEXT[last]]
    if given.answer not in allowed:
        raise INCOMING_DOCUMENT_ANSWER_NOT_ALLOWED.error(
            answer=given.answer, lastAnswer=last, allowedAnswers=[code.value for code in allowed]
        )


def to_send_again(given: AnswerGiven, answers: Sequence[SentAnswer]) -> SentAnswer | None:
    """The last answer, where it failed and is given once more just as it was; else None."""
    last = answers[-1] if answers else None
    is_same = last is not None and last.answer.status is AnswerStatus.FAILED and last.answer.given == given
    return last if is_same else None


def moment_of(now: datetime, answers: Sequence[SentAnswer]) -> datetime:
    """When an answer is given: never before the one that was given last, whatever a clock says."""
    return max(now, *(one.answer.created_at for one in answers)) if answers else now


def is_its_turn(before: Sequence[SentAnswer]) -> bool:
    """Whether an answer may leave, by those to the same document before it: each was sent or has failed.

    Who gets them has no other order than that in which they come.
    """
    return all(one.answer.status not in _OPEN for one in before)


def parties(
    sender: TradingParty, receiver: TradingParty, company: Known, form: EInvoiceFormat, *, is_ours: bool
) -> tuple[Identifier, Identifier]:
    """Who answers and who is answered, by the addresses that the document states.

    Nobody answers in another one's name: where the document is for somebody else (`is_ours` is False), and where the
    address is a company's number but not this company's, the company answers by its own number, as it does where the
    document states none. Who is answered has the number in its country's register where no address is stated. Raises
    `INCOMING_DOCUMENT_NOT_ANSWERABLE`.
    """
    answering, answered = _answering(receiver, company, form, is_ours=is_ours), address_of(sender)
    found = {"receiver.endpoint": answering, "sender.endpoint": answered}
    missing = [name for name, one in found.items() if one is None or scheme_id(one.scheme, form) is None]
    if missing or answering is None or answered is None:
        raise _not_answerable(missing, sender)
    return answering, answered


def _answering(receiver: TradingParty, company: Known, form: EInvoiceFormat, *, is_ours: bool) -> Identifier | None:
    number = number_of_endpoint(receiver)
    is_own = is_ours and (number is None or is_number_of(company, number))
    stated = parse_stated(receiver.endpoint or "") if is_own else None
    if stated is not None and scheme_id(stated.scheme, form) is not None:
        return stated
    return endpoint_of(company.country_code, vat_number_of(company.country_code, company.vat_number))


def _not_answerable(missing: Sequence[str], sender: TradingParty) -> LedgerBeeError:
    """The refusal, with the sender's address where one is stated that is of no use."""
    if "sender.endpoint" not in missing or not sender.endpoint:
        return INCOMING_DOCUMENT_NOT_ANSWERABLE.error(missing=list(missing))
    text = f"The sender can't be answered at {sender.endpoint}, the address that the document states"
    return INCOMING_DOCUMENT_NOT_ANSWERABLE.error(text, missing=list(missing), senderEndpoint=sender.endpoint)


def address_of(party: TradingParty) -> Identifier | None:
    """Where a party can be reached; None where it says nothing that can be right.

    An address in a scheme that the network doesn't have is wrong, and no other one is guessed. One that can't be of its
    scheme, or has none, is as good as not stated.
    """
    scheme, _, number = (party.endpoint or "").partition(":")
    is_code = len(scheme) == _SCHEME_LENGTH and scheme.isascii() and scheme.isdigit()
    if is_code and number and scheme not in EAS:
        return None
    registered = vat_number_of(party.country_code, party.vat_number)
    return (
        parse_stated(party.endpoint or "")
        or endpoint_of(party.country_code, registered)
        or company_of(party.country_code, registered)
    )


def can_be_sent(status: AnswerStatus) -> bool:
    """Whether a worker has anything to do: also where an earlier one died on the way (jobs may run twice)."""
    return status in _OPEN


def was_interrupted(answer: Answer, now: datetime, *, has_worker_died: bool = False) -> bool:
    """Whether an earlier try broke off without an outcome: its worker died, and the answer may have gone out.

    Raises `INCOMING_ANSWER_UNDERWAY` while that worker's claim holds; that of one that has died holds no longer.
    """
    if answer.status is not AnswerStatus.SENDING:
        return False
    if now < answer.updated_at + CLAIM_LASTS and not has_worker_died:
        raise INCOMING_ANSWER_UNDERWAY.error(answerId=str(answer.id))
    return True
