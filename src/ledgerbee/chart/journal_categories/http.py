"""Journal categories over HTTP (contract 2.7; adding them is ours)."""

from typing import Annotated

from pydantic import Field

from ledgerbee.chart.journal_categories import actions, store
from ledgerbee.chart.journal_categories.model import (
    JOURNAL_CATEGORY_NAME_ALREADY_EXISTS,
    JournalCategory,
    JournalType,
)
from ledgerbee.http.event_forms import form_of
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import IdText, Line, RequestModel, ResponseModel

router = resource_router("Journal Categories")


class JournalCategoryResponse(ResponseModel):
    """A journal category."""

    id: IdText
    name: str = Field(examples=["Finans"])
    is_default: bool = Field(description="Where entries go that name no category")
    allowed_journal_types: list[JournalType] = Field(description="Entry types that may be posted in it")


class CreateJournalCategoryRequest(RequestModel):
    """What a new category needs."""

    name: Line = Field(description="Unique in the company", examples=["Finans"])
    is_default: Annotated[bool, Field(strict=True)] = Field(
        False, description="Takes the place of the default so far; has to allow every type"
    )
    allowed_journal_types: list[JournalType] = Field(min_length=1, max_length=len(JournalType))


@form_of(JournalCategory)
def _render(category: JournalCategory) -> JournalCategoryResponse:
    return JournalCategoryResponse.model_validate(category)


@router.get(
    "/v1/journal-categories",
    **operation(
        "List journal categories",
        scope="journal-categories-read",
        description="All categories: the default first, then in order of creation.",
    ),
)
async def list_journal_categories(context: Ctx) -> list[JournalCategoryResponse]:
    """List journal categories."""
    return [_render(category) for category in await store.list_all(context)]


@router.post(
    "/v1/journal-categories",
    **operation(
        "Create a journal category",
        scope="journal-categories-write",
        status=201,
        extension=True,
        response="Journal category created",
        errors=[JOURNAL_CATEGORY_NAME_ALREADY_EXISTS],
    ),
)
async def create_journal_category(context: Ctx, body: CreateJournalCategoryRequest) -> JournalCategoryResponse:
    """Create a journal category."""
    category = await actions.create(
        context,
        name=body.name,
        is_default=body.is_default,
        allowed_journal_types=body.allowed_journal_types,
    )
    return _render(category)
