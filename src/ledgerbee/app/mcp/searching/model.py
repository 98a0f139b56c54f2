"""What a search finds."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID


class Found(StrEnum):
    """The kinds of things that are searched, in the order in which equally good hits are given."""

    CUSTOMER = "customer"
    VENDOR = "vendor"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    QUOTE = "quote"
    ORDER_CONFIRMATION = "order_confirmation"
    SUBSCRIPTION = "subscription"
    SUBSCRIPTION_PLAN = "subscription_plan"
    PRODUCT = "product"
    METER = "meter"
    ACCOUNT = "account"
    JOURNAL_ENTRY = "journal_entry"
    VAT_CODE = "vat_code"
    DIMENSION_VALUE = "dimension_value"
    PROJECT = "project"


class Match(StrEnum):
    """How good a hit is: the whole number, id or reference; the start of number, name or text; a part of the name."""

    EXACT = "exact"
    START = "start"
    PART = "part"


@dataclass(frozen=True, slots=True)
class Term:
    """What is searched: a text as it was given, as an id, and as a number, where it is one."""

    text: str
    id: UUID | None
    number: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Something that was found; what it hasn't is None. `price_id` is a product's default price."""

    type: Found
    match: Match
    id: UUID
    number: str | None
    name: str | None
    status: str | None
    date: date | None
    amount: Decimal | None
    currency: str | None
    customer_id: UUID | None
    price_id: UUID | None
