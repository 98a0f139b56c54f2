"""What clients send, and what the wire alone says against it: the fields of an entry, their forms and bounds."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from tests.sim.figures import PLACES

ENTRY_TYPES = ("JOURNAL_ENTRY", "CUSTOMER_INVOICE", "CUSTOMER_PAYMENT", "SUPPLIER_INVOICE", "SUPPLIER_PAYMENT")
LARGEST = Decimal("9999999999999.9999")

_ENTRY_FIELDS = {
    "entryType", "date", "lines", "customerId", "vendorId", "description", "reference", "externalSystemId",
    "currency", "exchangeRate", "tagIds", "journalCategoryId", "originalAmount",
}  # fmt: skip
_LINE_FIELDS = {"accountId", "side", "amount", "vatCodeId", "description", "tagIds"}


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
    faults = {prefix + name for name in body if name not in _ENTRY_FIELDS}
    faults |= {prefix + name for name in ("entryType", "date", "lines") if body.get(name) is None}
    if body.get("entryType") is not None and body["entryType"] not in ENTRY_TYPES:
        faults.add(f"{prefix}entryType")
    if body.get("date") is not None and day_of(body["date"]) is None:
        faults.add(f"{prefix}date")
    if body.get("originalAmount") is None:
        faults |= {f"{prefix}originalAmount"} if version == 2 else set()
    elif not _is_amount(body["originalAmount"]):
        faults.add(f"{prefix}originalAmount")
    for name in ("customerId", "vendorId", "journalCategoryId"):
        if body.get(name) is not None and not _is_id(body[name]):
            faults.add(prefix + name)
    for name, longest in (("description", 10_000), ("reference", 1_000), ("externalSystemId", 1_000)):
        if not _is_text(body.get(name), longest):
            faults.add(prefix + name)
    if body.get("currency") is not None and body["currency"] not in PLACES:
        faults.add(f"{prefix}currency")
    if body.get("exchangeRate") is not None:
        rate = decimal_of(body["exchangeRate"])
        if rate is None or not 0 < rate < 10**9 or decimals(rate) > 12:
            faults.add(f"{prefix}exchangeRate")
    if body.get("lines") is not None:
        if not body["lines"]:
            faults.add(f"{prefix}lines")
        for number, line in enumerate(body["lines"]):
            faults |= _line_faults(line, f"{prefix}lines.{number}.")
    return faults


def _line_faults(line: Any, prefix: str) -> set[str]:
    faults = {prefix + name for name in line if name not in _LINE_FIELDS}
    faults |= {prefix + name for name in ("accountId", "side", "amount") if line.get(name) is None}
    if line.get("side") is not None and line["side"] not in {"DEBIT", "CREDIT"}:
        faults.add(f"{prefix}side")
    amount = line.get("amount")
    if amount is not None and not (_is_amount(amount) and (decimal_of(amount) or 0) > 0):
        faults.add(f"{prefix}amount")
    for name in ("accountId", "vatCodeId"):
        if line.get(name) is not None and not _is_id(line[name]):
            faults.add(prefix + name)
    if not _is_text(line.get("description"), 1_000):
        faults.add(f"{prefix}description")
    return faults


def _is_amount(value: Any) -> bool:
    number = decimal_of(value)
    return number is not None and abs(number) <= LARGEST and decimals(number) <= 4


def _is_text(value: Any, longest: int) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= longest and "\0" not in value)


def _is_id(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(value) == 36 and bool(UUID(value))
    except ValueError:
        return False
