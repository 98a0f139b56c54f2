"""What the rows of a file refer to, and which of them the books would refuse. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, ACCOUNT_NOT_FOUND
from ledgerbee.chart.vat_codes.model import VatCode
from ledgerbee.core.dates import add_months
from ledgerbee.core.errors import VALIDATION_FAILED, LedgerBeeError, invalid
from ledgerbee.ledger.entries.model import (
    FISCAL_YEAR_MISSING,
    JOURNAL_ENTRY_PARTY_REQUIRED,
    PERIOD_LOCKED,
    EntryInput,
)
from ledgerbee.ledger.imports.model import Refusal
from ledgerbee.ledger.periods.model import Span
from ledgerbee.ledger.periods.rules import USUAL_MONTHS, year_after

#: An import opens no year before this day, nor one so many months before the company's first.
EARLIEST: Final = date(1950, 1, 1)
MOST_MONTHS_BACK: Final = 180
#: Characters of an error that are kept: names and values of a file can be as long as its lines.
_MAX_KEPT: Final = 500
_PARTIES: Final = {"ACCOUNTS_RECEIVABLE": "customerId", "ACCOUNTS_PAYABLE": "vendorId"}


@dataclass(slots=True)
class References:
    """What rows name, to be looked up at once."""

    account_numbers: set[int] = field(default_factory=set)
    account_ids: set[UUID] = field(default_factory=set)
    vat_codes: set[str] = field(default_factory=set)
    customer_numbers: set[str] = field(default_factory=set)
    vendor_numbers: set[str] = field(default_factory=set)
    categories: set[str] = field(default_factory=set)


class AccountFacts(NamedTuple):
    """What decides whether a line can stand on an account."""

    is_bookable: bool
    control_account_type: str | None


@dataclass(frozen=True, slots=True)
class Directory:
    """What of it the company has."""

    accounts: Mapping[UUID, AccountFacts] = field(default_factory=dict)
    account_numbers: Mapping[int, UUID] = field(default_factory=dict)
    vat_codes: Mapping[str, UUID] = field(default_factory=dict)
    customers: Mapping[str, UUID] = field(default_factory=dict)
    vendors: Mapping[str, UUID] = field(default_factory=dict)
    categories: Mapping[str, UUID] = field(default_factory=dict)
    locked_through: date | None = None
    fiscal_years: Sequence[Span] = ()


def opens(years: Sequence[Span], today: date, *, all_needed: bool) -> Span:
    """The days whose financial years an import that begins now opens where they are missing.

    The year after the newest, as all posting does; with `all_needed` also those from fifteen years before the first one
    on (not before 1950), up to a year ahead: what is outside of that is a mistyped year more likely than a posting.
    """
    following = year_after(years)
    if not all_needed:
        return following
    first = min(year.start_date for year in years)
    earliest = min(first, max(EARLIEST, add_months(first, -MOST_MONTHS_BACK)))
    return Span(earliest, max(following.end_date, add_months(today, 12)))


def opens_all(opens: Span) -> bool:
    """Whether an import opens all years that its rows need: else it is the one year after the newest."""
    return add_months(opens.start_date, USUAL_MONTHS) <= opens.end_date


def check_postable(entered: EntryInput, directory: Directory, opens: Span) -> None:
    """Refuse what the database would refuse when it is posted.

    The database decides, as for every entry; but it refuses a whole chunk for one entry, and a file whose entries
    are all in a locked year would be tried again for each of them. Raises `PERIOD_LOCKED`, `FISCAL_YEAR_MISSING`,
    `ACCOUNT_NOT_FOUND`, `ACCOUNT_NOT_BOOKABLE`, `JOURNAL_ENTRY_PARTY_REQUIRED`.
    """
    check_day(entered.date, directory, opens)
    for number, line in enumerate(entered.lines):
        facts = directory.accounts.get(line.account_id)
        if facts is None:
            raise ACCOUNT_NOT_FOUND.missing(f"lines.{number}.accountId", "accountId", line.account_id)
        if not facts.is_bookable:
            raise ACCOUNT_NOT_BOOKABLE.error(property=f"lines.{number}.accountId", accountId=str(line.account_id))
        if facts.control_account_type is not None:
            party = _PARTIES[facts.control_account_type]
            if (entered.customer_id if party == "customerId" else entered.vendor_id) is None:
                raise JOURNAL_ENTRY_PARTY_REQUIRED.error(property=party)


def check_vat_once(entered: EntryInput, codes: Mapping[UUID, VatCode]) -> None:
    """Refuse an entry that has the VAT of its codes on lines of its own: it would be booked a second time.

    Exports of other programs list the VAT that they made of a code among the lines, beside the code.
    """
    if not codes:  # the usual row of an import
        return
    own = {line.vat_code_id for line in entered.lines}
    booked_on = {
        account
        for code_id, code in codes.items()
        if code_id in own
        for account in (code.account_id, code.contra_account_id)
    }
    for number, line in enumerate(entered.lines):
        if line.vat_code_id is None and line.account_id in booked_on:
            name = f"lines.{number}.accountId"
            text = (
                f"{name} is the account that a VAT code of the entry books on: the VAT follows from the code. Leave "
                "the line out, and say in vatIncluded whether the amount beside the code contains it (and vatAmount)"
            )
            raise invalid((name, "isNotVatAccount", text))


def check_day(day: date, directory: Directory, opens: Span) -> None:
    """Refuse a day that nothing can be posted on. Raises `PERIOD_LOCKED`, `FISCAL_YEAR_MISSING`."""
    if directory.locked_through is not None and day <= directory.locked_through:
        raise PERIOD_LOCKED.error(property="date", date=day.isoformat())
    if not (opens.holds(day) or any(year.holds(day) for year in directory.fiscal_years)):
        raise FISCAL_YEAR_MISSING.error(_how_to_have_year(opens), property="date", date=day.isoformat())


def _how_to_have_year(opens: Span) -> str:
    if opens_all(opens):
        return (
            f"The import opens fiscal years for days from {opens.start_date} through {opens.end_date} only: is the year"
            " mistyped? If not, open it first (`POST /v1/fiscal-years`)"
        )
    return (
        f"{FISCAL_YEAR_MISSING.meaning}, or let the import do it (`openFiscalYears=true`; from fifteen years before the"
        " first fiscal year up to a year ahead)"
    )


def refusal_of(line: int, fault: LedgerBeeError) -> Refusal:
    """What to keep of an error about the row that begins on `line`: the first problem, where there are several."""
    if fault.error_code is VALIDATION_FAILED:
        problem = fault.details["validationErrors"][0]
        name, message = problem["property"], next(iter(problem["constraints"].values()))
    else:
        name, message = str(fault.details.get("property", "")), fault.message
    return Refusal(line, fault.code, name[:_MAX_KEPT], message[:_MAX_KEPT])
