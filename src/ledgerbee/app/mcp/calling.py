"""Runs a call of a tool: its scopes, its arguments, the tool itself, and its result or error as JSON text."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, Final

import msgspec
from fastapi import FastAPI

from ledgerbee.app.mcp.arguments import ArgumentCheck
from ledgerbee.app.mcp.model import UNKNOWN_TOOL, Call, CompanyFacts, Tool
from ledgerbee.app.mcp.remedies import remedy_of
from ledgerbee.app.mcp.results import result_text
from ledgerbee.app.mcp.tools import all_tools
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.caller import Caller
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.model import INSUFFICIENT_PERMISSIONS
from ledgerbee.tenancy.company import store as companies

_FACTS_LIFE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call came to: JSON text, and whether it is an error (its code; None: it is the result)."""

    text: bytes
    error: str | None = None


def tools_for(scopes: frozenset[str]) -> dict[str, Tool]:
    """The tools of a connection with these scopes, in the order in which they are listed."""
    return {name: tool for name, tool in all_tools().items() if tool.is_for(scopes)}


async def call_tool(app: FastAPI, caller: Caller, name: str, arguments: Mapping[str, Any], base_url: str) -> Outcome:
    """Call the tool `name`. Numbers of `arguments` are `int` and `Decimal`.

    What the tool refuses is an outcome. Raises `UNKNOWN_TOOL`, `INSUFFICIENT_PERMISSIONS` (all scopes of the tool in
    `requiredScopes`) and `CredentialRevokedError`.
    """
    tool = UNKNOWN_TOOL.unless(all_tools().get(name))
    scopes = caller.principal.scopes
    if not tool.is_for(scopes):
        raise INSUFFICIENT_PERMISSIONS.error(requiredScopes=sorted(tool.scopes or tool.any_scopes))
    try:
        _check_of(name)(arguments)
        company = await company_facts(caller)
        call = Call(app=app, caller=caller, company=company, arguments=arguments, base_url=base_url)
        return Outcome(result_text(company, await tool.run(call)))
    except LedgerBeeError as fault:
        if fault.error_code is INSUFFICIENT_PERMISSIONS and "requiredScopes" in fault.details:
            raise
        error = {
            "code": fault.code,
            "message": fault.message,
            "details": fault.details,
            "remedy": remedy_of(fault, tool.remedies, tools_for(scopes)),
        }
        return Outcome(msgspec.json.encode(error), fault.code)


@cache
def _check_of(name: str) -> ArgumentCheck:
    return ArgumentCheck(all_tools()[name].input_schema)


async def company_facts(caller: Caller) -> CompanyFacts:
    """The facts of the caller's company, known from a call within the last minute: a name may have changed since."""
    cached = caller.principal.company_cache
    facts: CompanyFacts | None = cached.get(CompanyFacts)
    if facts is None or facts.until <= caller.now:

        async def work(context: Context) -> CompanyFacts:
            company = await companies.get(context)
            until = caller.now + _FACTS_LIFE
            language = company.preferred_language
            return CompanyFacts(company.company_id, company.name, company.base_currency, language, until)

        facts = cached[CompanyFacts] = await caller.read(work)
    return facts
