"""The ledger of an account, a customer or a vendor: what was posted there, line by line, with the running balance."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from ledgerbee.ledger.entries.model import SourceType
from ledgerbee.ledger.reports.trial_balance.model import Balances


class LedgerOf(StrEnum):
    """Whose ledger it is."""

    ACCOUNT = "account"
    CUSTOMER = "customer"
    VENDOR = "vendor"


@dataclass(frozen=True, slots=True)
class Owner:
    """The account, customer or vendor whose ledger it is. An account's number is a number, written out."""

    kind: LedgerOf
    id: UUID
    number: str
    name: str


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A line of a posted entry. Amounts are signed, debit positive: `amount` in the entry's currency, `base_amount` in
    the company's. `description` is the line's, else the entry's. `source` is what posted the entry, and its id.
    """

    id: UUID
    journal_entry_id: UUID
    entry_number: int
    entry_date: date
    entry_type: str
    account_id: UUID
    account_number: int
    account_name: str
    description: str | None
    reference: str | None
    customer_id: UUID | None
    vendor_id: UUID | None
    currency: str
    is_debit: bool
    amount: Decimal
    base_amount: Decimal
    vat_code_id: UUID | None
    tag_ids: Sequence[UUID]
    source: tuple[SourceType, UUID | None]
    reversed_by_entry_id: UUID | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """A page of a ledger over `from_date`..`to_date` (both inclusive), in the company's base currency `currency`.

    `balances` are of the whole span, `before_page` is what stands before the page's first line, and `total` is the
    number of lines in the span.
    """

    owner: Owner
    from_date: date
    to_date: date
    currency: str
    balances: Balances
    before_page: Decimal
    lines: Sequence[LedgerLine]
    total: int
