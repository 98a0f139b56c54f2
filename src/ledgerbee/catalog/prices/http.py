"""Product prices over HTTP (contract 2.12)."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Annotated, Any, cast

from fastapi import Path, Query
from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from ledgerbee.catalog.prices import actions, store
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
from ledgerbee.catalog.prices.rules.terms import Terms, finders
from ledgerbee.catalog.prices.wire import ProductPriceResponse, render
from ledgerbee.catalog.products.model import PRODUCT_INVALID_STATE, PRODUCT_NOT_FOUND, CatalogStatus
from ledgerbee.core.errors import refuse
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.partial import View
from ledgerbee.http.wire import (
    CurrencyCode,
    Id,
    OptionalLine,
    Quantity,
    RequestModel,
    UnitPrice,
    Whole,
    changes_of,
    omitted,
)
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.model import LICENSE_REQUIRED
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING

router = resource_router("Product Prices")

PriceId = Annotated[Id, Path(alias="productPriceId", description="Product price ID")]
ShownIn = Annotated[
    CurrencyCode | None,
    Query(
        alias="currency",
        description="Extension: answer the amounts in this currency as of today, those fixed in it as they are, others "
        "converted at the rate that an invoice of today takes. Left out: each price in its own.",
    ),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["EUR"]}),
]

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

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Whether its parts fit together."""
        return _checks(self, facts)

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


async def render_in(
    context: Context, found: Sequence[SellablePrice], currency: str | None
) -> list[ProductPriceResponse]:
    """The wire forms of prices with their amounts in `currency` as of today, else each in its own.

    Raises `EXCHANGE_RATE_MISSING`.
    """
    if currency is None:
        return [render(one, context.today) for one in found]
    shown = await actions.shown_in(context, found, currency)
    return [render(one, context.today, price) for one, price in zip(found, shown, strict=True)]


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
    return render(await actions.create(context, body.product_id, body.terms()), context.today)


@router.get(
    "/v1/product-prices/{productPriceId}",
    response_model_exclude_unset=True,
    **operation(
        "Get a product price",
        scope="products-read",
        description="Returns a single price with the VAT rates of its product's group.",
        response="Product price details",
        errors=[PRODUCT_PRICE_NOT_FOUND, EXCHANGE_RATE_MISSING],
    ),
)
async def get_product_price(context: Ctx, product_price_id: PriceId, shown_in: ShownIn = None) -> ProductPriceResponse:
    """Get a product price."""
    (shown,) = await render_in(context, [await store.read(context, product_price_id)], shown_in)
    return shown


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
    return render(await actions.update(context, product_price_id, body.changes()), context.today)


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
    return render(await actions.move(context, product_price_id, CatalogStatus.ACTIVE), context.today)


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
    return render(await actions.move(context, product_price_id, CatalogStatus.ARCHIVED), context.today)


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
    return render(await actions.move(context, product_price_id, CatalogStatus.DISABLED), context.today)


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
    return render(await actions.set_default(context, product_price_id), context.today)
