"""Texts of the pages on which members decide on what applications want to do, in Danish and in English."""

from typing import Final

from ledgerbee.identity.pages.model import Texts

TEXTS: Final[Texts] = {
    "title": ("Venter på godkendelse – {company}", "Waiting for approval – {company}"),
    "heading": ("Venter på godkendelse", "Waiting for approval"),
    "about": (
        "Det er over, hvad en app må bogføre på en dag, uden at nogen ser på det, eller ukendt. Intet er sket endnu.",
        "It is above what an app may book in a day without anybody looking, or unknown. Nothing has happened yet.",
    ),
    "none": ("Intet venter på dig.", "Nothing waits for you."),
    "all": ("Til alt, hvad der venter", "To all that waits"),
    "apps": ("Til forbundne apps", "To connected apps"),
    "send_document": ("Send et dokument", "Send a document"),
    "credit_invoice": ("Krediter en faktura", "Credit an invoice"),
    "register_payment": ("Registrer en betaling", "Register a payment"),
    "post_entry": ("Bogfør en postering", "Post a journal entry"),
    "reverse_entry": ("Tilbagefør en postering", "Reverse a journal entry"),
    "assign_subscription": ("Opret et abonnement", "Assign a subscription"),
    "change_subscription": ("Ændr et abonnement", "Change a subscription"),
    "cancel_subscription": ("Opsig et abonnement", "Cancel a subscription"),
    "app": ("App", "App"),
    "works_for": ("Arbejder for", "Works for"),
    "asked": ("Spurgt", "Asked"),
    "expires": ("Kan godkendes til", "Can be approved until"),
    "amount": ("Beløb", "Amount"),
    "unknown": (
        "ukendt: valutaen har ingen kurs, eller mere bogføres senere",
        "unknown: the currency has no rate, or more is booked later",
    ),
    "used": ("Bogført i dag uden godkendelse", "Booked today without approval"),
    "of_limit": ("{used} af {limit} kr.", "{used} of {limit} DKK"),
    "entries": ("Posteringer", "Journal entries"),
    "account": ("Konto", "Account"),
    "debit": ("Debet", "Debit"),
    "credit": ("Kredit", "Credit"),
    "documents": ("Dokumenter og andet, der ændres", "Documents and what else changes"),
    "mails": ("Sendes til", "Sent to"),
    "by_hand": ("ingen", "nobody"),
    "next": ("Næste faktura på abonnementet", "The subscription's next invoice"),
    "provisional": ("Numre kan blive andre.", "Numbers may become other ones."),
    "approve": ("Godkend", "Approve"),
    "reject": ("Afvis", "Reject"),
    "approved": ("Godkendt. Appen kan gøre det nu.", "Approved. The app can do it now."),
    "rejected": ("Afvist. Appen kan ikke gøre det.", "Rejected. The app can't do it."),
    "done": ("Appen har gjort det.", "The app has done it."),
    "revoked": (
        "Appen har ikke adgang længere: intet af dette sker.",
        "The app has no access any more: nothing of this will happen.",
    ),
    "over": ("Der er ikke mere at tage stilling til.", "There is nothing to decide on any more."),
}
