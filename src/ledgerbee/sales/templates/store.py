"""Rows of document templates."""

from uuid import UUID

import asyncpg

from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page
from ledgerbee.sales.templates.model import DOCUMENT_TEMPLATE_NOT_FOUND, DocumentTemplate, TemplateType

_COLUMNS = "id, name, document_type, language, is_default, created_at"
_LIST = (
    "SELECT t.id, t.name, t.document_type, t.language, t.is_default, t.created_at"
    " FROM page p JOIN document_templates t USING (company_id, id)"
)
SORT_COLUMNS = {"name": "t.name_key", "documentType": "t.document_type", "createdAt": "t.created_at"}


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


async def get(context: Context, template_id: UUID) -> DocumentTemplate:
    """One template. Raises `DOCUMENT_TEMPLATE_NOT_FOUND`."""
    row = await context.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM document_templates WHERE company_id = $1 AND id = $2", context.company_id, template_id
    )
    if row is None:
        raise DOCUMENT_TEMPLATE_NOT_FOUND.error()
    return _template(row)


async def default_for(context: Context, document_type: TemplateType) -> DocumentTemplate:
    """The company's default for a type of document: the flagged one. Raises `DOCUMENT_TEMPLATE_NOT_FOUND`."""
    row = await context.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM document_templates WHERE company_id = $1 AND document_type = $2 AND is_default",
        context.company_id,
        document_type,
    )
    if row is None:
        raise DOCUMENT_TEMPLATE_NOT_FOUND.error()
    return _template(row)


async def insert(context: Context, template: DocumentTemplate) -> list[DocumentTemplate]:
    """Add a template; a default one takes the place of its type's old default, which is the answer."""
    replaced = await _clear_default(context, template.document_type) if template.is_default else []
    await context.connection.execute(
        f"INSERT INTO document_templates (company_id, {_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        context.company_id,
        template.id,
        template.name,
        template.document_type,
        template.language,
        template.is_default,
        template.created_at,
    )
    return replaced


async def set_default(context: Context, template: DocumentTemplate) -> list[DocumentTemplate]:
    """Make a template its type's default, in place of the old one, which is the answer."""
    replaced = await _clear_default(context, template.document_type)
    await context.connection.execute(
        "UPDATE document_templates SET is_default = true WHERE company_id = $1 AND id = $2",
        context.company_id,
        template.id,
    )
    return replaced


async def _clear_default(context: Context, document_type: TemplateType) -> list[DocumentTemplate]:
    # Two new defaults at once: the second waits here, and its next statement sees the first.
    await context.connection.execute(
        "SELECT FROM document_templates WHERE company_id = $1 AND document_type = $2 ORDER BY id FOR UPDATE",
        context.company_id,
        document_type,
    )
    rows = await context.connection.fetch(
        "UPDATE document_templates SET is_default = false WHERE company_id = $1 AND document_type = $2 AND is_default"
        " RETURNING id, name, document_type, language, true AS is_default, created_at",
        context.company_id,
        document_type,
    )
    return [_template(row) for row in rows]


def _template(row: asyncpg.Record) -> DocumentTemplate:
    values = dict(row)
    values["document_type"] = TemplateType(values["document_type"])
    return DocumentTemplate(**values)
