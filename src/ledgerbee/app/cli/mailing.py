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
