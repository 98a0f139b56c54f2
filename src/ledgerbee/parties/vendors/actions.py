"""Creating vendors."""

from collections.abc import Sequence

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.core.fields import fields_of
from ledgerbee.core.ids import new_id
from ledgerbee.parties.contacts import actions as contacts
from ledgerbee.parties.contacts.model import ContactFields
from ledgerbee.parties.party.model import Party, VendorId
from ledgerbee.parties.vendors import rules, store
from ledgerbee.parties.vendors.model import Vendor, VendorFields
from ledgerbee.parties.vendors.wire import render
from ledgerbee.platform.context import Context


async def create(context: Context, given: VendorFields, given_contacts: Sequence[ContactFields]) -> Vendor:
    """Create a vendor with its contacts. Emits `vendor.created`, and `contact.created` of each contact.

    Raises `VENDOR_NUMBER_ALREADY_EXISTS`, `VENDOR_GROUP_NOT_FOUND`, `LEDGER_NOT_FOUND`,
    `VENDOR_DEFAULT_ACCOUNT_INVALID`, `CONTACT_DEFAULT_REQUIRED`, `CONTACT_MULTIPLE_DEFAULTS`.
    """
    if given.default_account_id is not None:
        found = await accounts.get_many(context, [given.default_account_id])
        rules.check_default_account(given.default_account_id, found.get(given.default_account_id))
    vendor = Vendor(id=VendorId(new_id()), created_at=context.now, updated_at=context.now, **fields_of(given))
    await store.insert(context, vendor)
    (created,) = await store.get_many(context, [vendor.id])
    context.emit("vendor.created", vendor.id, render(created).as_event())
    await contacts.create_first(context, Party.vendor(vendor.id), given_contacts)
    return vendor
