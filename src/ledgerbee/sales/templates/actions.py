"""Adding document templates and choosing the default."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from ledgerbee.core.ids import new_id
from ledgerbee.http.event_forms import told
from ledgerbee.platform.context import Context
from ledgerbee.sales.templates import store
from ledgerbee.sales.templates.model import DocumentTemplate, TemplateType


async def create(
    context: Context, *, name: str, document_type: TemplateType, language: str, is_default: bool
) -> DocumentTemplate:
    """Add a template; a default one takes the place of its type's old default.

    Emits `document_template.created`, and `document_template.updated` of the old default.
    """
    template = DocumentTemplate(new_id(), name, document_type, language, is_default, context.now)
    replaced = await store.insert(context, template)
    context.emit("document_template.created", template.id, told(DocumentTemplate, template))
    _tell_replaced(context, replaced)
    return template


async def set_default(context: Context, template_id: UUID) -> DocumentTemplate:
    """Make a template the default of its type. Raises `DOCUMENT_TEMPLATE_NOT_FOUND`.

    Emits `document_template.updated` if it wasn't, of it and of the old default.
    """
    before = await store.get(context, template_id)
    replaced = await store.set_default(context, before)
    template = replace(before, is_default=True)
    if all(old.id != template_id for old in replaced):
        was = told(DocumentTemplate, replace(before, is_default=False))
        context.emit("document_template.updated", template_id, told(DocumentTemplate, template), before=was)
        _tell_replaced(context, replaced)
    return template


def _tell_replaced(context: Context, replaced: Sequence[DocumentTemplate]) -> None:
    """A document template was made the default of its type, or another took its place."""
    for old in replaced:
        was = told(DocumentTemplate, old)
        context.emit("document_template.updated", old.id, was | {"isDefault": False}, before=was)
