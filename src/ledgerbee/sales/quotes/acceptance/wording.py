"""The words of the buyer's page, in Danish and English. `{}` stands for what is filled in."""

from dataclasses import dataclass
from typing import Final

from ledgerbee.sales.quotes.acceptance.model import Decision, Notice, Standing
from ledgerbee.sales.rendering.model import Language


@dataclass(frozen=True, slots=True)
class PageWording:
    """One language."""

    title: str
    standings: dict[Standing, str]
    until: str
    nameless: str
    moment: str
    pdf: str
    lines: str
    vat_of: str
    accept: str
    binding: str
    reject: str
    name: str
    comment: str
    buttons: dict[Decision, str]
    notices: dict[Notice, str]


_DANISH: Final = PageWording(
    title="Tilbud {number} fra {seller}",
    standings={
        Standing.OPEN: "Tilbuddet venter på jeres svar.",
        Standing.EXPIRED: "Tilbuddet er udløbet og kan ikke længere accepteres. Kontakt {seller}, hvis det stadig har "
        "interesse.",
        Standing.ACCEPTED: "Tilbuddet er accepteret af {name} {at}.",
        Standing.REJECTED: "Tilbuddet er afslået af {name} {at}.",
        Standing.CONVERTED: "{seller} har lavet en ordre eller faktura af tilbuddet. Det skal ikke længere besvares.",
    },
    until="Det gælder til og med {day}.",
    nameless="køber",
    moment="{day} kl. {time}",
    pdf="Hent tilbuddet som PDF",
    lines="Tilbuddets linjer",
    vat_of="Moms {rate} af {taxable}",
    accept="Accepter tilbuddet",
    binding="Tilbuddet bliver bindende for {buyer}, når det er accepteret: {total} {currency}.",
    reject="Afslå tilbuddet",
    name="Dit navn",
    comment="Besked til sælger (kan udelades)",
    buttons={Decision.ACCEPT: "Accepter", Decision.REJECT: "Afslå"},
    notices={
        Notice.NAME_MISSING: "Skriv dit navn. Svaret er ikke registreret endnu.",
        Notice.TOO_LONG: "Navnet kan have 200 tegn og beskeden 2.000. Svaret er ikke registreret endnu.",
        Notice.NOT_FROM_HERE: "Svaret kom ikke fra denne side og er ikke registreret. Svar her på siden.",
        Notice.NOT_OPEN: "Dit svar er ikke registreret.",
    },
)

_ENGLISH: Final = PageWording(
    title="Quote {number} from {seller}",
    standings={
        Standing.OPEN: "The quote awaits your answer.",
        Standing.EXPIRED: "The quote has expired and can't be accepted any more. Contact {seller} if you are still "
        "interested.",
        Standing.ACCEPTED: "The quote was accepted by {name} on {at}.",
        Standing.REJECTED: "The quote was rejected by {name} on {at}.",
        Standing.CONVERTED: "{seller} has made an order or an invoice of the quote. It needs no answer any more.",
    },
    until="It is valid through {day}.",
    nameless="the buyer",
    moment="{day} at {time}",
    pdf="Download the quote as PDF",
    lines="Lines of the quote",
    vat_of="VAT {rate} of {taxable}",
    accept="Accept the quote",
    binding="Once accepted, the quote binds {buyer}: {total} {currency}.",
    reject="Reject the quote",
    name="Your name",
    comment="Message to the seller (optional)",
    buttons={Decision.ACCEPT: "Accept", Decision.REJECT: "Reject"},
    notices={
        Notice.NAME_MISSING: "Enter your name. The answer is not recorded yet.",
        Notice.TOO_LONG: "The name may have 200 characters, the message 2,000. The answer is not recorded yet.",
        Notice.NOT_FROM_HERE: "The answer did not come from this page and is not recorded. Answer here on the page.",
        Notice.NOT_OPEN: "Your answer is not recorded.",
    },
)

PAGE_WORDINGS: Final[dict[Language, PageWording]] = {"da": _DANISH, "en": _ENGLISH}
