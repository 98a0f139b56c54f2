"""What the company's books need before entries of Beancount books can be posted: accounts and tags, by name."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from ledgerbee.app.beancount.model import KINDS, BooksRefusedError
from ledgerbee.chart.accounts import actions as accounts
from ledgerbee.chart.accounts import store as account_store
from ledgerbee.chart.accounts.model import Account, Classification, LedgerType, NewAccount
from ledgerbee.chart.dimensions import actions as dimensions
from ledgerbee.chart.dimensions import store as dimension_store
from ledgerbee.chart.dimensions.model import DimensionFields, DimensionValueFields
from ledgerbee.http.wire import MAX_LINE
from ledgerbee.platform.context import Context

#: The dimension of which tags and links are the values.
TAGS: Final = "Tags"
#: The longest name of a dimension's value that the API takes; an account's is `MAX_LINE`.
_LONGEST_TAG: Final = 255
#: The accounts that are made get numbers above these, in the order of `KINDS`: far from those of any chart.
_RANGE: Final = 1_000_000
_TYPES: Final[Mapping[str, tuple[LedgerType, Classification]]] = {
    "Assets": (LedgerType.BALANCE_SHEET, Classification.ASSET),
    "Liabilities": (LedgerType.BALANCE_SHEET, Classification.LIABILITY),
    "Equity": (LedgerType.BALANCE_SHEET, Classification.EQUITY),
    "Income": (LedgerType.PROFIT_AND_LOSS, Classification.REVENUE),
    "Expenses": (LedgerType.PROFIT_AND_LOSS, Classification.EXPENSE),
}


async def ensure_accounts(
    context: Context, kinds: Mapping[str, str], mapping: Mapping[str, int]
) -> tuple[dict[str, int], int]:
    """The numbers of the accounts for names, and how many accounts were made; `kinds` gives each name's kind.

    An account is the one that `mapping` gives the number of, else one of the company with the very name, else made.
    Raises `BooksRefusedError` for a mapping to what can't be booked on, and for a name that is too long.
    """
    known = await account_store.list_all(context)
    by_number = {account.number: account for account in known}
    by_name = {account.name: account for account in reversed(known) if _takes_any_entry(account)}
    highest = {kind: (place + 1) * _RANGE for place, kind in enumerate(KINDS)}
    for number in by_number:
        place = number // _RANGE - 1
        if 0 <= place < len(KINDS):
            highest[KINDS[place]] = max(highest[KINDS[place]], number)
    found: dict[str, int] = {}
    made = 0
    for name, kind in sorted(kinds.items()):
        account = by_number.get(mapping[name]) if name in mapping else by_name.get(name)
        if name in mapping and (account is None or not _takes_any_entry(account)):
            raise BooksRefusedError(
                f"{name} is mapped to {mapping[name]}, which is no account that any entry can be booked on."
            )
        if account is None:
            if len(name) > MAX_LINE:
                raise BooksRefusedError(f"The name of an account has at most {MAX_LINE} characters: {name[:60]}...")
            highest[kind] += 1
            ledger_type, classification = _TYPES[kind]
            given = NewAccount(number=highest[kind], name=name, ledger_type=ledger_type, classification=classification)
            account = await accounts.create(context, given)
            made += 1
        found[name] = account.number
    return found, made


def _takes_any_entry(account: Account) -> bool:
    """Whether it can be booked on, without a customer or vendor."""
    return account.is_bookable and account.control_account_type is None


async def ensure_tags(context: Context, names: Iterable[str]) -> tuple[dict[str, UUID], int]:
    """The values of the dimension of tags for names, and how many were made.

    Raises `BooksRefusedError` for a name that is too long.
    """
    wanted = sorted(set(names))
    if not wanted:
        return {}, 0
    listed = await dimension_store.list_all(context)
    dimension_id = (
        next((one.id for one in listed if one.name.lower() == TAGS.lower() and not one.is_project), None)
        or (await dimensions.create(context, DimensionFields(name=TAGS, is_unique=False))).id
    )
    values = await dimension_store.list_values(context, dimension_id)
    known: dict[str, UUID] = {value.name.lower(): value.id for value in values if value.parent_id is None}
    before = len(known)
    for name in wanted:
        if name.lower() not in known:
            if len(name) > _LONGEST_TAG:
                raise BooksRefusedError(f"A tag has at most {_LONGEST_TAG} characters: {name[:60]}...")
            value = await dimensions.create_value(context, dimension_id, DimensionValueFields(name=name))
            known[name.lower()] = value.id
    return {name: known[name.lower()] for name in wanted}, len(known) - before
