"""`ledgerbee mail`: whether mail goes out."""

import asyncio
from typing import Annotated

import typer

from ledgerbee.app.cli.options import fail

app = typer.Typer(help="Outgoing mail.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Outgoing mail."""


@app.command("test")
def test(address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Where the mail goes.")]) -> None:
    """Send a test mail with the settings as they are, and print each step with what the server said."""
    from email_validator import EmailNotValidError, validate_email

    from ledgerbee.app.config import Settings
    from ledgerbee.core.dates import system_clock
    from ledgerbee.core.ids import new_id
    from ledgerbee.platform.mail import (
        Mailer,
        MailFailedError,
        MailNotConfiguredError,
        MailRefusedError,
        sender_address,
    )
    from ledgerbee.platform.mail_message import Mailbox, MailMessage

    settings = Settings()
    try:
        checked = validate_email(address, check_deliverability=False)
    except EmailNotValidError as fault:
        fail(f"No mail can go to {address!r}: {fault}")
    sender = sender_address(settings.mail_from)
    text = f"This mail shows that ledgerbee can send mail as {sender}."
    message = MailMessage(
        message_id=f"<{new_id()}@{sender.rpartition('@')[2]}>",
        at=system_clock(),
        sender=Mailbox(sender, "ledgerbee"),
        recipient=Mailbox(f"{checked.ascii_local_part or checked.local_part}@{checked.ascii_domain}"),
        subject="Test mail from ledgerbee",
        plain=f"{text}\n",
        html=f'<!DOCTYPE html><html lang="en"><body><p>{text}</p></body></html>\n',
        language="en",
    )
    mailer = Mailer(settings.smtp_url, settings.mail_from)
    try:
        asyncio.run(
            mailer.send(message, on_step=lambda step, answer: typer.echo(f"{step}: {' '.join(answer.split())}"))
        )
    except MailRefusedError as fault:
        fail(f"Refused for good: {fault}")
    except MailFailedError as fault:
        fail(f"Not sent; a mail of an invoice would be tried again: {fault}")
    except MailNotConfiguredError as fault:
        fail(f"{fault}.")


@app.command("inbox")
def inbox(
    smtp_port: Annotated[int, typer.Option(min=0, max=65535, help="Port that takes mail; 0 picks a free one.")] = 1025,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page; 0 picks a free one.")] = 8025,
) -> None:
    """Take every mail and show it on a page, for development: both on 127.0.0.1 only. What it took ends with it."""
    from importlib.util import find_spec

    if find_spec("aiosmtpd") is None:
        fail("The mailbox takes mail with a library of its own: pip install 'ledgerbee[demo]'.")
    from ledgerbee.app.inbox.run import run_inbox
    from ledgerbee.app.serve import listen

    with listen("127.0.0.1", smtp_port) as mail, listen("127.0.0.1", port) as page:
        smtp_url, url = (f"{name}://127.0.0.1:{one.getsockname()[1]}" for name, one in (("smtp", mail), ("http", page)))
        run_inbox(mail, page, lambda: typer.echo(f"Mail: SMTP_URL={smtp_url}\nPage: {url}"))
