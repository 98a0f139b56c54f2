"""Creating customer and vendor groups."""

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.accounts.model import Account, ControlAccountType
from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.fields import fields_of
from ledgerbee.core.ids import new_id
from ledgerbee.parties.groups import rules, store
from ledgerbee.parties.groups.model import (
    CUSTOMER_GROUP_ACCOUNT_INVALID,
    VENDOR_GROUP_ACCOUNT_INVALID,
    CustomerGroup,
    CustomerGroupFields,
    CustomerGroupId,
    GroupAccount,
    VendorGroup,
    VendorGroupFields,
    VendorGroupId,
)
from ledgerbee.parties.groups.wire import render_customer_group, render_vendor_group
from ledgerbee.platform.context import Context


async def create_customer_group(context: Context, given: CustomerGroupFields) -> tuple[CustomerGroup, GroupAccount]:
    """Create a customer group on a receivable account. Emits `customer_group.created`.

    Raises `ACCOUNT_NOT_FOUND`, `CUSTOMER_GROUP_ACCOUNT_INVALID`, `CUSTOMER_GROUP_NUMBER_ALREADY_EXISTS`.
    """
    group = CustomerGroup(id=CustomerGroupId(new_id()), created_at=context.now, **fields_of(given))
    account = await _control_account(
        context, group, ControlAccountType.ACCOUNTS_RECEIVABLE, CUSTOMER_GROUP_ACCOUNT_INVALID
    )
    await store.insert(context, group)
    context.emit("customer_group.created", group.id, render_customer_group(group, account).as_event())
    return group, account


async def create_vendor_group(context: Context, given: VendorGroupFields) -> tuple[VendorGroup, GroupAccount]:
    """Create a vendor group on a payable account. Emits `vendor_group.created`.

    Raises `ACCOUNT_NOT_FOUND`, `VENDOR_GROUP_ACCOUNT_INVALID`, `VENDOR_GROUP_NUMBER_ALREADY_EXISTS`.
    """
    group = VendorGroup(id=VendorGroupId(new_id()), created_at=context.now, **fields_of(given))
    account = await _control_account(context, group, ControlAccountType.ACCOUNTS_PAYABLE, VENDOR_GROUP_ACCOUNT_INVALID)
    await store.insert(context, group)
    context.emit("vendor_group.created", group.id, render_vendor_group(group, account).as_event())
    return group, account


async def _control_account(
    context: Context, group: CustomerGroup | VendorGroup, control_type: ControlAccountType, refusal: ErrorCode
) -> GroupAccount:
    found = await accounts.get_many(context, [group.account_id])
    account: Account = rules.control_account(group.account_id, found.get(group.account_id), control_type, refusal)
    return GroupAccount(account.number, account.name)
