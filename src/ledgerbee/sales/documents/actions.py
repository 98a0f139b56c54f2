"""Pricing and taxing the lines of a billing document: what is loaded for it, and the rules applied to that."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from ledgerbee.catalog.prices import store as prices
from ledgerbee.catalog.prices.model import PRODUCT_PRICE_NOT_FOUND, Price, SellablePrice
from ledgerbee.catalog.prices.rules import in_currency
from ledgerbee.core.ids import new_id
from ledgerbee.parties.customers import store as customers
from ledgerbee.parties.customers.model import BillingFacts, VatZone
from ledgerbee.platform.context import Context
from ledgerbee.platform.rates import store as rates
from ledgerbee.sales.documents import rules, store
from ledgerbee.sales.documents.model import (
    SALES_DOCUMENT_CUSTOMER_INACTIVE,
    SALES_DOCUMENT_DEPARTMENT_INACTIVE,
    SALES_DOCUMENT_PRICE_CURRENCY_MISSING,
    SALES_DOCUMENT_PRICE_NOT_USABLE,
    SALES_DOCUMENT_TEMPLATE_MISMATCH,
    Computed,
    DocumentLineType,
    Line,
    LineInput,
    Tax,
)
from ledgerbee.sales.templates.model import DOCUMENT_TEMPLATE_NOT_FOUND, DocumentTemplate, TemplateType


def check_customer(facts: BillingFacts) -> None:
    """Raises `SALES_DOCUMENT_CUSTOMER_INACTIVE`."""
    if not facts.customer.is_active:
        raise SALES_DOCUMENT_CUSTOMER_INACTIVE.error(customerId=str(facts.customer.id))


async def check_people(
    context: Context, customer_id: UUID, contact_id: UUID | None, department_id: UUID | None
) -> None:
    """The contact and department a document names are the customer's own.

    Raises `CONTACT_NOT_FOUND`, `DEPARTMENT_NOT_FOUND`, `SALES_DOCUMENT_DEPARTMENT_INACTIVE`.
    """
    if contact_id is not None:
        await customers.contact(context, customer_id, contact_id)
    if department_id is not None:
        department = await customers.department(context, customer_id, department_id)
        if not department.is_active:
            raise SALES_DOCUMENT_DEPARTMENT_INACTIVE.error(departmentId=str(department_id))


async def price_lines(
    context: Context, given: Sequence[LineInput], facts: BillingFacts, *, currency: str, on: date
) -> Computed:
    """Decide price, discount and VAT of every line, for a document of this customer in `currency` on a day.

    A price in another currency takes its own amount for `currency`, else the day's rate. Raises validation errors,
    `PRODUCT_PRICE_NOT_FOUND`, `SALES_DOCUMENT_PRICE_NOT_USABLE`, `SALES_DOCUMENT_PRICE_CURRENCY_MISSING`,
    `PRODUCT_PRICE_QUANTITY_INVALID`, `SALES_DOCUMENT_VAT_CODE_UNUSABLE`, `SALES_DOCUMENT_AMOUNT_TOO_LARGE`.
    """
    rules.check_lines(given)
    sold = await prices.sellable(context, [line.price_id for line in given if line.price_id is not None], hold=True)
    converted: dict[UUID, Price] = {}
    lines: list[Line] = []
    for index, line in enumerate(given):
        if line.line_type is not DocumentLineType.PRODUCT or line.price_id is None:
            lines.append(Line(new_id(), line.line_type, line.description))
            continue
        found = _usable(sold, line.price_id, f"lines.{index}.priceId")
        if line.price_id not in converted and line.unit_price is None:
            converted[line.price_id] = await _converted(context, found.price, currency, on, f"lines.{index}.priceId")
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
    return rules.compute(lines, _taxes(sold, facts.customer.vat_zone), currency)


async def tax_lines(context: Context, lines: Sequence[Line], facts: BillingFacts, *, currency: str) -> Computed:
    """Decide the VAT of lines whose prices stand, by the customer's zone and the chart as they are now.

    Raises `SALES_DOCUMENT_VAT_CODE_UNUSABLE`, `SALES_DOCUMENT_AMOUNT_TOO_LARGE`.
    """
    sold = await prices.sellable(context, [line.price_id for line in lines if line.price_id is not None])
    return rules.compute(lines, _taxes(sold, facts.customer.vat_zone), currency)


async def choose_template(
    context: Context, template_type: TemplateType, facts: BillingFacts, chosen: UUID | None
) -> DocumentTemplate | None:
    """The template of a document: the chosen one, else the customer's if it is for this kind, else the default.

    None only for a company without templates. Raises `DOCUMENT_TEMPLATE_NOT_FOUND` and
    `SALES_DOCUMENT_TEMPLATE_MISMATCH` for a chosen one.
    """
    known = {template.id: template for template in await store.templates(context)}
    if chosen is not None:
        template = known.get(chosen)
        if template is None:
            raise DOCUMENT_TEMPLATE_NOT_FOUND.error(property="documentTemplateId")
        if template.document_type is not template_type:
            raise SALES_DOCUMENT_TEMPLATE_MISMATCH.error(
                property="documentTemplateId", documentType=template.document_type.value
            )
        return template
    of_customer = known.get(facts.customer.document_template_id) if facts.customer.document_template_id else None
    if of_customer is not None and of_customer.document_type is template_type:
        return of_customer
    ours = [template for template in known.values() if template.document_type is template_type]
    in_language = [template for template in ours if template.language == facts.customer.language]
    defaults = [template for template in ours if template.is_default]
    return next(iter([*in_language, *defaults, *ours]), None)


def _usable(sold: Mapping[UUID, SellablePrice], price_id: UUID, name: str) -> SellablePrice:
    found = sold.get(price_id)
    if found is None:
        raise PRODUCT_PRICE_NOT_FOUND.error(property=name, priceId=str(price_id))
    if not found.is_sellable:
        raise SALES_DOCUMENT_PRICE_NOT_USABLE.error(
            property=name,
            priceId=str(price_id),
            status=found.price.status.value,
            productStatus=found.product.status.value,
        )
    return found


async def _converted(context: Context, price: Price, currency: str, on: date, name: str) -> Price:
    converted = in_currency(price, currency, None)
    if converted is None:
        rate = await rates.rate(context.connection, price.currency, currency, on)
        converted = in_currency(price, currency, rate.value if rate else None)
    if converted is None:
        raise SALES_DOCUMENT_PRICE_CURRENCY_MISSING.error(
            property=name, priceId=str(price.id), currency=price.currency, documentCurrency=currency
        )
    return converted


def _taxes(sold: Mapping[UUID, SellablePrice], zone: VatZone) -> dict[UUID, Tax]:
    return {price_id: rules.tax_of(found.zones[zone], zone) for price_id, found in sold.items()}
