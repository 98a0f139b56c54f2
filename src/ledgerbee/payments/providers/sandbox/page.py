"""The page of the provider that is built in as HTML, and what its forms do."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from ledgerbee.core.texts import isolated
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
from ledgerbee.payments.providers.sandbox.wording import WORDINGS, PageWording
from ledgerbee.platform.context import Context
from ledgerbee.sales.rendering.formatting import NBSP, format_date, format_money
from ledgerbee.sales.rendering.model import Language
from ledgerbee.tenancy.company import store as companies

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
    """What a page is of: a card that is to be saved, or a charge of one that is to be confirmed; and whose it is.

    `expires_at` is when the link of a card ends, in the company's time zone.
    """

    company: str
    card: SandboxCard
    charge: SandboxCharge | None
    expires_at: datetime


async def load(context: Context, subject_id: UUID) -> Shown:
    """What a page is of. Raises `SANDBOX_PAGE_GONE`."""
    charge = await store.find_charge(context, subject_id)
    card = SANDBOX_PAGE_GONE.unless(await store.find_card(context, subject_id if charge is None else charge.card_id))
    company = (await companies.get(context)).name
    return Shown(company, card, charge, card.expires_at.astimezone(ZoneInfo(context.time_zone)))


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
    if rules.as_of(charge, context.company_now).status is ChargeStatus.REQUIRES_ACTION:
        charge = rules.answered(charge, is_confirmed=reply.answer is Answer.CONFIRM, now=context.company_now)
        await store.update_charge(context, charge)
        await tell_of_charge(context, charge)
    return None


def render(shown: Shown, secret: str, notice: Notice | None = None, *, goes_on: bool = False) -> str:
    """The page by its link's secret.

    `notice` says why what was sent was not taken; `goes_on` that the browser leaves it for where its owner came from.
    """
    card = shown.card
    words = WORDINGS[card.language]
    language: Language = "da" if card.language == "da" else "en"
    values = (
        _of_card(shown, words, language) if shown.charge is None else _of_charge(shown, shown.charge, words, language)
    )
    return page_of(
        "ledgerbee.payments.providers.sandbox",
        "page.html",
        {
            "language": language,
            "company": shown.company,
            "words": words,
            "notice": None if notice is None else words.notices[notice],
            "secret": secret,
            "token": rules.form_token(secret),
            "cards": [(rules.grouped(one.number), words.behaviors[one.behavior]) for one in TEST_CARDS],
            **values,
            "goes_on": goes_on
            and card.status is AgreementStatus.ACTIVE
            and shown.charge is None
            and bool(card.return_url),
        },
    )


def _of_card(shown: Shown, words: PageWording, language: Language) -> dict[str, Any]:
    card = shown.card
    company, customer = isolated(shown.company), isolated(card.customer_name)
    names = {"company": company, "customer": customer, "card": _name_of(card)}
    is_open = card.status is AgreementStatus.PENDING
    title, text, back = {
        AgreementStatus.PENDING: (words.save_title, words.save_text, (card.cancel_url, words.leave)),
        AgreementStatus.ACTIVE: (words.saved_title, words.saved, (card.return_url, words.back)),
    }.get(card.status, (words.ended_title, words.ended, (card.cancel_url, words.back)))
    at = shown.expires_at
    day = format_date(at.date(), language)
    moment = words.moment.format(day=day, hour=f"{at:%H}", minute=f"{at:%M}")
    return {
        "is_charge": False,
        "is_open": is_open,
        "title": title,
        "text": text.format(**names),
        "facts": (),
        "back": back if back[0] else None,
        "foot": f"{words.until.format(moment=moment)} {words.foot}" if is_open else words.foot,
    }


def _of_charge(shown: Shown, charge: SandboxCharge, words: PageWording, language: Language) -> dict[str, Any]:
    title, text = {
        ChargeStatus.SUCCEEDED: (words.paid_title, words.paid),
        ChargeStatus.FAILED: (words.not_paid_title, words.not_paid),
    }.get(charge.status, (words.confirm_title, words.confirm_text))
    if charge.decline_code == rules.CANCELLED:
        title, text = words.withdrawn_title, words.withdrawn
    return {
        "is_charge": True,
        "is_open": charge.status is ChargeStatus.REQUIRES_ACTION,
        "title": title,
        "text": text.format(company=isolated(shown.company)),
        "amount": f"{format_money(charge.amount, charge.currency, language)}{NBSP}{charge.currency}",
        "facts": (
            (words.to, shown.company),
            (words.customer, shown.card.customer_name),
            (words.invoice, charge.description),
            (words.card, _name_of(shown.card)),
        ),
        "is_unpaid": charge.status is ChargeStatus.FAILED,
        "back": None,
        "foot": words.foot,
    }


def _name_of(card: SandboxCard) -> str:
    return f"{(card.type or '').capitalize()} {card.mask or ''}".strip()
