"""Creating customer and vendor groups."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.accounts.model import Account, ControlAccountType
from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.ids import new_id
from ledgerbee.http.event_forms import told
from ledgerbee.parties.groups import rules, store
from ledgerbee.parties.groups.model import (
    CUSTOMER_GROUP_ACCOUNT_INVALID,
    VENDOR_GROUP_ACCOUNT_INVALID,
    CustomerGroup,
    GroupAccount,
    VendorGroup,
)
from ledgerbee.platform.context import Context


async def create_customer_group(
    context: Context,
    *,
    number: str,
    name: str,
    discount_percent: Decimal,
    account_id: UUID,
    metadata: dict[str, Any],
) -> tuple[CustomerGroup, GroupAccount]:
    """Create a customer group on a receivable account. Emits `customer_group.created`.

    Raises `ACCOUNT_NOT_FOUND`, `CUSTOMER_GROUP_ACCOUNT_INVALID`, `CUSTOMER_GROUP_NUMBER_ALREADY_EXISTS`.
    """
    account = await _control_account(
        context, account_id, ControlAccountType.ACCOUNTS_RECEIVABLE, CUSTOMER_GROUP_ACCOUNT_INVALID
    )
    group = CustomerGroup(new_id(), number, name, discount_percent, account_id, context.now, metadata)
    await store.insert_customer_group(context, group)
    shown = GroupAccount(account.number, account.name)
    context.emit("customer_group.created", group.id, told(CustomerGroup, group, shown))
    return group, shown


async def create_vendor_group(
    context: Context, *, number: str, name: str, account_id: UUID, metadata: dict[str, Any]
) -> tuple[VendorGroup, GroupAccount]:
    """Create a vendor group on a payable account. Emits `vendor_group.created`.

    Raises `ACCOUNT_NOT_FOUND`, `VENDOR_GROUP_ACCOUNT_INVALID`, `VENDOR_GROUP_NUMBER_ALREADY_EXISTS`.
    """
    account = await _control_account(
        context, account_id, ControlAccountType.ACCOUNTS_PAYABLE, VENDOR_GROUP_ACCOUNT_INVALID
    )
    group = VendorGroup(new_id(), number, name, account_id, context.now, metadata)
    await store.insert_vendor_group(context, group)
    shown = GroupAccount(account.number, account.name)
    context.emit("vendor_group.created", group.id, told(VendorGroup, group, shown))
    return group, shown


async def _control_account(
    context: Context, account_id: UUID, control_type: ControlAccountType, refusal: ErrorCode
) -> Account:
    found = await accounts.get_many(context, [account_id])
    return rules.control_account(account_id, found.get(account_id), control_type, refusal)
