"""Texts of the pages on which a member is asked, in Danish and in English."""

from typing import Final

from ledgerbee.identity.pages.model import Texts

TEXTS: Final[Texts] = {
    "unknown_client": ("Programmet kunne ikke genkendes", "The application was not recognised"),
    "unknown_client_text": (
        (
            "Enten er programmet ukendt her, eller også beder det om, at svaret sendes et andet sted hen end det, det "
            "har oplyst. Intet er sendt. Prøv at forbinde forfra fra programmet."
        ),
        (
            "Either the application is unknown here, or it asks for the answer to go elsewhere than it has said. "
            "Nothing was sent. Try to connect again from the application."
        ),
    ),
    "no_document": ("Programmets oplysninger kunne ikke hentes", "What the application says of itself can't be had"),
    "no_document_text": (
        (
            "Adressen, som programmet henviser til, svarer ikke, eller siger noget andet. Intet er sendt. Prøv igen om "
            "lidt."
        ),
        (
            "The address that the application refers to doesn't answer, or says something else. Nothing was sent. Try "
            "again in a moment."
        ),
    ),
    "choose_title": ("Vælg virksomhed", "Choose a company"),
    "choose": ("Hvor skal {name} arbejde?", "Where is {name} to work?"),
    "company": ("Virksomhed", "Company"),
    "sandbox": ("sandkasse", "sandbox"),
    "go_on": ("Fortsæt", "Continue"),
    "title": ("Giv adgang til {company}", "Give access to {company}"),
    "ask": ("Må {name} arbejde i {company}?", "May {name} work in {company}?"),
    "application": ("Program", "Application"),
    "vouched": ("oplyst af {host}", "as {host} says"),
    "not_vouched": (
        "Navnet er det, programmet selv siger. Ingen har kontrolleret det.",
        "The name is what the application itself says. Nobody has checked it.",
    ),
    "answer_to": ("Svaret sendes til", "The answer goes to"),
    "loopback": (
        (
            "Svaret går til et program på den computer, du sidder ved. Gå kun videre, hvis du selv lige har bedt et "
            "program dér om at forbinde."
        ),
        (
            "The answer goes to a program on the computer that you sit at. Go on only if you have just asked a program "
            "there to connect."
        ),
    ),
    "own_scheme": (
        (
            "Svaret går til den app på din computer, som har tilmeldt sig denne slags adresser. Gå kun videre, hvis du "
            "selv lige har bedt den om at forbinde."
        ),
        (
            "The answer goes to the app on your computer that has signed up for such addresses. Go on only if you have "
            "just asked it to connect."
        ),
    ),
    "your_role": ("Din rolle", "Your role"),
    "role_owner": ("ejer", "owner"),
    "role_accountant": ("bogholder", "accountant"),
    "role_sales": ("salg", "sales"),
    "role_read-only": ("læseadgang", "read only"),
    "other_company": ("Vælg en anden virksomhed", "Choose another company"),
    "how_much": ("Hvor meget må det?", "How much may it do?"),
    "read_only": ("Kun læse", "Read only"),
    "read_only_help": (
        "Det kan se, hvad der står herunder, og intet ændre.",
        "It can see what stands below, and change nothing.",
    ),
    "full": ("Læse og ændre", "Read and change"),
    "full_help": (
        (
            "Det kan også ændre, hvad der står herunder, i dit navn. Højst {limit} kr. om dagen bogføres, uden at "
            "nogen ser på det."
        ),
        (
            "It can also change what stands below, in your name. At most {limit} DKK a day is booked without anybody "
            "looking."
        ),
    ),
    "choose_access": ("Vælg, hvor meget programmet må.", "Choose how much the application may do."),
    "can_read": ("Det kan se", "It can read"),
    "can_change": ("Det kan ændre", "It can change"),
    "in_your_name": (
        (
            "Alt, hvad det gør, sker i dit navn og står i revisionssporet. Du kan altid tage adgangen tilbage under "
            "virksomhedens forbundne apps."
        ),
        (
            "All that it does is done in your name, and stands in the audit trail. You can always take the access "
            "back, among the company's connected apps."
        ),
    ),
    "allow": ("Giv adgang", "Give access"),
    "refuse": ("Afvis", "Refuse"),
    "impossible": ("Adgangen kan ikke gives", "The access can't be given"),
    "no_company": (
        "Du arbejder ikke i nogen virksomhed her, så der er intet at give adgang til.",
        "You work in no company here, so there is nothing to give access to.",
    ),
    "not_your_company": (
        "Du arbejder ikke i den virksomhed, som adressen hører til.",
        "You don't work in the company that the address belongs to.",
    ),
    "nothing_allowed": (
        "Din rolle i {company} giver ikke adgang til noget af det, programmet beder om.",
        "Your role in {company} allows nothing of what the application asks for.",
    ),
    "back": ("Tilbage til programmet", "Back to the application"),
}
