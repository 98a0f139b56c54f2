"""Prices on the wire (contract 2.12)."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, cast

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from ledgerbee.catalog.model import CatalogStatus, ProductId
from ledgerbee.catalog.prices import rules
from ledgerbee.catalog.prices.model import (
    BillingInterval,
    BillingPeriodType,
    NewPrice,
    Price,
    PriceTerms,
    PricingModel,
    SellablePrice,
    Tier,
)
from ledgerbee.catalog.prices.rules.terms import Terms, finders
from ledgerbee.core.changes import Changes
from ledgerbee.core.errors import refuse
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.partial import View
from ledgerbee.http.wire import (
    CurrencyCode,
    DecimalText,
    Id,
    IdOf,
    IdText,
    Moment,
    Number,
    OptionalLine,
    Quantity,
    RequestModel,
    ResponseModel,
    UnitPrice,
    Whole,
    changes_to,
    omitted,
)
from ledgerbee.parties.customers.model import VatZone

_PERIOD_TYPE = "ONE_TIME; RECURRING (needs the Subscription licence); USAGE (needs Subscription and MeteredProducts)"
_MODEL = (
    "FLAT_RATE: unitAmount for each unit. PACKAGE: an amount for each package begun. VOLUME: the tier that holds the "
    "whole quantity prices all of it. GRADUATED: each tier prices the units that fall into it."
)
_UNIT_AMOUNT = "Amount of one unit, needed for FLAT_RATE and left out otherwise. Up to 12 decimals."
_TIERS = (
    "Needed unless FLAT_RATE. PACKAGE: exactly one, with packageSize. VOLUME and GRADUATED: ascending by upTo, the "
    "last with upTo null. A tier holds quantities up to and including its upTo."
)
_INTERVAL = "Unit of the billing period; needed unless ONE_TIME"
_INTERVAL_COUNT = "How many of them make a billing period (a quarter is 3 months). Default 1."
_METER = "The meter that counts the units; needed for USAGE and left out otherwise"
_CURRENCY_AMOUNTS = (
    "Unit amounts fixed in other currencies (FLAT_RATE only). In a currency without one the amount is converted at the "
    "day's exchange rate."
)
_NICKNAME = "Name for internal use"


class TierResponse(ResponseModel):
    """One tier of a price."""

    up_to: Number | None = Field(description="Last quantity of the tier; null: no limit", examples=[100])
    unit_amount: DecimalText = Field(description="Amount of one unit (PACKAGE: of one package)", examples=["8.5"])
    flat_amount: DecimalText = Field(description="Amount added once when the tier is used", examples=["0"])
    package_size: Number = omitted(description="Units in a package (PACKAGE only)", examples=[12])


class CurrencyAmountResponse(ResponseModel):
    """A unit amount fixed in another currency."""

    currency: str = Field(examples=["EUR"])
    unit_amount: DecimalText = Field(examples=["13.4"])


class VatRatesByZone(ResponseModel):
    """Percent of VAT in each VAT zone, from the accounts of the product's group."""

    domestic: DecimalText = Field(examples=["25"])
    eu: DecimalText = Field(examples=["0"])
    abroad: DecimalText = Field(examples=["0"])
    domestic_without_vat: DecimalText = Field(alias="domestic_without_vat", examples=["0"])


class ProductPriceResponse(ResponseModel):
    """A price. Its id is the `priceId` of document lines and plans."""

    id: IdText
    product_id: IdText
    billing_period_type: BillingPeriodType
    pricing_model: PricingModel
    currency: str = Field(description="Currency of unitAmount and the tiers", examples=["DKK"])
    base_currency: str = Field(description="Currency that other currencies are converted from", examples=["DKK"])
    status: CatalogStatus = Field(description="Only ACTIVE prices can be put on new documents")
    is_default: bool = Field(description="The product's default price")
    is_locked: bool = Field(
        description="A document uses it, if only a draft, or a subscription plan: amount, model, currency, interval "
        "and tiers can't change, and it can't be deleted"
    )
    vat_rates_by_zone: VatRatesByZone
    nickname: str | None = Field(examples=["Standard"])
    unit_amount: DecimalText | None = Field(description="null for prices with tiers", examples=["99.5"])
    billing_interval: BillingInterval | None = Field(description="null if ONE_TIME")
    billing_interval_count: int | None = Field(description="null if ONE_TIME", examples=[1])
    available_currencies: list[str] = Field(
        description="Currencies with an amount of their own", examples=[["DKK", "EUR"]]
    )
    currency_amounts: list[CurrencyAmountResponse] = Field(description="Unit amounts fixed in other currencies")
    tiers: list[TierResponse]
    meter_id: IdText | None
    created_at: Moment
    updated_at: Moment


def _checks(body: "CreateProductPriceRequest | UpdateProductPriceRequest", facts: Facts) -> Iterable[Check]:
    terms = View(
        pricing_model=lambda: body.pricing_model,
        billing_period_type=lambda: body.billing_period_type,
        currency=lambda: body.currency or facts.base_currency,
        unit_amount=lambda: body.unit_amount,
        currency_amounts=lambda: _amounts(body.currency_amounts or []),
        tiers=lambda: body.tiers or (),
        billing_interval=lambda: body.billing_interval,
        billing_interval_count=lambda: body.billing_interval_count,
        meter_id=lambda: body.meter_id,
    )
    for find in finders(cast("Terms", terms)):
        yield lambda find=find: refuse(list(find()))  # type: ignore[misc]


class TierRequest(RequestModel):
    """One tier of a price."""

    up_to: Quantity | None = Field(None, description="Last quantity of the tier; null: no limit", examples=[100])
    unit_amount: UnitPrice = Field(description="Amount of one unit (PACKAGE: of one package)", examples=["8.50"])
    flat_amount: UnitPrice = Field(Decimal(0), description="Amount added once when the tier is used", examples=["0"])
    package_size: Quantity | None = Field(None, description="Units in a package (PACKAGE only)", examples=[12])


class CurrencyAmountRequest(RequestModel):
    """A unit amount fixed in another currency."""

    currency: CurrencyCode
    unit_amount: UnitPrice = Field(description="Amount of one unit in that currency", examples=["13.40"])


def _no_duplicates(amounts: list[CurrencyAmountRequest]) -> list[CurrencyAmountRequest]:
    if len({entry.currency for entry in amounts}) < len(amounts):
        raise PydanticCustomError("arrayUnique", "must not name a currency twice")
    return amounts


Tiers = Annotated[list[TierRequest], Field(max_length=100)]
CurrencyAmounts = Annotated[list[CurrencyAmountRequest], Field(max_length=200), AfterValidator(_no_duplicates)]
IntervalCount = Annotated[int, Field(strict=True, ge=1, le=1000), Whole]


class CreateProductPriceRequest(RequestModel):
    """What a new price needs."""

    product_id: IdOf[ProductId] = Field(description="The product it is a price of")
    billing_period_type: BillingPeriodType = Field(description=_PERIOD_TYPE)
    pricing_model: PricingModel = Field(description=_MODEL)
    nickname: OptionalLine | None = Field(None, description=_NICKNAME, examples=["Standard"])
    unit_amount: UnitPrice | None = Field(None, description=_UNIT_AMOUNT, examples=["99.50"])
    billing_interval: BillingInterval | None = Field(None, description=_INTERVAL)
    billing_interval_count: IntervalCount | None = Field(None, description=_INTERVAL_COUNT, examples=[1])
    currency: CurrencyCode | None = Field(None, description="ISO 4217. Default: the company's base currency.")
    meter_id: Id | None = Field(None, description=_METER)
    tiers: Tiers | None = Field(None, description=_TIERS)
    currency_amounts: CurrencyAmounts | None = Field(None, description=_CURRENCY_AMOUNTS)

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Whether its parts fit together."""
        return _checks(self, facts)

    def price(self) -> NewPrice:
        """The price that the body describes."""
        return NewPrice(
            **self.model_dump(exclude={"product_id", "tiers", "currency_amounts"}),
            tiers=_tiers(self.tiers or []),
            currency_amounts=_amounts(self.currency_amounts or []),
        )


class UpdateProductPriceRequest(RequestModel):
    """The fields to change; the others stay as they are."""

    keeps_what_is_left_out = True

    nickname: OptionalLine | None = Field(None, description=_NICKNAME + "; null removes it", examples=["Standard"])
    billing_period_type: BillingPeriodType = omitted(description=_PERIOD_TYPE)
    pricing_model: PricingModel = omitted(description=_MODEL)
    unit_amount: UnitPrice = omitted(description=_UNIT_AMOUNT, examples=["99.50"])
    billing_interval: BillingInterval = omitted(description=_INTERVAL)
    billing_interval_count: IntervalCount = omitted(description=_INTERVAL_COUNT, examples=[1])
    currency: CurrencyCode = omitted(description="ISO 4217")
    meter_id: Id = omitted(description=_METER)
    tiers: Tiers = omitted(description=_TIERS)
    currency_amounts: CurrencyAmounts = omitted(description=_CURRENCY_AMOUNTS + " Replaces all of them.")

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Whether its parts fit together."""
        return _checks(self, facts)


def changes_of(body: UpdateProductPriceRequest) -> Changes[PriceTerms]:
    """The changes that the body describes."""
    named = dict(_changes_of(body).fields)
    if "tiers" in named:
        named["tiers"] = _tiers(body.tiers)
    if "currency_amounts" in named:
        named["currency_amounts"] = _amounts(body.currency_amounts)
    return Changes(named)


_changes_of = changes_to(PriceTerms, UpdateProductPriceRequest)


def _tiers(tiers: list[TierRequest]) -> tuple[Tier, ...]:
    return tuple(Tier(tier.up_to, tier.unit_amount, tier.flat_amount, tier.package_size) for tier in tiers)


def _amounts(amounts: list[CurrencyAmountRequest]) -> dict[str, Decimal]:
    return {entry.currency: entry.unit_amount for entry in amounts}


def render(found: SellablePrice, today: date, shown: Price | None = None) -> ProductPriceResponse:
    """A price on the wire; `shown` is the price as it is in the currency that its amounts are asked for in."""
    price = found.price
    shown = shown or price
    return ProductPriceResponse(
        id=price.id,
        product_id=price.product_id,
        billing_period_type=price.billing_period_type,
        pricing_model=price.pricing_model,
        currency=shown.currency,
        base_currency=price.currency,
        status=price.status,
        is_default=price.is_default,
        is_locked=price.is_locked,
        vat_rates_by_zone=VatRatesByZone(**{zone.value: found.zones[zone].vat_rate_on(today) for zone in VatZone}),
        nickname=price.nickname,
        unit_amount=shown.unit_amount,
        billing_interval=price.billing_interval,
        billing_interval_count=price.billing_interval_count,
        available_currencies=list(rules.currencies(price)),
        currency_amounts=[
            CurrencyAmountResponse(currency=code, unit_amount=amount)
            for code, amount in sorted(price.currency_amounts.items())
        ],
        tiers=[_render_tier(tier) for tier in shown.tiers],
        meter_id=price.meter_id,
        created_at=price.created_at,
        updated_at=price.updated_at,
    )


def render_all(found: Sequence[SellablePrice], shown: Sequence[Price], today: date) -> list[ProductPriceResponse]:
    """Prices on the wire, each with its amounts as `shown`."""
    return [render(one, today, price) for one, price in zip(found, shown, strict=True)]


def _render_tier(tier: Tier) -> TierResponse:
    shown = TierResponse(up_to=tier.up_to, unit_amount=tier.unit_amount, flat_amount=tier.flat_amount)
    return shown if tier.package_size is None else shown.model_copy(update={"package_size": tier.package_size})
