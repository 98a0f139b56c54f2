"""Product prices over HTTP (contract 2.12)."""

from decimal import Decimal
from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from ledgerbee.catalog.prices import actions, rules, store
from ledgerbee.catalog.prices.model import (
    METER_INVALID_STATE,
    METER_NOT_FOUND,
    PRODUCT_PRICE_IN_USE,
    PRODUCT_PRICE_INVALID_STATE,
    PRODUCT_PRICE_LOCKED,
    PRODUCT_PRICE_NOT_FOUND,
    BillingInterval,
    BillingPeriodType,
    NewPrice,
    PricingModel,
    SellablePrice,
    Tier,
)
from ledgerbee.catalog.products.model import PRODUCT_INVALID_STATE, PRODUCT_NOT_FOUND, CatalogStatus
from ledgerbee.parties.customers.model import VatZone
from ledgerbee.platform.credentials.model import LICENSE_REQUIRED
from ledgerbee.platform.http.operation import Ctx, operation, resource_router
from ledgerbee.platform.http.wire import (
    CurrencyCode,
    DecimalText,
    Id,
    IdText,
    Moment,
    Number,
    OptionalLine,
    Quantity,
    RequestModel,
    ResponseModel,
    UnitPrice,
    changes_of,
    omitted,
)

router = resource_router("Product Prices")

PriceId = Annotated[Id, Path(alias="productPriceId", description="Product price ID")]

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
IntervalCount = Annotated[int, Field(strict=True, ge=1, le=1000)]


class CreateProductPriceRequest(RequestModel):
    """What a new price needs."""

    product_id: Id = Field(description="The product it is a price of")
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

    def terms(self) -> NewPrice:
        """The terms that the body names."""
        return NewPrice(
            billing_period_type=self.billing_period_type,
            pricing_model=self.pricing_model,
            nickname=self.nickname,
            currency=self.currency,
            unit_amount=self.unit_amount,
            tiers=_tiers(self.tiers or []),
            billing_interval=self.billing_interval,
            billing_interval_count=self.billing_interval_count,
            meter_id=self.meter_id,
            currency_amounts=_amounts(self.currency_amounts or []),
        )


class UpdateProductPriceRequest(RequestModel):
    """The fields to change; the others stay as they are."""

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

    def changes(self) -> dict[str, Any]:
        """What the body really sent, by the price's field names."""
        changes = changes_of(self)
        if "tiers" in changes:
            changes["tiers"] = _tiers(self.tiers)
        if "currency_amounts" in changes:
            changes["currency_amounts"] = _amounts(self.currency_amounts)
        return changes


def _tiers(tiers: list[TierRequest]) -> tuple[Tier, ...]:
    return tuple(Tier(tier.up_to, tier.unit_amount, tier.flat_amount, tier.package_size) for tier in tiers)


def _amounts(amounts: list[CurrencyAmountRequest]) -> dict[str, Decimal]:
    return {entry.currency: entry.unit_amount for entry in amounts}


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
        description="A document uses it, if only a draft: amount, model, currency, interval and tiers can't change, "
        "and it can't be deleted"
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


def render(found: SellablePrice) -> ProductPriceResponse:
    """The wire form of a price."""
    price = found.price
    return ProductPriceResponse(
        id=price.id,
        product_id=price.product_id,
        billing_period_type=price.billing_period_type,
        pricing_model=price.pricing_model,
        currency=price.currency,
        base_currency=price.currency,
        status=price.status,
        is_default=price.is_default,
        is_locked=price.is_locked,
        vat_rates_by_zone=VatRatesByZone(**{zone.value: found.zones[zone].vat_rate for zone in VatZone}),
        nickname=price.nickname,
        unit_amount=price.unit_amount,
        billing_interval=price.billing_interval,
        billing_interval_count=price.billing_interval_count,
        available_currencies=list(rules.currencies(price)),
        currency_amounts=[
            CurrencyAmountResponse(currency=code, unit_amount=amount)
            for code, amount in sorted(price.currency_amounts.items())
        ],
        tiers=[_render_tier(tier) for tier in price.tiers],
        meter_id=price.meter_id,
        created_at=price.created_at,
        updated_at=price.updated_at,
    )


def _render_tier(tier: Tier) -> TierResponse:
    shown = TierResponse(up_to=tier.up_to, unit_amount=tier.unit_amount, flat_amount=tier.flat_amount)
    return shown if tier.package_size is None else shown.model_copy(update={"package_size": tier.package_size})


@router.post(
    "/v1/product-prices",
    response_model_exclude_unset=True,
    **operation(
        "Create a product price",
        scope="products-write",
        status=201,
        description="Creates a price of a product. It is active at once; the first active price of a product becomes "
        "its default.",
        response="Product price created successfully",
        errors=[
            LICENSE_REQUIRED,
            PRODUCT_NOT_FOUND,
            METER_NOT_FOUND,
            PRODUCT_INVALID_STATE,
            METER_INVALID_STATE,
        ],
    ),
)
async def create_product_price(context: Ctx, body: CreateProductPriceRequest) -> ProductPriceResponse:
    """Create a product price."""
    return render(await actions.create(context, body.product_id, body.terms()))


@router.get(
    "/v1/product-prices/{productPriceId}",
    response_model_exclude_unset=True,
    **operation(
        "Get a product price",
        scope="products-read",
        description="Returns a single price with the VAT rates of its product's group.",
        response="Product price details",
        errors=[PRODUCT_PRICE_NOT_FOUND],
    ),
)
async def get_product_price(context: Ctx, product_price_id: PriceId) -> ProductPriceResponse:
    """Get a product price."""
    return render(await store.read(context, product_price_id))


@router.delete(
    "/v1/product-prices/{productPriceId}",
    **operation(
        "Delete a product price",
        scope="products-write",
        status=204,
        description="Deletes a price that nothing uses. The default price goes last: while another active price "
        "exists, set that one as the default first.",
        response="Product price deleted successfully",
        errors=[PRODUCT_PRICE_NOT_FOUND, PRODUCT_PRICE_IN_USE, PRODUCT_PRICE_INVALID_STATE],
    ),
)
async def delete_product_price(context: Ctx, product_price_id: PriceId) -> None:
    """Delete a product price."""
    await actions.delete(context, product_price_id)


@router.patch(
    "/v1/product-prices/{productPriceId}",
    response_model_exclude_unset=True,
    **operation(
        "Update a product price",
        scope="products-write",
        description="Changes the fields provided in the request. A locked price keeps its amounts, model, currency, "
        "interval, tiers and meter; amounts in further currencies can be added. What a new pricing model or period "
        "type has no use for is removed.",
        response="Product price updated successfully",
        errors=[
            LICENSE_REQUIRED,
            PRODUCT_PRICE_NOT_FOUND,
            METER_NOT_FOUND,
            PRODUCT_PRICE_LOCKED,
            METER_INVALID_STATE,
        ],
    ),
)
async def update_product_price(
    context: Ctx, product_price_id: PriceId, body: UpdateProductPriceRequest
) -> ProductPriceResponse:
    """Update a product price."""
    return render(await actions.update(context, product_price_id, body.changes()))


_MOVE_ERRORS = [PRODUCT_PRICE_NOT_FOUND, PRODUCT_PRICE_INVALID_STATE]


@router.post(
    "/v1/product-prices/{productPriceId}/activate",
    response_model_exclude_unset=True,
    **operation(
        "Activate a product price",
        scope="products-write",
        description="Makes a disabled or archived price usable again. It becomes the product's default when no active "
        "price is. An active price stays as it is.",
        response="The active product price",
        errors=[PRODUCT_PRICE_NOT_FOUND],
    ),
)
async def activate_product_price(context: Ctx, product_price_id: PriceId) -> ProductPriceResponse:
    """Activate a product price."""
    return render(await actions.move(context, product_price_id, CatalogStatus.ACTIVE))


@router.post(
    "/v1/product-prices/{productPriceId}/archive",
    response_model_exclude_unset=True,
    **operation(
        "Archive a product price",
        scope="products-write",
        description="Takes a price out of use. The default price can't be archived while another active price exists.",
        response="The archived product price",
        errors=_MOVE_ERRORS,
    ),
)
async def archive_product_price(context: Ctx, product_price_id: PriceId) -> ProductPriceResponse:
    """Archive a product price."""
    return render(await actions.move(context, product_price_id, CatalogStatus.ARCHIVED))


@router.post(
    "/v1/product-prices/{productPriceId}/disable",
    response_model_exclude_unset=True,
    **operation(
        "Disable a product price",
        scope="products-write",
        description="Suspends a price until it is activated again. The default price can't be disabled while another "
        "active price exists, nor can an archived one.",
        response="The disabled product price",
        errors=_MOVE_ERRORS,
    ),
)
async def disable_product_price(context: Ctx, product_price_id: PriceId) -> ProductPriceResponse:
    """Disable a product price."""
    return render(await actions.move(context, product_price_id, CatalogStatus.DISABLED))


@router.post(
    "/v1/product-prices/{productPriceId}/set-default",
    response_model_exclude_unset=True,
    **operation(
        "Set a price as the product default",
        scope="products-write",
        description="Makes an active price the default of its product, in place of the one before.",
        response="The product's default price",
        errors=_MOVE_ERRORS,
    ),
)
async def set_default_product_price(context: Ctx, product_price_id: PriceId) -> ProductPriceResponse:
    """Set a price as the product default."""
    return render(await actions.set_default(context, product_price_id))
