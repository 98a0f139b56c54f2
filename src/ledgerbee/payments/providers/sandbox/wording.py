"""The words of the page, in Danish and English. `{}` stands for what is filled in."""

from dataclasses import dataclass
from typing import Final

from ledgerbee.payments.providers.sandbox.model import Behavior
from ledgerbee.payments.providers.sandbox.rules import Notice


@dataclass(frozen=True, slots=True)
class PageWording:
    """One language."""

    badge: str
    save_title: str
    save_text: str
    number: str
    save: str
    cards: str
    behaviors: dict[Behavior, str]
    confirm_title: str
    confirm_text: str
    confirm: str
    refuse: str
    saved: str
    ended: str
    paid: str
    not_paid: str
    back: str
    leave: str
    notices: dict[Notice, str]


_DANISH: Final = PageWording(
    badge="Test: der flyttes ingen penge",
    save_title="Gem et kort",
    save_text="Kortet gemmes for {customer} og kan bruges til kommende betalinger. Brug et af testkortene.",
    number="Kortnummer",
    save="Gem kortet",
    cards="Testkort",
    behaviors={
        Behavior.SUCCEEDS: "Betalinger går igennem",
        Behavior.SOFT_DECLINE: "Betalinger afvises: der er ikke penge nok",
        Behavior.SOFT_DECLINE_ONCE: "Den første betaling afvises, de næste går igennem",
        Behavior.HARD_DECLINE: "Betalinger afvises: kortet er stjålet",
        Behavior.REQUIRES_ACTION: "Hver betaling skal bekræftes (3-D Secure)",
        Behavior.EXPIRES_SOON: "Kortet udløber med denne måned",
        Behavior.DISPUTE_LOST: "Der gøres indsigelse mod betalinger, og den får medhold",
        Behavior.DISPUTE_WON: "Der gøres indsigelse mod betalinger, og den afvises",
        Behavior.REFUSED: "Kortet kan ikke gemmes",
    },
    confirm_title="Bekræft betalingen",
    confirm_text="{amount} {currency} for {text}",
    confirm="Bekræft",
    refuse="Afvis",
    saved="Kortet {card} er gemt.",
    ended="Kortet kan ikke længere gemmes her.",
    paid="Betalingen er bekræftet.",
    not_paid="Betalingen er ikke gennemført.",
    back="Tilbage",
    leave="Tilbage uden at gemme et kort",
    notices={
        Notice.NOT_FROM_HERE: "Svaret kom ikke fra denne side. Der er ikke sket noget.",
        Notice.UNKNOWN_CARD: "Det er ikke et af testkortene. Nummeret er ikke gemt. Brug aldrig et rigtigt kort her.",
        Notice.REFUSED: "Kortet blev afvist og er ikke gemt. Prøv et andet.",
    },
)

_ENGLISH: Final = PageWording(
    badge="Test: no money moves",
    save_title="Save a card",
    save_text="The card is saved for {customer} and can be used for payments to come. Use one of the test cards.",
    number="Card number",
    save="Save the card",
    cards="Test cards",
    behaviors={
        Behavior.SUCCEEDS: "Payments go through",
        Behavior.SOFT_DECLINE: "Payments are declined: insufficient funds",
        Behavior.SOFT_DECLINE_ONCE: "The first payment is declined, the next ones go through",
        Behavior.HARD_DECLINE: "Payments are declined: the card is stolen",
        Behavior.REQUIRES_ACTION: "Each payment has to be confirmed (3-D Secure)",
        Behavior.EXPIRES_SOON: "The card expires with this month",
        Behavior.DISPUTE_LOST: "Payments are disputed, and the dispute is lost",
        Behavior.DISPUTE_WON: "Payments are disputed, and the dispute is won",
        Behavior.REFUSED: "The card can't be saved",
    },
    confirm_title="Confirm the payment",
    confirm_text="{amount} {currency} for {text}",
    confirm="Confirm",
    refuse="Refuse",
    saved="The card {card} is saved.",
    ended="The card can't be saved here any more.",
    paid="The payment is confirmed.",
    not_paid="The payment was not made.",
    back="Back",
    leave="Back without saving a card",
    notices={
        Notice.NOT_FROM_HERE: "The answer did not come from this page. Nothing was done.",
        Notice.UNKNOWN_CARD: "This is none of the test cards. The number was not kept. Never use a real card here.",
        Notice.REFUSED: "The card was refused and is not saved. Try another one.",
    },
)

WORDINGS: Final = {"da": _DANISH, "en": _ENGLISH}
