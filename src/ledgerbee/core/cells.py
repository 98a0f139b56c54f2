"""Marks of cells: in which database a company lives, said by what is found before the company is known.

A cell is a database that holds companies whole. Its mark is two hexadecimal digits. Every secret carries it behind its
prefix (`lb_01.…`), every id of an OAuth client within its digits. What was made without a mark is the default cell's.
"""

import re
import secrets
from typing import Final
from uuid import UUID

import uuid_utils

from ledgerbee.core.ids import DriverUUID

#: The cell where there is but one, and that of everything without a mark.
DEFAULT_CELL: Final = "00"
#: What a mark looks like.
MARK: Final = re.compile(r"[0-9a-f]{2}")
#: The point is no character of the random part, nor of a secret without a mark.
_MARKED_SECRET: Final = re.compile(r"lb[a-z]?_([0-9a-f]{2})\.")
#: RFC 9562: ids of this version have digits of their maker's choice. All other ids here are of version 7.
_MARKED_VERSION: Final = 8


def new_secret(prefix: str, cell: str) -> str:
    """A fresh secret: `prefix`, the cell's mark, and 256 random bits in URL-safe characters."""
    return f"{prefix}{cell}.{secrets.token_urlsafe(32)}"


def cell_of_secret(secret: str) -> str:
    """The cell of a secret, whether or not there is such a secret or such a cell."""
    marked = _MARKED_SECRET.match(secret)
    return marked[1] if marked else DEFAULT_CELL


def new_marked_id(cell: str) -> UUID:
    """A fresh id that carries the cell's mark: a UUIDv8, with the moment where a UUIDv7 has it."""
    digits = bytearray(uuid_utils.uuid7().bytes)
    digits[6], digits[7] = _MARKED_VERSION << 4, int(cell, 16)
    return DriverUUID(bytes(digits))


def cell_of_id(text: str) -> str:
    """The cell of an id as a caller wrote it; the default one of what carries no mark, and of what is no id."""
    try:
        found = UUID(text)
    except ValueError:
        return DEFAULT_CELL
    return f"{found.bytes[7]:02x}" if found.version == _MARKED_VERSION else DEFAULT_CELL
