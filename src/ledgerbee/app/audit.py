"""The auditor's look at what events say of settings: each is as its last event says, and no event is missing.

SQL that changes a rate, an account's VAT code or the bank account on invoices leaves no event, as the API would. Of
what no event says (the chart that a company begins with, what is older than the audit trail) nothing can be said.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Final
from uuid import UUID

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.accounts.wire import render as render_account
from ledgerbee.chart.vat_codes import store as vat_codes
from ledgerbee.chart.vat_codes.wire import render as render_vat_code
from ledgerbee.http.wire import ResponseModel
from ledgerbee.identity.connections import store as connections
from ledgerbee.identity.users.rules import SCOPES_OF
from ledgerbee.ledger.periods.audit import fault_in_books
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.audit import store as events
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.company.wire import render as render_company
from ledgerbee.tenancy.grants import store as grants
from ledgerbee.tenancy.rates import store as rates

#: What forms show of another object, of today or of when they were written.
_PASSING: Final = frozenset({
    "updatedAt", "logo", "vatRate", "deductiblePercent", "accountToBookNumber", "accountToBookName",
    "contraAccountToBookNumber", "contraAccountToBookName",
})  # fmt: skip


async def fault_in_settings(context: Context) -> str | None:
    """What is wrong with the first event or setting that is not as recorded; None: nothing.

    Events are numbered without a hole, by object and by company, and dated in their order. The company with its bank
    account and licences, VAT codes with their rates, accounts, the company's own exchange rates and financial years are
    as their last events say; credentials have a key or client.
    """
    for look in (_fault_in_order, fault_in_books, _fault_in_credentials, _fault_in_rates, _fault_in_forms):
        if (fault := await look(context)) is not None:
            return fault
    return None


async def _fault_in_order(context: Context) -> str | None:
    if (found := await events.first_out_of_order(context)) is not None:
        return f"of the events of {found[0]} ({found[1]}) one is missing, out of order, or dated back or ahead"
    if not await events.positions_are_whole(context):
        return "the positions of the events are not all that were counted: an event is missing, or is one too many"
    return None


async def _fault_in_credentials(context: Context) -> str | None:
    if found := await grants.credential_beyond_subject(context):
        return f"a credential ({found[0]}) is of no key or client {found[1]}, or may do more than it"
    if found := await connections.credential_beyond(context, SCOPES_OF):
        return f"a credential ({found[0]}) is of no member or connection {found[1]}, or may do more than it"
    return None


async def _fault_in_rates(context: Context) -> str | None:
    found = await rates.own_unlike_its_event(context)
    return f"the company's own rate of {found[0]} for {found[1]} is not what its last event says" if found else None


async def _fault_in_forms(context: Context) -> str | None:
    company = await companies.get(context)
    codes = await vat_codes.list_all(context)
    chart = await accounts.list_all(context)
    found: Mapping[str, Mapping[UUID, Mapping[str, Any] | None]] = {
        "company": {company.company_id: _form(partial(render_company, company))},
        "vat_code": {one.code.id: _form(partial(render_vat_code, one, context.today)) for one in codes},
        "account": {one.id: _form(partial(render_account, one)) for one in chart},
    }
    for topic, forms in found.items():
        for object_id, form in forms.items():
            if form is None:
                return f"{topic} {object_id} has a value that the API could not have written"
        for object_id, data in (await events.latest_data(context, list(forms), topic)).items():
            different = sorted(_different(forms[object_id] or {}, data, _PASSING))
            if different:
                return f"{topic} {object_id} is not what its last event says: {', '.join(different)}"
    return None


def _form(render: Callable[[], ResponseModel]) -> Mapping[str, Any] | None:
    """An object's form as events have it, which `render` makes; None for values that have none."""
    try:
        return render().as_event()
    except (ValueError, LookupError, ArithmeticError):
        return None


def _different(form: Mapping[str, Any], data: Mapping[str, Any], passing: Collection[str]) -> Iterator[str]:
    """The fields in which an object's form differs from what was recorded; what either doesn't have is not compared."""
    present = json.loads(json.dumps(form), parse_float=Decimal)
    return (name for name in present.keys() & data.keys() if name not in passing and present[name] != data[name])
