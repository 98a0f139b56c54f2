"""The mail to a company whose endpoint was disabled (decisions "Webhooks")."""

from datetime import timedelta
from html import escape
from typing import Final
from uuid import UUID

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.platform.context import Context
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
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.company.model import Company
from ledgerbee.webhooks.endpoints.model import WebhookEndpoint, WebhookEndpointId
from ledgerbee.webhooks.sending import store

#: Payload `endpointId`, `noticeId`.
DISABLED_JOB: Final = "tell_webhook_endpoint_disabled"

_SUBJECTS: Final = {"da": "Webhook slået fra", "en": "Webhook endpoint disabled"}
_TEXTS: Final = {
    "da": (
        "{company} får ikke længere webhooks på {url}: adressen har ikke svaret rigtigt i fem dage.",
        "Det, der ventede, er sprunget over. Det kan sendes igen, når adressen er slået til.",
    ),
    "en": (
        "{company} gets no more webhooks at {url}: the endpoint has not answered well for five days.",
        "What waited for it was skipped. It can be replayed once the endpoint is enabled.",
    ),
}


async def tell_endpoint_disabled(run: JobRun) -> None:
    """Mail the company that one of its endpoints was disabled. One that was enabled or deleted meanwhile is left alone.

    Raises `MailFailedError`, `MailNotConfiguredError`, `MailRefusedError`, `DATABASE_UNAVAILABLE`.
    """
    endpoint_id = WebhookEndpointId(UUID(run.payload["endpointId"]))

    async def load(context: Context) -> tuple[WebhookEndpoint | None, Company]:
        return await store.find_disabled(context, endpoint_id), await companies.get(context)

    endpoint, company = await run.read(load)
    if endpoint is not None and company.email is not None:
        await run.mailer.send(_mail(run, endpoint, company, company.email))


def _mail(run: JobRun, endpoint: WebhookEndpoint, company: Company, address: str) -> MailMessage:
    language = "da" if company.preferred_language == "da" else "en"
    name = one_line(company.name)
    lines = [line.format(company=name, url=one_line(endpoint.url)) for line in _TEXTS[language]]
    lines.insert(1, one_line(endpoint.status_reason or ""))
    return MailMessage(
        message_id=message_id(UUID(run.payload["noticeId"]), run.mailer.sender),
        at=run.clock(),
        sender=Mailbox(sender_address(run.mailer.sender)),
        recipient=Mailbox(wire_address(address)),
        subject=_SUBJECTS[language],
        plain="\n\n".join(lines) + "\n",
        html="".join(f"<p>{escape(line)}</p>" for line in lines),
        language=language,
        is_test=company.is_sandbox,
    )


async def _leave(_: JobRun, __: str) -> None:
    """The endpoint shows that it is disabled, and so does the event."""


def _is_foreseen(fault: Exception) -> bool:
    if isinstance(fault, LedgerBeeError):
        return fault.is_passing
    return isinstance(fault, MailFailedError | MailNotConfiguredError)


#: Eight tries over about a day, as for the mail of documents.
NOTICES: Final = JobKind(
    run=tell_endpoint_disabled,
    give_up=_leave,
    is_foreseen=_is_foreseen,
    max_attempts=8,
    max_unforeseen=4,
    first_pause=timedelta(seconds=15),
    longest_pause=timedelta(hours=16),
)
