"""Changing a company's settings and licences."""

import asyncio
import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from ledgerbee.core.errors import invalid
from ledgerbee.http.event_forms import told
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import LICENSES
from ledgerbee.platform.fair_queue import FairQueue
from ledgerbee.tenancy.company import rules, store
from ledgerbee.tenancy.company.logo import Logo, UnreadableLogo, redrawn
from ledgerbee.tenancy.company.model import Company

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


async def update(context: Context, changes: dict[str, Any]) -> Company:
    """Change the named settings; `logo` is one that `drawn_logo` made, or None to have none.

    Emits `company.updated` if anything became different; of a logo it tells the SHA-256 and the length.
    Raises validation errors: CVR number, IBAN, BIC, Danish bank account, time zone.
    """
    settings = dict(changes)
    before = await store.get_for_update(context)
    logos: list[bytes | None] = []
    if "logo" in settings:
        logo: Logo | None = settings.pop("logo")
        content = logo.content if logo else None
        if content != (present := await store.logo(context)):
            logos = [present, content]
            await store.save_logo(context, logo)
        settings["has_logo"] = logo is not None
    company = rules.normal(replace(before, **settings))
    if company == before and not logos:
        return before
    company = replace(company, updated_at=context.now)
    await store.update(context, company)
    was, now = told(Company, before), told(Company, company)
    if logos:
        was["logo"], now["logo"] = (_described(one) for one in logos)
    context.emit("company.updated", company.company_id, now, before=was)
    if company.time_zone != before.time_zone:
        await credentials.refresh_company(context)
    return company


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
    now, was = told(Company, company), told(Company, before)
    context.emit("company.licenses_changed", company.company_id, now, before=was)
    return company


def _described(logo: bytes | None) -> dict[str, Any] | None:
    """What events tell of a logo."""
    return None if logo is None else {"sha256": hashlib.sha256(logo).hexdigest(), "bytes": len(logo)}
