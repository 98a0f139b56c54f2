"""Prices: four models, three period types (contract 2.12)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from ledgerbee.catalog.model import CatalogStatus, ProductId
from ledgerbee.chart.vat_codes.model import VatCode
from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.money import ZERO
from ledgerbee.parties.customers.model import VatZone

PriceId = NewType("PriceId", UUID)


class PricingModel(StrEnum):
    """How a quantity becomes an amount."""

    FLAT_RATE = "FLAT_RATE"
    PACKAGE = "PACKAGE"
    VOLUME = "VOLUME"
    GRADUATED = "GRADUATED"


class BillingPeriodType(StrEnum):
    """Once, every period, or by what a meter counted."""

    ONE_TIME = "ONE_TIME"
    RECURRING = "RECURRING"
    USAGE = "USAGE"


class BillingInterval(StrEnum):
    """The unit of a billing period."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


#: Days and months of an interval. A week is 7 days and a year 12 months, whatever the anchor.
DAYS_OF_INTERVAL: Final = {BillingInterval.DAY: 1, BillingInterval.WEEK: 7}
MONTHS_OF_INTERVAL: Final = {BillingInterval.MONTH: 1, BillingInterval.YEAR: 12}


@dataclass(frozen=True, slots=True)
class Tier:
    """One step of a tiered price: up to `up_to` units (None: no limit) at `unit_amount` plus `flat_amount`.

    `package_size` is for PACKAGE prices: `unit_amount` buys that many units.
    """

    up_to: Decimal | None
    unit_amount: Decimal
    flat_amount: Decimal
    package_size: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPrice:
    """The terms of a price to be created. No currency means the company's."""

    billing_period_type: BillingPeriodType
    pricing_model: PricingModel
    nickname: str | None = None
    currency: str | None = None
    unit_amount: Decimal | None = None
    tiers: tuple[Tier, ...] = ()
    billing_interval: BillingInterval | None = None
    billing_interval_count: int | None = None
    meter_id: UUID | None = None
    currency_amounts: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTerms(NewPrice):
    """What a company says of a price: what a product costs, in `currency`; other currencies by `currency_amounts` or
    the day's rate.
    """

    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow(PriceTerms):
    """A price's own row."""

    id: PriceId
    product_id: ProductId
    status: CatalogStatus
    is_default: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Price(PriceRow):
    """A price as it is read. `is_locked` while anything uses it: a line of a document, also of a draft, or a plan."""

    is_locked: bool


@dataclass(frozen=True, slots=True)
class ZoneSale:
    """A sale in one VAT zone: the account of the product's group, and the VAT code that account carries.

    `defers`: the group's revenue for days to come is deferred.
    """

    account_id: UUID
    vat_code: VatCode | None
    defers: bool = False

    @property
    def vat_code_id(self) -> UUID | None:
        """The id of the account's VAT code."""
        return None if self.vat_code is None else self.vat_code.id

    def vat_rate_on(self, day: date) -> Decimal:
        """Percent of VAT that the buyer is charged: none without a code, and none when the buyer accounts for it."""
        if self.vat_code is None or self.vat_code.is_reverse_charge:
            return ZERO
        return self.vat_code.rate_on(day).rate


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRow:
    """What a sale reads of a product's row."""

    id: ProductId
    number: str
    name: str
    description: str | None
    product_group_id: UUID
    unit: str | None
    status: CatalogStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldProduct(ProductRow):
    """A product and where its sales are booked. `zones` has all four VAT zones."""

    zones: Mapping[VatZone, ZoneSale]


@dataclass(frozen=True, slots=True)
class SellablePrice:
    """A price with everything a document line needs to know of it."""

    price: Price
    product: SoldProduct

    @property
    def zones(self) -> Mapping[VatZone, ZoneSale]:
        """Where a sale is booked in each VAT zone."""
        return self.product.zones

    @property
    def is_sellable(self) -> bool:
        """Whether new documents may carry it: both the price and its product are active."""
        return self.price.status is CatalogStatus.ACTIVE and self.product.status is CatalogStatus.ACTIVE


class MeterStatus(StrEnum):
    """Whether usage can be reported to a meter."""

    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"


@dataclass(frozen=True, slots=True)
class Meter:
    """What counts the units of a USAGE price."""

    id: UUID
    name: str
    status: MeterStatus


PRODUCT_PRICE_NOT_FOUND = ErrorCode("PRODUCT_PRICE_NOT_FOUND", 404, "No such price in the company")
PRODUCT_PRICE_IN_USE = ErrorCode("PRODUCT_PRICE_IN_USE", 409, "A document, drafts included, or a plan uses the price")
PRODUCT_PRICE_INVALID_STATE = ErrorCode("PRODUCT_PRICE_INVALID_STATE", 409, "The price's status does not allow this")
PRODUCT_PRICE_LOCKED = ErrorCode(
    "PRODUCT_PRICE_LOCKED", 409, "A price in use can't change its amount, model, currency or interval"
)
PRODUCT_PRICE_QUANTITY_INVALID = ErrorCode(
    "PRODUCT_PRICE_QUANTITY_INVALID", 400, "A price with tiers has no amount for a negative quantity"
)
METER_NOT_FOUND = ErrorCode("METER_NOT_FOUND", 404, "No such meter in the company")
METER_INVALID_STATE = ErrorCode("METER_INVALID_STATE", 409, "An archived meter takes no usage and no price")
