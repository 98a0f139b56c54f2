"""What clients send, and what the wire alone says against it: the fields of an entry, their forms and bounds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from tests.sim.figures import PLACES

ENTRY_TYPES = ("JOURNAL_ENTRY", "CUSTOMER_INVOICE", "CUSTOMER_PAYMENT", "SUPPLIER_INVOICE", "SUPPLIER_PAYMENT")
LARGEST = Decimal("9999999999999.9999")


@dataclass(frozen=True)
class Request:
    """One request. `kind` is what the model calls it; `key` is its idempotency key."""

    kind: str
    method: str
    path: str
    body: Any = None
    params: dict[str, str] = field(default_factory=dict)
    key: str | None = None

    @property
    def version(self) -> int:
        return 2 if self.path.startswith("/v2/") else 1


def decimal_of(value: Any) -> Decimal | None:
    """The number that a field holds, or None."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def decimals(number: Decimal) -> int:
    """How many decimals a number was written with."""
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def day_of(value: Any) -> date | None:
    """The day that a field holds, or None."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        return None


def entry_faults(body: Any, version: int, path: str = "") -> set[str]:
    """The properties of an entry that can't be what they are."""
    prefix = f"{path}." if path else ""
    needed = ("entryType", "date", "lines", "originalAmount")[: 2 + version]
    faults = {prefix + name for name in body if name not in _FORMS and name != "tagIds"}
    faults |= {prefix + name for name in needed if body.get(name) is None}
    faults |= {
        prefix + name for name, is_right in _FORMS.items() if body.get(name) is not None and not is_right(body[name])
    }
    for number, line in enumerate(body.get("lines") or []):
        faults |= _line_faults(line, f"{prefix}lines.{number}.")
    return faults


def _line_faults(line: Any, prefix: str) -> set[str]:
    faults = {prefix + name for name in line if name not in _LINE_FORMS and name != "tagIds"}
    faults |= {prefix + name for name in ("accountId", "side", "amount") if line.get(name) is None}
    return faults | {
        prefix + name
        for name, is_right in _LINE_FORMS.items()
        if line.get(name) is not None and not is_right(line[name])
    }


def _is_amount(value: Any) -> bool:
    number = decimal_of(value)
    return number is not None and abs(number) <= LARGEST and decimals(number) <= 4


def _is_rate(value: Any) -> bool:
    number = decimal_of(value)
    return number is not None and 0 < number < 10**9 and decimals(number) <= 12


def _is_text(longest: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and len(value) <= longest and "\0" not in value


def _is_id(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(value) == 36 and bool(UUID(value))
    except ValueError:
        return False


_FORMS: dict[str, Callable[[Any], bool]] = {
    "entryType": lambda value: value in ENTRY_TYPES,
    "date": lambda value: day_of(value) is not None,
    "deliveryDate": lambda value: day_of(value) is not None,
    "originalAmount": _is_amount,
    "lines": bool,
    "attachments": lambda value: len(value) <= 10,
    "customerId": _is_id,
    "vendorId": _is_id,
    "journalCategoryId": _is_id,
    "description": _is_text(10_000),
    "reference": _is_text(1_000),
    "externalSystemId": _is_text(1_000),
    "currency": lambda value: value in PLACES,
    "exchangeRate": _is_rate,
}
_LINE_FORMS: dict[str, Callable[[Any], bool]] = {
    "accountId": _is_id,
    "side": lambda value: value in {"DEBIT", "CREDIT"},
    "amount": lambda value: _is_amount(value) and (decimal_of(value) or 0) > 0,
    "vatCodeId": _is_id,
    "vatIncluded": lambda value: isinstance(value, bool),
    "vatAmount": lambda value: _is_amount(value) and (decimal_of(value) or 0) >= 0,
    "description": _is_text(1_000),
}
