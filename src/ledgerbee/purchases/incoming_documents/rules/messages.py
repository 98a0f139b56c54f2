"""Which status a message gets, from whom and to whom. Pure.

Peppol Message Level Status 1.0: `AP` says that the receiver has the document for certain, `AB` that it has it as far as
is known, `RE` that it was not delivered, with at least one failure; the others may have warnings. OIOUBL has no such
thing: its ApplicationResponse says of a document what is wrong with it, and the receiver's own answer says the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledgerbee.network.answering import Issue, IssueCode, StatusCode
from ledgerbee.purchases.incoming_documents.model import (
    UNDRAFTABLE,
    AnswerStatus,
    DocumentFormat,
    FullIncomingMessage,
    Problem,
    ProblemCode,
)
from ledgerbee.purchases.incoming_documents.model.messages import (
    INCOMING_MESSAGE_DIFFERS,
    Envelope,
    IncomingMessage,
    MlsType,
    StatusOmitted,
)

#: Where an issue is, if that isn't known.
_SOMEWHERE: Final = "NA"
#: Issues that a status names at most.
MOST_ISSUES: Final = 100
#: What the sender can do something about. The rest is the company's own: its vendors, accounts, VAT codes and rates.
_TOLD: Final = frozenset(
    {
        ProblemCode.AMOUNT_TOO_FINE,
        ProblemCode.DATES_UNLIKELY,
        ProblemCode.DOCUMENT_TYPE_UNUSUAL,
        ProblemCode.LINE_AMOUNT_DIFFERS,
        ProblemCode.LINE_VAT_UNKNOWN,
        ProblemCode.NUMBER_UNREADABLE,
        ProblemCode.PAYABLE_DIFFERS,
        ProblemCode.RECEIVER_DIFFERS,
        ProblemCode.RECEIVER_UNCERTAIN,
        ProblemCode.TOTALS_DIFFER,
        ProblemCode.VAT_DIFFERS,
    }
)
#: What leaves open whether the document came to whom it is for.
_UNCERTAIN: Final = frozenset({ProblemCode.RECEIVER_DIFFERS, ProblemCode.RECEIVER_UNCERTAIN})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of a message: the code, in words where it is a refusal, and what is wrong."""

    code: StatusCode
    text: str | None = None
    issues: tuple[Issue, ...] = ()

    @property
    def is_refusal(self) -> bool:
        """Whether the document was not taken."""
        return self.code is StatusCode.REJECTED


def verdict_on(problems: Sequence[Problem]) -> Verdict:
    """What is said of a document that can be read, by what was noticed about it.

    It is refused where no draft can be made of it, whatever is chosen: it breaks rules of its format
    (PEPPOL-EN16931-R051, BR-CL-04, PEPPOL-EN16931-P0100 and P0101). Sums that differ are warnings, as they don't keep
    it from being drafted.
    """
    failures = [_issue(IssueCode.RULE, problem) for problem in problems if problem.code in UNDRAFTABLE]
    warnings = [_issue(IssueCode.WARNING, problem) for problem in problems if problem.code in _TOLD]
    issues = _bounded([*failures, *warnings])
    if failures:
        return Verdict(StatusCode.REJECTED, "The document can't be taken: its figures would be wrong", issues)
    is_certain = all(problem.code not in _UNCERTAIN for problem in problems)
    return Verdict(StatusCode.ACCEPTED if is_certain else StatusCode.ACKNOWLEDGED, None, issues)


def verdict_on_unreadable(reason: str) -> Verdict:
    """What is said of a file that can't be read, with the reason."""
    issue = Issue(IssueCode.SYNTAX, _SOMEWHERE, reason)
    return Verdict(StatusCode.REJECTED, "The document can't be read", (issue,))


def between(envelope: Envelope) -> tuple[str, str] | None:
    """Who says the status and whom it goes to, as provider ids; None where the envelope doesn't tell."""
    receiver = envelope.mls_to or envelope.sender_access_point
    if envelope.receiver_access_point is None or receiver is None:
        return None
    return envelope.receiver_access_point, receiver


def omitted(form: DocumentFormat | None, envelope: Envelope, verdict: Verdict) -> StatusOmitted | None:
    """Why a message gets no status; None where it gets one. `form` is None where the file couldn't be read."""
    if form is DocumentFormat.OIOUBL:
        return None if verdict.is_refusal else StatusOmitted.NONE_IN_FORMAT
    if envelope.mls_type is MlsType.FAILURE_ONLY and not verdict.is_refusal:
        return StatusOmitted.NOT_ASKED_FOR
    return StatusOmitted.ACCESS_POINT_UNKNOWN if between(envelope) is None else None


def check_same(message: IncomingMessage, content_hash: bytes) -> None:
    """A message that comes once more brings what it brought. Raises `INCOMING_MESSAGE_DIFFERS`."""
    if message.hash != content_hash:
        document_id = message.document_id and str(message.document_id)
        raise INCOMING_MESSAGE_DIFFERS.error(messageId=message.message_id, incomingDocumentId=document_id)


def is_to_be_sent_again(full: FullIncomingMessage) -> bool:
    """Whether a message that comes once more has a status that failed."""
    return full.status is not None and full.status.answer.status is AnswerStatus.FAILED


def _issue(code: IssueCode, problem: Problem) -> Issue:
    return Issue(code, _SOMEWHERE, f"{problem.code}: {problem.message}")


def _bounded(issues: Sequence[Issue]) -> tuple[Issue, ...]:
    """The first of them, and a warning that there are more."""
    if len(issues) <= MOST_ISSUES:
        return tuple(issues)
    further = len(issues) - MOST_ISSUES + 1
    return (*issues[: MOST_ISSUES - 1], Issue(IssueCode.WARNING, _SOMEWHERE, f"{further} more like these"))
