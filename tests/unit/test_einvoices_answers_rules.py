"""Answers to e-invoices: how they are read, what they mean, what they are to, and how ours are written."""

import re
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from tests import answers
from tests.answers import answer
from tests.ubl import Ubl

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.network.answering import (
    AnsweredDocument,
    AnsweringParty,
    Issue,
    IssueCode,
    OioublCode,
    PeppolCode,
    Reply,
    StatusCode,
    application_response,
    invoice_response,
    message_level_status,
)
from ledgerbee.network.model import MessageType
from ledgerbee.parties.endpoints import Identifier
from ledgerbee.sales.documents.model import DocumentKind
from ledgerbee.sales.einvoices.answers.model import MAX_BYTES, Answered, AnswerKind, PartyNumber, ReadAnswer, Verdict
from ledgerbee.sales.einvoices.answers.reading import read
from ledgerbee.sales.einvoices.answers.rules import check_receiver, match, verdict

INVOICE, CREDIT_NOTE = DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE
READ = ReadAnswer(AnswerKind.APPLICATION_RESPONSE, "BusinessAccept", None, date(2026, 3, 17), "7", None, None)


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        (answer("7", "BusinessAccept"), READ),
        (
            answer("7", "BusinessReject", text="Ukendt &amp; forkert", kind="CreditNote", uuid="x-1"),
            replace(READ, code="BusinessReject", text="Ukendt & forkert", document_type=CREDIT_NOTE,
                    document_uuid="x-1"),
        ),
        (
            answer("7", "UQ", customization=answers.INVOICE_RESPONSE, kind="380", line="Line 2"),
            replace(READ, kind=AnswerKind.INVOICE_RESPONSE, code="UQ", text="Line 2", document_type=INVOICE),
        ),
        (
            answer("7", "RE", customization=answers.MESSAGE_LEVEL_RESPONSE, text="a", line="b"),
            replace(READ, kind=AnswerKind.MESSAGE_LEVEL_RESPONSE, code="RE", text="a\nb"),
        ),
        (
            answer("0198f0a4-3d1c-7c5e-8a54-6d0f1f2b7c01", "AP", customization=answers.MESSAGE_LEVEL_STATUS),
            replace(READ, kind=AnswerKind.MESSAGE_LEVEL_STATUS, code="AP",
                    reference="0198f0a4-3d1c-7c5e-8a54-6d0f1f2b7c01"),
        ),
        (answer("7", "AP", customization=answers.INVOICE_RESPONSE, kind="389"),
         replace(READ, kind=AnswerKind.INVOICE_RESPONSE, code="AP")),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "encoded",
    [
        lambda xml: xml.encode(),
        lambda xml: b"\xef\xbb\xbf" + xml.encode(),
        lambda xml: ("<?xml version='1.0' encoding='UTF-16'?>" + xml).encode("utf-16"),
        lambda xml: ("<?xml version='1.0' encoding='ISO-8859-1'?>" + xml).encode("latin-1"),
    ],
)
def test_an_answer_is_read_in_every_encoding(xml: str, expected: ReadAnswer, encoded: Callable[[str], bytes]) -> None:
    assert read(encoded(xml)) == expected


GOOD = answer("7", "BusinessAccept")
BOMB = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;'>]>" + GOOD.replace(">7<", ">&b;<")
DEEP = "<cbc:Note>" * 500 + "</cbc:Note>" * 500
MANY = "<cbc:Note/>" * 30_000
END = "</ApplicationResponse>"


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        ("", "no XML"),
        ("{}", "no XML"),
        (GOOD[:-1], "no XML"),
        ("<?xml version='1.0' encoding='no-such'?>" + GOOD, "no XML"),
        (BOMB, "document type"),
        ("<!DOCTYPE x SYSTEM 'file:///etc/passwd'>" + GOOD, "document type"),
        (GOOD.replace(END, DEEP + END), "too many elements, or lies too deep"),
        (GOOD.replace(END, MANY + END), "too many elements, or lies too deep"),
        (GOOD + " " * MAX_BYTES, f"longer than {MAX_BYTES} bytes"),
        (
            GOOD.replace("xmlns:cac", "xmlns:x").replace("xmlns:cbc", "xmlns:cac").replace("xmlns:x", "xmlns:cbc"),
            "CustomizationID",
        ),
        (GOOD.replace("ApplicationResponse-2", "Invoice-2"), "no ApplicationResponse"),
        (GOOD.replace("OIOUBL-2.02", "urn:x"), "CustomizationID"),
        (GOOD.replace("ResponseCode>", "OtherCode>"), "one DocumentResponse/Response/ResponseCode"),
        (GOOD.replace("BusinessAccept", "x" * 51), "longer than 50"),
        (GOOD.replace(">7<", ">" + "7" * 201 + "<"), "longer than 200"),
        (GOOD.replace(">7<", "> <"), "one DocumentResponse/DocumentReference/ID"),
        (GOOD.replace("2026-03-17", "17.03.2026"), "IssueDate is no date"),
        (GOOD.replace("2026-03-17", "2026-13-17"), "IssueDate is no date"),
        (GOOD.replace("<cac:DocumentReference>", "<cac:DocumentReference/><cac:DocumentReference>"), "there has to be"),
        (GOOD.replace("<cac:DocumentResponse>", "<cac:DocumentResponse/><cac:DocumentResponse>"), "there has to be"),
    ],
)
def test_what_is_no_answer_is_refused_with_the_reason(xml: str, reason: str) -> None:
    with pytest.raises(LedgerBeeError) as refused:
        read(xml.encode())
    assert refused.value.error_code.code == "E_INVOICE_RESPONSE_UNREADABLE"
    assert reason in refused.value.details["reason"]


@pytest.mark.parametrize("prefix", ["e:", "cac:", "cbc:"])
def test_elements_count_by_their_namespace(prefix: str) -> None:
    """What another namespace says with the same names, or the wrong one of UBL's two, changes nothing."""
    full = answer("7", "BusinessReject", text="why", kind="Invoice", uuid="x-1", line="b")
    for name in re.findall(r"<(?:cac|cbc):(\w+)", full):
        own = next(found for found in ("cac:", "cbc:") if f"<{found}{name}" in full)
        copied = re.search(rf"<{own}{name}>.*?</{own}{name}>", full)
        assert copied is not None
        if own != prefix:
            other = copied[0].replace(f"{own}{name}", f"{prefix}{name}").replace(">7<", ">8<")
            more = full.replace(copied[0], other + copied[0], 1).replace("xmlns:cac", 'xmlns:e="urn:x" xmlns:cac')
            assert read(more.encode()) == read(full.encode()), name
    inside = full.replace(">7<", "><e:x xmlns:e='urn:x'>8</e:x>7<")
    assert read(inside.encode()).reference == "7"


def test_a_day_may_have_its_time_zone() -> None:
    assert read(GOOD.replace("2026-03-17", "2026-03-17Z").encode()).issue_date == date(2026, 3, 17)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ("BusinessAccept ProfileAccept TechnicalAccept AP CA PD", Verdict.ACCEPTED),
        ("BusinessReject ProfileReject TechnicalReject RE", Verdict.REJECTED),
        ("AB IP UQ something", Verdict.UNDERWAY),
    ],
)
def test_a_code_comes_to_yes_no_or_neither(codes: str, expected: Verdict) -> None:
    assert {verdict(code) for code in codes.split()} == {expected}


def sent(kind: DocumentKind = INVOICE, number: str = "7") -> Answered:
    return Answered(new_id(), kind, new_id(), number, new_id())


class TestWhatAnAnswerIsTo:
    def test_the_one_of_its_number(self) -> None:
        one = sent()
        assert match(READ, [one]) == one

    def test_the_one_of_its_kind(self) -> None:
        invoice, note = sent(), sent(CREDIT_NOTE)
        assert match(replace(READ, document_type=CREDIT_NOTE), [invoice, note]) == note
        assert match(replace(READ, document_type=INVOICE), [invoice, note]) == invoice

    def test_the_id_of_the_message_says_it_by_itself(self) -> None:
        invoice, note = sent(), sent(CREDIT_NOTE)
        read_answer = replace(READ, reference=str(note.message_id).upper(), document_type=INVOICE)
        assert match(read_answer, [invoice, note]) == note

    def test_of_several_the_documents_own_id_decides(self) -> None:
        invoice, note = sent(), sent(CREDIT_NOTE)
        assert match(replace(READ, document_uuid=str(note.document_id)), [invoice, note]) == note

    @pytest.mark.parametrize(
        ("given", "candidates"),
        [
            ({}, []),
            ({}, [sent(), sent(CREDIT_NOTE)]),
            ({"document_type": CREDIT_NOTE}, [sent()]),
            ({"document_uuid": str(new_id())}, []),
        ],
    )
    def test_none_or_several_are_refused(self, given: dict[str, Any], candidates: list[Answered]) -> None:
        with pytest.raises(LedgerBeeError) as refused:
            match(replace(READ, **given), candidates)
        assert refused.value.details == {"reference": "7"}

    def test_a_uuid_that_contradicts_is_refused_also_of_one(self) -> None:
        one, other = sent(), sent(CREDIT_NOTE)
        for uuid in (str(one.document_id), f"urn:uuid:{one.document_id}".upper(), f"{{{one.message_id}}}"):
            assert match(replace(READ, document_uuid=uuid), [one, other]) == one
        for uuid in (str(new_id()), "x-1"):
            for reference, candidates in (("7", [one]), ("7", [one, other]), (str(one.message_id), [one])):
                with pytest.raises(LedgerBeeError, match="another UUID") as refused:
                    match(replace(READ, document_uuid=uuid, reference=reference), candidates)
                assert refused.value.details == {"reference": reference, "uuid": uuid}

    @pytest.mark.parametrize(
        ("receivers", "is_ours"),
        [
            ([], True),
            ([("DK:CVR", "DK13585628")], True),
            ([("0198", "DK 13585628")], True),
            ([("0198", "DK25313763")], True),
            ([("0184", "25313763"), ("0198", "DK13585628")], True),
            ([("0184", "13585628"), ("DK:SE", "DK25313763")], True),
            ([("GLN", "5798009811578")], True),
            ([("0088", "5790000435968")], False),
            ([("0088", "5790000435968"), ("0184", "13585628")], True),
            ([("", "25313763"), ("DK:P", "1234567890")], True),
            ([("DK:CVR", "DK25313763")], False),
            ([("0184", "25313763"), ("DK:P", "1234567890")], False),
        ],
    )
    def test_who_it_is_for_is_compared_where_it_can_be(
        self, receivers: list[tuple[str, str]], *, is_ours: bool
    ) -> None:
        own = [PartyNumber("0184", "13585628"), PartyNumber("0088", "5798009811578")]
        stated = replace(READ, receivers=tuple(PartyNumber(*one) for one in receivers))
        with nullcontext() if is_ours else pytest.raises(LedgerBeeError, match="another party"):
            check_receiver(stated, own)
        check_receiver(replace(stated, kind=AnswerKind.MESSAGE_LEVEL_STATUS), own)
        check_receiver(stated, [])


AT = datetime(2026, 3, 17, 0, 30, 15, tzinfo=timezone(timedelta(hours=1)))
REPLY = Reply(
    "A-1",
    AT,
    AnsweringParty("Køber & Co", Identifier("0088", "5798009811578")),
    AnsweringParty("Sælger ApS", Identifier("0184", "13585628")),
)
DOCUMENT = AnsweredDocument(MessageType.CREDIT_NOTE, "F<7>", date(2026, 3, 1), "x-1")


class TestOurs:
    """What we write is read as it was meant."""

    @pytest.mark.parametrize("code", list(OioublCode))
    def test_an_application_response(self, code: OioublCode) -> None:
        xml = application_response(REPLY, DOCUMENT, code, "Forkert & sent")
        assert read(xml) == ReadAnswer(
            AnswerKind.APPLICATION_RESPONSE,
            code,
            "Forkert & sent",
            date(2026, 3, 16),
            "F<7>",
            CREDIT_NOTE,
            "x-1",
            (PartyNumber("DK:CVR", "DK13585628"),),
        )
        document = Ubl.of(xml)
        assert document.text("IssueTime") == "23:30:15Z"
        assert document.schemed("SenderParty/EndpointID") == ("GLN", "5798009811578")
        assert document.schemed("ReceiverParty/EndpointID") == ("DK:CVR", "DK13585628")
        business = code in {OioublCode.BUSINESS_ACCEPT, OioublCode.BUSINESS_REJECT}
        assert document.text("ProfileID") == ("urn:www.nesubl.eu:profiles:profile5:ver2.0" if business else "NONE")

    @pytest.mark.parametrize("code", list(PeppolCode))
    def test_an_invoice_response(self, code: PeppolCode) -> None:
        xml = invoice_response(REPLY, DOCUMENT, code, "Wrong order", reason="REF")
        assert read(xml) == ReadAnswer(
            AnswerKind.INVOICE_RESPONSE,
            code,
            "Wrong order",
            date(2026, 3, 16),
            "F<7>",
            CREDIT_NOTE,
            None,
            (PartyNumber("0184", "13585628"),),
        )
        document = Ubl.of(xml)
        assert document.schemed("ReceiverParty/EndpointID") == ("0184", "13585628")
        assert document.text("DocumentResponse/Response/Status/StatusReasonCode") == "REF"

    def test_a_message_level_status(self) -> None:
        between, message_id = ("000123", "000456"), str(new_id())
        issues = [Issue(IssueCode.RULE, "/Invoice/cbc:ID", "BR-02"), Issue(IssueCode.WARNING, "NA", "odd")]
        xml = message_level_status("A-1", AT, between, message_id, StatusCode.REJECTED, "Broken rules", issues)
        found = read(xml)
        assert (found.kind, found.code, found.reference) == (AnswerKind.MESSAGE_LEVEL_STATUS, "RE", message_id)
        assert found.text == "Broken rules\nBR-02\nodd"
        assert Ubl.of(xml).schemed("SenderParty/EndpointID") == ("0242", "000123")

    def test_who_is_refused_is_told_why(self) -> None:
        for code in set(OioublCode) - {OioublCode.BUSINESS_ACCEPT}:
            with pytest.raises(ValueError, match="told why"):
                application_response(REPLY, DOCUMENT, code, " ")
        for needs_text in (PeppolCode.REJECTED, PeppolCode.UNDER_QUERY, PeppolCode.CONDITIONALLY_ACCEPTED):
            with pytest.raises(ValueError, match="told why"):
                invoice_response(REPLY, DOCUMENT, needs_text)
        fault = Issue(IssueCode.DELIVERY, "NA", "away")
        for status, issues in ((StatusCode.REJECTED, []), (StatusCode.ACCEPTED, [fault])):
            with pytest.raises(ValueError, match="names what is wrong"):
                message_level_status("A-1", AT, ("000123", "000456"), "m", status, "text", issues)

    def test_what_isnt_known_is_left_out(self) -> None:
        document = AnsweredDocument(MessageType.INVOICE, "7")
        xml = application_response(replace(REPLY, at=AT.astimezone(UTC)), document, OioublCode.BUSINESS_ACCEPT)
        assert (read(xml).text, read(xml).document_uuid) == (None, None)
        assert read(invoice_response(REPLY, document, PeppolCode.PAID)).text is None
