"""A document to print: the snapshot of a booked one, a draft as it would be booked today, an example for a template."""

from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from ledgerbee.ledger.entries.rules import Conversion
from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import give_way
from ledgerbee.sales.documents import addressing, rules, store
from ledgerbee.sales.documents.actions.price import get_drafted_sales
from ledgerbee.sales.documents.kind import KindOfDocument
from ledgerbee.sales.documents.model import Document, DraftFields
from ledgerbee.sales.documents.sample import sample_document
from ledgerbee.sales.documents.snapshot import InBase, compose, current
from ledgerbee.sales.templates import store as templates
from ledgerbee.sales.templates.model import DocumentTemplateId
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.rates import store as rates

D = TypeVar("D", bound=Document)
F = TypeVar("F", bound=DraftFields)


@dataclass(frozen=True, slots=True)
class PrintedDocument:
    """What is printed: the snapshot, whether it is a draft, and the company's present logo."""

    snapshot: dict[str, Any]
    is_draft: bool
    logo: bytes | None


async def print_document(context: Context, kind: KindOfDocument[F, D], document_id: UUID) -> PrintedDocument:
    """A document to print: as it was sent, or as it would be where it never was (a draft, also one that was cancelled).

    For kinds that take their number when they are sent. Raises `kind.not_found`, and for a draft what `rules.tax`
    raises.
    """
    document = await store.get(context, kind, document_id)
    logo = await companies.logo(context)
    if document.number is not None:
        content = await store.get_snapshot(context, kind, document_id)
        return PrintedDocument(current(content, kind.terms(document)), is_draft=False, logo=logo)
    return PrintedDocument(await _preview(context, kind, document), is_draft=True, logo=logo)


async def print_sent(context: Context, kind: KindOfDocument[F, D], document_id: UUID) -> PrintedDocument:
    """A document to print as it was sent. Raises `kind.not_found`, and `kind.invalid_state` where it never was."""
    document = await store.get(context, kind, document_id)
    if document.number is None:
        raise kind.invalid_state.in_state(document.status.value)
    content = await store.get_snapshot(context, kind, document_id)
    return PrintedDocument(content, is_draft=False, logo=await companies.logo(context))


async def print_sample(context: Context, template_id: DocumentTemplateId) -> PrintedDocument:
    """An invented draft that shows what a template looks like. Raises `DOCUMENT_TEMPLATE_NOT_FOUND`."""
    template = await templates.get(context, template_id)
    company = await companies.get(context)
    return PrintedDocument(
        sample_document(template, company, context.company_now), is_draft=True, logo=await companies.logo(context)
    )


async def _preview(context: Context, kind: KindOfDocument[F, D], draft: D) -> dict[str, Any]:
    lines = await store.lines_of(context, kind, draft.id)
    sources = await store.get_sources(context, kind, draft)
    (sales,) = await get_drafted_sales(context, [(lines, sources.facts)])
    base_currency = sources.company.base_currency
    rate = await rates.find(context, draft.currency, draft.issue_date, base_currency)
    customer = sources.facts.customer
    taxes = rules.taxes_of(sales, customer.vat_zone, draft.tax_point)
    if kind.own_taxes is not None:
        taxes = dict(await kind.own_taxes(context, draft, lines, taxes))
    computed = rules.compute(lines, taxes, draft.currency)
    await give_way()
    in_base = None
    if rate is not None and draft.currency != base_currency:
        vat = kind.vat_in_base(computed, Conversion(draft.currency, base_currency, rate.value), sources.facts)
        in_base = None if vat is None else InBase(base_currency, vat, rate.value)
    template = addressing.choose_template(kind.template_type, sources, draft.document_template_id)
    await give_way()
    return compose(
        kind.kind,
        draft,
        kind.terms(draft),
        template,
        sources.company,
        addressing.addressee(sources),
        computed,
        in_base,
    )
