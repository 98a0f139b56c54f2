"""Journal categories on the wire (contract 2.7; adding them is ours)."""

from typing import Annotated

from pydantic import Field

from ledgerbee.chart.journal_categories.model import JournalCategory, JournalCategoryFields, JournalType
from ledgerbee.chart.journal_categories.rules import in_order
from ledgerbee.http.wire import IdText, Line, RequestModel, ResponseModel


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

    def category(self) -> JournalCategoryFields:
        allowed = in_order(self.allowed_journal_types)
        return JournalCategoryFields(name=self.name, is_default=self.is_default, allowed_journal_types=allowed)


def render(category: JournalCategory) -> JournalCategoryResponse:
    return JournalCategoryResponse.model_validate(category)
