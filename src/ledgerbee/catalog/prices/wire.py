"""The wire form of a price: of its own operations, and of its product's."""

from datetime import date

from pydantic import Field

from ledgerbee.catalog.prices import rules
from ledgerbee.catalog.prices.model import BillingInterval, BillingPeriodType, Price, PricingModel, SellablePrice, Tier
from ledgerbee.catalog.products.model import CatalogStatus
from ledgerbee.http.event_forms import form_of
from ledgerbee.http.wire import DecimalText, IdText, Moment, Number, ResponseModel, omitted
from ledgerbee.parties.customers.model import VatZone


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


@form_of(SellablePrice)
def render(found: SellablePrice, today: date, shown: Price | None = None) -> ProductPriceResponse:
    """The wire form of a price; `shown` is the price as it is in the currency that its amounts are asked for in."""
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


def _render_tier(tier: Tier) -> TierResponse:
    shown = TierResponse(up_to=tier.up_to, unit_amount=tier.unit_amount, flat_amount=tier.flat_amount)
    return shown if tier.package_size is None else shown.model_copy(update={"package_size": tier.package_size})
