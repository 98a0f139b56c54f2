"""What to ask providers of charges, and what becomes of one that nobody knows of."""

from dataclasses import dataclass, replace

from ledgerbee.payments.charges import rules, store
from ledgerbee.payments.charges.actions.bookable import check_bookable
from ledgerbee.payments.charges.actions.cancel import write_cancelling
from ledgerbee.payments.charges.actions.shared import fail, locked
from ledgerbee.payments.charges.model import (
    CHARGE_BEING_ASKED,
    PATIENCE,
    UNDER_WAY,
    CardToCharge,
    Charge,
    ChargeId,
    Patience,
)
from ledgerbee.payments.provider_settings import actions as provider_settings
from ledgerbee.payments.provider_settings import store as settings_store
from ledgerbee.payments.provider_settings.model import ProviderSettings
from ledgerbee.payments.providers.model import Access
from ledgerbee.platform.context import Context
from ledgerbee.sales.invoices.model import Invoice


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask a provider of a charge. `was_asked`: it may know of it, and is asked just that."""

    charge: Charge
    access: Access
    agreement_id: str
    callback_url: str
    text: str
    was_asked: bool


async def ask(context: Context, charge_id: ChargeId, patience: Patience = PATIENCE) -> Question | None:
    """What to ask the provider of a charge; None where it has ended.

    One that it was not asked for before is marked as asked, or ended where it isn't wanted any more. Raises
    `CHARGE_BEING_ASKED` where somebody else is at it, `CHARGE_NOT_FOUND`, and before anybody is asked what
    `check_bookable` refuses.
    """
    charge, invoice = await locked(context, charge_id)
    if charge.status not in UNDER_WAY:
        return None
    if rules.is_asked_elsewhere(charge, context.now, patience):
        raise CHARGE_BEING_ASKED.error()
    card = await store.get_card(context, charge.payment_method_id)
    if charge.asked_at is not None:
        charge = await _looked_at(context, charge, card, invoice)
        return await _question(context, charge, card, invoice, was_asked=True)
    if (decline := rules.why_not_wanted(charge, card, invoice)) is not None:
        await fail(context, charge, decline)
        return None
    await check_bookable(context, card, charge.currency)
    return await _mark_asked(context, charge, card, invoice)


async def _looked_at(context: Context, charge: Charge, card: CardToCharge, invoice: Invoice) -> Charge:
    """A charge whose provider is about to be asked how it stands, and to cancel it where it isn't to be waited for."""
    if (why := rules.why_to_cancel(charge, card, invoice, context.today)) is not None:
        return await write_cancelling(context, charge, rules.cancelling(charge, why, context.now))
    charge = replace(charge, updated_at=context.now)
    await store.update(context, charge)
    return charge


async def ask_again(context: Context, before: Charge, patience: Patience = PATIENCE) -> Question | None:
    """What to ask the provider of a charge that it says it has none of, `before` as it was when it was asked.

    Where it surely was not carried out, it is marked as asked once more, or ended where it isn't wanted any more. None
    where it has ended, or is to be waited for: then it is `unclear`. Raises `CHARGE_BEING_ASKED` where somebody else
    asked or heard of it meanwhile, and before it is asked for once more what `check_bookable` refuses.
    """
    charge, invoice = await locked(context, before.id)
    if charge.status not in UNDER_WAY:
        return None
    if (charge.asked_at, charge.provider_id) != (before.asked_at, before.provider_id):
        raise CHARGE_BEING_ASKED.error()
    card = await store.get_card(context, charge.payment_method_id)
    decline = rules.why_not_wanted(charge, card, invoice)
    follows = rules.when_unknown(charge, context.now, is_wanted=decline is None, patience=patience)
    if follows is rules.WhenUnknown.REPEAT:
        await check_bookable(context, card, charge.currency)
        return await _mark_asked(context, charge, card, invoice)
    if follows is rules.WhenUnknown.END:
        await fail(context, charge, rules.decline_of_unknown(charge, decline))
    else:
        await store.update(context, rules.unclear(charge, context.now))
    return None


async def _mark_asked(context: Context, charge: Charge, card: CardToCharge, invoice: Invoice) -> Question:
    charge = replace(charge, asked_at=context.now, updated_at=context.now)
    await store.update(context, charge)
    return await _question(context, charge, card, invoice, was_asked=False)


async def _question(
    context: Context, charge: Charge, card: CardToCharge, invoice: Invoice, *, was_asked: bool
) -> Question:
    settings = await settings_store.get(context, charge.provider)
    return question_of(context, charge, card, invoice, settings, was_asked=was_asked)


def question_of(
    context: Context,
    charge: Charge,
    card: CardToCharge,
    invoice: Invoice,
    settings: ProviderSettings,
    *,
    was_asked: bool,
) -> Question:
    """What to ask of a charge, and how its provider is reached."""
    return Question(
        charge=charge,
        access=provider_settings.access_of(context, settings),
        agreement_id=card.agreement_id,
        callback_url=provider_settings.callback_url(context, settings),
        text=invoice.number or "",
        was_asked=was_asked,
    )
