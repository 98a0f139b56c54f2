"""Imports of usage: CSV files of any length whose rows are reported to meters, a chunk at a time.

A row's idempotency key is the identity of its event: a row that is read again, after a kill or in another file, is a
duplicate and counts nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NewType
from uuid import UUID

from msgspec import Struct

from ledgerbee.core.errors import ErrorCode
from ledgerbee.ledger.imports.model import BEGINNING, CsvDialect, CsvOptions, ImportStatus, Place

UsageImportId = NewType("UsageImportId", UUID)

#: Rows that are reported in one transaction, and bytes of the file that are read for it (a row more at most).
CHUNK_ROWS: Final = 1_000
CHUNK_BYTES: Final = 2 * 1024 * 1024
#: Imports of one company that wait or are worked off at most. (How long they may be altogether is a setting.)
MAX_WAITING: Final = 100

#: The job that carries out one import, or goes on with it.
IMPORT_USAGE_JOB: Final = "import_usage"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageImport:
    """One import. `failure` says why it failed, `csv_dialect` how its file is read, once it was looked through.

    `refused` counts rows.
    """

    id: UsageImportId
    file_name: str | None
    status: ImportStatus = ImportStatus.RECEIVING
    csv_options: CsvOptions
    csv_dialect: CsvDialect | None = None
    bytes_total: int = 0
    bytes_kept: int = 0
    place: Place = BEGINNING
    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    failure: str | None = None
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        return self.status in {ImportStatus.COMPLETED, ImportStatus.FAILED, ImportStatus.CANCELLED}


class FileRow(Struct, frozen=True):
    """A row of a file: the line that it begins on, its values by column or what is wrong, and the place after it."""

    line: int
    content: dict[str, str] | str
    after: Place


USAGE_IMPORT_NOT_FOUND = ErrorCode("USAGE_IMPORT_NOT_FOUND", 404, "No such import of usage in the company")
USAGE_IMPORT_INVALID_STATE = ErrorCode("USAGE_IMPORT_INVALID_STATE", 409, "The import is over")
USAGE_IMPORT_INTERRUPTED = ErrorCode(
    "USAGE_IMPORT_INTERRUPTED", 400, "The upload broke off; what had arrived is forgotten"
)
USAGE_IMPORT_QUOTA_EXCEEDED = ErrorCode(
    "USAGE_IMPORT_QUOTA_EXCEEDED",
    429,
    "The imports of usage that wait are too many or too long. Wait until some are done, or cancel one",
)
USAGE_IMPORT_UNREADABLE = ErrorCode(
    "USAGE_IMPORT_UNREADABLE", 400, "The file, or a row of it, can't be read as CSV of usage"
)
USAGE_IMPORT_BUSY = ErrorCode("USAGE_IMPORT_BUSY", 409, "The import is being carried out by another process")
