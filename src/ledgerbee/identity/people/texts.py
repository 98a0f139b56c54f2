"""Texts of the pages of people, in Danish and in English, beside those of accounts."""

from typing import Final

from ledgerbee.identity.pages.model import Texts
from ledgerbee.identity.sign_in.texts import TEXTS as ACCOUNT_TEXTS

TEXTS: Final[Texts] = {
    **ACCOUNT_TEXTS,
    "link_over_text": (
        "Invitationen er brugt, trukket tilbage eller for gammel. Bed om en ny.",
        "The invitation was used or withdrawn, or is too old. Ask for a new one.",
    ),
    "people_of": ("Personer i {company}", "People in {company}"),
    "role": ("Rolle", "Role"),
    "change_role": ("Skift rolle", "Change role"),
    "change_role_help": (
        "Personen logges ud af virksomheden, og personens apps skal tilknyttes igen.",
        "The person is signed out of the company, and the person's apps have to be connected again.",
    ),
    "remove_help": (
        "Personen har ikke adgang længere; det, der er bogført, står.",
        "The person has no access any more; what was booked stays.",
    ),
    "change": ("Ret", "Change"),
    "you": ("dig", "you"),
    "last_signed_in": ("sidst her {day}", "last here {day}"),
    "never_signed_in": ("har ikke været her", "has not been here"),
    "two_steps": ("logger ind i to trin", "signs in in two steps"),
    "one_step": ("logger ind uden andet trin", "signs in without a second step"),
    "invite": ("Inviter", "Invite"),
    "invitations": ("Invitationer", "Invitations"),
    "until": ("til og med {day}", "until {day}"),
    "revoke": ("Træk tilbage", "Withdraw"),
    "done_invited": ("Invitationen er på vej.", "The invitation is on its way."),
    "done_revoked": ("Invitationen er trukket tilbage.", "The invitation is withdrawn."),
    "done_changed": ("Rollen er skiftet.", "The role is changed."),
    "email_wrong": ("Skriv en e-mail, og vælg en rolle.", "Write an e-mail address, and choose a role."),
    "invited_already": (
        "Der er allerede en åben invitation til den adresse.",
        "There is an open invitation for that address already.",
    ),
    "member_already": ("Personen er allerede med.", "The person is a member already."),
    "invitation_over": ("Invitationen er ikke åben længere.", "The invitation is not open any more."),
    "last_owner": (
        "Virksomheden skal have en ejer: gør først en anden til ejer.",
        "The company needs an owner: make somebody else an owner first.",
    ),
}
