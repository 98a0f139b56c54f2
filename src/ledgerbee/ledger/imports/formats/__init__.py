"""How files become rows, a piece at a time: however long a file is, no more of it is held than a chunk."""

from typing import TypeAlias

from ledgerbee.ledger.imports.formats.csv import CsvReader
from ledgerbee.ledger.imports.formats.dialect import DialectReader
from ledgerbee.ledger.imports.formats.jsonl import JsonlReader
from ledgerbee.ledger.imports.formats.rows import Row

__all__ = ["CsvReader", "DialectReader", "JsonlReader", "Row", "RowReader"]

RowReader: TypeAlias = CsvReader | JsonlReader
