"""Routes of journal categories (contract 2.7; adding them is ours)."""

from ledgerbee.chart.journal_categories import actions, store
from ledgerbee.chart.journal_categories.model import JOURNAL_CATEGORY_NAME_ALREADY_EXISTS
from ledgerbee.chart.journal_categories.wire import CreateJournalCategoryRequest, JournalCategoryResponse, render
from ledgerbee.http.operation import Ctx, operation, resource_router

router = resource_router("Journal Categories")


@router.get(
    "/v1/journal-categories",
    **operation(
        "List journal categories",
        scope="journal-categories-read",
        description="All categories: the default first, then in order of creation.",
    ),
)
async def list_journal_categories(context: Ctx) -> list[JournalCategoryResponse]:
    return [render(category) for category in await store.list_all(context)]


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
    return render(await actions.create(context, body.category()))
