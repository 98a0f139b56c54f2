"""Adding document templates and choosing the default."""

from dataclasses import replace
from uuid import UUID

from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.sales.templates import store
from ledgerbee.sales.templates.model import DocumentTemplate, TemplateType


async def create(
    context: Context, *, name: str, document_type: TemplateType, language: str, is_default: bool
) -> DocumentTemplate:
    """Add a template; a default one takes the place of its type's old default."""
    template = DocumentTemplate(new_id(), name, document_type, language, is_default, context.now)
    await store.insert(context, template)
    return template


async def set_default(context: Context, template_id: UUID) -> DocumentTemplate:
    """Make a template the default of its type. Raises `DOCUMENT_TEMPLATE_NOT_FOUND`."""
    template = await store.get(context, template_id)
    await store.set_default(context, template)
    return replace(template, is_default=True)
