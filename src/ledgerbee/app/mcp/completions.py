"""Values to choose from for arguments of prompts and ids of resources, as a person types them."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Final

import msgspec

from ledgerbee.app.mcp.operations import operation_route
from ledgerbee.app.mcp.prompts import PROMPTS, Language
from ledgerbee.app.mcp.resources import newest, templates_for
from ledgerbee.core.dates import add_months, day_in, iso_day
from ledgerbee.http.caller import Caller
from ledgerbee.http.in_process import run_operation
from ledgerbee.parties.customers import store as customers

#: Values that a completion has at most (the protocol's limit).
MOST: Final = 100
#: Months and quarters that are offered, the last whole one first.
_MONTHS: Final = 24
_QUARTERS: Final = 12


class _Account(msgspec.Struct, rename="camel"):
    account_number: int


async def of_prompt(app: Any, caller: Caller, prompt: str, argument: str, typed: str) -> list[str]:
    """The values of an argument of a prompt that begin with what was typed; none for an unknown one."""
    known = PROMPTS.get(prompt)
    has_argument = known is not None and any(one.name == argument for one in known.arguments)
    today = day_in(caller.company_now, caller.principal.time_zone)
    match argument if has_argument else None:
        case "language":
            return _beginning(typed, (language.value for language in Language))
        case "date":
            return _beginning(typed, [iso_day(today)])
        case "period":
            return _beginning(typed, quarters(today) if prompt == "quarterly_vat" else months(today))
        case "account" if "accounts-read" in caller.principal.scopes:
            answer = await run_operation(operation_route("list_accounts"), caller, app)
            accounts = msgspec.json.decode(bytes(answer.body), type=list[_Account])
            return _beginning(typed, sorted({str(account.account_number) for account in accounts}))
        case "customer" if "customers-read" in caller.principal.scopes:
            return await caller.read(lambda context: customers.list_numbers(context, typed, MOST + 1))
        case _:
            return []


async def of_resource(app: Any, caller: Caller, template: str, typed: str) -> list[str]:
    """Ids of the newest documents that a template may be for, that begin with what was typed."""
    known = {one.address for one in templates_for(caller.principal.scopes)}
    if template not in known:
        return []
    start = template.partition("{")[0]
    found = [one.address for one in await newest(app, caller) if one.address.startswith(start)]
    return _beginning(typed, (address.removeprefix(start).partition("/")[0] for address in found))


def months(today: date) -> list[str]:
    """The months before that of `today`, the last first."""
    return [iso_day(add_months(today, -count))[:7] for count in range(1, _MONTHS + 1)]


def quarters(today: date) -> list[str]:
    """The quarters before that of `today`, the last first."""
    place = today.year * 4 + (today.month - 1) // 3
    return [f"{(place - count) // 4:04}-Q{(place - count) % 4 + 1}" for count in range(1, _QUARTERS + 1)]


def _beginning(typed: str, values: Iterable[str]) -> list[str]:
    return [value for value in values if value.startswith(typed)]
