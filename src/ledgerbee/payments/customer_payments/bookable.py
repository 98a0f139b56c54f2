"""Whether money that moves at a payment provider today could be booked today: asked before it is asked to move."""

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.ledger.entries import actions as ledger
from ledgerbee.payments.customer_payments.model import FX_GAIN, FX_LOSS
from ledgerbee.payments.customer_payments.rules import role_account
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.rates import store as rates


async def check_today(context: Context, currency: str) -> None:
    """Refuse what a payment in a currency that is recorded today by hand would be refused with.

    Raises `EXCHANGE_RATE_MISSING`; in a foreign currency `PAYMENT_ACCOUNT_MISSING`, where a difference of rates has no
    account to stand on; `PERIOD_LOCKED`, `FISCAL_YEAR_MISSING`.
    """
    if currency != (await companies.get(context)).base_currency:
        await rates.rate_for(context, currency, context.today)
        by_role = await accounts.get_by_role(context)
        for role in (FX_GAIN, FX_LOSS):
            role_account(by_role, role)
    await ledger.check_day(context, context.today)
