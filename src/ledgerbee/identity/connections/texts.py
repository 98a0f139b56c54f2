"""Texts of the pages of connected apps, in Danish and in English."""

from typing import Final

from ledgerbee.identity.pages.model import Texts

TEXTS: Final[Texts] = {
    "title": ("Forbundne apps – {company}", "Connected apps – {company}"),
    "heading": ("Forbundne apps", "Connected apps"),
    "about": (
        "Assistenter som Claude og Cursor kan arbejde i {company} i dit navn, når du giver dem adgang.",
        "Assistants such as Claude and Cursor can work in {company} in your name once you give them access.",
    ),
    "address": ("Virksomhedens MCP-adresse", "The company's MCP address"),
    "set_up": ("Forbind en app", "Connect an app"),
    "claude": (
        "Åbn Indstillinger, Connectors, «Add custom connector», og indsæt adressen. Claude spørger så om adgang her.",
        "Open Settings, Connectors, “Add custom connector”, and paste the address. Claude then asks for access here.",
    ),
    "claude_code": (
        "Kør kommandoen, og skriv «/mcp» i Claude Code for at logge ind.",
        "Run the command, and type “/mcp” in Claude Code to sign in.",
    ),
    "cursor": ("Skriv i .cursor/mcp.json, eller", "Write into .cursor/mcp.json, or"),
    "open_cursor": ("åbn i Cursor", "open in Cursor"),
    "vs_code": ("Skriv i .vscode/mcp.json, eller", "Write into .vscode/mcp.json, or"),
    "open_vs_code": ("åbn i VS Code", "open in VS Code"),
    "waiting": ("Hvad der venter på godkendelse", "What waits for approval"),
    "connections": ("Apps med adgang", "Apps with access"),
    "none": ("Ingen apps har adgang.", "No app has access."),
    "ended": ("Apps, der har haft adgang", "Apps that had access"),
    "works_for": ("Arbejder for", "Works for"),
    "sent_to": ("Svaret blev sendt til", "The answer went to"),
    "created": ("Givet", "Given"),
    "last_used": ("Sidst brugt", "Last used"),
    "never": ("aldrig", "never"),
    "ends": ("Ophører uden brug", "Ends if unused"),
    "revoked": ("Taget tilbage", "Taken back"),
    "because_user": ("af en bruger", "by a user"),
    "because_application": ("af programmet selv", "by the application itself"),
    "because_code_reused": (
        "fordi dets engangskode kom to gange: en anden kan have haft den",
        "as its code came twice: somebody else may have had it",
    ),
    "because_refresh_token_reused": (
        "fordi et brugt token kom igen: en anden kan have haft det",
        "as a used token came again: somebody else may have had it",
    ),
    "because_membership": ("fordi brugeren forlod virksomheden", "as the user left the company"),
    "because_password": ("fordi brugeren fik ny adgangskode", "as the user has a new password"),
    "booked": ("Bogført i dag", "Booked today"),
    "of_limit": (
        "{amount} {currency}; uden at nogen ser på det højst {limit} kr. om dagen",
        "{amount} {currency}; at most {limit} DKK a day without anybody looking",
    ),
    "may": ("Det må", "It may"),
    "did": ("Hvad den har gjort", "What it did"),
    "did_nothing": ("Den har ikke ændret noget.", "It has changed nothing."),
    "newest": ("De nyeste {count} ændringer", "The newest {count} changes"),
    "revoke": ("Tag adgangen tilbage", "Take the access back"),
    "limit": (
        "Højst bogført om dagen, uden at nogen ser på det, i kr.",
        "Booked in a day without anybody looking, at most, in DKK",
    ),
    "save": ("Gem", "Save"),
    "bad_limit": (
        "Grænsen skal være et beløb på 0 eller mere, med højst to decimaler. Intet er ændret.",
        "The limit must be an amount of 0 or more, with two decimals at most. Nothing was changed.",
    ),
    "back": ("Til alle forbundne apps", "To all connected apps"),
}  # fmt: skip
