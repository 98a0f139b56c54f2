"""The development mailbox: what was mailed is shown, and nothing of it runs."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.message import EmailMessage

import httpx
import pytest
import pytest_asyncio
from aiosmtpd.smtp import SMTP, Envelope, Session

from ledgerbee.app.inbox.mails import MOST_MAILS, Inbox
from ledgerbee.app.inbox.page import inbox_page
from ledgerbee.platform.mail_message import AttachedFile, Mailbox, MailMessage, write

LETTER = write(
    MailMessage(
        message_id="<1@ledgerbee.example>", at=datetime(2026, 3, 16, 12, tzinfo=UTC),
        sender=Mailbox("invoices@ledgerbee.example", "Nordlys ApS"), recipient=Mailbox("anna@havblik.example"),
        subject="Faktura 1 <b>fra</b> Nordlys", plain="Hej Søren\n", html="<p>Hej <b>Søren</b></p>\n", language="da",
        files=(AttachedFile("Faktura 1.pdf", "pdf", b"%PDF-1.7 1"),),
    )
)  # fmt: skip


def hostile() -> bytes:
    mail = EmailMessage()
    mail["Subject"] = "</title><script>alert(1)</script>"
    mail["From"] = '"<img src=x onerror=alert(1)>" <x@evil.example>'
    mail.set_content("</pre><script>alert(2)</script>")
    mail.add_alternative('<script>alert(3)</script><img src="https://evil.example/x.png">', subtype="html")
    mail.add_attachment(b"<script>", maintype="text", subtype="html", filename='../"><script>.html')
    return mail.as_bytes()


async def take(inbox: Inbox, content: bytes, *recipients: str) -> None:
    """As the mail server hands it over."""
    envelope = Envelope()
    envelope.mail_from, envelope.rcpt_tos, envelope.original_content = "b@x.example", list(recipients), content
    loop = asyncio.get_running_loop()
    answer = await inbox.handle_DATA(SMTP(inbox, hostname="localhost", loop=loop), Session(loop), envelope)
    assert answer.startswith("250")


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest_asyncio.fixture
async def browser(inbox: Inbox) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=inbox_page(inbox))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8025") as client:
        yield client


async def test_a_mail_is_listed_read_and_its_files_are_saved(inbox: Inbox, browser: httpx.AsyncClient) -> None:
    assert "Nothing was mailed yet" in (await browser.get("/")).text
    await take(inbox, LETTER, "anna@havblik.example")
    listed = (await browser.get("/")).text
    assert '<a href="/mails/1">Faktura 1 &lt;b&gt;fra&lt;/b&gt; Nordlys</a>' in listed
    assert "anna@havblik.example" in listed
    shown = (await browser.get("/mails/1")).text
    assert "<pre>Hej Søren" in shown
    assert '<iframe sandbox src="/mails/1/html"' in shown
    assert "<b>Søren</b>" in (await browser.get("/mails/1/html")).text
    assert (await browser.get("/mails/1/source")).content == LETTER
    saved = await browser.get("/mails/1/files/1")
    assert (saved.content, saved.headers["content-type"]) == (b"%PDF-1.7 1", "application/octet-stream")
    assert saved.headers["content-disposition"] == 'attachment; filename="Faktura 1.pdf"'
    for path in ("/mails/2", "/mails/1/files/2", "/mails/1/files/0", "/mails/x", "/elsewhere"):
        assert (await browser.get(path)).status_code == 404, path


async def test_nothing_of_a_mail_runs(inbox: Inbox, browser: httpx.AsyncClient) -> None:
    await take(inbox, hostile(), '"><script>@x.example')
    for path in ("/", "/mails/1"):
        page = await browser.get(path)
        assert "<script" not in page.text
        assert "<img" not in page.text
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; frame-src 'self';")
        assert "script" not in policy
    html = await browser.get("/mails/1/html")
    assert "<script>alert(3)" in html.text
    rules = html.headers["content-security-policy"].split("; ")
    assert rules[:2] == ["sandbox", "default-src 'none'"]
    assert "img-src data:" in rules
    saved = await browser.get("/mails/1/files/1")
    assert saved.headers["content-type"] == "application/octet-stream"
    assert saved.headers["content-disposition"].startswith("attachment;")
    assert "/" not in saved.headers["content-disposition"]
    for path in ("/", "/mails/1", "/mails/1/html", "/mails/1/source", "/mails/1/files/1"):
        headers = (await browser.get(path)).headers
        assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


async def test_it_answers_to_this_machine_only(inbox: Inbox, browser: httpx.AsyncClient) -> None:
    await take(inbox, LETTER, "anna@havblik.example")
    for host in ("evil.example", "evil.example:8025", "127.0.0.1.evil.example", ""):
        assert (await browser.get("/", headers={"host": host})).status_code == 400, host
    assert (await browser.get("/", headers={"host": "localhost:8025"})).status_code == 200
    assert (await browser.post("/")).status_code == 405


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff\xfe\x00", b"Subject: =?x-nobody?b?////?=\n\n\xff", b"From: <<<>>>\nDate: never\n\n",
        b"Content-Type: text/html; charset=x-nobody\n\n\xff", b"Content-Type: text/plain; name*=utf-8''%ff%fe\n\nx",
        b"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/plain\n",
        b'Content-Disposition: attachment; filename="a\r\nX: y"\n\nx',
    ],
)  # fmt: skip
async def test_a_broken_mail_is_shown(inbox: Inbox, browser: httpx.AsyncClient, content: bytes) -> None:
    await take(inbox, content, "anna@havblik.example")
    assert (await browser.get("/")).status_code == 200
    assert (await browser.get("/mails/1")).status_code == 200
    assert (await browser.get("/mails/1/source")).content == content


async def test_the_newest_mails_are_kept(inbox: Inbox) -> None:
    for number in range(MOST_MAILS + 2):
        await take(inbox, b"Subject: %d\n\n" % number, "a@x.example")
    kept = inbox.kept()
    assert (kept[0].number, kept[-1].number, len(kept)) == (MOST_MAILS + 2, 3, MOST_MAILS)
    assert inbox.find(2) is None
