"""The mail of an invoice: whatever its texts hold, its headers are ours and survive the way to the server."""

import email
import re
from dataclasses import replace
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.policy import compat32, default
from email.utils import parseaddr
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pages import TURNING, reaching

from ledgerbee.platform.mail import MAX_NAME, MailRefusedError, message_id, one_line, sender_address
from ledgerbee.platform.mail_message import MailMessage, UnsafeMessageError, check, write
from ledgerbee.sales.delivery.mail import Envelope, compose
from ledgerbee.sales.documents.kind import AnyKind
from ledgerbee.sales.documents.printing import file_name
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.kinds import KINDS
from ledgerbee.sales.rendering.wording import WORDINGS

AT = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)
DELIVERY = UUID("01a205c4-f2d9-77e7-b182-225cd1638370")
TYPES = ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "application/pdf"]
HEADERS = {
    "Message-ID", "Date", "From", "To", "Reply-To", "Subject", "Auto-Submitted", "Content-Language", "MIME-Version",
    "Content-Type",
}  # fmt: skip

#: Texts as an attacker writes them: encoded words, line breaks of all kinds, what parsers stop at, what turns text.
PIECES = [
    "=?utf-8?q?", "?=", "=0A", "=0D=0A", "=?utf-8?b?QmNjOiB0aGllZkBleGFtcGxlLmNvbQ==?=", "=?", "\r\n", "\n", "\r",
    "\x85", "\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x1e", "\t", "\0", "\u202e", "\u2066", "\ufeff",
    "Bcc: thief@example.com", "Subject: x", "Content-Type: text/html", "--=", ".", "\r\n.\r\n", "<", ">",
    "<x@evil.example>", "@", ",", ";", ":", '"', "\\", "(", ")", "'", "ø" * 40, "W" * 400, "日本", "\U0001f600", " ",
    "  ", "a", "From ", "=", "%0A", "&lt;", "<script>",
]  # fmt: skip
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
hostile = st.lists(st.sampled_from(PIECES) | st.text(characters, max_size=5), min_size=1, max_size=12).map("".join)
#: The attack that older Pythons fall for, whole.
INJECTION = (
    "=?utf-8?q?Bank=0ASubject:_Pay_now=0AReply-To:_x@evil.dk=0AContent-Type:_text/html=0A=0A=3Ch1=3EPhish=3C/h1=3E?="
)
names = hostile | st.just(INJECTION) | st.text(characters, min_size=1, max_size=300)


def document(name: str = "Nordlys ApS", number: str = "1042", language: str = "da", **changes: Any) -> dict[str, Any]:
    return {
        "kind": "invoice",
        "language": language,
        "number": number,
        "issueDate": "2026-03-16",
        "dueDate": "2026-03-30",
        "validUntil": None,
        "creditsInvoiceNumber": None,
        "currency": "DKK",
        "amount": "1250.00",
        "seller": {"name": name, "email": None},
        "buyer": {"name": name},
        "references": {"yourReference": None, "purchaseOrder": name},
        "payment": {
            "bankName": name, "registrationNumber": "1234", "accountNumber": "5678901", "iban": None, "bic": None,
            "paymentId": number,
        },
        **changes,
    }  # fmt: skip


def envelope(**changes: Any) -> Envelope:
    return Envelope(**{
        "mail_id": DELIVERY,
        "sender": "LedgerBee <invoices@ledgerbee.localhost>",
        "recipient": "faktura@havblik.example",
        "reply_to": "kontor@nordlys.example",
        **changes,
    })  # fmt: skip


def over_the_wire(letter: MailMessage) -> EmailMessage:
    return email.message_from_bytes(write(letter), EmailMessage, policy=default)


def decoded(value: str) -> str:
    return str(make_header(decode_header(value)))


@given(
    seller=names, number=names, buyer=names, order=names, bank=names, reply_to=st.none() | names,
    language=st.sampled_from(["da", "en"]),
)  # fmt: skip
def test_no_text_adds_a_header_or_moves_an_address(
    seller: str, number: str, buyer: str, order: str, bank: str, reply_to: str | None, language: str
) -> None:
    """Every text that reaches a mail, read by two parsers: they see the headers, parts and texts that are meant."""
    written = document(
        seller, number, language,
        buyer={"name": buyer}, references={"yourReference": reply_to, "purchaseOrder": order},
        payment={
            "bankName": bank, "registrationNumber": number, "accountNumber": order, "iban": buyer, "bic": bank,
            "paymentId": number,
        },
    )  # fmt: skip
    letter = compose(INVOICES.mail, written, envelope(), b"%PDF-1.7\n.\r\n--=\r", AT)
    content = write(letter)
    content.decode("ascii")
    assert max(map(len, content.split(b"\r\n"))) < 998
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", content)
    old = email.message_from_bytes(content, Message, policy=compat32)
    assert sorted(old.keys()) == sorted(HEADERS)
    assert [part.get_content_type() for part in old.walk()] == TYPES
    assert parseaddr(old["From"])[1] == "invoices@ledgerbee.localhost"
    assert decoded(parseaddr(old["From"])[0]) == one_line(seller)
    assert decoded(old["Subject"]) == letter.subject
    message = email.message_from_bytes(content, EmailMessage, policy=default)
    assert sorted(message.keys()) == sorted(HEADERS)
    assert [part.get_content_type() for part in message.walk()] == TYPES
    assert message["From"].addresses[0].addr_spec == "invoices@ledgerbee.localhost"
    assert message["Reply-To"].addresses[0].addr_spec == "kontor@nordlys.example"
    assert [address.addr_spec for address in message["To"].addresses] == ["faktura@havblik.example"]
    (attachment,) = message.iter_attachments()
    assert attachment.get_content() == b"%PDF-1.7\n.\r\n--=\r"
    name = attachment.get_filename()
    assert name is not None
    assert name.startswith("Faktura " if language == "da" else "Invoice ")
    assert name.endswith(".pdf")
    assert all(char.isalnum() or char in "-_. " for char in name)
    assert len(name.encode()) <= 255
    for kind, meant in (("plain", letter.plain), ("html", letter.html)):
        body = message.get_body((kind,))
        assert body is not None
        assert body.get_content().splitlines() == meant.splitlines()
        assert len(meant.splitlines()) <= 15


@given(field=st.sampled_from(["subject", "plain", "name", "address", "message_id", "language"]), text=names)
def test_what_would_be_read_otherwise_is_refused(field: str, text: str) -> None:
    """Texts that nobody put on a line or checked: the mail says them, or isn't written."""
    whole = compose(INVOICES.mail, document(), envelope(), b"%PDF", AT)
    sender = whole.sender
    changes: dict[str, Any] = {
        "name": {"sender": replace(sender, name=text)},
        "address": {"sender": replace(sender, address=text)},
    }
    changed = replace(whole, **changes.get(field, {field: text}))
    try:
        content = write(changed)
    except UnsafeMessageError:
        return
    read = email.message_from_bytes(content, Message, policy=compat32)
    assert sorted(read.keys()) == sorted(HEADERS)
    assert [part.get_content_type() for part in read.walk()] == TYPES
    assert decoded(read["Subject"]) == changed.subject
    assert decoded(parseaddr(read["From"])[0]) == changed.sender.name


@pytest.mark.parametrize(
    ("found", "put"),
    [
        (b"\r\nSubject: ", b"\r\nBcc: thief@example.com\r\nSubject: "),
        (b"\r\nSubject: ", b"\nBcc: thief@example.com\r\nSubject: "),
        (b"\r\nSubject: ", b"\rBcc: thief@example.com\r\nSubject: "),
        (b"\r\nSubject: ", b"\r\nSubject: x\r\nSubject: "),
        (b"\r\nSubject: ", b"\r\nX: x\r\n\r\nSubject: "),
        (b"\r\nSubject: ", b"\r\nX-Subject: "),
        (b"\r\nSubject: ", b"\r\nSubject: \xc3\xb8"),
        (b"\r\nSubject: ", b"\r\nSubject: " + b"x" * 1_000 + b"\r\n "),
        (b"\r\nSubject: Faktura", b"\r\nSubject: Fahtura"),
        (b"\r\nSubject: Faktura", b"\r\nSubject: =?utf-8?q?Fahtura?="),
        (b"From: Nordlys", b"From: =?utf-8?q?Bank=0A?= Nordlys"),
        (b"From: Nordlys ApS", b"From: x@evil.example, Nordlys ApS"),
        (b"<kontor@", b"<kontor2@"),
        (b"To: faktura@havblik.example", b"To: faktura@havblik.example, thief@example.com"),
        (b"multipart/mixed", b"multipart/related"),
        (b"text/html", b"text/plain"),
        (b"application/pdf", b"application/pdf\r\nX-More: 1"),
        (b"text/plain", b"text/html"),
        (b"Faktura 1042.pdf", b"Faktura 1042.exe"),
        (b"Hej ", b"Hejsa "),
        (b"JVBERg==", b"KVBERg=="),
    ],
)
def test_a_mail_that_reads_otherwise_than_meant_is_refused(found: bytes, put: bytes) -> None:
    """The check by itself: whatever goes wrong in writing, what is to leave is compared with what was meant."""
    letter = compose(INVOICES.mail, document(), envelope(), b"%PDF", AT)
    content = write(letter)
    check(letter, content)
    assert found in content
    with pytest.raises(UnsafeMessageError):
        check(letter, content.replace(found, put, 1))


@pytest.mark.parametrize(
    ("kind", "language", "number", "expected"),
    [
        ("invoice", "da", "28", "Faktura 28.pdf"),
        ("invoice", "en", "28", "Invoice 28.pdf"),
        ("invoice", "da", None, "Faktura kladde.pdf"),
        ("invoice", "en", None, "Invoice draft.pdf"),
        ("credit_note", "da", "K-7", "Kreditnota K-7.pdf"),
        ("credit_note", "en", "K-7", "Credit note K-7.pdf"),
        ("quote", "da", "T_1.2", "Tilbud T_1.2.pdf"),
        ("order_confirmation", "da", "2026/Ø 7", "Ordrebekræftelse 2026-Ø-7.pdf"),
        ("order_confirmation", "en", '../a:b*c?"<>|\\', "Order confirmation ..-a-b-c------.pdf"),
    ],
)
def test_a_file_is_named_in_the_documents_language(kind: str, language: str, number: Any, expected: str) -> None:
    written = document(language=language, kind=kind) | {"number": number}
    assert file_name(written) == expected


def test_the_mails_attachment_keeps_a_danish_name() -> None:
    message = over_the_wire(compose(INVOICES.mail, document(number="Æ/7"), envelope(), b"%PDF-1.7", AT))
    assert [part.get_filename() for part in message.iter_attachments()] == ["Faktura Æ-7.pdf"]


def test_an_iban_is_written_in_groups() -> None:
    payment = dict.fromkeys(("bankName", "registrationNumber", "accountNumber", "bic", "paymentId"))
    letter = compose(INVOICES.mail, document(payment=payment | {"iban": "DK5000400440116243"}), envelope(), b"", AT)
    assert "IBAN: DK50 0040 0440 1162 43" in letter.plain


@given(names)
def test_one_line_is_one_short_line(text: str) -> None:
    line = one_line(text)
    assert len(line) <= MAX_NAME
    assert line.splitlines() in ([line], [])
    assert one_line(line) == line


@pytest.mark.parametrize("name", ["Nordlys ApS", "Rødgrød & Fløde", 'Kaj "Kat" Olsen, ApS', "日本商事", "Ægir; <x@y>"])
def test_the_sender_shows_the_companys_name(name: str) -> None:
    message = over_the_wire(compose(INVOICES.mail, document(name), envelope(), b"", AT))
    assert message["From"].addresses[0].display_name == name
    assert str(message["Subject"]).strip() == f"Faktura 1042 fra {name}"


def test_without_an_address_of_the_company_there_is_no_reply_to() -> None:
    assert over_the_wire(compose(INVOICES.mail, document(), envelope(reply_to=None), b"", AT))["Reply-To"] is None


def test_texts_are_shown_not_run() -> None:
    html = compose(INVOICES.mail, document("<img src=x onerror=alert(1)> & co"), envelope(), b"", AT).html
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; co" in html


def test_what_the_document_does_not_say_is_left_out() -> None:
    bare = document(
        dueDate=None,
        references={"yourReference": "Astrid Holm", "purchaseOrder": None},
        payment=dict.fromkeys(("bankName", "registrationNumber", "accountNumber", "iban", "bic", "paymentId")),
    )
    assert compose(INVOICES.mail, bare, envelope(), b"", AT).plain.replace("\u00a0", " ") == (
        "Hej Astrid Holm,\n\nVedhæftet er faktura 1042 af 16. marts 2026 på 1.250,00 DKK.\n\n"
        "Til betaling: 1.250,00 DKK\n\nMed venlig hilsen\nNordlys ApS\n"
    )


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: str(kind.kind))
@pytest.mark.parametrize(("language", "until"), [("da", "Gyldigt til: 15. april 2026"), ("en", "Valid until: ")])
def test_of_what_is_no_invoice_the_mail_asks_for_no_payment(kind: AnyKind, language: str, until: str) -> None:
    words = WORDINGS["da" if language == "da" else "en"]
    written = document(language=language, kind=kind.kind.value, validUntil="2026-04-15")
    letter = compose(kind.mail, written, envelope(), b"", AT)
    plain = letter.plain.replace("\u00a0", " ")
    assert letter.subject.startswith(f"{words.titles[kind.kind.value]} 1042 ")
    for text in (words.to_pay, words.account, words.payment_id, words.due_date):
        assert (text in plain) == (kind is INVOICES), text
    assert (until in plain) == (kind is not INVOICES)


def test_names_turn_nothing_around_beside_them() -> None:
    """In the subject too: a number that follows a name stays a number that follows it."""
    written = document(name=f"{TURNING} ApS", number="\u202e1042")
    written["buyer"]["name"] = TURNING
    letter = compose(INVOICES.mail, written, envelope(), b"", AT)
    for text in (letter.subject, letter.plain, letter.html):
        assert reaching(text) == []
        assert "\u05d7\u05e0\u05d5\u05ea" in text


def test_a_delivery_has_one_message_id() -> None:
    assert message_id(DELIVERY, "LedgerBee <invoices@ledgerbee.example>") == f"<{DELIVERY}@ledgerbee.example>"
    assert (
        over_the_wire(compose(INVOICES.mail, document(), envelope(), b"", AT))["Message-ID"]
        == f"<{DELIVERY}@ledgerbee.localhost>"
    )


@pytest.mark.parametrize("address", ["", "nobody", "a@b@c", "a b@example.com", "a@exam ple.com", "x\r\n@example.com"])
def test_what_is_no_address_is_refused_for_good(address: str) -> None:
    with pytest.raises(MailRefusedError):
        compose(INVOICES.mail, document(), envelope(recipient=address), b"", AT)


def test_an_encoded_word_is_no_address() -> None:
    """It may stand in an address by the grammar, and some read it as what it encodes."""
    with pytest.raises(UnsafeMessageError):
        write(compose(INVOICES.mail, document(), envelope(recipient="=?utf-8?q?a=0ABcc?=@example.com"), b"", AT))


@pytest.mark.parametrize("sender", ["invoices@ledgerbee.localhost", "LedgerBee <a.b+c@example.com>", " a@example.com "])
def test_a_senders_address_is_taken(sender: str) -> None:
    assert sender_address(sender) == sender.strip().removeprefix("LedgerBee <").rstrip(">")


@pytest.mark.parametrize(
    "sender",
    ["", "nobody", "a@b@c", "<>", "a b@example.com", "a@example.com, b@example.com", "søren@example.com", "a@x\n.dk"],
)
def test_what_is_no_senders_address_is_refused(sender: str) -> None:
    with pytest.raises(ValueError, match="must be an e-mail address"):
        sender_address(sender)


def test_a_senders_domain_beyond_ascii_is_said_in_ascii() -> None:
    assert sender_address("faktura@blåbær.example") == "faktura@xn--blbr-roah.example"
