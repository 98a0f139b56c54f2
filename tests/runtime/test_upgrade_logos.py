"""Logos and deliveries of a release before: pictures are drawn anew, drawings stay and are printed no more."""

import asyncio
import uuid

import asyncpg
from tests.pictures import HOSTILE, plain_png, read, turned_jpeg

from ledgerbee.migrations.migrate import _upgrade, migrate


async def test_logos_are_drawn_anew_and_the_newest_delivery_is_known(own_database: str) -> None:
    logos = {
        "png": plain_png(4_000, 40), "jpeg": turned_jpeg(), "svg": HOSTILE["SVG"](), "bomb": HOSTILE["profile bomb"](),
        "none": None,
    }  # fmt: skip
    await asyncio.to_thread(_upgrade, lambda: asyncpg.connect(own_database), "0021_audit_trail")
    owner = await asyncpg.connect(own_database)
    companies = {name: uuid.uuid4() for name in logos}
    invoice = uuid.uuid4()
    for name, company in companies.items():
        await owner.execute("SELECT set_config('app.company_id', $1, false)", str(company))
        await owner.execute(
            "INSERT INTO companies (company_id, name, country_code, preferred_language, base_currency, time_zone, logo,"
            " created_at, updated_at) VALUES ($1, $2, 'DK', 'da', 'DKK', 'Europe/Copenhagen', $3, now(), now())",
            company,
            name,
            logos[name],
        )
        for status, age in (("failed", "2 hours"), ("delivered", "1 hour")):
            await owner.execute(
                "INSERT INTO deliveries (company_id, id, document_type, document_id, delivery_type, status, created_at,"
                " updated_at)"
                " VALUES ($1, gen_random_uuid(), 'invoice', $2, 'Email', $3, now() - $4::text::interval, now())",
                company,
                invoice,
                status,
                age,
            )
    await migrate(own_database)
    found: dict[str, asyncpg.Record] = {}
    for name, company in companies.items():
        await owner.execute("SELECT set_config('app.company_id', $1, false)", str(company))
        (found[name],) = await owner.fetch("SELECT logo, logo_format FROM companies WHERE company_id = $1", company)
        newest = await owner.fetch("SELECT status FROM deliveries WHERE company_id = $1 AND is_latest", company)
        assert [row["status"] for row in newest] == ["delivered"]
    await owner.close()
    assert {name: row["logo_format"] for name, row in found.items()} == {
        "png": "png", "jpeg": "jpg", "svg": None, "bomb": None, "none": None
    }  # fmt: skip
    assert read(found["png"]["logo"]).size == (1654, 17)
    assert read(found["jpeg"]["logo"]).size == (20, 40)
    assert [found[name]["logo"] for name in ("svg", "bomb", "none")] == [
        logos[name] for name in ("svg", "bomb", "none")
    ]
