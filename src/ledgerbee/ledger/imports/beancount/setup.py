"""What the company's books need before Beancount entries can be posted: accounts by name, tags by name."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final
from uuid import UUID

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.accounts.model import Account, Classification, LedgerType
from ledgerbee.chart.dimensions import store as dimensions
from ledgerbee.chart.dimensions.model import Dimension, DimensionValue
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.imports.beancount.model import ROOTS
from ledgerbee.ledger.imports.model import JOURNAL_IMPORT_UNREADABLE
from ledgerbee.platform.context import Context

#: The dimension of which tags and links are the values.
TAGS: Final = "Tags"
#: The accounts that are made get numbers above these, in the order of `ROOTS`: far from those of any chart.
_RANGE: Final = 1_000_000
_KINDS: Final[Mapping[str, tuple[LedgerType, Classification]]] = {
    "Assets": (LedgerType.BALANCE_SHEET, Classification.ASSET),
    "Liabilities": (LedgerType.BALANCE_SHEET, Classification.LIABILITY),
    "Equity": (LedgerType.BALANCE_SHEET, Classification.EQUITY),
    "Income": (LedgerType.PROFIT_AND_LOSS, Classification.REVENUE),
    "Expenses": (LedgerType.PROFIT_AND_LOSS, Classification.EXPENSE),
}


async def ensure_accounts(
    context: Context, names: Collection[str], roots: Mapping[str, str], numbers: Mapping[str, int]
) -> tuple[dict[str, UUID], int]:
    """The accounts for these names, and how many were made.

    Each is the one that `numbers` maps the name to, else one of the company with the very name, else made; `roots`
    gives the kind of account by the first part of a name, which has to be among them. Raises
    `JOURNAL_IMPORT_UNREADABLE` for a mapping to no account that can be booked on.
    """
    known = await accounts.list_all(context)
    by_number = {account.number: account for account in known}
    by_name = {account.name: account for account in reversed(known) if account.is_bookable}
    found: dict[str, UUID] = {}
    made: list[Account] = []
    highest = {root: (place + 1) * _RANGE for place, root in enumerate(ROOTS)}
    for number in by_number:
        root = ROOTS[number // _RANGE - 1] if _RANGE <= number < (len(ROOTS) + 1) * _RANGE else None
        if root is not None:
            highest[root] = max(highest[root], number)
    for name in sorted(names):
        account = by_number.get(numbers[name]) if name in numbers else by_name.get(name)
        if name in numbers and (account is None or not account.is_bookable):
            raise JOURNAL_IMPORT_UNREADABLE.error(f"{name} is mapped to {numbers[name]}, which can't be booked on")
        if account is None:
            kind = roots[name.partition(":")[0]]
            highest[kind] += 1
            account = _account(context, name, highest[kind], kind)
            made.append(account)
        found[name] = account.id
    await accounts.insert(context, made)
    return found, len(made)


def _account(context: Context, name: str, number: int, root: str) -> Account:
    ledger_type, classification = _KINDS[root]
    return Account(
        id=new_id(),
        number=number,
        name=name,
        standard_number=number,
        ledger_type=ledger_type,
        classification=classification,
        control_account_type=None,
        vat_code_id=None,
        role=None,
        sum_from=None,
        is_active=True,
        created_at=context.now,
    )


async def ensure_tags(context: Context, names: Iterable[str]) -> dict[str, UUID]:
    """The values of the dimension of tags for these names, made where there are none."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    dimension_id = next(
        (
            one.id
            for one in await dimensions.list_all(context)
            if one.name.lower() == TAGS.lower() and not one.is_project
        ),
        None,
    )
    if dimension_id is None:
        dimension_id = new_id()
        made = Dimension(dimension_id, TAGS, False, False, False, context.now, context.now)
        await dimensions.insert(context, made)
    known = {
        value.name.lower(): value.id
        for value in await dimensions.list_values(context, dimension_id)
        if value.parent_id is None
    }
    for name in wanted:
        if name.lower() not in known:
            value = DimensionValue(new_id(), dimension_id, None, name, context.now, context.now)
            await dimensions.insert_value(context, value)
            known[name.lower()] = value.id
    return {name: known[name.lower()] for name in wanted}
