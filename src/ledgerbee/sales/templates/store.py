"""Rows of document templates."""

from ledgerbee.platform.context import Context
from ledgerbee.sales.templates.model import DocumentTemplate


async def insert(context: Context, template: DocumentTemplate) -> None:
    """Add a template."""
    await context.connection.execute(
        "INSERT INTO document_templates (company_id, id, name, document_type, language, is_default, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        context.company_id,
        template.id,
        template.name,
        template.document_type,
        template.language,
        template.is_default,
        template.created_at,
    )
