"""Texts of the frame, and of pages that say one thing, in Danish and in English."""

from typing import Final

from ledgerbee.identity.pages.model import Texts

TEXTS: Final[Texts] = {
    "skip": ("Gå til indholdet", "Skip to the content"),
    "account": ("Din konto", "Your account"),
    "sign_out": ("Log ud", "Sign out"),
    "in_other_language": ("In English", "På dansk"),
    "not_from_here": ("Formularen kunne ikke bruges", "The form could not be used"),
    "not_from_here_text": (
        "Siden har været åben for længe, eller formularen kom ikke herfra. Hent siden igen, og prøv igen.",
        "The page was open for too long, or the form did not come from here. Load the page again, and try again.",
    ),
    "too_many": ("For mange forsøg", "Too many tries"),
    "too_many_text": ("Vent lidt, og prøv igen.", "Wait a little, and try again."),
    "try_again": ("Det lykkedes ikke", "That did not work"),
    "try_again_text": ("Intet er ændret. Prøv igen om lidt.", "Nothing was changed. Try again in a moment."),
    "not_found": ("Siden findes ikke", "There is no such page"),
    "not_found_text": (
        "Adressen er forkert, eller du har ikke adgang til den.",
        "The address is wrong, or you have no access to it.",
    ),
}
