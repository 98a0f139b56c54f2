"""Whether a charge could be booked today: its accounts, its rate, its day."""

from uuid import UUID

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.accounts.model import Account
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.payments.charges import rules, store
from ledgerbee.payments.charges.model import (
    CardToCharge,
)
from ledgerbee.payments.customer_payments.bookable import check_today
from ledgerbee.platform.context import Context


async def check_bookable(context: Context, card: CardToCharge, currency: str) -> None:
    """Refuse what couldn't be booked today if the provider took or gave back money by now: it isn't asked to, then.

    Raises `PAYMENT_ACCOUNT_MISSING`, `ACCOUNT_NOT_BOOKABLE`, `PAYMENT_ACCOUNT_INVALID`, `EXCHANGE_RATE_MISSING`,
    `PERIOD_LOCKED`, `FISCAL_YEAR_MISSING`.
    """
    await accounts_of(context, card)
    await check_today(context, currency)


async def fault_in_booking(context: Context, card: CardToCharge, currency: str) -> LedgerBeeError | None:
    """What `check_bookable` refuses; None for nothing."""
    try:
        await check_bookable(context, card, currency)
    except LedgerBeeError as fault:
        return fault
    return None


async def check_chargeable(context: Context, customer_id: UUID, payment_method_id: UUID) -> None:
    """Whether a card can be charged by now for what a customer has to pay.

    Raises `PAYMENT_METHOD_NOT_FOUND`, a validation error for another one's card, `PAYMENT_METHOD_INACTIVE`, and as
    `start` does what is wrong with accounts.
    """
    card = await store.get_card(context, payment_method_id)
    rules.check_card(card, customer_id)
    await accounts_of(context, card)


async def accounts_of(context: Context, card: CardToCharge) -> tuple[Account, Account]:
    """The accounts of clearing and of unidentified receipts, of the provider that a card is saved at.

    Raises `PAYMENT_ACCOUNT_MISSING`, `ACCOUNT_NOT_BOOKABLE`, `PAYMENT_ACCOUNT_INVALID`.
    """
    named = await accounts.get_many(
        context, [one for one in (card.clearing_account_id, card.unidentified_account_id) if one is not None]
    )
    by_role = await accounts.get_by_role(context)
    return rules.clearing_account(card, named, by_role), rules.unidentified_account(card, named, by_role)
