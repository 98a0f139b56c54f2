"""Payment providers on the wire (extension)."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from ledgerbee.core.fields import fields_of
from ledgerbee.http.wire import Id, IdText, Moment, RequestModel, ResponseModel, omitted
from ledgerbee.payments.provider_settings.model import ProviderSettings, WantedSettings
from ledgerbee.payments.providers.model import ProviderName

_MAX_KEY: Final = 500
#: A key of a provider: printable ASCII without blanks.
Key = Annotated[str, StringConstraints(strict=True, max_length=_MAX_KEY, pattern=r"^[!-~]+$")]
Switch = Annotated[bool, Field(strict=True)]


class PaymentProviderResponse(ResponseModel):
    """A payment provider, as the company has set it up. It never has the keys."""

    provider: ProviderName = Field(description="Which one it is", examples=["stripe"])
    is_enabled: bool = Field(description="Whether cards are saved and charged there")
    is_default: bool = Field(description="Whether it is used where none is named: one of those that are enabled is")
    has_keys: bool = Field(description="Whether any key is stored. `sandbox` has none")
    key_names: list[str] = Field(description="Names of the keys that are stored", examples=[["secretKey"]])
    callback_url: str | None = Field(
        description="The address that the provider calls. It has a secret in it: a replayed answer has null here. Null "
        "too until it is set up, and where nobody said how this installation is reached",
        examples=["https://books.example.com/payment-events/stripe/lbp_00.hWgPa3x0pTn6ZfC9wqKJr2eVYb1mDsLUoQ8iN5vXtEc"],
    )
    clearing_account_id: IdText | None = Field(
        description="What the provider has and has not paid out; null: the account with the role PAYMENT_CLEARING"
    )
    fee_account_id: IdText | None = Field(
        description="What the provider keeps; null: the account with the role PAYMENT_FEES"
    )
    unidentified_receipts_account_id: IdText | None = Field(
        description="What came in and nobody knows for what; null: the account with the role UNIDENTIFIED_RECEIPTS"
    )
    bank_account_id: IdText | None = Field(
        description="What it pays out to; null: the account with the role BANK, unless an import names one"
    )
    created_at: Moment | None = Field(description="When it was set up; null: it is not")
    updated_at: Moment | None = Field(description="When that was last changed")


class PaymentProviderKeys(RequestModel):
    """Keys of a company's account at a provider: those that its name stands for."""

    secret_key: Key = omitted(description="Of `stripe`", examples=["sk_test_51Hb"])
    webhook_secret: Key = omitted(description="Of `stripe`: what its events are signed with", examples=["whsec_4Gd"])
    api_key: Key = omitted(description="Of `quickpay`: that of an API user", examples=["3c9f2b"])
    private_key: Key = omitted(description="Of `quickpay`: what its callbacks are signed with", examples=["91af70"])


class UpdatePaymentProviderRequest(RequestModel):
    """How a provider is to be."""

    is_enabled: Switch = Field(description="Whether cards are saved and charged there", examples=[True])
    is_default: Switch = omitted(
        description="Whether it is used where none is named. Left out: as it is; the first that is enabled is. Where "
        "false leaves none, the oldest that is enabled is"
    )
    keys: PaymentProviderKeys = omitted(description="What is left out stays as it is stored. Never answered")
    clearing_account_id: Id | None = Field(
        None, description="A balance sheet account; null or left out: the one with the role PAYMENT_CLEARING"
    )
    fee_account_id: Id | None = Field(
        None, description="A profit and loss account; null or left out: the one with the role PAYMENT_FEES"
    )
    unidentified_receipts_account_id: Id | None = Field(
        None, description="A balance sheet account; null or left out: the one with the role UNIDENTIFIED_RECEIPTS"
    )
    bank_account_id: Id | None = Field(
        None, description="What it pays out to, a balance sheet account; null or left out: the one with the role BANK"
    )


def wanted_of(body: UpdatePaymentProviderRequest) -> WantedSettings:
    """What a request wants a provider to be."""
    keys = {} if body.keys is None else body.keys.model_dump(by_alias=True, exclude_unset=True)
    return WantedSettings(
        is_enabled=body.is_enabled,
        is_default=body.is_default,
        keys=keys,
        clearing_account_id=body.clearing_account_id,
        fee_account_id=body.fee_account_id,
        unidentified_account_id=body.unidentified_receipts_account_id,
        bank_account_id=body.bank_account_id,
    )


def render(settings: ProviderSettings, key_names: Sequence[str], callback_url: str | None) -> PaymentProviderResponse:
    """A provider on the wire."""
    known: dict[str, Any] = fields_of(settings)
    return PaymentProviderResponse(
        **{name: known[name] for name in known.keys() & PaymentProviderResponse.model_fields.keys()},
        provider=settings.name,
        has_keys=bool(key_names),
        key_names=list(key_names),
        callback_url=callback_url,
        unidentified_receipts_account_id=settings.unidentified_account_id,
    )


def render_unused(name: ProviderName) -> PaymentProviderResponse:
    """A provider that the company has not set up."""
    return PaymentProviderResponse(
        provider=name,
        is_enabled=False,
        is_default=False,
        has_keys=False,
        key_names=[],
        callback_url=None,
        clearing_account_id=None,
        fee_account_id=None,
        unidentified_receipts_account_id=None,
        bank_account_id=None,
        created_at=None,
        updated_at=None,
    )


def event_form(settings: ProviderSettings, key_names: Sequence[str]) -> dict[str, object]:
    """A provider as events have it: without the address that it calls, which has a secret in it."""
    form = render(settings, key_names, None).as_event()
    del form["callbackUrl"]
    return form
