"""The mail with a link to a new password: its secret is in the mail, and nowhere else."""

from typing import Final
from uuid import UUID

from ledgerbee.core.cells import new_secret
from ledgerbee.identity.sign_in import store
from ledgerbee.identity.sign_in.model import RESET_PREFIX
from ledgerbee.identity.users.mail import link_of, mails_of, send_link
from ledgerbee.platform.credentials.model import secret_hash
from ledgerbee.platform.jobs import JobRun

#: Payload `userId`; the database asks for it (`ask_for_reset`), under one of the user's companies.
RESET_JOB: Final = "mail_password_reset"

_SUBJECTS: Final = {"da": "Ny adgangskode", "en": "New password"}
_TEXTS: Final = {
    "da": (
        "Her vælger du en ny adgangskode:",
        "Linket virker i en time og kun én gang. Har du ikke bedt om det, så lad det være: intet er ændret.",
    ),
    "en": (
        "Here you choose a new password:",
        "The link works for an hour, and once. If you did not ask for it, leave it alone: nothing was changed.",
    ),
}


async def mail_reset(run: JobRun) -> None:
    """Mail a link to a new password. Raises `NoPublicAddressError` and what sending mail raises."""
    link_of(run, "")  # before there is a link that leads nowhere
    secret = new_secret(RESET_PREFIX, run.database.cell)
    async with run.database.connection() as connection:
        found = await store.add_reset_link(connection, UUID(run.payload["userId"]), secret_hash(secret), run.clock())
    if found is not None:
        email, _, language = found
        link = link_of(run, f"/reset-password/{secret}")
        await send_link(run, email, language, _SUBJECTS[language], _TEXTS[language], link)


RESETS: Final = mails_of(mail_reset)
