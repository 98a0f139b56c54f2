"""The mail of an invoice: whatever its texts hold, its headers are ours and survive the way to the server."""

import email
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP, default
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledgerbee.platform.mail import MailRefusedError
from ledgerbee.sales.delivery.mail import MAX_NAME, Envelope, compose, message_id, one_line
from ledgerbee.sales.documents.printing import file_name

AT = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)
DELIVERY = UUID("01a205c4-f2d9-77e7-b182-225cd1638370")
HEADERS = {
    "Message-ID", "Date", "From", "To", "Reply-To", "Subject", "Auto-Submitted", "Content-Language", "MIME-Version",
    "Content-Type",
}  # fmt: skip

#: What a name may hold: anything that can be stored (no NUL, no lone surrogate).
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=300).filter(
    lambda text: text.strip()
)
lines_breaking = st.sampled_from(
    ["\r\nBcc: thief@example.com", "a\nb", "\x85X-Evil: 1", "\u2028to", "ø" * 500, '"; ,<@>']
)


def document(name: str = "Nordlys ApS", number: str = "1042", language: str = "da", **changes: Any) -> dict[str, Any]:
    return {
        "kind": "invoice",
        "language": language,
        "number": number,
        "issueDate": "2026-03-16",
        "dueDate": "2026-03-30",
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
        "delivery_id": DELIVERY,
        "sender": "LedgerBee <invoices@ledgerbee.localhost>",
        "recipient": "faktura@havblik.example",
        "reply_to": "kontor@nordlys.example",
        **changes,
    })  # fmt: skip


def over_the_wire(message: EmailMessage) -> EmailMessage:
    return email.message_from_bytes(message.as_bytes(policy=SMTP), EmailMessage, policy=default)


@settings(deadline=None)  # the first mail loads codecs
@given(name=names | lines_breaking, number=names | lines_breaking, language=st.sampled_from(["da", "en"]))
def test_no_text_adds_a_header_or_moves_an_address(name: str, number: str, language: str) -> None:
    message = over_the_wire(compose(document(name, number, language), envelope(), b"%PDF-1.7", AT))
    assert sorted(message.keys()) == sorted(HEADERS)
    assert message["From"].addresses[0].addr_spec == "invoices@ledgerbee.localhost"
    assert message["Reply-To"].addresses[0].addr_spec == "kontor@nordlys.example"
    assert [address.addr_spec for address in message["To"].addresses] == ["faktura@havblik.example"]
    (attachment,) = message.iter_attachments()
    assert attachment.get_content() == b"%PDF-1.7"
    file_name = attachment.get_filename()
    assert file_name is not None
    assert file_name.startswith("Faktura " if language == "da" else "Invoice ")
    assert file_name.endswith(".pdf")
    assert all(char.isalnum() or char in "-_. " for char in file_name)
    assert len(file_name.encode()) <= 255


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
    message = over_the_wire(compose(document(number="Æ/7"), envelope(), b"%PDF-1.7", AT))
    assert [part.get_filename() for part in message.iter_attachments()] == ["Faktura Æ-7.pdf"]


def test_an_iban_is_written_in_groups() -> None:
    payment = dict.fromkeys(("bankName", "registrationNumber", "accountNumber", "bic", "paymentId"))
    body = compose(document(payment=payment | {"iban": "DK5000400440116243"}), envelope(), b"", AT).get_body(("plain",))
    assert body is not None
    assert "IBAN: DK50 0040 0440 1162 43" in body.get_content()


@given(names | lines_breaking)
def test_one_line_is_one_short_line(text: str) -> None:
    line = one_line(text)
    assert len(line) <= MAX_NAME
    assert line.splitlines() in ([line], [])
    assert one_line(line) == line


@pytest.mark.parametrize("name", ["Nordlys ApS", "Rødgrød & Fløde", 'Kaj "Kat" Olsen, ApS', "日本商事", "Ægir; <x@y>"])
def test_the_sender_shows_the_companys_name(name: str) -> None:
    message = over_the_wire(compose(document(name), envelope(), b"", AT))
    assert message["From"].addresses[0].display_name == name
    assert str(message["Subject"]).strip() == f"Faktura 1042 fra {name}"


def test_without_an_address_of_the_company_there_is_no_reply_to() -> None:
    assert compose(document(), envelope(reply_to=None), b"", AT)["Reply-To"] is None


def test_texts_are_shown_not_run() -> None:
    message = compose(document("<img src=x onerror=alert(1)> & co"), envelope(), b"", AT)
    body = message.get_body(("html",))
    assert body is not None
    assert "<img" not in body.get_content()
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; co" in body.get_content()


def test_what_the_document_does_not_say_is_left_out() -> None:
    bare = document(
        dueDate=None,
        references={"yourReference": "Astrid Holm", "purchaseOrder": None},
        payment=dict.fromkeys(("bankName", "registrationNumber", "accountNumber", "iban", "bic", "paymentId")),
    )
    body = compose(bare, envelope(), b"", AT).get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\u00a0", " ") == (
        "Hej Astrid Holm,\n\nVedhæftet er faktura 1042 af 16. marts 2026 på 1.250,00 DKK.\n\n"
        "Til betaling: 1.250,00 DKK\n\nMed venlig hilsen\nNordlys ApS\n"
    )


def test_a_delivery_has_one_message_id() -> None:
    assert message_id(DELIVERY, "LedgerBee <invoices@ledgerbee.example>") == f"<{DELIVERY}@ledgerbee.example>"
    assert compose(document(), envelope(), b"", AT)["Message-ID"] == f"<{DELIVERY}@ledgerbee.localhost>"


@pytest.mark.parametrize("address", ["", "nobody", "a@b@c", "a b@example.com", "a@exam ple.com", "x\r\n@example.com"])
def test_what_is_no_address_is_refused_for_good(address: str) -> None:
    with pytest.raises(MailRefusedError):
        compose(document(), envelope(recipient=address), b"", AT)
