"""What may be answered to a document, in which format and between whom. Pure.

OIOUBL has one answer, yes or no (BEK 97 of 2023, annex 2.1). A Peppol Invoice Response goes several steps (annex 2.2,
BIS Invoice Response 3): a verdict is final, and what is accepted may be paid.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from ledgerbee.core.errors import refuse
from ledgerbee.network.answering import OioublCode, PeppolCode
from ledgerbee.network.identifiers import endpoint_of, scheme_id, vat_number_of
from ledgerbee.network.model import EInvoiceFormat
from ledgerbee.network.xml import escaped
from ledgerbee.parties.endpoints import VAT_SCHEMES, Identifier, Scheme, parse
from ledgerbee.purchases.incoming_documents.model import (
    INCOMING_ANSWER_UNDERWAY,
    INCOMING_DOCUMENT_ANSWER_NOT_ALLOWED,
    INCOMING_DOCUMENT_NOT_ANSWERABLE,
    Answer,
    AnswerCode,
    AnswerGiven,
    AnswerStatus,
    DocumentFormat,
    SentAnswer,
    TradingParty,
)

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
#: Schemes whose numbers can be checked: what isn't right in them is no address.
_CHECKED: Final = frozenset({*Scheme, *VAT_SCHEMES.values()})
_SCHEME_LENGTH: Final = 4
#: How long a claim holds: longer than a worker may take for one try, so that no two are at it.
CLAIM_LASTS: Final = timedelta(minutes=8)


def check_given(given: AnswerGiven) -> None:
    """Whoever is refused, asked or given conditions is told why, and a code for a reason goes with words.

    Raises a validation error.
    """
    is_needed = given.answer in _WITH_NOTE or given.reason is not None
    if is_needed and not escaped(given.note or ""):
        refuse([("note", "isNotEmpty", f"note is required for {given.answer} and with a reason")])


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


def parties(
    sender: TradingParty, receiver: TradingParty, own: tuple[str, str | None], form: EInvoiceFormat, *, is_ours: bool
) -> tuple[Identifier, Identifier]:
    """Who answers and who is answered: the address that the document states, else the number in the country's register.

    `own` are the country and VAT number of the company. Where the document is for somebody else (`is_ours` is False),
    the company answers in its own name. Raises `INCOMING_DOCUMENT_NOT_ANSWERABLE`.
    """
    own_address = endpoint_of(own[0], vat_number_of(*own))
    answering = (address_of(receiver) or own_address) if is_ours else own_address
    answered = address_of(sender)
    found = {"receiver.endpoint": answering, "sender.endpoint": answered}
    missing = [name for name, one in found.items() if one is None or scheme_id(one.scheme, form) is None]
    if missing or answering is None or answered is None:
        raise INCOMING_DOCUMENT_NOT_ANSWERABLE.error(missing=missing)
    return answering, answered


def address_of(party: TradingParty) -> Identifier | None:
    """Where a party can be reached; None where it says nothing that can be right.

    A number in a scheme that isn't known here is taken as it is.
    """
    scheme, _, number = (party.endpoint or "").partition(":")
    if scheme in _CHECKED:
        stated = parse(f"{scheme}:{number}")
    elif len(scheme) == _SCHEME_LENGTH and scheme.isascii() and scheme.isdigit() and number:
        stated = Identifier(scheme, number)
    else:
        stated = None
    return stated or endpoint_of(party.country_code, vat_number_of(party.country_code, party.vat_number))


def can_be_sent(status: AnswerStatus) -> bool:
    """Whether a worker has anything to do: also where an earlier one died on the way (jobs may run twice)."""
    return status in {AnswerStatus.PENDING, AnswerStatus.SENDING}


def was_interrupted(answer: Answer, now: datetime) -> bool:
    """Whether an earlier try broke off without an outcome: its worker died, and the answer may have gone out.

    Raises `INCOMING_ANSWER_UNDERWAY` while that worker's claim holds.
    """
    if answer.status is not AnswerStatus.SENDING:
        return False
    if now < answer.updated_at + CLAIM_LASTS:
        raise INCOMING_ANSWER_UNDERWAY.error(answerId=str(answer.id))
    return True
