"""The adapters of payment providers, composed."""

from collections.abc import Callable
from weakref import WeakKeyDictionary

from ledgerbee.app.config import Settings
from ledgerbee.core.dates import Clock, system_clock
from ledgerbee.payments.providers.model import ProviderName, Providers
from ledgerbee.payments.providers.quickpay import OWN_URL as QUICKPAY_URL
from ledgerbee.payments.providers.quickpay import QuickPay
from ledgerbee.payments.providers.sandbox.provider import SandboxProvider
from ledgerbee.payments.providers.stripe import Stripe
from ledgerbee.platform.db import Database


def providers_with(database: Database, settings: Settings, clock: Clock = system_clock) -> Providers:
    """The adapters for companies of a database. The one that is built in lives in it too."""
    return {
        ProviderName.QUICKPAY: QuickPay(settings.quickpay_url or QUICKPAY_URL),
        ProviderName.SANDBOX: SandboxProvider(database, clock),
        ProviderName.STRIPE: Stripe(settings.stripe_url),
    }


def providers_of(settings: Settings, clock: Clock = system_clock) -> Callable[[Database], Providers]:
    """What gives the adapters for a database, the same ones each time."""
    known: WeakKeyDictionary[Database, Providers] = WeakKeyDictionary()

    def of(database: Database) -> Providers:
        if database not in known:
            known[database] = providers_with(database, settings, clock)
        return known[database]

    return of
