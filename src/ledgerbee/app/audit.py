"""The auditor's look at what events tell of settings: each is as its last event says, and no event is missing.

SQL that changes a rate, an account's VAT code or the bank account on invoices leaves no event, as the API would. Of
what no event tells (the chart that a company begins with, what is older than the audit trail) nothing can be said.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.accounts.model import Account
from ledgerbee.chart.accounts.wire import render as render_account
from ledgerbee.chart.vat_codes import store as vat_codes
from ledgerbee.chart.vat_codes.model import LabelledVatCode
from ledgerbee.chart.vat_codes.wire import render as render_vat_code
from ledgerbee.http.event_forms import told
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.company.model import Company
from ledgerbee.tenancy.rates import store as rates

#: Events of one object are numbered from 1 without a hole, each at the moment of the one before it or later; requests
#: carry the moment at which they came in, and none takes longer than an hour.
_EVENTS: Final = """
SELECT e.type, e.object_id FROM (
    SELECT v.type, v.object_id, v.sequence, v.occurred_at, row_number() OVER same AS place,
           lag(v.occurred_at) OVER same AS earlier
    FROM events v WHERE v.company_id = $1 WINDOW same AS (PARTITION BY v.object_id ORDER BY v.sequence)
) e
WHERE e.sequence <> e.place OR e.occurred_at < e.earlier - interval '1 hour'
   OR e.occurred_at > $2::timestamptz + interval '1 hour'
ORDER BY e.occurred_at LIMIT 1
"""
_CURRENCY: Final = """
SELECT c.base_currency AS stated, g.base_currency AS kept FROM companies c JOIN ledgers g USING (company_id)
WHERE company_id = $1 AND c.base_currency <> g.base_currency
"""
_YEARS: Final = """
SELECT y.start_date FROM fiscal_years y JOIN events v ON v.company_id = $1 AND v.object_id = y.id
    AND v.type = 'fiscal_year.opened'
WHERE y.company_id = $1
  AND (v.data ->> 'startDate', v.data ->> 'endDate') IS DISTINCT FROM (y.start_date::text, y.end_date::text)
ORDER BY y.start_date LIMIT 1
"""
#: A credential is of a key or client that stands in the company's list and was not revoked, and may do no more than it,
#: nor longer; a token an hour at most.
_CREDENTIALS: Final = """
SELECT c.kind, c.subject_id FROM credentials c
LEFT JOIN LATERAL (
    SELECT k.scopes, k.expires_at FROM api_keys k
    WHERE c.kind = 'api_key' AND k.company_id = $1 AND k.id = c.subject_id AND k.revoked_at IS NULL
    UNION ALL
    SELECT o.scopes, o.expires_at FROM oauth_clients o
    WHERE c.kind <> 'api_key' AND o.company_id = $1 AND o.id = c.subject_id AND o.revoked_at IS NULL
) s ON true
WHERE c.company_id = $1 AND (s.scopes IS NULL OR NOT c.scopes <@ s.scopes
    OR coalesce(c.expires_at, 'infinity') > coalesce(
        s.expires_at, CASE WHEN c.kind = 'oauth_token' THEN $2::timestamptz + interval '1 day' ELSE 'infinity' END))
ORDER BY c.subject_id LIMIT 1
"""
#: What is wrong, as queries that find the first fault, and what to say of it.
_FAULTS: Final = (
    (_CURRENCY, "the company states {stated} as its currency, the books are kept in {kept}"),
    (_YEARS, "the fiscal year that starts {start_date} is not the one that its event says"),
    (_CREDENTIALS, "a credential ({kind}) is of no key or client {subject_id}, or may do more than it"),
)
_LAST: Final = """
SELECT DISTINCT ON (object_id) object_id, data FROM events
WHERE company_id = $1 AND object_id = ANY ($2) AND split_part(type, '.', 1) = $3 ORDER BY object_id, sequence DESC
"""
#: What forms show of another object, of today or of when they were written.
_PASSING: Final = frozenset({
    "updatedAt", "logo", "vatRate", "deductiblePercent", "accountToBookNumber", "accountToBookName",
    "contraAccountToBookNumber", "contraAccountToBookName",
})  # fmt: skip


async def fault_in_settings(context: Context) -> str | None:
    """What is wrong with the first event or setting that is not as told; None: nothing.

    Events are numbered without a hole and dated in their order. The company with its bank account and licences, VAT
    codes with their rates, accounts, the company's own exchange rates and financial years are as their last events say;
    credentials have a key or client.
    """
    broken = await context.connection.fetchrow(_EVENTS, context.company_id, context.now)
    if broken is not None:
        return f"of the events of {broken['object_id']} ({broken['type']}) one is missing, or dated back or ahead"
    for query, what in _FAULTS:
        arguments = (context.company_id, context.now) if "$2" in query else (context.company_id,)
        if (row := await context.connection.fetchrow(query, *arguments)) is not None:
            return what.format(**row)
    if (rate := await rates.own_unlike_its_event(context)) is not None:
        return f"the company's own rate of {rate[0]} for {rate[1]} is not what its last event says"
    company = await companies.get(context)
    codes = await vat_codes.list_all(context)
    chart = await accounts.list_all(context)
    found: Mapping[str, Mapping[UUID, Mapping[str, Any] | None]] = {
        "company": {company.company_id: _form(told, Company, company)},
        "vat_code": {one.code.id: _form(_vat_code_event, one, context.today) for one in codes},
        "account": {one.id: _form(_account_event, one) for one in chart},
    }
    for topic, forms in found.items():
        for object_id, form in forms.items():
            if form is None:
                return f"{topic} {object_id} has a value that the API could not have written"
        for row in await context.connection.fetch(_LAST, context.company_id, list(forms), topic):
            different = sorted(_different(forms[row["object_id"]] or {}, row["data"], _PASSING))
            if different:
                return f"{topic} {row['object_id']} is not what its last event says: {', '.join(different)}"
    return None


def _account_event(account: Account) -> Mapping[str, Any]:
    return render_account(account).as_event()


def _vat_code_event(code: LabelledVatCode, today: date) -> Mapping[str, Any]:
    return render_vat_code(code, today).as_event()


def _form(write: Callable[..., Mapping[str, Any]], *arguments: Any) -> Mapping[str, Any] | None:
    """An object's form in its events, by the function that writes it; None for values that have none."""
    try:
        return write(*arguments)
    except (ValueError, LookupError, ArithmeticError):
        return None


def _different(form: Mapping[str, Any], data: Mapping[str, Any], passing: Collection[str]) -> Iterator[str]:
    """The fields in which an object's form differs from what was told; what either doesn't have is not compared."""
    present = json.loads(json.dumps(form), parse_float=Decimal)
    return (name for name in present.keys() & data.keys() if name not in passing and present[name] != data[name])
