"""Adding and changing document templates, and choosing the default."""

from collections.abc import Sequence

from ledgerbee.core.changes import Changes
from ledgerbee.core.fields import fields_of, replace
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.sales.templates import store
from ledgerbee.sales.templates.model import DocumentTemplate, DocumentTemplateFields, DocumentTemplateId
from ledgerbee.sales.templates.wire import render


async def create(context: Context, given: DocumentTemplateFields) -> DocumentTemplate:
    """Add a template; a default one takes the place of its type's old default.

    Emits `document_template.created`, and `document_template.updated` of the old default.
    """
    template = DocumentTemplate(id=DocumentTemplateId(new_id()), created_at=context.now, **fields_of(given))
    replaced = await store.insert(context, template)
    context.emit("document_template.created", template.id, render(template).as_event())
    _emit_replaced(context, replaced)
    return template


async def update(
    context: Context, template_id: DocumentTemplateId, changes: Changes[DocumentTemplateFields]
) -> DocumentTemplate:
    """Change the named fields of a template. What was booked with it stays as it was.

    Raises `DOCUMENT_TEMPLATE_NOT_FOUND`. Emits `document_template.updated` if anything became different.
    """
    before = await store.get_for_update(context, template_id)
    template = changes.applied_to(before)
    if template == before:
        return before
    await store.update(context, template)
    was = render(before).as_event()
    context.emit("document_template.updated", template_id, render(template).as_event(), before=was)
    return template


async def set_default(context: Context, template_id: DocumentTemplateId) -> DocumentTemplate:
    """Make a template the default of its type. Raises `DOCUMENT_TEMPLATE_NOT_FOUND`.

    Emits `document_template.updated` if it wasn't, of it and of the old default.
    """
    before = await store.get(context, template_id)
    replaced = await store.set_default(context, before)
    template = replace(before, is_default=True)
    if all(old.id != template_id for old in replaced):
        was = render(replace(before, is_default=False)).as_event()
        context.emit("document_template.updated", template_id, render(template).as_event(), before=was)
        _emit_replaced(context, replaced)
    return template


def _emit_replaced(context: Context, replaced: Sequence[DocumentTemplate]) -> None:
    """Emit `document_template.updated` of what was the default until now."""
    for old in replaced:
        now = render(replace(old, is_default=False)).as_event()
        context.emit("document_template.updated", old.id, now, before=render(old).as_event())
