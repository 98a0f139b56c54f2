"""Saved cards and card links on the wire (contract 2.20)."""

import re
from ipaddress import IPv6Address
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from ledgerbee.core.dates import format_moment
from ledgerbee.core.fields import fields_of
from ledgerbee.http.wire import Id, IdText, Moment, RequestModel, ResponseModel, Trimmed, WholeNumber, omitted
from ledgerbee.payments.payment_methods.model import CardLink, PaymentMethod, PaymentMethodStatus
from ledgerbee.payments.providers.model import ProviderName

_MAX_URL: Final = 2_000
#: A name, of other than Latin letters too, or an address.
_HOST: Final = re.compile(r"[\w.-]+")
_FORBIDDEN: Final = re.compile(r"[\s\"<>\\]")


def _check_url(value: str) -> None:
    parts = urlsplit(value)
    host = parts.hostname or ""
    is_host = bool(IPv6Address(host)) if "[" in parts.netloc else _HOST.fullmatch(host)
    is_page = parts.scheme in {"http", "https"} and is_host and "@" not in parts.netloc
    if not is_page or parts.port == 0 or _FORBIDDEN.search(value) or not value.isprintable():
        raise ValueError


def _checked(value: str) -> str:
    try:
        _check_url(value)
    except ValueError:  # also a host or port that is none
        raise PydanticCustomError("isUrl", "must be an address, https://host/path") from None
    return value


#: An address of a page.
PageUrl = Annotated[
    str,
    Trimmed(_MAX_URL, min_length=1),
    AfterValidator(_checked),
    WithJsonSchema({"type": "string", "format": "uri", "maxLength": _MAX_URL, "examples": ["https://example.com/me"]}),
]


class PaymentMethodResponse(ResponseModel):
    """A saved card."""

    id: IdText
    customer_id: IdText | None
    provider: ProviderName = Field(description="Where it is saved", examples=["stripe"])
    label: str | None = Field(description="What it is called", examples=["Visa •••• 4242"])
    is_default: bool = Field(description="Whether the customer pays with it where no card is named")
    status: PaymentMethodStatus = Field(
        description="`EXPIRED`: it is past its end; `CANCELLED`: it was ended at the provider. Both are final"
    )
    created_at: Moment
    card_mask: str | None = Field(description="With its last four digits", examples=["•••• 4242"])
    card_type: str | None = Field(description="Its kind, in lower case", examples=["visa"])
    expiry_month: WholeNumber | None = Field(description="The month that it ends with, 1 to 12", examples=[12])
    expiry_year: WholeNumber | None = Field(description="The year that it ends in", examples=[2030])


class PaymentMethodQuery(BaseModel):
    """The query parameters of the list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: ProviderName | None = Field(None, description="Only cards that are saved there")


class CreateCardLinkRequest(RequestModel):
    """What a link is to be like."""

    provider: ProviderName = omitted(description="Where the card is saved. Left out: the default provider")
    return_url: PageUrl = omitted(
        description="Where the browser is sent afterwards, with `card=saved` or `card=cancelled` in its query. Left "
        "out: a page that says so"
    )
    language: Literal["da", "en"] = omitted(description="Of the provider's page. Left out: the customer's")


class CreateTestCardRequest(RequestModel):
    """A card of the sandbox provider."""

    customer_id: Id = Field(description="Who pays with it")
    number: Annotated[str, Trimmed(30, min_length=1)] = Field(
        description="That of a test card. Any other number is refused, and kept nowhere", examples=["4242424242424242"]
    )


class CardLinkResponse(ResponseModel):
    """A link on which a card is saved."""

    url: str = Field(
        description="The provider's page, for the customer", examples=["https://payment.quickpay.net/payments/5dc9e3"]
    )
    expires_at: Moment = Field(description="Until when a card can be saved by it, once")


def link_form(link: CardLink) -> dict[str, Any]:
    """A link in events: without its address, which is the customer's."""
    return {
        "id": str(link.id),
        "customerId": str(link.customer_id),
        "provider": link.provider.value,
        "reference": link.reference,
        "expiresAt": format_moment(link.expires_at),
    }


def render(method: PaymentMethod) -> PaymentMethodResponse:
    """A card on the wire."""
    known: dict[str, Any] = fields_of(method)
    return PaymentMethodResponse(**{name: known[name] for name in PaymentMethodResponse.model_fields})
