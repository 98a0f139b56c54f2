"""What an audit recomputes, and what it finds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

#: Called with (entries done, entries in all) after each chunk.
Progress = Callable[[int, int], None]


class Row(Protocol):
    """A row of the database by column. It is read as it stands: tampering may leave what no dataclass would take."""

    def __getitem__(self, column: str, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that can't be: what, and the entry (if it is about one) by id and number."""

    what: str
    entry_id: UUID | None = None
    entry_number: int | None = None

    def __str__(self) -> str:
        if self.entry_id is None:
            return self.what
        return f"entry {self.entry_number} ({self.entry_id}): {self.what}"

    @classmethod
    def of_entry(cls, entry: Row, what: str) -> "Fault":
        """A fault of an entry: `entry` has its `id` and `entry_number`."""
        return cls(what, entry["id"], entry["entry_number"])


@dataclass(frozen=True, slots=True)
class Verification:
    """What was recomputed, and the first fault; None means that everything agrees."""

    entries: int
    lines: int
    account_months: int
    fiscal_years: int
    fault: Fault | None
    #: Attached files compared with their hashes; None when there was no store to look into.
    attachments: int | None = None

    @property
    def passed(self) -> bool:
        return self.fault is None


@dataclass(frozen=True, slots=True)
class LedgerState:
    """What the row of the company's ledger says of the books. `converted_by_line_from` is a chain position."""

    base_currency: str
    chain_position: int
    head_hash: bytes
    converted_by_line_from: int


@dataclass(slots=True)
class Recomputed:
    """What has been recomputed so far, which the next entry has to continue; `head` is the last entry's hash."""

    head: bytes
    position: int = 0
    lines: int = 0
    account_months: int = 0
    attachments: int = 0
    #: The last entry number of each financial year.
    numbers: dict[UUID, int] = field(default_factory=dict)
    #: The latest moment of posting.
    latest: datetime | None = None

    def add(self, entry: Row) -> None:
        """Go on behind an entry without a fault."""
        self.head = entry["hash"]
        self.position += 1
        self.lines += entry["line_count"]
        self.numbers[entry["fiscal_year_id"]] = entry["entry_number"]
        self.latest = max(self.latest or entry["posted_at"], entry["posted_at"])
