"""Saving cards with the provider that is built in."""

from ledgerbee.core.ids import new_id
from ledgerbee.payments.providers.model import Agreement, AgreementStatus, Card
from ledgerbee.payments.providers.references import new_reference
from ledgerbee.payments.providers.sandbox import rules, store
from ledgerbee.payments.providers.sandbox.model import PAGE_LIFE, SandboxCard, SandboxCardId
from ledgerbee.platform.context import Context


async def new_card(
    context: Context, *, reference: str, language: str, customer_name: str, return_url: str, cancel_url: str
) -> SandboxCard:
    """A card that is to be saved on a page, which can be opened for 24 hours."""
    card_id = SandboxCardId(new_id())
    card = SandboxCard(
        id=card_id,
        reference=reference,
        status=AgreementStatus.PENDING,
        language=language if language in {"da", "en"} else "en",
        customer_name=customer_name,
        return_url=return_url,
        cancel_url=cancel_url,
        page_secret=await store.open_page(context, card_id),
        expires_at=context.now + PAGE_LIFE,
        created_at=context.now,
        updated_at=context.now,
    )
    await store.insert_card(context, card)
    return card


async def save_card(context: Context, number: str, customer_name: str, language: str) -> Agreement | None:
    """Save a card without a page; None for every number but those of test cards that can be saved."""
    found = rules.card_of(number)
    if found is None or not rules.can_be_saved(found):
        return None
    card = await new_card(
        context,
        reference=new_reference(),
        language=language,
        customer_name=customer_name,
        return_url="",
        cancel_url="",
    )
    card = rules.saved(card, found, context.now)
    await store.update_card(context, card)
    return agreement_of(card)


def agreement_of(card: SandboxCard) -> Agreement:
    """A card as an adapter answers it."""
    shown = Card(card.mask, card.type, card.expiry_month, card.expiry_year) if card.mask else None
    return Agreement(provider_id=str(card.id), status=card.status, card=shown, reference=card.reference)
