"""Drafts of any kind: create, change, delete. Nothing of it touches the books. A kind's own actions emit the events."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

from ledgerbee.core.changes import Changes
from ledgerbee.core.fields import fields_of, replace
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents import addressing, store
from ledgerbee.sales.documents.actions.price import has_converted_prices, price_lines, tax_lines
from ledgerbee.sales.documents.kind import KindOfDocument
from ledgerbee.sales.documents.model import (
    Computed,
    Document,
    DocumentFields,
    DocumentKind,
    DraftFields,
    FullDocument,
    Line,
    Origin,
    Sources,
)
from ledgerbee.sales.documents.rules import as_input

D = TypeVar("D", bound=Document)
F = TypeVar("F", bound=DraftFields)

#: Changes that make looked-up prices and discounts stale.
_REPRICING: Final = frozenset({"lines", "customer_id", "currency"})
#: What belongs to a customer: another one has its own.
_OF_CUSTOMER: Final = ("customer_department_id", "customer_contact_id")


class Forms(NamedTuple):
    """The wire form of a document before and after a change."""

    before: dict[str, Any]
    after: dict[str, Any]


async def create(
    context: Context, kind: KindOfDocument[F, D], given: F, origin: Origin | None = None
) -> FullDocument[D]:
    """Draft a document; `origin` is what it is made of, if it is. Raises what `draw_up` raises."""
    full = await draw_up(context, kind, given, origin)
    await store.insert(context, kind, full)
    return full


async def draw_up(
    context: Context, kind: KindOfDocument[F, D], given: F, origin: Origin | None = None
) -> FullDocument[D]:
    """The draft of a document, not kept yet.

    Raises validation errors, `CUSTOMER_NOT_FOUND`, and what `addressing.check_references`, `price_lines` and
    `kind.decide` raise.
    """
    kind.check(given, context.today)
    sources = await store.get_sources(context, kind, given)
    addressing.check_references(given, sources, kind.template_type)
    computed = (
        await _priced(context, given, sources)
        if origin is None or origin.lines is None
        else await _taxed(context, given, sources, [replace(line, id=new_id()) for line in origin.lines])
    )
    if kind.complete is not None:
        currency = given.currency or sources.company.base_currency
        computed = await kind.complete(context, given, None, currency, sources, computed, ())
    document = kind.row(
        id=new_id(),
        status=kind.draft,
        created_at=context.now,
        updated_at=context.now,
        **_decided(kind, given, sources, computed),
        **_links(origin),
    )
    return FullDocument(document, computed.lines)


async def update(
    context: Context, kind: KindOfDocument[F, D], document_id: UUID, changes: Changes[F]
) -> tuple[FullDocument[D], Forms | None]:
    """Change a draft: `lines` replaces all of them. The forms are those of a draft that became different.

    A new customer or currency prices the lines that stay anew, and so does a new date where prices are converted at the
    rate of the day, but not those that were agreed on in the document that a draft was made of. What their author gave
    is kept. Raises what `create` raises, `kind.not_found`,
    `kind.invalid_state`.
    """
    before = await _get_draft(context, kind, document_id)
    lines = await store.lines_of(context, kind, document_id)
    earlier = FullDocument(before, lines)
    given = changes.applied_to(_given_before(kind, earlier, changes))
    kind.check(given, context.today)
    sources = await store.get_sources(context, kind, given)
    addressing.check_references(given, sources, kind.template_type)
    currency = given.currency or sources.company.base_currency
    written = [line for line in lines if not line.is_added]
    is_stale = bool(_REPRICING & changes.fields.keys()) or (
        given.issue_date != before.issue_date
        and not _was_converted(before)
        and await has_converted_prices(context, written, currency)
    )
    computed = await _priced(context, given, sources) if is_stale else await _taxed(context, given, sources, written)
    if kind.complete is not None:
        computed = await kind.complete(context, given, document_id, currency, sources, computed, lines)
    document = replace(before, updated_at=context.now, **_decided(kind, given, sources, computed))
    full = FullDocument(document, computed.lines)
    was, now = await kind.event_form(earlier), await kind.event_form(full)
    if now | {"updatedAt": was["updatedAt"]} == was:
        return earlier, None
    if computed.lines != lines:
        await store.replace_lines(context, kind, document_id, computed.lines)
    await store.update(context, kind, document)
    return full, Forms(was, now)


async def delete(context: Context, kind: KindOfDocument[F, D], document_id: UUID) -> dict[str, Any]:
    """Delete a draft; answers with its last wire form. Raises `kind.not_found`, `kind.invalid_state`."""
    draft = await _get_draft(context, kind, document_id)
    form = await kind.event_form(FullDocument(draft, await store.lines_of(context, kind, document_id)))
    await store.delete(context, kind, document_id)
    return form


async def _get_draft(context: Context, kind: KindOfDocument[F, D], document_id: UUID) -> D:
    document = await store.get_for_update(context, kind, document_id)
    if document.status is not kind.draft:
        raise kind.invalid_state.in_state(document.status.value)
    return document


async def _priced(context: Context, given: DraftFields, sources: Sources) -> Computed:
    return await price_lines(
        context,
        given.lines,
        sources.facts,
        currency=given.currency or sources.company.base_currency,
        on=given.issue_date,
        tax_point=given.tax_point,
    )


async def _taxed(context: Context, given: DraftFields, sources: Sources, lines: Sequence[Line]) -> Computed:
    currency = given.currency or sources.company.base_currency
    return await tax_lines(context, lines, sources.facts, currency=currency, tax_point=given.tax_point)


def _given_before(kind: KindOfDocument[F, D], full: FullDocument[D], changes: Changes[F]) -> F:
    """What the draft's author gave, as far as it survives the changes."""
    before = full.document
    said = fields_of(before, DocumentFields)
    if changes.fields.get("customer_id", before.customer_id) != before.customer_id:
        said |= dict.fromkeys(_OF_CUSTOMER)
    return kind.fields(
        **said,
        **kind.given_before(before, changes),
        **kind.given_by_added([line for line in full.lines if line.is_added]),
        currency=before.currency,
        lines=tuple(as_input(line) for line in full.lines if not line.is_added),
    )


def _links(origin: Origin | None) -> dict[str, Any]:
    """The column that says what a document was made of."""
    return {} if origin is None else {f"converted_from_{origin.document.kind}_id": origin.document.id}


def _was_converted(document: Document) -> bool:
    """Whether it was made of another document."""
    return any(getattr(document, f"converted_from_{kind}_id", None) for kind in DocumentKind)


def _decided(kind: KindOfDocument[F, D], given: F, sources: Sources, computed: Computed) -> dict[str, Any]:
    """The columns of a draft: what was given, and what follows from it."""
    return {
        **fields_of(given, DocumentFields),
        **kind.decide(given, sources.company, sources.facts),
        "currency": given.currency or sources.company.base_currency,
        "subtotal": computed.totals.subtotal,
        "vat": computed.totals.vat,
        "amount": computed.totals.amount,
    }
