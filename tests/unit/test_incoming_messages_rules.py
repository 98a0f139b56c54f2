"""Which status a message gets that brought an e-invoice, from whom and to whom."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.network.answering import IssueCode, StatusCode
from ledgerbee.purchases.incoming_documents.model import (
    UNDRAFTABLE,
    Answer,
    AnswerStatus,
    DocumentFormat,
    FullIncomingMessage,
    Problem,
    ProblemCode,
    SentAnswer,
)
from ledgerbee.purchases.incoming_documents.model.messages import Envelope, IncomingMessage, MlsType, StatusOmitted
from ledgerbee.purchases.incoming_documents.rules.messages import (
    MOST_ISSUES,
    Verdict,
    between,
    check_same,
    is_to_be_sent_again,
    omitted,
    verdict_on,
    verdict_on_unreadable,
)

NOW = datetime(2026, 3, 16, 12, tzinfo=UTC)
OURS, THEIRS = "000123", "000456"
ENVELOPE = Envelope("m-1", THEIRS, OURS)
FAILURES_ONLY = Envelope("m-1", THEIRS, OURS, mls_type=MlsType.FAILURE_ONLY)
NOWHERE = Envelope("m-1")
TAKEN, REFUSED = Verdict(StatusCode.ACCEPTED), verdict_on_unreadable("no XML")


@given(st.lists(st.sampled_from(ProblemCode), max_size=2 * MOST_ISSUES))
def test_what_no_draft_can_be_made_of_is_refused_and_nothing_else(codes: list[ProblemCode]) -> None:
    """A refusal has words and a failure, anything else has neither; and there are never too many issues."""
    verdict = verdict_on([Problem(code, "why") for code in codes])
    assert verdict.is_refusal is bool(UNDRAFTABLE & set(codes))
    assert bool(verdict.text) is verdict.is_refusal
    kinds = [issue.code for issue in verdict.issues]
    assert (IssueCode.RULE in kinds) is verdict.is_refusal
    assert set(kinds) <= {IssueCode.RULE, IssueCode.WARNING}
    assert len(kinds) <= MOST_ISSUES
    assert kinds == sorted(kinds, key=lambda code: code is IssueCode.WARNING), "what refuses it comes first"


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([], StatusCode.ACCEPTED),
        ([ProblemCode.VENDOR_UNKNOWN, ProblemCode.TOTALS_DIFFER], StatusCode.ACCEPTED),
        ([ProblemCode.RECEIVER_DIFFERS], StatusCode.ACKNOWLEDGED),
        ([ProblemCode.RECEIVER_UNCERTAIN, ProblemCode.VAT_DIFFERS], StatusCode.ACKNOWLEDGED),
        ([ProblemCode.RECEIVER_DIFFERS, ProblemCode.CURRENCY_UNKNOWN], StatusCode.REJECTED),
    ],
)
def test_a_code_says_whether_the_document_is_here(codes: Sequence[ProblemCode], expected: StatusCode) -> None:
    assert verdict_on([Problem(code, "why") for code in codes]).code is expected


def test_the_sender_is_told_of_the_document_and_not_of_the_companys_books() -> None:
    told = {issue.text.partition(":")[0] for issue in verdict_on([Problem(code, "x") for code in ProblemCode]).issues}
    assert set(ProblemCode) - told == {
        ProblemCode.ACCOUNT_UNKNOWN, ProblemCode.PDF_MISSING, ProblemCode.POSSIBLE_DUPLICATE,
        ProblemCode.SENDER_IS_COMPANY, ProblemCode.VAT_CODE_MISSING, ProblemCode.VAT_IN_BASE_DIFFERS,
        ProblemCode.VAT_OF_ANOTHER_COUNTRY, ProblemCode.VENDOR_AMBIGUOUS, ProblemCode.VENDOR_UNKNOWN,
    }  # fmt: skip


def test_of_many_issues_the_first_are_told_and_how_many_more_there_are() -> None:
    many = [Problem(ProblemCode.LINE_AMOUNT_DIFFERS, str(place)) for place in range(MOST_ISSUES + 1)]
    assert len(verdict_on(many[:-1]).issues) == MOST_ISSUES
    issues = verdict_on(many).issues
    assert [issue.text for issue in issues[-2:]] == [f"LINE_AMOUNT_DIFFERS: {MOST_ISSUES - 2}", "2 more like these"]


def test_a_file_that_cant_be_read_is_refused_for_its_syntax() -> None:
    (issue,) = REFUSED.issues
    assert (REFUSED.code, issue.code, issue.location, issue.text) == (
        StatusCode.REJECTED, IssueCode.SYNTAX, "NA", "no XML",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("envelope", "expected"),
    [
        (ENVELOPE, (OURS, THEIRS)),
        (Envelope("m-1", THEIRS, OURS, "000789-X_1"), (OURS, "000789-X_1")),
        (Envelope("m-1", None, OURS, "000789"), (OURS, "000789")),
        (Envelope("m-1", None, OURS), None),
        (Envelope("m-1", THEIRS, None, "000789"), None),
    ],
)
def test_a_status_goes_from_the_access_point_that_took_it_to_whom_the_envelope_names(
    envelope: Envelope, expected: tuple[str, str] | None
) -> None:
    assert between(envelope) == expected


@pytest.mark.parametrize(
    ("form", "envelope", "verdict", "expected"),
    [
        (DocumentFormat.PEPPOL, ENVELOPE, TAKEN, None),
        (DocumentFormat.UBL, ENVELOPE, TAKEN, None),
        (None, ENVELOPE, REFUSED, None),
        (DocumentFormat.PEPPOL, FAILURES_ONLY, TAKEN, StatusOmitted.NOT_ASKED_FOR),
        (DocumentFormat.PEPPOL, FAILURES_ONLY, REFUSED, None),
        (DocumentFormat.PEPPOL, NOWHERE, TAKEN, StatusOmitted.ACCESS_POINT_UNKNOWN),
        (None, NOWHERE, REFUSED, StatusOmitted.ACCESS_POINT_UNKNOWN),
        (DocumentFormat.OIOUBL, ENVELOPE, TAKEN, StatusOmitted.NONE_IN_FORMAT),
        (DocumentFormat.OIOUBL, NOWHERE, REFUSED, None),
    ],
)
def test_a_status_is_omitted_for_a_reason(
    form: DocumentFormat | None, envelope: Envelope, verdict: Verdict, expected: StatusOmitted | None
) -> None:
    assert omitted(form, envelope, verdict) is expected


def message(document: bool = True) -> IncomingMessage:
    return IncomingMessage(
        new_id(), "m-1", b"hash", new_id() if document else None, THEIRS, OURS, None, MlsType.ALWAYS_SEND, [], None, NOW
    )


@pytest.mark.parametrize("document", [True, False])
def test_a_message_brings_the_same_each_time(document: bool) -> None:
    kept = message(document)
    check_same(kept, b"hash")
    with pytest.raises(LedgerBeeError) as caught:
        check_same(kept, b"other")
    shown = str(kept.document_id) if document else None
    assert (caught.value.code, caught.value.details) == (
        "INCOMING_MESSAGE_DIFFERS", {"messageId": "m-1", "incomingDocumentId": shown},
    )  # fmt: skip


def test_only_a_status_that_failed_is_sent_again() -> None:
    kept = message()
    assert is_to_be_sent_again(FullIncomingMessage(kept)) is False
    for status in AnswerStatus:
        sent = Answer(
            id=new_id(), document_id=kept.document_id, message_id=kept.id, code="AP", note=None,
            format=DocumentFormat.PEPPOL, sender="a", receiver="b", sender_country="DK", document_number="m-1",
            sha256=b"", content=b"", status=status, created_at=NOW, updated_at=NOW,
        )  # fmt: skip
        full = FullIncomingMessage(kept, SentAnswer(sent))
        assert is_to_be_sent_again(full) is (status is AnswerStatus.FAILED)
