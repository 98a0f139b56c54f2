"""What is decided of staged commands: which call it is, whether effects are the same, what may be booked. Pure."""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from msgspec.json import Encoder

from ledgerbee.app.mcp.staging.model import LIMIT_CURRENCY, Decision, Planned, PreviewStatus, StagedCommand
from ledgerbee.billing.subscriptions.model import BILL_SUBSCRIPTIONS_JOB
from ledgerbee.core.money import ZERO, multiply, round_to
from ledgerbee.sales.delivery.model import DELIVER_E_INVOICE_JOB, DELIVER_JOB, PRINT_JOB
from ledgerbee.tenancy.rates.model import RatePair
from ledgerbee.tenancy.rates.rules import convert

#: The address of a page by its secret, which each run makes anew.
_LINK: Final = "acceptanceUrl"
#: What each run gives anew, or what says nothing of what a command does.
_OWN_TO_EACH_RUN: Final = frozenset({"number", "entryNumber", "hash", "previousHash", "requestId", "sequence", _LINK})
#: Sources of entries whose texts somebody wrote; those of the others are made of a document, with its number.
_WRITTEN_BY_CALLERS: Final = frozenset({None, "API", "DRAFT", "IMPORT", "REVERSAL"})
_MADE_TEXTS: Final = frozenset({"description", "reference"})
_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_UUID_7: Final = 7

#: The jobs that book nothing.
_BOOK_NOTHING: Final = frozenset({DELIVER_JOB, DELIVER_E_INVOICE_JOB, PRINT_JOB})
#: The event of a subscription that has ended.
_ENDED: Final = "subscription.churned"

_encode: Final = Encoder(decimal_format="string", order="sorted").encode


def call_hash(connection_id: UUID, tool: str, arguments: bytes) -> bytes:
    """Which call of a tool it is: of the connection, the tool and the arguments in their canonical form."""
    return hashlib.sha256(b"\n".join((connection_id.bytes, tool.encode(), arguments))).digest()


def effects_digest(effects: Any, began_ms: int) -> bytes:
    """A digest of JSON values that is the same for two runs of a command that do the same.

    What is new in each run doesn't count: ids that were made from `began_ms` on (Unix time; ids are UUIDv7, and those
    of no time count as new), moments, numbers of documents and entries, and the texts of entries that have them, which
    are made of the document. Days do.
    """
    return hashlib.sha256(_encode(_Stable(began_ms).form(effects, _OWN_TO_EACH_RUN))).digest()


class _Stable:
    """Writes values without what each run gives anew."""

    def __init__(self, began_ms: int) -> None:
        self._began_ms = began_ms
        self._new: dict[str, str] = {}

    def form(self, value: Any, dropped: frozenset[str]) -> Any:
        if isinstance(value, Mapping):
            if value.get("sourceType") not in _WRITTEN_BY_CALLERS:
                dropped |= _MADE_TEXTS
            return {key: self.form(value[key], dropped) for key in sorted(value) if key not in dropped}
        if isinstance(value, (list, tuple)):
            return [self.form(one, dropped) for one in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        return "moment" if _MOMENT.match(text) else _ID.sub(lambda match: self._id(match[0]), text)

    def _id(self, text: str) -> str:
        known = UUID(text)
        if known.version == _UUID_7 and known.int >> 80 < self._began_ms:
            return text
        return self._new.setdefault(text, f"new {len(self._new)}")


def without_links(value: Any) -> Any:
    """JSON values without the addresses of pages that are undone: null stands in their place."""
    if isinstance(value, Mapping):
        return {key: None if key == _LINK else without_links(one) for key, one in value.items()}
    return [without_links(one) for one in value] if isinstance(value, (list, tuple)) else value


def is_all_booked(planned: Planned, events: Collection[str], jobs: Collection[str], upcoming: Any) -> bool:
    """Whether all that a command ever books is among its entries: what jobs and later days book can't be counted.

    So it is where no job follows but those that print and send. A subscription that goes on is billed on days to come,
    by prices, usage and changes of which nobody knows; one that ends at once is done where its last bill (`upcoming`)
    was looked for and has nothing on it.
    """
    others = set(jobs) - _BOOK_NOTHING
    if not planned.bills:
        return not others
    is_settled = upcoming is not None and not upcoming["next"] and not upcoming["nextCreditNotes"]
    return planned.ends and _ENDED in events and is_settled and others <= {BILL_SUBSCRIPTIONS_JOB}


def booked(entry: Mapping[str, Any], rate: Decimal) -> Decimal:
    """What an entry books, in the company's base currency: the sum of its debits.

    In another currency it is at least what they are at the day's `rate` (base units for one unit): whoever posts an
    entry may state a rate of its own. In the base currency itself the rate is 1.
    """
    debits = [line for line in entry["lines"] if line["side"] == "DEBIT"]
    in_base = sum((Decimal(line["amountInBaseCurrency"]) for line in debits), ZERO)
    by_rate = sum((Decimal(line["amount"]) for line in debits), ZERO)
    return max(in_base, round_to(multiply(by_rate, rate), 2))


def in_limit_currency(parts: Iterable[tuple[Decimal, str]], pairs: Mapping[str, RatePair]) -> Decimal | None:
    """The sum of amounts, each with its currency, in DKK, each rounded to the øre. None where one has no rate.

    Nothing is nothing in any currency.
    """
    total = ZERO
    for amount, currency in parts:
        if amount == ZERO:
            continue
        if currency == LIMIT_CURRENCY:
            total += amount
        elif currency in pairs:
            total += round_to(convert(amount, pairs[currency]), 2)
        else:
            return None
    return total


def needs_approval(used: Decimal, amount: Decimal | None, limit: Decimal) -> bool:
    """Whether booking `amount` after `used` on a day is above the limit; all in DKK. What nobody can
    count is above any.

    What books nothing is never above it.
    """
    return amount is None or (amount > ZERO and used + amount > limit)


def status_of(command: StagedCommand, now: datetime) -> PreviewStatus:
    """Where a preview stands."""
    if command.committed_at is not None:
        return PreviewStatus.COMMITTED
    if command.replaced_at is not None:
        return PreviewStatus.REPLACED
    if command.decision is Decision.REJECTED:
        return PreviewStatus.REJECTED
    if command.expires_at <= now:
        return PreviewStatus.EXPIRED
    if command.decision is Decision.APPROVED:
        return PreviewStatus.APPROVED
    return PreviewStatus.WAITING if command.approval_asked_at is None else PreviewStatus.NEEDS_APPROVAL
