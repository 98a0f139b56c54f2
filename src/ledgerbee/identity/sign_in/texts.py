"""Texts of the pages of signing in and of accounts, in Danish and in English, and the script of passkeys."""

from typing import Final

from ledgerbee.identity.pages.model import Texts
from ledgerbee.identity.pages.page import read_file

PASSKEY_SCRIPT: Final = read_file("ledgerbee.identity.sign_in", "passkeys.js")

TEXTS: Final[Texts] = {
    "sign_in": ("Log ind", "Sign in"),
    "email": ("E-mail", "E-mail"),
    "password": ("Adgangskode", "Password"),
    "use_passkey": ("Brug en adgangsnøgle", "Use a passkey"),
    "passkey_failed": (
        "Adgangsnøglen blev ikke brugt. Prøv igen.",
        "The passkey was not used. Try again.",
    ),
    "forgot_password": ("Glemt adgangskoden?", "Forgot the password?"),
    "wrong_password": (
        "E-mail og adgangskode passer ikke sammen.",
        "E-mail and password don't match.",
    ),
    "too_many_sign_ins": (
        "For mange forsøg. Få et link på mail: hvor du åbner det, kan du straks logge ind. Ellers vent, og prøv igen.",
        "Too many tries. Have a link mailed: where you open it you can sign in at once. Or wait, and try again.",
    ),
    "wrong_passkey": (
        "Adgangsnøglen passer ikke til nogen konto her, eller der gik for lang tid.",
        "The passkey belongs to no account here, or it took too long.",
    ),
    "done_password": ("Adgangskoden er gemt. Log ind med den.", "The password is saved. Sign in with it."),
    "done_signed_out": ("Du er logget ud.", "You have signed out."),
    "second_factor": ("Bekræft, at det er dig", "Confirm that it is you"),
    "code": ("Engangskode", "One-time code"),
    "code_help": (
        "Seks cifre fra din app. Uden den: en af dine gendannelseskoder.",
        "Six digits from your app. Without it: one of your recovery codes.",
    ),
    "recovery_code": ("Gendannelseskode", "Recovery code"),
    "recovery_help": (
        "Har du ikke din adgangsnøgle, så brug en gendannelseskode.",
        "Without your passkey, use a recovery code.",
    ),
    "go_on": ("Fortsæt", "Continue"),
    "wrong_code": ("Koden er forkert eller er brugt.", "The code is wrong, or was used."),
    "password_short": (
        "Adgangskoden skal have mindst 12 tegn.",
        "The password needs at least 12 characters.",
    ),
    "password_long": ("Adgangskoden må have højst 256 tegn.", "The password may have at most 256 characters."),
    "password_is_email": (
        "Adgangskoden må ikke være din e-mail.",
        "The password must not be your e-mail address.",
    ),
    "password_common": (
        "Adgangskoden er en af dem, som prøves først. Vælg en anden.",
        "The password is one of those that are tried first. Choose another one.",
    ),
    "passwords_differ": ("De to adgangskoder er ikke ens.", "The two passwords are not the same."),
    "new_password": ("Ny adgangskode", "New password"),
    "password_again": ("Den samme igen", "The same again"),
    "password_help": (
        "Mindst 12 tegn, for eksempel fire ord, der ikke hører sammen.",
        "At least 12 characters, such as four words that don't belong together.",
    ),
    "save": ("Gem", "Save"),
    "reset_password": ("Ny adgangskode", "New password"),
    "reset_intro": (
        "Skriv den e-mail, du logger ind med. Så sender vi et link.",
        "Write the e-mail address that you sign in with, and we send a link.",
    ),
    "reset_or_sign_in": (
        "Husker du adgangskoden, så log ind med den i denne browser: linket har åbnet for det.",
        "If you know the password, sign in with it in this browser: the link has opened the way.",
    ),
    "send_link": ("Send link", "Send link"),
    "link_sent": ("Se i din indbakke", "Look into your inbox"),
    "link_sent_text": (
        "Findes der en konto med den adresse, er et link på vej. Det virker i en time og kun én gang.",
        "If there is an account with that address, a link is on its way. It works for an hour, and once.",
    ),
    "link_over": ("Linket virker ikke", "The link does not work"),
    "link_over_text": (
        "Det er brugt, trukket tilbage eller for gammelt. Bed om et nyt.",
        "It was used or withdrawn, or is too old. Ask for a new one.",
    ),
    "account": ("Din konto", "Your account"),
    "name": ("Navn", "Name"),
    "name_missing": ("Skriv dit navn.", "Write your name."),
    "language": ("Sprog", "Language"),
    "companies": ("Virksomheder", "Companies"),
    "no_companies": (
        "Du har ikke adgang til nogen virksomhed. Bed om en invitation.",
        "You have no access to any company. Ask for an invitation.",
    ),
    "people": ("Personer", "People"),
    "connected_apps": ("Tilknyttede apps", "Connected apps"),
    "sandbox": ("sandkasse", "sandbox"),
    "owner": ("ejer", "owner"),
    "accountant": ("bogholder", "accountant"),
    "sales": ("salg", "sales"),
    "read-only": ("kun læse", "read only"),
    "change_password": ("Skift adgangskode", "Change password"),
    "change_password_help": (
        "Alle andre steder logges du ud, og apps, du har tilknyttet, skal tilknyttes igen.",
        "You are signed out everywhere else, and apps that you have connected have to be connected again.",
    ),
    "current_password": ("Nuværende adgangskode", "Current password"),
    "wrong_current_password": ("Den nuværende adgangskode er forkert.", "The current password is wrong."),
    "second_factors": ("To trin", "Two steps"),
    "totp": ("Engangskoder fra en app", "One-time codes from an app"),
    "totp_on": ("Slået til.", "On."),
    "totp_off": (
        "En app på din telefon viser seks cifre, som du skriver, når du logger ind.",
        "An app on your phone shows six digits that you type when you sign in.",
    ),
    "set_up_totp": ("Slå engangskoder til", "Set up one-time codes"),
    "remove_totp": ("Slå engangskoder fra", "Turn one-time codes off"),
    "totp_scan": (
        "Scan koden med din app, eller skriv nøglen i den:",
        "Scan the code with your app, or type the key into it:",
    ),
    "totp_confirm": ("Seks cifre fra appen", "Six digits from the app"),
    "recovery_codes": ("Gendannelseskoder", "Recovery codes"),
    "recovery_codes_left": ("{count} tilbage.", "{count} left."),
    "recovery_codes_text": (
        "Gem dem et sikkert sted: de vises kun denne gang. Hver virker én gang, hvis du mister din telefon.",
        "Keep them in a safe place: they are shown this once. Each works once, should you lose your phone.",
    ),
    "renew_recovery_codes": ("Lav nye gendannelseskoder", "Make new recovery codes"),
    "passkeys": ("Adgangsnøgler", "Passkeys"),
    "passkeys_help": (
        "Log ind med fingeraftryk, ansigt eller en sikkerhedsnøgle.",
        "Sign in by fingerprint, face or a security key.",
    ),
    "add_passkey": ("Tilføj en adgangsnøgle", "Add a passkey"),
    "passkey_name": ("Hvad den skal hedde", "What to call it"),
    "passkey": ("Adgangsnøgle", "Passkey"),
    "remove": ("Fjern", "Remove"),
    "last_used": ("sidst brugt {day}", "last used {day}"),
    "never_used": ("ikke brugt", "not used"),
    "sessions": ("Her er du logget ind", "Where you are signed in"),
    "this_browser": ("denne browser", "this browser"),
    "since": ("siden {day}", "since {day}"),
    "end_session": ("Log ud her", "Sign out there"),
    "end_other_sessions": ("Log ud alle andre steder", "Sign out everywhere else"),
    "back_to_account": ("Tilbage til din konto", "Back to your account"),
    "done_saved": ("Gemt.", "Saved."),
    "done_changed_password": (
        "Adgangskoden er skiftet, og du er logget ud alle andre steder.",
        "The password is changed, and you are signed out everywhere else.",
    ),
    "done_removed": ("Fjernet.", "Removed."),
    "done_ended": ("Logget ud der.", "Signed out there."),
    "done_joined": ("Du er med.", "You are in."),
    "invitation": ("Invitation til {company}", "Invitation to {company}"),
    "invited_as": (
        "{email} er inviteret til {company} som: {role}.",
        "{email} is invited to {company} as: {role}.",
    ),
    "choose_password": ("Vælg navn og adgangskode", "Choose a name and a password"),
    "accept": ("Tag imod", "Accept"),
    "sign_in_to_accept": ("Log ind som {email} for at tage imod", "Sign in as {email} to accept"),
    "signed_in_as_other": (
        "Du er logget ind som {email}. Log ud først.",
        "You are signed in as {email}. Sign out first.",
    ),
}
