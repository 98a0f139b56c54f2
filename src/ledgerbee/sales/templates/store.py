"""Rows of document templates."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import asyncpg

from ledgerbee.core.fields import names_of
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.parties.customers.model import DOCUMENT_TEMPLATE_NOT_FOUND
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page
from ledgerbee.sales.templates.model import (
    DocumentTemplate,
    DocumentTemplateId,
    TemplateType,
)

_COLUMNS: Final = rows.columns(DocumentTemplate, "t")
_SELECT: Final = f"SELECT {_COLUMNS}"
_LIST: Final = f"{_SELECT} FROM page p JOIN document_templates t USING (company_id, id)"
#: All templates as rows of their columns, for `of_row`; also a part of other statements.
ALL: Final = f"SELECT ROW({_COLUMNS}) FROM document_templates t WHERE t.company_id = $1 ORDER BY t.created_at, t.id"
_GET: Final = f"{_SELECT} FROM document_templates t WHERE t.company_id = $1 AND t.id = $2"
_INSERT: Final = rows.insert("document_templates", DocumentTemplate)
_UPDATE: Final = rows.update("document_templates", DocumentTemplate, ("document_type", "is_default", "created_at"))
_SET_DEFAULT: Final = "UPDATE document_templates SET is_default = true WHERE company_id = $1 AND id = $2"
_LOCK_TYPE: Final = "SELECT FROM document_templates WHERE company_id = $1 AND document_type = $2 ORDER BY id FOR UPDATE"
_CLEAR_DEFAULT: Final = (
    "UPDATE document_templates t SET is_default = false"
    " WHERE t.company_id = $1 AND t.document_type = $2 AND t.is_default"
    f" RETURNING {_COLUMNS}"
)
SORT_COLUMNS: Final = {"name": "t.name_key", "documentType": "t.document_type", "createdAt": "t.created_at"}


async def list_page(
    context: Context, request: PageRequest, document_type: TemplateType | None
) -> Page[DocumentTemplate]:
    """A page of templates, of one type if asked."""
    filters = Filter()
    if document_type is not None:
        filters.add("t.document_type = {}", document_type)
    filters.starts_with(request.search, "name_key")
    page = await fetch_page(
        context, table="document_templates", select=_LIST, filters=filters, order_by=SORT_COLUMNS, request=request
    )
    return Page([_template(row) for row in page.rows], page.total)


async def list_all(context: Context) -> list[DocumentTemplate]:
    """Every template of the company, in order of creation."""
    return [of_row(row[0]) for row in await context.connection.fetch(ALL, context.company_id)]


async def get(context: Context, template_id: DocumentTemplateId) -> DocumentTemplate:
    """One template. Raises `DOCUMENT_TEMPLATE_NOT_FOUND`."""
    row = await context.connection.fetchrow(_GET, context.company_id, template_id)
    return _template(DOCUMENT_TEMPLATE_NOT_FOUND.unless(row))


async def get_for_update(context: Context, template_id: DocumentTemplateId) -> DocumentTemplate:
    """One template, locked until the transaction ends. Raises `DOCUMENT_TEMPLATE_NOT_FOUND`."""
    row = await context.connection.fetchrow(f"{_GET} FOR UPDATE", context.company_id, template_id)
    return _template(DOCUMENT_TEMPLATE_NOT_FOUND.unless(row))


async def insert(context: Context, template: DocumentTemplate) -> list[DocumentTemplate]:
    """Add a template; a default one takes the place of its type's old default, which is the answer (as it was)."""
    replaced = await _clear_default(context, template.document_type) if template.is_default else []
    await context.connection.execute(_INSERT, context.company_id, *rows.values(template))
    return replaced


async def update(context: Context, template: DocumentTemplate) -> None:
    """Write what may change of a template that is locked: all but its type and whether it is the default."""
    await context.connection.execute(_UPDATE, context.company_id, *rows.values(template))


async def set_default(context: Context, template: DocumentTemplate) -> list[DocumentTemplate]:
    """Make a template its type's default, in place of the old one, which is the answer (as it was)."""
    replaced = await _clear_default(context, template.document_type)
    await context.connection.execute(_SET_DEFAULT, context.company_id, template.id)
    return replaced


async def _clear_default(context: Context, document_type: TemplateType) -> list[DocumentTemplate]:
    # Two new defaults at once: the second waits here, and its next statement sees the first.
    await context.connection.execute(_LOCK_TYPE, context.company_id, document_type)
    cleared = await context.connection.fetch(_CLEAR_DEFAULT, context.company_id, document_type)
    return [_template(row, is_default=True) for row in cleared]


def of_row(values: Iterable[Any]) -> DocumentTemplate:
    """A template from one of the rows that `ALL` selects."""
    return _template(dict(zip(names_of(DocumentTemplate), values, strict=True)))


def _template(row: Mapping[str, Any] | asyncpg.Record, **others: bool) -> DocumentTemplate:
    return DocumentTemplate(**{**row, "document_type": TemplateType(row["document_type"]), **others})
