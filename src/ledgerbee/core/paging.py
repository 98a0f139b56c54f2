"""Pages of a list: what was asked for and what came back (contract 1.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """`page` counts from 1, `limit` is 1..100; `search` is a case-insensitive prefix; `sort_by` a listed column."""

    page: int = 1
    limit: int = 25
    search: str | None = None
    sort_by: str = "createdAt"
    descending: bool = True

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.limit


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of rows and the number of rows that match in all."""

    rows: Sequence[T]
    total: int
