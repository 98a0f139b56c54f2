"""The mail of an invitation: the secret of its link is in the mail, and nowhere else."""

from typing import Final
from uuid import UUID

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.identity.users import actions, store
from ledgerbee.identity.users.mail import link_of, mails_of, send_link
from ledgerbee.identity.users.model import INVITATION_INVALID_STATE, Invitation, InvitationId
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import JobRun
from ledgerbee.tenancy.company import store as companies

_SUBJECTS: Final = {"da": "Invitation til {company}", "en": "Invitation to {company}"}
_TEXTS: Final = {
    "da": (
        "Du er inviteret til at arbejde med regnskabet i {company}. Tag imod her:",
        "Linket virker i syv dage og kun én gang. Venter du ikke en invitation, så lad det være.",
    ),
    "en": (
        "You are invited to work with the books of {company}. Accept here:",
        "The link works for seven days, and once. If you don't expect an invitation, leave it alone.",
    ),
}


async def mail_invitation(run: JobRun) -> None:
    """Mail a link by which an invitation is accepted; one that is over meanwhile is left alone.

    Raises `NoPublicAddressError` and what sending mail raises.
    """
    invitation_id = InvitationId(UUID(run.payload["invitationId"]))
    link_of(run, "")  # before there is a link that leads nowhere

    async def make(context: Context) -> tuple[Invitation, str, str]:
        secret = await actions.new_link(context, invitation_id)
        name = (await companies.get(context)).name
        return await store.get_invitation(context, invitation_id), name, secret

    try:
        invitation, company, secret = await run.write(make)
    except LedgerBeeError as fault:
        if fault.error_code is INVITATION_INVALID_STATE:
            return
        raise
    subject = _SUBJECTS[invitation.language].format(company=company)
    lines = [line.format(company=company) for line in _TEXTS[invitation.language]]
    link = link_of(run, f"/invitations/{secret}")
    await send_link(run, invitation.email, invitation.language, subject, lines, link)


INVITATIONS: Final = mails_of(mail_invitation)
