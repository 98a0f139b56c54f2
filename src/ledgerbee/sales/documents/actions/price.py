"""Pricing and taxing the lines of a billing document: what is loaded for it, and the rules applied to that."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from uuid import UUID

from ledgerbee.catalog.prices import actions as price_actions
from ledgerbee.catalog.prices import store as prices
from ledgerbee.catalog.prices.model import (
    PRODUCT_PRICE_NOT_FOUND,
    PRODUCT_PRICE_QUANTITY_INVALID,
    Price,
    SellablePrice,
    ZoneSale,
)
from ledgerbee.catalog.prices.rules import in_currency
from ledgerbee.chart.vat_codes import store as vat_codes
from ledgerbee.core.errors import LedgerBeeError, refuse_first
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.parties.customers.model import BillingFacts
from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import give_way, in_steps
from ledgerbee.sales.documents import rules
from ledgerbee.sales.documents.model import (
    SALES_DOCUMENT_PRICE_CURRENCY_MISSING,
    SALES_DOCUMENT_PRICE_NOT_USABLE,
    Computed,
    DocumentLineType,
    Line,
    LineInput,
)


async def price_lines(
    context: Context, given: Sequence[LineInput], facts: BillingFacts, *, currency: str, on: date, tax_point: date
) -> Computed:
    """Decide price, discount and VAT of every line, for a document of this customer in `currency` on a day.

    VAT is that of the tax point, the day of delivery (momslovens § 23). A price in another currency takes its own
    amount for `currency`, else is converted at the rates of the day, at which the document is booked. Raises validation
    errors, `PRODUCT_PRICE_NOT_FOUND`,
    `SALES_DOCUMENT_PRICE_NOT_USABLE`, `SALES_DOCUMENT_PRICE_CURRENCY_MISSING`, `PRODUCT_PRICE_QUANTITY_INVALID`,
    `SALES_DOCUMENT_VAT_CODE_UNUSABLE`, `SALES_DOCUMENT_AMOUNT_TOO_LARGE`.
    """
    rules.check_lines(given)
    sold = await prices.get_many_for_share(context, [line.price_id for line in given if line.price_id is not None])
    looked_up = {line.price_id for line in given if line.unit_price is None}
    own = [found.price for price_id, found in sold.items() if price_id in looked_up]
    converted = await price_actions.in_currency(context, own, currency, on)
    refuse_first(_unusable(given, sold, converted, currency))
    lines: list[Line] = []
    faults: list[LedgerBeeError] = []
    async for index, line in in_steps(enumerate(given)):
        if line.line_type is not DocumentLineType.PRODUCT or line.price_id is None:
            lines.append(Line(new_id(), line.line_type, line.description))
            continue
        found = sold[line.price_id]
        try:
            lines.append(
                rules.product_line(
                    line,
                    converted.get(line.price_id, found.price),
                    found.product,
                    line_id=new_id(),
                    currency=currency,
                    group_discount=facts.group.discount_percent,
                )
            )
        except LedgerBeeError as fault:
            faults.append(_placed(fault, index))
    refuse_first(faults)
    await give_way()
    return rules.tax(lines, _sales(sold, facts), facts.customer.vat_zone, tax_point, currency)


def _placed(fault: LedgerBeeError, index: int) -> LedgerBeeError:
    """A line's refusal with its place in the request."""
    field = ".quantity" if fault.error_code is PRODUCT_PRICE_QUANTITY_INVALID else ""
    return fault.error_code.error(fault.message, property=f"lines.{index}{field}", **fault.details)


async def has_converted_prices(context: Context, lines: Sequence[Line], currency: str) -> bool:
    """Whether a line's price was converted to the document's `currency`: on another day it is another one."""
    sold = await prices.get_many(
        context, [line.price_id for line in lines if line.price_id and not line.unit_price_given]
    )
    return any(in_currency(found.price, currency, None) is None for found in sold.values())


async def tax_lines(
    context: Context, lines: Sequence[Line], facts: BillingFacts, *, currency: str, tax_point: date
) -> Computed:
    """Decide the VAT of lines whose prices stand, by the customer's zone and the chart as they are now.

    Raises `SALES_DOCUMENT_VAT_CODE_UNUSABLE`, `SALES_DOCUMENT_AMOUNT_TOO_LARGE`.
    """
    sold = await prices.get_many(context, _price_ids(lines))
    return rules.tax(lines, _sales(sold, facts), facts.customer.vat_zone, tax_point, currency)


async def get_drafted_sales(
    context: Context, drafted: Sequence[tuple[Sequence[Line], BillingFacts]]
) -> list[dict[UUID, ZoneSale]]:
    """Where the sales of lines of each draft are booked, by price, and with which VAT code, for `rules.tax`.

    A line keeps the VAT code that its draft shows, as long as it is booked on the same account and the code can be
    used: what an account is given later is for later sales. At most three statements, whatever the number of drafts.
    """
    sold = await prices.get_many(context, {price_id for lines, _ in drafted for price_id in _price_ids(lines)})
    found, moved = [], []
    async for lines, facts in in_steps(drafted, lambda draft: len(draft[0])):
        own = _price_ids(lines)
        found.append(_sales({price_id: sold[price_id] for price_id in own}, facts))
        moved.append(_moved_codes(lines, found[-1]))
    codes = await vat_codes.get_many(
        context, {code_id for one in moved for code_id in one.values() if code_id is not None}
    )
    for sales, own_codes in zip(found, moved, strict=True):
        for price_id, code_id in own_codes.items():
            code = None if code_id is None else codes[code_id]
            if code is None or code.is_active:
                sales[price_id] = replace(sales[price_id], vat_code=code)
    return found


def _moved_codes(lines: Sequence[Line], sales: Mapping[UUID, ZoneSale]) -> dict[UUID, UUID | None]:
    """The VAT codes that lines were drafted with, by price, where the account by now has another one."""
    return {
        line.price_id: line.vat_code_id
        for line in lines
        if line.price_id is not None
        and line.account_id is not None
        and line.account_id == sales[line.price_id].account_id
        and line.vat_code_id != sales[line.price_id].vat_code_id
    }


def _price_ids(lines: Sequence[Line]) -> list[UUID]:
    return [line.price_id for line in lines if line.price_id is not None]


def _unusable(
    lines: Sequence[LineInput], sold: Mapping[UUID, SellablePrice], converted: Mapping[UUID, Price], currency: str
) -> Iterator[LedgerBeeError]:
    """What is wrong with the prices that lines refer to."""
    for index, line in enumerate(lines):
        price_id = line.price_id
        if line.line_type is not DocumentLineType.PRODUCT or price_id is None:
            continue
        name = f"lines.{index}.priceId"
        found = sold.get(price_id)
        if found is None:
            yield PRODUCT_PRICE_NOT_FOUND.missing(name, "priceId", price_id)
        elif not found.is_sellable:
            yield SALES_DOCUMENT_PRICE_NOT_USABLE.error(
                property=name,
                priceId=str(price_id),
                status=found.price.status.value,
                productStatus=found.product.status.value,
            )
        elif line.unit_price is None and price_id not in converted:
            yield SALES_DOCUMENT_PRICE_CURRENCY_MISSING.error(
                property=name, priceId=str(price_id), currency=found.price.currency, documentCurrency=currency
            )


def _sales(sold: Mapping[UUID, SellablePrice], facts: BillingFacts) -> dict[UUID, ZoneSale]:
    return {price_id: found.zones[facts.customer.vat_zone] for price_id, found in sold.items()}
