"""The page of the provider that is built in as HTML, and what its forms do."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from ledgerbee.payments.pages.page import Message, page_of
from ledgerbee.payments.providers.model import AgreementStatus, ChargeStatus
from ledgerbee.payments.providers.sandbox import rules, store
from ledgerbee.payments.providers.sandbox.model import (
    SANDBOX_PAGE_GONE,
    TEST_CARDS,
    SandboxCard,
    SandboxCharge,
)
from ledgerbee.payments.providers.sandbox.provider import tell_of_card, tell_of_charge
from ledgerbee.payments.providers.sandbox.rules import Answer, Notice, Reply
from ledgerbee.payments.providers.sandbox.wording import WORDINGS
from ledgerbee.platform.context import Context
from ledgerbee.sales.rendering.formatting import format_money

NO_SUCH_LINK: Final[Message] = (
    ("Linket virker ikke", "Det findes ikke, eller det er udløbet. Spørg den, der har sendt det."),
    ("The link does not work", "It does not exist, or it has expired. Ask whoever sent it."),
)
TOO_MANY_REQUESTS: Final[Message] = (
    ("For mange forespørgsler", "Prøv igen om et minut."),
    ("Too many requests", "Try again in a minute."),
)
TRY_AGAIN: Final[Message] = (
    ("Det lykkedes ikke", "Intet er registreret. Prøv igen om lidt."),
    ("That did not work", "Nothing was recorded. Try again in a moment."),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page is of: a card that is to be saved, or a charge of one that is to be confirmed."""

    card: SandboxCard
    charge: SandboxCharge | None


async def load(context: Context, subject_id: UUID) -> Shown:
    """What a page is of. Raises `SANDBOX_PAGE_GONE`."""
    charge = await store.find_charge(context, subject_id)
    card = await store.find_card(context, subject_id if charge is None else charge.card_id)
    return Shown(SANDBOX_PAGE_GONE.unless(card), charge)


async def answer(context: Context, subject_id: UUID, reply: Reply) -> Notice | None:
    """Do what a form of the page asks for, once: what has come to its end stays. Why nothing was done, else None.

    Of a number that is none of the test cards nothing is kept. Raises `SANDBOX_PAGE_GONE`.
    """
    charge = await store.lock_charge(context, subject_id)
    if charge is not None:
        return await _answer_charge(context, charge, reply)
    card = SANDBOX_PAGE_GONE.unless(await store.lock_card(context, subject_id))
    if reply.answer is not Answer.SAVE:
        return Notice.NOT_FROM_HERE
    if card.status is not AgreementStatus.PENDING:
        return None
    found = rules.card_of(reply.number)
    if found is None:
        return Notice.UNKNOWN_CARD
    if not rules.can_be_saved(found):
        return Notice.REFUSED
    card = rules.saved(card, found, context.now)
    await store.update_card(context, card)
    await tell_of_card(context, card)
    return None


async def _answer_charge(context: Context, charge: SandboxCharge, reply: Reply) -> Notice | None:
    if reply.answer not in {Answer.CONFIRM, Answer.REFUSE}:
        return Notice.NOT_FROM_HERE
    if charge.status is ChargeStatus.REQUIRES_ACTION:
        charge = rules.answered(charge, is_confirmed=reply.answer is Answer.CONFIRM, now=context.company_now)
        await store.update_charge(context, charge)
        await tell_of_charge(context, charge)
    return None


def render(shown: Shown, secret: str, notice: Notice | None = None) -> str:
    """The page by its link's secret; `notice` says why what was sent was not taken."""
    card, charge = shown.card, shown.charge
    words = WORDINGS[card.language]
    if charge is not None:
        amount = format_money(charge.amount, charge.currency, "da" if card.language == "da" else "en")
        text = words.confirm_text.format(amount=amount, currency=charge.currency, text=charge.description)
        standing = {ChargeStatus.SUCCEEDED: words.paid, ChargeStatus.FAILED: words.not_paid}.get(charge.status)
        back = None
    else:
        text = words.save_text.format(customer=card.customer_name)
        name = f"{(card.type or '').capitalize()} {card.mask or ''}"
        is_saved = card.status is AgreementStatus.ACTIVE
        is_open = card.status is AgreementStatus.PENDING
        standing = None if is_open else words.saved.format(card=name) if is_saved else words.ended
        back = (card.return_url, words.back) if is_saved else (card.cancel_url, words.leave if is_open else words.back)
    return page_of(
        "ledgerbee.payments.providers.sandbox",
        "page.html",
        {
            "language": card.language,
            "title": words.save_title if charge is None else words.confirm_title,
            "words": words,
            "notice": None if notice is None else words.notices[notice],
            "standing": standing,
            "text": text,
            "secret": secret,
            "token": rules.form_token(secret),
            "is_charge": charge is not None,
            "cards": [(rules.grouped(one.number), words.behaviors[one.behavior]) for one in TEST_CARDS],
            "back": back,
        },
    )
