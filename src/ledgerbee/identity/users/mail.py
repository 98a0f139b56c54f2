"""Mail with a link, in the language of whoever gets it, and how often it is tried."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from html import escape

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.platform.jobs import JobKind, JobRun
from ledgerbee.platform.mail import (
    MailFailedError,
    MailNotConfiguredError,
    message_id,
    one_line,
    sender_address,
    wire_address,
)
from ledgerbee.platform.mail_message import Mailbox, MailMessage


class NoPublicAddressError(Exception):
    """A link can't be mailed: where this installation is reached is not set (`LEDGERBEE_PUBLIC_URL`)."""


def link_of(run: JobRun, path: str) -> str:
    """The address of a page of ours. Raises `NoPublicAddressError`."""
    if run.database.public_url is None:
        raise NoPublicAddressError("LEDGERBEE_PUBLIC_URL is not set")
    return run.database.public_url + path


async def send_link(run: JobRun, address: str, language: str, subject: str, lines: Sequence[str], link: str) -> None:
    """Mail some lines, and a link behind the first. Raises as `Mailer.send` does."""
    shown = [one_line(line) for line in lines]
    plain = [shown[0], link, *shown[1:]]
    html = [escape(shown[0]), f'<a href="{escape(link)}">{escape(link)}</a>', *map(escape, shown[1:])]
    await run.mailer.send(
        MailMessage(
            message_id=message_id(new_id(), run.mailer.sender),
            at=run.clock(),
            sender=Mailbox(sender_address(run.mailer.sender), "ledgerbee"),
            recipient=Mailbox(wire_address(address)),
            subject=one_line(subject),
            plain="\n\n".join(plain) + "\n",
            html="".join(f"<p>{line}</p>" for line in html),
            language=language,
        )
    )


def _is_foreseen(fault: Exception) -> bool:
    if isinstance(fault, LedgerBeeError):
        return fault.is_passing
    return isinstance(fault, MailFailedError | MailNotConfiguredError | NoPublicAddressError)


async def _leave(_: JobRun, __: str) -> None:
    """Whoever waits for the mail asks for another one; the log says why it did not come."""


def mails_of(run: Callable[[JobRun], Awaitable[None]]) -> JobKind:
    """The kind of a job that mails a link: four tries within the hour, each with a link of its own."""
    return JobKind(
        run=run,
        give_up=_leave,
        is_foreseen=_is_foreseen,
        max_attempts=4,
        max_unforeseen=2,
        first_pause=timedelta(seconds=15),
        longest_pause=timedelta(minutes=15),
    )
