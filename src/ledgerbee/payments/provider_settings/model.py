"""A company's accounts at payment providers: whether each is used, its keys, and the accounts of the chart it takes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.payments.providers.model import ProviderError, ProviderName, ProviderRefusedError

ProviderId = NewType("ProviderId", UUID)

#: The kind of the credential in the address that a provider calls, and of who acts by it.
PROVIDER_CALLBACK: Final = "provider_callback"
#: The start of every such secret, so that logs leave it out and a leaked one is recognised.
CALLBACK_PREFIX: Final = "lbp_"

#: The keys that a provider is reached with. One that is enabled has all of them.
KEY_NAMES: Final[Mapping[ProviderName, tuple[str, ...]]] = {
    ProviderName.STRIPE: ("secretKey", "webhookSecret"),
    ProviderName.QUICKPAY: ("apiKey", "privateKey"),
    ProviderName.SANDBOX: (),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """A company's account at a provider. Of those that are enabled one is the default.

    `keys` (JSON of the keys by name) and `callback_secret` are encrypted. An account that is None is the one with the
    role: PAYMENT_CLEARING, PAYMENT_FEES, UNIDENTIFIED_RECEIPTS, BANK.
    """

    id: ProviderId
    name: ProviderName
    is_enabled: bool
    is_default: bool
    keys: bytes
    callback_secret: bytes
    clearing_account_id: UUID | None
    fee_account_id: UUID | None
    unidentified_account_id: UUID | None
    bank_account_id: UUID | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSettings:
    """What a caller wants them to be. `is_default` None, and keys that aren't named, stay as they are."""

    is_enabled: bool
    is_default: bool | None
    keys: Mapping[str, str]
    clearing_account_id: UUID | None
    fee_account_id: UUID | None
    unidentified_account_id: UUID | None
    bank_account_id: UUID | None


PAYMENT_PROVIDER_NOT_FOUND = ErrorCode(
    "PAYMENT_PROVIDER_NOT_FOUND", 404, "No such payment provider, or the company has not set it up"
)
PAYMENT_PROVIDER_DISABLED = ErrorCode("PAYMENT_PROVIDER_DISABLED", 409, "The payment provider is not enabled")
PAYMENT_PROVIDER_ACCOUNT_INVALID = ErrorCode(
    "PAYMENT_PROVIDER_ACCOUNT_INVALID",
    400,
    "Clearing, unidentified receipts and the bank are three different accounts on the balance sheet, of no party, VAT "
    "code or deferred revenue; fees are an expense",
)
PAYMENT_PROVIDER_REFUSED = ErrorCode(
    "PAYMENT_PROVIDER_REFUSED", 502, "The payment provider did not take the request, and did nothing"
)
PAYMENT_PROVIDER_UNCLEAR = ErrorCode(
    "PAYMENT_PROVIDER_UNCLEAR",
    503,
    "The payment provider gave no answer that can be understood. Nothing was changed here; try again",
)


@contextmanager
def told(name: ProviderName) -> Iterator[None]:
    """Tell the caller what a provider that was asked within has said against it.

    Raises `PAYMENT_PROVIDER_REFUSED`, `PAYMENT_PROVIDER_UNCLEAR`.
    """
    try:
        yield
    except ProviderError as fault:
        is_refused = isinstance(fault, ProviderRefusedError)
        code = PAYMENT_PROVIDER_REFUSED if is_refused else PAYMENT_PROVIDER_UNCLEAR
        raise code.error(provider=name.value, reason=str(fault)) from fault
