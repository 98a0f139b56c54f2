"""Saved cards: made, made the default, assigned again, ended; and the links on which they are saved."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from ledgerbee.core.errors import LedgerBeeError, invalid
from ledgerbee.core.ids import new_id
from ledgerbee.parties.customers import store as customers
from ledgerbee.parties.customers.model import Customer
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND
from ledgerbee.payments.payment_methods import rules, store
from ledgerbee.payments.payment_methods.model import (
    CARD_LINK_JOB,
    EXPIRING_DAYS,
    LINK_LIFE,
    LINK_PAUSE,
    PAYMENT_METHOD_NOT_FOUND,
    CardLink,
    CardLinkId,
    CardLinkStatus,
    PaymentMethod,
    PaymentMethodId,
    PaymentMethodStatus,
)
from ledgerbee.payments.payment_methods.rules import Aging, LinkOutcome
from ledgerbee.payments.payment_methods.wire import CreateCardLinkRequest, link_form, render
from ledgerbee.payments.provider_settings import actions as provider_settings
from ledgerbee.payments.provider_settings import store as provider_settings_store
from ledgerbee.payments.providers.model import (
    Access,
    Agreement,
    AgreementPage,
    AgreementRequest,
    Card,
    ProviderName,
    Providers,
)
from ledgerbee.payments.providers.references import new_reference
from ledgerbee.payments.providers.sandbox import cards as sandbox
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import Database, Tenant
from ledgerbee.tenancy.company import store as companies

#: Cards that one transaction looks at.
_AT_A_TIME: Final = 500


async def set_default(context: Context, customer_id: UUID, method_id: PaymentMethodId) -> PaymentMethod:
    """Make an active card what a customer pays with where none is named; the one that was it isn't any more.

    Raises `CUSTOMER_NOT_FOUND`, `PAYMENT_METHOD_NOT_FOUND`, `PAYMENT_METHOD_INVALID_STATE`. Emits
    `payment_method.updated` of each that changes.
    """
    await customers.get_for_update(context, customer_id)
    method = await store.get_for_update(context, customer_id, method_id)
    rules.require_active(method)
    if method.is_default:
        return method
    before = await store.find_default(context, customer_id)
    if before is not None:
        await _change(context, before, replace(before, is_default=False, updated_at=context.now))
    return await _change(context, method, replace(method, is_default=True, updated_at=context.now))


async def assign(context: Context, customer_id: UUID, method_id: PaymentMethodId) -> PaymentMethod:
    """Give a card that was unassigned to a customer; the customer's own stays as it is.

    It becomes the default of a customer without one. Raises `CUSTOMER_NOT_FOUND`, `PAYMENT_METHOD_NOT_FOUND` (also for
    another customer's), `PAYMENT_METHOD_INVALID_STATE`. Emits `payment_method.saved`.
    """
    await customers.get_for_update(context, customer_id)
    method = await store.get_any_for_update(context, method_id)
    if method.customer_id == customer_id:
        return method
    if method.customer_id is not None:
        raise PAYMENT_METHOD_NOT_FOUND.error()
    rules.require_active(method)
    is_default = await store.find_default(context, customer_id) is None
    after = replace(method, customer_id=customer_id, is_default=is_default, updated_at=context.now)
    await store.update(context, after)
    context.emit("payment_method.saved", after.id, _form(after), before=_form(method))
    return after


async def unassign(context: Context, customer_id: UUID, method_id: PaymentMethodId) -> PaymentMethod:
    """Take a card from its customer; it lives on at the provider. No other becomes the default by it.

    Raises `CUSTOMER_NOT_FOUND`, `PAYMENT_METHOD_NOT_FOUND`. Emits `payment_method.removed`, which names the customer.
    """
    await customers.get_for_update(context, customer_id)
    method = await store.get_for_update(context, customer_id, method_id)
    after = rules.unassigned(method, context.now)
    await _remove(context, method, after)
    return after


async def mark_cancelled(context: Context, customer_id: UUID, method_id: PaymentMethodId) -> PaymentMethod:
    """Note that a card was ended at the provider; one that is noted so already stays.

    Raises `CUSTOMER_NOT_FOUND`, `PAYMENT_METHOD_NOT_FOUND`. Emits `payment_method.removed`.
    """
    await customers.get_for_update(context, customer_id)
    method = await store.get_for_update(context, customer_id, method_id)
    if method.status is PaymentMethodStatus.CANCELLED:
        return method
    after = rules.ended(method, PaymentMethodStatus.CANCELLED, context.now)
    await _remove(context, method, after)
    return after


async def access_to(context: Context, customer_id: UUID, method_id: PaymentMethodId) -> tuple[PaymentMethod, Access]:
    """A card, and what its provider is reached with, also one that is disabled.

    Raises `CUSTOMER_NOT_FOUND`, `PAYMENT_METHOD_NOT_FOUND`, `SECRET_UNREADABLE`.
    """
    await customers.get(context, customer_id)
    method = await store.get_of_customer(context, customer_id, method_id)
    settings = await provider_settings_store.get(context, method.provider)
    return method, provider_settings.access_of(context, settings)


async def age_chunk(context: Context, day: date) -> bool:
    """Mark cards that are past their end, and tell of those that end soon, some at a time; whether there are more.

    Emits `payment_method.expired` and `payment_method.expiring`, the latter once for each end.
    """
    found = await store.list_aging(context, day, day + timedelta(days=EXPIRING_DAYS), _AT_A_TIME)
    for method in found:
        if rules.aging_of(method, day) is Aging.EXPIRED:
            after = rules.ended(method, PaymentMethodStatus.EXPIRED, context.now)
            await store.update(context, after)
            context.emit("payment_method.expired", after.id, _form(after), before=_form(method))
        else:
            after = replace(method, told_expiry=rules.last_day(method), updated_at=context.now)
            await store.update(context, after)
            context.emit("payment_method.expiring", after.id, _form(after))
    return len(found) == _AT_A_TIME


async def save_test_card(context: Context, customer_id: UUID, number: str) -> PaymentMethod:
    """Save a card of the sandbox provider for a customer, as if that had typed its number on the provider's page.

    Raises `CUSTOMER_NOT_FOUND`, `PAYMENT_PROVIDER_NOT_FOUND`, `PAYMENT_PROVIDER_DISABLED`, and a validation error for
    every number but those of test cards that can be saved. Emits `payment_method.saved`.
    """
    try:
        customer = await customers.get_for_update(context, customer_id)
    except LedgerBeeError:
        raise CUSTOMER_NOT_FOUND.missing("customerId", "customerId", customer_id) from None
    settings = await provider_settings.find_enabled(context, ProviderName.SANDBOX)
    agreement = await sandbox.save_card(context, number, customer.name, await _language_of(context, customer))
    if agreement is None:
        raise invalid(("number", "isIn", "number must be that of a test card of the sandbox provider"))
    return await _save(context, customer.id, settings.name, agreement)


# Links


async def ask_for_link(
    context: Context, customer_id: UUID, asked: CreateCardLinkRequest
) -> tuple[CardLink, AgreementRequest, Access]:
    """Write down a link before the provider is asked for its page, and what it is to be asked.

    Raises `CUSTOMER_NOT_FOUND`, `PAYMENT_PROVIDER_NOT_FOUND`, `PAYMENT_PROVIDER_DISABLED`, `SECRET_UNREADABLE`, and a
    validation error where there is no page to go back to. Emits `card_link.created`.
    """
    customer = await customers.get(context, customer_id)
    settings = await provider_settings.find_enabled(context, asked.provider)
    language = asked.language or await _language_of(context, customer)
    return_url = asked.return_url
    if return_url is None:
        if context.public_url is None:
            text = "returnUrl should not be empty: nobody said how this installation is reached"
            raise invalid(("returnUrl", "isNotEmpty", text))
        return_url = f"{context.public_url}/saved-cards/{language}"
    link = CardLink(
        id=CardLinkId(new_id()),
        customer_id=customer.id,
        provider=settings.name,
        reference=new_reference(),
        status=CardLinkStatus.ASKED,
        expires_at=context.now + LINK_LIFE,
        created_at=context.now,
        updated_at=context.now,
    )
    await store.insert_link(context, link)
    context.enqueue(CARD_LINK_JOB, delay=LINK_PAUSE, cardLinkId=str(link.id))
    context.emit("card_link.created", link.id, link_form(link))
    request = AgreementRequest(
        reference=link.reference,
        currency=customer.currency,
        language=language,
        customer_name=customer.name,
        email=customer.email,
        return_url=rules.return_address(return_url, "saved"),
        cancel_url=rules.return_address(return_url, "cancelled"),
        callback_url=provider_settings.callback_url(context, settings),
    )
    return link, request, provider_settings.access_of(context, settings)


async def open_link(context: Context, link_id: CardLinkId, page: AgreementPage) -> CardLink:
    """Note the page that the provider has made for a link."""
    link = await store.get_link_for_update(context, link_id)
    if link.status is not CardLinkStatus.ASKED:
        return link
    after = replace(
        link, status=CardLinkStatus.OPEN, provider_id=page.provider_id, url=page.url, updated_at=context.now
    )
    await store.update_link(context, after)
    return after


async def end_link(context: Context, link_id: CardLinkId, status: CardLinkStatus) -> None:
    """End a link that no card was saved by; one that has ended stays as it is."""
    link = await store.get_link_for_update(context, link_id)
    if link.is_open:
        await store.update_link(context, rules.with_outcome(link, status, context.now))


async def complete(context: Context, link: CardLink, agreement: Agreement) -> PaymentMethod | None:
    """Make the card of a link that its customer has saved in time; None where there is none (`rules.outcome_of`).

    Of two at once the second finds that of the first. It becomes the default of a customer without one. Emits
    `payment_method.saved`.
    """
    await customers.get_for_update(context, link.customer_id)
    link = await store.get_link_for_update(context, link.id)
    if not link.is_open:
        return await store.find_by_agreement(context, link.provider, agreement.provider_id)
    outcome = rules.outcome_of(link, agreement, context.now)
    if outcome is LinkOutcome.FAIL:
        await store.update_link(context, rules.with_outcome(link, CardLinkStatus.FAILED, context.now))
    if outcome is not LinkOutcome.SAVE:
        return None
    method = await store.find_by_agreement(context, link.provider, agreement.provider_id)
    if method is None:
        method = await _save(context, link.customer_id, link.provider, agreement)
    await store.update_link(
        context,
        replace(link, status=CardLinkStatus.SAVED, payment_method_id=method.id, updated_at=context.now),
    )
    return method


async def look_at_link(
    database: Database, tenant: Tenant, now: datetime, providers: Providers, link_id: CardLinkId
) -> CardLink | None:
    """Ask the provider how the card of a link stands, and make it or end the link accordingly; the link by then.

    The provider is asked outside of any transaction. None: the company has no such link. Raises `ProviderError`.
    """

    async def load(context: Context) -> tuple[CardLink, Access] | None:
        link = await store.find_link(context, link_id)
        if link is None:
            return None
        settings = await provider_settings_store.get(context, link.provider)
        return link, provider_settings.access_of(context, settings)

    found = await database.run(tenant, now, load, read_only=True)
    if found is None or not found[0].is_open:
        return found and found[0]
    link, access = found
    provider = providers[link.provider]
    agreement = None if link.provider_id is None else await provider.find_agreement(access, link.provider_id)
    outcome = rules.outcome_of(link, agreement, now)
    if outcome is LinkOutcome.REJECT:
        assert agreement is not None, "only a card that was saved is rejected"
        await provider.cancel_agreement(access, agreement.provider_id)

    async def work(context: Context) -> CardLink | None:
        if outcome in {LinkOutcome.REJECT, LinkOutcome.EXPIRE}:
            await end_link(context, link_id, CardLinkStatus.EXPIRED)
        elif agreement is not None:
            await complete(context, link, agreement)
        return await store.find_link(context, link_id)

    return link if outcome is LinkOutcome.WAIT else await database.run(tenant, now, work)


async def _language_of(context: Context, customer: Customer) -> str:
    return customer.language or (await companies.get(context)).preferred_language


async def _save(context: Context, customer_id: UUID, provider: ProviderName, agreement: Agreement) -> PaymentMethod:
    card = agreement.card or Card(None, None, None, None)
    method = PaymentMethod(
        id=PaymentMethodId(new_id()),
        customer_id=customer_id,
        provider=provider,
        agreement_id=agreement.provider_id,
        label=rules.label_of(card, provider),
        is_default=await store.find_default(context, customer_id) is None,
        status=PaymentMethodStatus.ACTIVE,
        card_mask=card.mask,
        card_type=card.type,
        expiry_month=card.expiry_month,
        expiry_year=card.expiry_year,
        created_at=context.now,
        updated_at=context.now,
    )
    await store.insert(context, method)
    context.emit("payment_method.saved", method.id, _form(method))
    return method


async def _change(context: Context, before: PaymentMethod, after: PaymentMethod) -> PaymentMethod:
    await store.update(context, after)
    context.emit("payment_method.updated", after.id, _form(after), before=_form(before))
    return after


async def _remove(context: Context, before: PaymentMethod, after: PaymentMethod) -> None:
    await store.update(context, after)
    whose = {"customerId": str(before.customer_id)}
    context.emit("payment_method.removed", after.id, {**_form(after), **whose}, before=_form(before))


def _form(method: PaymentMethod) -> dict[str, Any]:
    return render(method).as_event()
