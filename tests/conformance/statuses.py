"""Statuses of messages for the judges: what is written by itself on whatever may be noticed of a document."""

from collections.abc import Iterator
from datetime import UTC, datetime

from ledgerbee.network.answering import Issue, IssueCode, StatusCode, message_level_status
from ledgerbee.purchases.incoming_documents.model import Problem, ProblemCode
from ledgerbee.purchases.incoming_documents.model.messages import Envelope
from ledgerbee.purchases.incoming_documents.rules.messages import (
    MOST_ISSUES,
    Verdict,
    between,
    verdict_on,
    verdict_on_unreadable,
)

_AT = datetime(2026, 3, 17, 12, tzinfo=UTC)
#: Access points, by the numbers that Peppol gives out.
_POINTS = ("000123", "000456")
_ENVELOPE = Envelope(
    "90f14eff-3705-4869-ad3c-caae270a234e", sender_access_point="000456", receiver_access_point="000123"
)
_ELSEWHERE = Envelope("m<1>&", mls_to="000456-BILLING.test-1", receiver_access_point="000123")


def statuses() -> Iterator[tuple[str, bytes]]:
    """Every status by name: of each code with and without what may be left out, and of each verdict of ours."""
    rule, warning = (Issue(code, "/Invoice/cbc:ID", "BR-02") for code in (IssueCode.RULE, IssueCode.WARNING))
    for code in StatusCode:
        issues = [rule, warning] if code is StatusCode.REJECTED else [warning]
        yield code.name, message_level_status("A-1", _AT, _POINTS, "m-1", code, "Told & done", issues)
    yield "bare", message_level_status("A-2", _AT, _POINTS, "m-1", StatusCode.ACKNOWLEDGED)
    for name, verdict in _verdicts():
        for envelope in (_ENVELOPE, _ELSEWHERE):
            found = between(envelope)
            assert found is not None, "both say between whom"
            yield (
                name,
                message_level_status(
                    "A-3", _AT, found, envelope.message_id, verdict.code, verdict.text, verdict.issues
                ),
            )


def _verdicts() -> Iterator[tuple[str, Verdict]]:
    yield "nothing noticed", verdict_on([])
    for problem in ProblemCode:
        yield problem, verdict_on([Problem(problem, "1 < 2 & \x01")])
    everything = [Problem(problem, "all") for problem in ProblemCode]
    yield "everything noticed", verdict_on(everything)
    yield "more than is told", verdict_on(everything * MOST_ISSUES)
    yield "unreadable", verdict_on_unreadable("The file can't be read: it is no well-formed XML")
