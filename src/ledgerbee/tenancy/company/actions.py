"""Changing a company's settings and licences."""

import asyncio
import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from ledgerbee.core.changes import Changes
from ledgerbee.core.errors import invalid
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import LICENSES
from ledgerbee.platform.fair_queue import FairQueue
from ledgerbee.tenancy.company import rules, store
from ledgerbee.tenancy.company.logo import Logo, NewLogo, UnreadableLogo, redrawn
from ledgerbee.tenancy.company.model import Company, CompanyFields
from ledgerbee.tenancy.company.wire import render

#: Logos that one process has drawn at the same time: what is more waits by turns, and holds nothing meanwhile.
_AT_ONCE: Final = 2
_drawing: Final = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="logo")
_turns: Final = FairQueue(_AT_ONCE, max_waiting=5)


async def drawn_logo(company_id: UUID, content: bytes) -> Logo:
    """The logo to keep of a file that came in. Takes its time: call it outside any transaction.

    Raises a validation error for what is no PNG or JPEG file, is damaged or costs too much to read, and `SERVER_BUSY`
    where the company has several under way.
    """
    try:
        async with _turns.turn(company_id):
            return await asyncio.get_running_loop().run_in_executor(_drawing, redrawn, content)
    except UnreadableLogo as fault:
        raise invalid(("logo", "isImage", f"logo must be a PNG or JPEG file: {fault}")) from None


async def update(context: Context, changes: Changes[CompanyFields], new_logo: NewLogo | None = None) -> Company:
    """Change the named settings; `new_logo` is one that `drawn_logo` made (None: the logo stays).

    Emits `company.updated` if anything became different, with the SHA-256 and the length of a logo that did.
    Raises validation errors: CVR number, IBAN, BIC, Danish bank account, time zone.
    """
    before = await store.get_for_update(context)
    logos = await _write_logo(context, new_logo) if new_logo else None
    has_logo = new_logo.logo is not None if new_logo else before.has_logo
    company = rules.normal(changes.applied_to(before, has_logo=has_logo))
    if company == before and not logos:
        return before
    company = replace(company, updated_at=context.now)
    await store.update(context, company)
    was, now = render(before).as_event(), render(company).as_event()
    if logos:
        was["logo"], now["logo"] = logos
    context.emit("company.updated", company.company_id, now, before=was)
    if company.time_zone != before.time_zone:
        await credentials.refresh_company(context)
    return company


async def _write_logo(context: Context, new: NewLogo) -> Sequence[dict[str, Any] | None] | None:
    """Write a logo unless it is the present one; what events have of both, None where nothing changed."""
    present, content = await store.logo(context), new.logo.content if new.logo else None
    if content == present:
        return None
    await store.update_logo(context, new.logo)
    return [_described(present), _described(content)]


async def set_licenses(context: Context, licenses: Sequence[str]) -> Company:
    """Give the company these licences and no others, at once and in every process. For the operator.

    Emits `company.licenses_changed` if anything became different.
    Raises a validation error for a licence that doesn't exist (`credentials.model.LICENSES`).
    """
    for index, license_key in enumerate(licenses):
        if license_key not in LICENSES:
            raise invalid((f"licenses.{index}", "isIn", f"licenses.{index} must be one of {', '.join(LICENSES)}"))
    before = await store.get_for_update(context)
    wanted = tuple(known for known in LICENSES if known in licenses)
    if wanted == before.licenses:
        return before
    company = replace(before, licenses=wanted, updated_at=context.now)
    await store.update(context, company)
    await credentials.refresh_company(context)
    was = render(before).as_event()
    context.emit("company.licenses_changed", company.company_id, render(company).as_event(), before=was)
    return company


def _described(logo: bytes | None) -> dict[str, Any] | None:
    """What events have of a logo."""
    return None if logo is None else {"sha256": hashlib.sha256(logo).hexdigest(), "bytes": len(logo)}
