"""Real mail servers, with and without TLS: what goes to them, what doesn't, and what `ledgerbee mail test` says."""

import asyncio
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.post_office import PostOffice, free_port, open_post_office
from tests.runtime.processes import PROGRAM, environment, refusal

from ledgerbee.platform.mail import Mailer, MailFailedError, MailRefusedError, check_transport_security
from ledgerbee.platform.mail_message import Mailbox, MailMessage

PASSWORD = "hemmelig"
LETTER = MailMessage(
    message_id="<1@ledgerbee.example>",
    at=datetime(2026, 3, 16, 12, tzinfo=UTC),
    sender=Mailbox("invoices@ledgerbee.example", "Nordlys ApS"),
    recipient=Mailbox("buyer@havblik.example"),
    subject="Faktura 1",
    plain="Hej\n",
    html="<p>Hej</p>\n",
    language="da",
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 and localhost that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + private)
    return file


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine trusts the server's certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


def mailer(office: PostOffice, scheme: str, user: str = "") -> Mailer:
    return Mailer(f"{scheme}://{user}127.0.0.1:{office.port}", "invoices@ledgerbee.example")


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("scheme", ["smtp", "smtp+starttls"])
async def test_a_server_that_offers_starttls_is_spoken_to_in_tls(tls: ssl.SSLContext, scheme: str) -> None:
    told: list[str] = []
    async with open_post_office(PostOffice(), starttls=tls) as office:
        sender = mailer(office, scheme, f"kaj:{PASSWORD}@")
        answer = await sender.send(LETTER, on_step=lambda step, said: told.append(f"{step}: {said}"))
    assert answer == "2.0.0 Ok: queued as 4F1A2"
    assert [step.partition(":")[0] for step in told] == [
        "message", "connected", "STARTTLS", "encrypted", "logged in", "accepted"
    ]  # fmt: skip
    assert PASSWORD not in "".join(told)
    assert office.logins == [(b"kaj", PASSWORD.encode())]
    assert len(office.mails) == 1


@pytest.mark.usefixtures("trusted")
async def test_tls_from_the_first_byte(tls: ssl.SSLContext) -> None:
    async with open_post_office(PostOffice(), tls=tls) as office:
        await mailer(office, "smtps", f"kaj:{PASSWORD}@").send(LETTER)
    assert len(office.mails) == 1


@pytest.mark.parametrize("scheme", ["smtp", "smtp+starttls", "smtps"])
async def test_a_certificate_that_nobody_vouches_for_gets_no_mail(tls: ssl.SSLContext, scheme: str) -> None:
    offered: dict[str, Any] = {"tls": tls} if scheme == "smtps" else {"starttls": tls}
    async with open_post_office(PostOffice(), **offered) as office:
        with pytest.raises(MailFailedError, match=r"(?i)certificate"):
            await mailer(office, scheme, f"kaj:{PASSWORD}@").send(LETTER)
    assert (office.mails, office.logins) == ([], [])


async def test_where_tls_is_demanded_there_is_no_mail_without() -> None:
    async with open_post_office(PostOffice()) as office:
        with pytest.raises(MailFailedError, match="STARTTLS"):
            await mailer(office, "smtp+starttls", f"kaj:{PASSWORD}@").send(LETTER)
    assert (office.mails, office.logins) == ([], [])


async def test_a_password_goes_unencrypted_to_this_machine_only() -> None:
    async with open_post_office(PostOffice()) as office:
        await mailer(office, "smtp", f"kaj:{PASSWORD}@").send(LETTER)
    assert office.logins == [(b"kaj", PASSWORD.encode())]
    assert len(office.mails) == 1


@pytest.mark.parametrize(
    ("peer", "is_here"),
    [
        (("127.0.0.1", 25), True),
        (("127.8.9.1", 25), True),
        (("::1", 25, 0, 0), True),
        (("::ffff:127.0.0.1", 25, 0, 0), True),
        (("10.0.0.1", 25), False),
        (("192.0.2.2", 25), False),
        (("::ffff:10.0.0.1", 25, 0, 0), False),
        (("fe80::1%eth0", 25, 0, 2), False),
        (("localhost", 25), False),  # a name says nothing
        ((), False),
        ("", False),
        (None, False),
    ],
)
def test_a_password_goes_to_no_other_machine_unencrypted(peer: object, is_here: bool) -> None:
    check_transport_security(is_encrypted=True, peer=peer)
    if is_here:
        check_transport_security(is_encrypted=False, peer=peer)
    else:
        with pytest.raises(MailFailedError, match="unencrypted"):
            check_transport_security(is_encrypted=False, peer=peer)


@pytest.mark.parametrize(
    ("stage", "answer", "error"),
    [
        ("recipient", "550 5.1.1 No such user", MailRefusedError),
        ("recipient", "451 4.7.1 Greylisted", MailFailedError),
        ("data", "554 5.6.0 No", MailRefusedError),
        ("data", "452 4.2.2 Full", MailFailedError),
        ("login", "535 5.7.8 Wrong password", MailFailedError),  # the operator's to mend: the message is good
        ("sender", "530 5.7.0 Must issue a STARTTLS command first", MailFailedError),
        ("sender", "530 5.7.1 Authentication required", MailFailedError),
        ("sender", "550 5.7.1 Not yours to send as", MailFailedError),
        ("sender", "553 5.7.1 Sender address rejected: not owned by user", MailFailedError),
        ("sender", "552 5.3.4 Message too big", MailRefusedError),
        *(
            (stage, f"{code} 5.7.0 Log in", MailFailedError)
            for stage in ("recipient", "data")
            for code in (530, 534, 535, 538)
        ),
    ],
)
async def test_what_a_refusal_means(stage: str, answer: str, error: type[Exception]) -> None:
    office = PostOffice()
    answers = {"recipient": office.recipient_answers, "data": office.data_answers, "login": office.login_answers}
    answers["sender"] = office.sender_answers
    answers[stage] += [answer] * 2
    async with open_post_office(office):
        with pytest.raises(error, match=answer[:3]):
            await mailer(office, "smtp", f"kaj:{PASSWORD}@").send(LETTER)
    assert office.mails == []


async def test_a_server_without_smtputf8_refuses_for_good_what_needs_it() -> None:
    letter = replace(LETTER, recipient=Mailbox("søren@example.com"))

    class Old(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            self.transport = transport
            transport.write(b"220 old.example\r\n")

        def data_received(self, _: bytes) -> None:
            self.transport.write(b"250 old.example\r\n")

    listener = await asyncio.get_running_loop().create_server(Old, "127.0.0.1", 0)
    async with listener:
        office = PostOffice(port=listener.sockets[0].getsockname()[1])
        with pytest.raises(MailRefusedError, match="beyond ASCII"):
            await mailer(office, "smtp").send(letter)


async def mail_test(*variables: tuple[str, str], address: str = "kaj@havblik.example") -> tuple[int, str, str]:
    """`ledgerbee mail test`: exit status, standard output and standard error."""
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "mail", "test", address, env=environment(**dict(variables)),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), errors.decode()


async def test_a_test_mail_tells_each_step(tls: ssl.SSLContext, certificate: Path) -> None:
    async with open_post_office(PostOffice(), starttls=tls) as office:
        code, said, errors = await mail_test(
            ("SMTP_URL", f"smtp+starttls://kaj:{PASSWORD}@127.0.0.1:{office.port}"),
            ("LEDGERBEE_MAIL_FROM", "invoices@nordlys.example"),
            ("SSL_CERT_FILE", str(certificate)),
        )
    assert (code, errors) == (0, "")
    assert PASSWORD not in said
    steps = [line.partition(":")[0] for line in said.splitlines()]
    assert steps == ["message", "connected", "STARTTLS", "encrypted", "logged in", "accepted"]
    assert said.splitlines()[-1] == "accepted: 2.0.0 Ok: queued as 4F1A2"
    (recipients, message), *others = office.mails
    assert (recipients, others) == (["kaj@havblik.example"], [])
    assert message["From"].addresses[0].addr_spec == "invoices@nordlys.example"


async def test_a_test_mail_that_does_not_go_out_says_why() -> None:
    office = PostOffice(recipient_answers=["550 5.1.1 No such user"])
    async with open_post_office(office):
        code, said, errors = await mail_test(("SMTP_URL", f"smtp://kaj:{PASSWORD}@127.0.0.1:{office.port}"))
    assert code == 1
    assert errors == "error: Refused for good: 550 5.1.1 No such user\n"
    assert [line.partition(":")[0] for line in said.splitlines()] == [
        "message", "connected", "not encrypted", "logged in"
    ]  # fmt: skip
    assert PASSWORD not in said + errors
    code, _, errors = await mail_test(("SMTP_URL", f"smtp://127.0.0.1:{free_port()}"))
    assert code == 1
    assert "would be tried again" in errors
    assert "Traceback" not in errors
    code, _, errors = await mail_test()
    assert (code, errors) == (1, "error: No mail server is set: SMTP_URL is empty.\n")
    code, _, errors = await mail_test(address="nobody")
    assert code == 1
    assert errors.startswith("error: No mail can go to 'nobody'")


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("worker",), ("mail", "test", "kaj@havblik.example")])
@pytest.mark.parametrize("sender", ["nobody", "a@b@c", "Bank\r\nBcc: x@y.example", "søren@example.com"])
def test_no_start_with_a_sender_that_is_no_address(command: tuple[str, ...], sender: str) -> None:
    said = refusal(*command, LEDGERBEE_MAIL_FROM=sender)
    assert said.splitlines() == [
        "The environment has values that can't be used.",
        "LEDGERBEE_MAIL_FROM: must be an e-mail address in ASCII, such as invoices@example.com",
    ]
