"""What may be answered to a document that came in: which answers follow each other, and between whom."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ubl_files import peppol

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.network.model import EInvoiceFormat
from ledgerbee.parties.endpoints import Identifier
from ledgerbee.purchases.incoming_documents.model import (
    Answer,
    AnswerCode,
    AnswerGiven,
    AnswerReason,
    AnswerStatus,
    DocumentFormat,
    IncomingDocumentId,
    SentAnswer,
    TradingParty,
)
from ledgerbee.purchases.incoming_documents.reading import read as xml_read
from ledgerbee.purchases.incoming_documents.rules.answering import (
    CLAIM_LASTS,
    can_be_sent,
    check_given,
    check_next,
    check_reason,
    format_of,
    is_its_turn,
    moment_of,
    parties,
    to_send_again,
    was_interrupted,
)
from ledgerbee.purchases.incoming_documents.rules.parties import Known
from ledgerbee.purchases.incoming_documents.rules.types import code_of

PEPPOL, OIOUBL = DocumentFormat.PEPPOL, DocumentFormat.OIOUBL
NOW = datetime(2026, 3, 16, 12, tzinfo=UTC)
ACCEPTED, REJECTED, PAID = AnswerCode.ACCEPTED, AnswerCode.REJECTED, AnswerCode.PAID
VERDICTS = {ACCEPTED, REJECTED}


def sent(code: AnswerCode, status: AnswerStatus = AnswerStatus.SENT, **fields: Any) -> SentAnswer:
    answer = Answer(
        id=new_id(), document_id=IncomingDocumentId(UUID(int=1)), position=1, answer=code, code="AP", reason=None,
        note=None, format=PEPPOL, sender="a", receiver="b", sender_country="DK", document_number="7", sha256=b"",
        content=b"", status=status, created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    return SentAnswer(replace(answer, **fields))


def is_allowed(code: AnswerCode, form: DocumentFormat, answers: list[SentAnswer]) -> bool:
    try:
        check_next(AnswerGiven(code), form, answers)
    except LedgerBeeError as caught:
        fault = caught
    else:
        return True
    assert fault.code == "INCOMING_DOCUMENT_ANSWER_NOT_ALLOWED"
    assert code.value not in fault.details["allowedAnswers"]
    assert fault.details["lastAnswer"] == (answers[-1].answer.answer if answers else None)
    return False


@given(st.lists(st.sampled_from(AnswerCode), max_size=12), st.sampled_from([PEPPOL, OIOUBL]))
def test_a_document_has_one_verdict_and_an_end(wanted: list[AnswerCode], form: DocumentFormat) -> None:
    """Whatever is tried: one verdict, nothing after a rejection or the payment, only the payment after acceptance."""
    answers: list[SentAnswer] = []
    for code in wanted:
        if is_allowed(code, form, answers):
            answers.append(sent(code))
    codes = [one.answer.answer for one in answers]
    ends = [place for place, code in enumerate(codes) if code in {*VERDICTS, PAID}]
    assert sum(code in VERDICTS for code in codes) <= 1
    assert codes.count(AnswerCode.RECEIVED) <= (codes[:1] == [AnswerCode.RECEIVED])
    if ends:
        rest = codes[ends[0] :]
        assert rest in ([REJECTED], [ACCEPTED], [ACCEPTED, PAID], [PAID])
    if form is OIOUBL:
        assert codes in ([], [ACCEPTED], [REJECTED])


@pytest.mark.parametrize("last", [None, *AnswerCode])
def test_until_the_verdict_each_verdict_is_open(last: AnswerCode | None) -> None:
    is_over = last in {ACCEPTED, REJECTED, PAID}
    for status in AnswerStatus:  # one that failed may have arrived
        before = [sent(last, status)] if last else []
        assert [is_allowed(code, PEPPOL, before) for code in (ACCEPTED, REJECTED)] == [not is_over] * 2
        assert is_allowed(PAID, PEPPOL, before) is (last not in {REJECTED, PAID})


def test_only_what_failed_and_is_given_as_it_was_is_sent_again() -> None:
    failed = sent(REJECTED, AnswerStatus.FAILED, note="Unknown")
    assert to_send_again(failed.answer.given, [failed]) is failed
    assert to_send_again(AnswerGiven(REJECTED, None, "Other"), [failed]) is None
    assert to_send_again(failed.answer.given, [failed, sent(PAID)]) is None
    assert to_send_again(AnswerGiven(ACCEPTED), []) is None
    for status in set(AnswerStatus) - {AnswerStatus.FAILED}:
        assert to_send_again(AnswerGiven(ACCEPTED), [sent(ACCEPTED, status)]) is None


@pytest.mark.parametrize("code", AnswerCode)
def test_who_is_refused_or_asked_is_told_why(code: AnswerCode) -> None:
    needs_note = code in {REJECTED, AnswerCode.UNDER_QUERY, AnswerCode.CONDITIONALLY_ACCEPTED}
    for note in (None, "", " \t", "\x01", "\u200b", "\x7f", "\xa0\u202e"):  # nothing in XML, or nothing to see
        for reason in (None, AnswerReason.PRICES):
            if needs_note or reason:
                with pytest.raises(LedgerBeeError) as caught:
                    check_given(AnswerGiven(code, reason, note))
                assert caught.value.details["validationErrors"][0]["property"] == "note"
            else:
                check_given(AnswerGiven(code, reason, note))
    check_given(AnswerGiven(code, AnswerReason.PRICES, "Why"))


@pytest.mark.parametrize("code", AnswerCode)
def test_each_reason_goes_with_the_answers_that_it_may_be_the_reason_of(code: AnswerCode) -> None:
    """PEPPOL-T111-R005: `PPD` with `PD` alone. No rule binds another one."""
    for reason in AnswerReason:
        coded = AnswerGiven(code, reason, "Why")
        if reason is AnswerReason.PARTLY_PAID and code is not PAID:
            with pytest.raises(LedgerBeeError) as caught:
                check_given(coded)
            assert [one["property"] for one in caught.value.details["validationErrors"]] == ["reason"]
        else:
            check_given(coded)
    with pytest.raises(LedgerBeeError) as caught:
        check_given(AnswerGiven(REJECTED, AnswerReason.PARTLY_PAID))
    assert [one["property"] for one in caught.value.details["validationErrors"]] == ["note", "reason"]


@given(st.lists(st.sampled_from(AnswerStatus), max_size=4))
def test_an_answer_leaves_when_those_before_it_have_ended(statuses: list[AnswerStatus]) -> None:
    before = [sent(AnswerCode.UNDER_QUERY, status) for status in statuses]
    assert is_its_turn(before) is (not {AnswerStatus.PENDING, AnswerStatus.SENDING} & set(statuses))


def test_no_answer_is_of_an_earlier_time_than_the_one_before_it() -> None:
    assert moment_of(NOW, []) == NOW
    second = timedelta(seconds=1)
    before = [sent(AnswerCode.RECEIVED, created_at=NOW + second), sent(ACCEPTED, created_at=NOW + 2 * second)]
    assert [moment_of(NOW + late * second, before) - NOW for late in (0, 2, 3)] == [2 * second, 2 * second, 3 * second]


def test_reasons_are_peppols_alone_and_other_formats_have_no_answer() -> None:
    coded = AnswerGiven(REJECTED, AnswerReason.PRICES, "Why")
    check_reason(coded, PEPPOL)
    check_reason(AnswerGiven(REJECTED, None, "Why"), OIOUBL)
    with pytest.raises(LedgerBeeError) as caught:
        check_reason(coded, OIOUBL)
    assert caught.value.details["validationErrors"][0]["property"] == "reason"
    assert [format_of(form) for form in (PEPPOL, OIOUBL)] == [EInvoiceFormat.PEPPOL, EInvoiceFormat.OIOUBL]
    with pytest.raises(LedgerBeeError) as caught:
        format_of(DocumentFormat.UBL)
    assert caught.value.details == {"missing": ["format"]}


CVR, GLN = Identifier("0184", "25313763"), Identifier("0088", "5798009811578")
OWN = Known(UUID(int=2), "13585628", "DK")
NOBODY = Known(UUID(int=2), None, "DK")
OURS = Identifier("0184", "13585628")


def party(endpoint: str | None, vat: str | None = "DK25313763", country: str = "DK") -> TradingParty:
    return TradingParty("A", country, vat_number=vat, endpoint=endpoint)


@pytest.mark.parametrize(
    ("sender", "receiver", "is_ours", "expected"),
    [
        (party("0088:5798009811578"), party("0184:13585628"), True, (OURS, GLN)),
        (party("0184:DK25313763"), party("0088:5798009811578"), True, (GLN, CVR)),
        # Not stated, of another kind, or wrong: the number in the register.
        (party(None), party("0184:12345678", "DK13585628"), True, (OURS, CVR)),
        (party("0088:5798009811570"), party("X:1", None), True, (OURS, CVR)),
        (party("X:1"), party("9999:1"), True, (OURS, CVR)),
        # Official examples have numbers that fail modulus 11: as stated, or else as registered.
        (party("0184:16356706", None), party(None), True, (OURS, Identifier("0184", "16356706"))),
        (party("0198:DK16356706", None), party(None), True, (OURS, Identifier("0198", "16356706"))),
        (party(None, "DK16356706"), party(None), True, (OURS, Identifier("0184", "16356706"))),
        (party("0184:1635670"), party(None), True, (OURS, CVR)),
        # A company's number that isn't ours: nobody answers by it, whatever else the document says.
        (party(None), party("0184:31119103", "DK13585628"), True, (OURS, CVR)),
        (party(None), party("0198:DK31119103", "DK13585628"), True, (OURS, CVR)),
        (party(None), party("9930:DE136695976", "DK13585628"), True, (OURS, CVR)),
        (party(None), party(None, "DK31119103"), True, (OURS, CVR)),
        (party(None), party("0198:DK13585628"), True, (Identifier("0198", "13585628"), CVR)),
        (party(None), party("0096:1234567890"), True, (Identifier("0096", "1234567890"), CVR)),
        (party(":"), party(None, None), True, (OURS, CVR)),
        # For somebody else: nobody answers in another one's name.
        (party("0184:25313763"), party("0088:5798009811578"), False, (OURS, CVR)),
        # A register that isn't known here.
        (party("0208:0123456789", None, "BE"), party(None, None), True, (OURS, Identifier("0208", "0123456789"))),
    ],
)
def test_an_answer_goes_between_the_addresses_of_the_document(
    sender: TradingParty, receiver: TradingParty, is_ours: bool, expected: tuple[Identifier, Identifier]
) -> None:
    assert parties(sender, receiver, OWN, EInvoiceFormat.PEPPOL, is_ours=is_ours) == expected


@pytest.mark.parametrize(
    ("sender", "company", "form", "details"),
    [
        (party(None, None), OWN, EInvoiceFormat.PEPPOL, {"missing": ["sender.endpoint"]}),
        (party(None, None), NOBODY, EInvoiceFormat.PEPPOL, {"missing": ["receiver.endpoint", "sender.endpoint"]}),
        (party("0208:0123456789", None, "BE"), OWN, EInvoiceFormat.OIOUBL,
         {"missing": ["sender.endpoint"], "senderEndpoint": "0208:0123456789"}),
        # In no scheme of the network: no other address is guessed.
        (party("9999:0123456789"), OWN, EInvoiceFormat.PEPPOL,
         {"missing": ["sender.endpoint"], "senderEndpoint": "9999:0123456789"}),
    ],
)  # fmt: skip
def test_a_missing_address_is_named(
    sender: TradingParty, company: Known, form: EInvoiceFormat, details: dict[str, Any]
) -> None:
    with pytest.raises(LedgerBeeError) as caught:
        parties(sender, party(None, None), company, form, is_ours=True)
    assert (caught.value.code, caught.value.details) == ("INCOMING_DOCUMENT_NOT_ANSWERABLE", details)
    assert all(str(value) in str(caught.value) for name, value in details.items() if name != "missing")


@pytest.mark.parametrize("endpoint", ["0184:12345674", "0198:DK12345674", "0192:923609016", "9930:DE136695976", None])
def test_a_company_without_a_number_answers_in_nobodys_name(endpoint: str | None) -> None:
    with pytest.raises(LedgerBeeError) as caught:
        parties(party(None), party(endpoint, "DK12345674"), NOBODY, EInvoiceFormat.PEPPOL, is_ours=True)
    assert caught.value.details == {"missing": ["receiver.endpoint"]}
    answering, _ = parties(party(None), party("0088:5798009811578", None), NOBODY, EInvoiceFormat.PEPPOL, is_ours=True)
    assert answering == GLN


@pytest.mark.parametrize(
    ("company", "endpoint", "own"),
    [
        (Known(UUID(int=2), "NO923609016MVA", "NO"), "0192:923609016", "923609016"),
        (Known(UUID(int=2), "SE556677889901", "SE"), "0007:5566778899", "5566778899"),
        (Known(UUID(int=2), "DE136695976", "DE"), "9930:DE136695976", "DE136695976"),
    ],
)
def test_a_company_of_another_country_answers_by_its_own_number(company: Known, endpoint: str, own: str) -> None:
    for receiver in (party(endpoint, None, company.country_code), party("0184:31119103"), party(None)):
        answering, _ = parties(party(None), receiver, company, EInvoiceFormat.PEPPOL, is_ours=True)
        assert answering.number == own


def test_an_address_that_the_format_does_not_have_is_not_answered_from() -> None:
    receiver = party("0060:123456789", None)
    answering, _ = parties(party(None), receiver, OWN, EInvoiceFormat.PEPPOL, is_ours=True)
    assert answering == Identifier("0060", "123456789")
    answering, _ = parties(party(None), receiver, OWN, EInvoiceFormat.OIOUBL, is_ours=True)
    assert answering == OURS


@pytest.mark.parametrize(("code", "own"), [("386", "386"), ("381", "381"), ("abc", None), (None, None)])
def test_a_document_is_referred_to_by_its_own_code(code: str | None, own: str | None) -> None:
    assert code_of(replace(xml_read(peppol()), type_code=code)) == own


def test_a_claim_holds_until_it_lapses() -> None:
    open_ = [status for status in AnswerStatus if can_be_sent(status)]
    assert open_ == [AnswerStatus.PENDING, AnswerStatus.SENDING]
    claimed = sent(ACCEPTED, AnswerStatus.SENDING).answer
    assert was_interrupted(sent(ACCEPTED, AnswerStatus.PENDING).answer, NOW) is False
    assert was_interrupted(claimed, NOW + CLAIM_LASTS) is True
    with pytest.raises(LedgerBeeError) as caught:
        was_interrupted(claimed, NOW + CLAIM_LASTS - timedelta(microseconds=1))
    assert caught.value.code == "INCOMING_ANSWER_UNDERWAY"
    assert was_interrupted(claimed, NOW, has_worker_died=True) is True
    assert was_interrupted(sent(ACCEPTED, AnswerStatus.PENDING).answer, NOW, has_worker_died=True) is False
