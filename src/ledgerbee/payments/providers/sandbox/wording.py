"""The words of the page, in Danish and English. `{}` stands for what is filled in."""

from dataclasses import dataclass
from typing import Final

from ledgerbee.payments.providers.sandbox.model import Behavior
from ledgerbee.payments.providers.sandbox.rules import Notice


@dataclass(frozen=True, slots=True)
class PageWording:
    """One language."""

    badge: str
    foot: str
    save_title: str
    save_text: str
    number: str
    hint: str
    save: str
    until: str
    moment: str
    cards: str
    behaviors: dict[Behavior, str]
    confirm_title: str
    confirm_text: str
    confirm: str
    refuse: str
    to: str
    customer: str
    invoice: str
    card: str
    saved_title: str
    saved: str
    ended_title: str
    ended: str
    paid_title: str
    paid: str
    not_paid_title: str
    not_paid: str
    withdrawn_title: str
    withdrawn: str
    back: str
    leave: str
    notices: dict[Notice, str]


_DANISH: Final = PageWording(
    badge="Testtilstand: der flyttes ingen penge",
    foot="Siden er en prøve: den er indbygget i ledgerbee og taler ikke med nogen bank.",
    save_title="Gem et kort",
    save_text="Kortet gemmes, så {company} fremover kan trække betalinger fra {customer} på det. "
    "Der trækkes ingen penge nu.",
    number="Kortnummer",
    hint="Brug et af testkortene nedenfor. Kun de sidste fire cifre gemmes.",
    save="Gem kortet",
    until="Linket virker til {moment} og gemmer ét kort.",
    moment="{day} kl. {hour}.{minute}",
    cards="Testkort",
    behaviors={
        Behavior.SUCCEEDS: "Betalinger går igennem",
        Behavior.SOFT_DECLINE: "Betalinger afvises: der er ikke penge nok",
        Behavior.SOFT_DECLINE_ONCE: "Den første betaling afvises, de næste går igennem",
        Behavior.HARD_DECLINE: "Betalinger afvises: kortet er stjålet",
        Behavior.REQUIRES_ACTION: "Hver betaling skal bekræftes (3\u2011D\u00a0Secure)",
        Behavior.EXPIRES_SOON: "Kortet udløber med denne måned",
        Behavior.DISPUTE_LOST: "Der gøres indsigelse mod betalinger, og den får medhold",
        Behavior.DISPUTE_WON: "Der gøres indsigelse mod betalinger, og den afvises",
        Behavior.REFUSED: "Kortet kan ikke gemmes",
    },
    confirm_title="Bekræft betalingen",
    confirm_text="Bekræfter du, trækker {company} beløbet på kortet nu. Afviser du, trækkes der intet.",
    confirm="Bekræft betalingen",
    refuse="Afvis",
    to="Til",
    customer="Kunde",
    invoice="Faktura",
    card="Kort",
    saved_title="Kortet er gemt",
    saved="{company} kan nu trække betalinger fra {customer} på {card}. Der er ikke trukket noget endnu.",
    ended_title="Linket kan ikke bruges mere",
    ended="Der er ikke gemt noget kort her. Bed {company} om et nyt link.",
    paid_title="Betalingen er bekræftet",
    paid="Du kan lukke siden nu.",
    not_paid_title="Betalingen er ikke gennemført",
    not_paid="Der er ikke trukket noget. Du kan lukke siden, eller spørge {company}.",
    withdrawn_title="Betalingen er ikke længere åben",
    withdrawn="{company} har trukket den tilbage. Der er ikke trukket noget på kortet. Du kan lukke siden.",
    back="Videre",
    leave="Tilbage uden at gemme et kort",
    notices={
        Notice.NOT_FROM_HERE: "Svaret kom ikke fra denne side. Der er ikke sket noget.",
        Notice.UNKNOWN_CARD: "Det er ikke et af testkortene. Nummeret er ikke gemt. Brug aldrig et rigtigt kort her.",
        Notice.REFUSED: "Kortet blev afvist og er ikke gemt. Prøv et andet.",
    },
)

_ENGLISH: Final = PageWording(
    badge="Test mode: no money moves",
    foot="This page is a test: it is built into ledgerbee and talks to no bank.",
    save_title="Save a card",
    save_text="The card is saved so that {company} can charge it for payments of {customer} from now on. "
    "Nothing is charged now.",
    number="Card number",
    hint="Use one of the test cards below. Only the last four digits are kept.",
    save="Save the card",
    until="The link works until {moment}, and saves one card.",
    moment="{day} at {hour}:{minute}",
    cards="Test cards",
    behaviors={
        Behavior.SUCCEEDS: "Payments go through",
        Behavior.SOFT_DECLINE: "Payments are declined: insufficient funds",
        Behavior.SOFT_DECLINE_ONCE: "The first payment is declined, the next ones go through",
        Behavior.HARD_DECLINE: "Payments are declined: the card is stolen",
        Behavior.REQUIRES_ACTION: "Each payment has to be confirmed (3\u2011D\u00a0Secure)",
        Behavior.EXPIRES_SOON: "The card expires with this month",
        Behavior.DISPUTE_LOST: "Payments are disputed, and the dispute is lost",
        Behavior.DISPUTE_WON: "Payments are disputed, and the dispute is won",
        Behavior.REFUSED: "The card can't be saved",
    },
    confirm_title="Confirm the payment",
    confirm_text="If you confirm, {company} charges the amount to the card now. If you refuse, nothing is charged.",
    confirm="Confirm the payment",
    refuse="Refuse",
    to="To",
    customer="Customer",
    invoice="Invoice",
    card="Card",
    saved_title="The card is saved",
    saved="{company} can now charge {card} for payments of {customer}. Nothing has been charged yet.",
    ended_title="The link can't be used any more",
    ended="No card is saved here. Ask {company} for a new link.",
    paid_title="The payment is confirmed",
    paid="You can close this page now.",
    not_paid_title="The payment was not made",
    not_paid="Nothing was charged. You can close this page, or ask {company}.",
    withdrawn_title="The payment is no longer open",
    withdrawn="{company} has withdrawn it. Nothing was charged. You can close this page.",
    back="Continue",
    leave="Back without saving a card",
    notices={
        Notice.NOT_FROM_HERE: "The answer did not come from this page. Nothing was done.",
        Notice.UNKNOWN_CARD: "This is none of the test cards. The number was not kept. Never use a real card here.",
        Notice.REFUSED: "The card was refused and is not saved. Try another one.",
    },
)

WORDINGS: Final = {"da": _DANISH, "en": _ENGLISH}
