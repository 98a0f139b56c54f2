"""Creating vendors."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.core.ids import new_id
from ledgerbee.http.event_forms import told
from ledgerbee.parties.contacts import actions as contacts
from ledgerbee.parties.contacts.model import NewContact
from ledgerbee.parties.groups import store as groups
from ledgerbee.parties.party.model import Party
from ledgerbee.parties.vendors import rules, store
from ledgerbee.parties.vendors.model import GroupedVendor, Vendor
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.company import store as companies


async def create(
    context: Context,
    *,
    number: str,
    name: str,
    vendor_group_id: UUID,
    currency: str,
    country_code: str,
    given_contacts: Sequence[NewContact],
    **optional: Any,
) -> Vendor:
    """Create a vendor with its contacts. `currency` is ISO 4217, `optional` are further fields of `Vendor`.

    Emits `vendor.created`, and `contact.created` of each contact.
    Raises `VENDOR_NUMBER_ALREADY_EXISTS`, `VENDOR_GROUP_NOT_FOUND`, `LEDGER_NOT_FOUND`,
    `VENDOR_DEFAULT_ACCOUNT_INVALID`, `CONTACT_DEFAULT_REQUIRED`, `CONTACT_MULTIPLE_DEFAULTS`.
    """
    vendor = Vendor(
        id=new_id(),
        number=number,
        name=name,
        vendor_group_id=vendor_group_id,
        currency=currency,
        country_code=country_code,
        created_at=context.now,
        updated_at=context.now,
        **optional,
    )
    if vendor.default_account_id is not None:
        found = await accounts.get_many(context, [vendor.default_account_id])
        rules.check_default_account(vendor.default_account_id, found.get(vendor.default_account_id))
    await store.insert(context, vendor)
    base_currency = (await companies.get(context)).base_currency
    grouped = GroupedVendor(vendor, await groups.vendor_group_name(context, vendor_group_id))
    context.emit("vendor.created", vendor.id, told(GroupedVendor, grouped, base_currency))
    await contacts.add_first(context, Party.vendor(vendor.id), given_contacts)
    return vendor
