"""What is read in reports of mail servers (RFC 3464): which mail, what became of it, and why."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.platform.mail import Mailer
from ledgerbee.sales.delivery.reports import READ_OF_REPORT, DeliveryReport, read_report

MAIL, OTHER = (UUID(f"01a205c4-f2d9-77e7-b182-225cd163837{digit}") for digit in "01")
TEXT = "message must be the report of what became of a mail that was sent from here (RFC 3464)"
REFUSED = {"validationErrors": [{"property": "message", "constraints": {"isDeliveryReport": TEXT}}]}
GROUP = "Final-Recipient: rfc822; bo@havblik.example\nAction: {}\nStatus: {}\n{}\n"


def report(*groups: str, to: str = "invoices@ledgerbee.example", returned: str | None = None, headers: str = "") -> str:
    """A report as Postfix writes it; by default it returns the headers of the mail."""
    if returned is None:
        returned = f"Content-Type: text/rfc822-headers\n\nSubject: Faktura 1\nMessage-ID: <{MAIL}@ledgerbee.example>\n"
    told = "\n".join(
        ("Reporting-MTA: dns; mail.havblik.example\nArrival-Date: Mon, 16 Mar 2026 12:00:00 +0000\n", *groups)
    )
    return (
        f"From: MAILER-DAEMON@havblik.example\nTo: {to}\n{headers}Auto-Submitted: auto-replied\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status;\n\tboundary="b1"\n\n'
        "This is a MIME-encapsulated message.\n\n--b1\nContent-Type: text/plain\n\nSorry.\n\n"
        f"--b1\nContent-Type: message/delivery-status\n\n{told}\n--b1\n{returned}\n--b1--\n"
    )


def failed(diagnostic: str = "smtp; 550 5.1.1 <bo@havblik.example>: No such user", status: str = "5.1.1") -> str:
    return GROUP.format("failed", status, f"Diagnostic-Code: {diagnostic}\n" if diagnostic else "")


WHOLE = f"Content-Type: message/rfc822\n\nMessage-ID: <{MAIL}@ledgerbee.example>\nSubject: Faktura 1\n\nHej\n"


@pytest.mark.parametrize(
    ("text", "mail_ids", "action", "reason"),
    [
        (report(failed()), [MAIL], "failed", "550 5.1.1 <bo@havblik.example>: No such user"),
        (
            report(failed("utf-8; 550 5.1.1 <bø@havblik.example>"), returned=WHOLE)
            .replace("message/delivery-status", "message/global-delivery-status")
            .replace("message/rfc822", "message/global"),
            [MAIL], "failed", "550 5.1.1 <bø@havblik.example>",
        ),
        (report(failed(), returned=WHOLE), [MAIL], "failed", "550 5.1.1 <bo@havblik.example>: No such user"),
        (report(failed("smtp; 550\n    No such\n    user")), [MAIL], "failed", "5.1.1 550 No such user"),
        (report(failed("")), [MAIL], "failed", "5.1.1"),
        (report(failed("", "5.0.0").replace("Action: failed", "action: FAILED")), [MAIL], "failed", "5.0.0"),
        (report(failed("X-Local; gone")), [MAIL], "failed", "5.1.1 gone"),
        (report(GROUP.format("delayed", "4.4.1", "")), [MAIL], "delayed", "4.4.1"),
        (report(GROUP.format("delivered", "2.0.0", "")), [MAIL], "delivered", "2.0.0"),
        # Of several whom the address stands for, one who doesn't get it is told.
        (report(GROUP.format("relayed", "2.0.0", ""), failed("")), [MAIL], "failed", "5.1.1"),
        # The envelope's address goes before what the report returns.
        (report(failed(""), to=f"<bounces+{OTHER.hex}@b.example>"), [OTHER, MAIL], "failed", "5.1.1"),
        (report(failed(""), headers=f"Delivered-To: BOUNCES+{MAIL.hex.upper()}@b.example\n"), [MAIL], "failed",
         "5.1.1"),
        (report(failed(""), returned="Content-Type: text/plain\n\nNothing.\n", headers=f"In-Reply-To: <{MAIL}@x>\n"),
         [MAIL], "failed", "5.1.1"),
        (report(failed(""), headers=f"References: <a@b> <{OTHER}@x>\n"), [MAIL, OTHER], "failed", "5.1.1"),
        (report(failed("")).replace("\n", "\r\n"), [MAIL], "failed", "5.1.1"),
    ],
)  # fmt: skip
def test_what_a_report_says(text: str, mail_ids: list[UUID], action: str, reason: str) -> None:
    assert read_report(text) == DeliveryReport(tuple(mail_ids), action, reason)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Subject: Out of office\nIn-Reply-To: <01a205c4-f2d9-77e7-b182-225cd1638370@x>\n\nI am away\n",
        report(),
        report(GROUP.format("lost", "5.0.0", "")),
        report(failed(), returned="Content-Type: text/rfc822-headers\n\nMessage-ID: <1@havblik.example>\n"),
        report(failed(), returned="Content-Type: message/rfc822\n\n"),
        report(failed()).replace("message/delivery-status", "text/plain"),
        "x" * READ_OF_REPORT + report(failed()),
        "Content-Type: multipart/mixed; boundary=a\n\n" + "--a\nContent-Type: multipart/mixed; boundary=a\n\n" * 5_000,
    ],
    ids=range(9),
)
def test_what_is_no_report(text: str) -> None:
    with pytest.raises(LedgerBeeError) as refused:
        read_report(text)
    assert refused.value.details == REFUSED


@given(st.data())
def test_whatever_comes_in_is_read_or_refused(data: st.DataObject) -> None:
    """A report with pieces cut out and put in, of which nothing but a documented refusal may come."""
    text = report(failed(), returned=WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, len(text)))
        text = text[:start] + data.draw(st.text(max_size=20)) + text[end:]
    try:
        found = read_report(text)
    except LedgerBeeError as refused:
        assert refused.details == REFUSED  # noqa: PT017  one outcome of two
    else:
        assert found.mail_ids
        assert "\n" not in found.reason


@given(st.binary(min_size=16, max_size=16).map(lambda raw: UUID(bytes=raw)) | st.builds(new_id))
def test_the_address_that_a_mail_comes_back_to_names_it(mail_id: UUID) -> None:
    path = Mailer(None, "invoices@ledgerbee.example", "b.example").return_path(mail_id)
    assert len(path.partition("@")[0]) <= 64
    assert read_report(report(failed(), to=path)).mail_ids[0] == mail_id
    assert Mailer(None, "Us <invoices@ledgerbee.example>").return_path(mail_id) == "invoices@ledgerbee.example"
