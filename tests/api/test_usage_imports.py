"""Usage by file: rows as Excel and others write them, what is refused, interruptions, the same file twice."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
import pytest_asyncio
from tests.api.catalog_steps import UNKNOWN
from tests.api.usage_steps import EVENTS, Metering, metering
from tests.conftest import BLOBS, Api
from tests.days import job_of

from ledgerbee.billing.usage_imports import actions, jobs, run, store
from ledgerbee.billing.usage_imports.jobs import end_broken_uploads, import_usage
from ledgerbee.billing.usage_imports.model import UsageImportId
from ledgerbee.core.dates import system_clock
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.ledger import imports
from ledgerbee.ledger.imports.jobs import Shift
from ledgerbee.ledger.imports.model import CsvOptions
from ledgerbee.ledger.imports.tables import store as tables
from ledgerbee.platform.context import Context

PATH = "/v1/usage/imports"
HEADER = "idempotencyKey;customerId;meterId;value;timestamp\r\n"
MAR, APR = date(2026, 3, 1), date(2026, 4, 1)


@pytest_asyncio.fixture
async def made(api: Api) -> Metering:
    return await metering(api)


def row(made: Metering, key: str, value: str = "1", moment: str = "2026-03-10T12:00:00+01:00") -> str:
    return f"{key};{made.customer_id};{made.meter_id};{value};{moment}\r\n"


async def sent(api: Api, content: str | bytes, **query: str) -> str:
    answer = await api.request(
        "POST", f"{PATH}?{urlencode(query)}", content=content, headers={"content-type": "text/csv"}
    )
    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] == "queued"
    return str(answer.json()["id"])


async def imported(api: Api, content: str | bytes, **query: str) -> dict[str, Any]:
    import_id = await sent(api, content, **query)
    await import_usage(job_of(api, importId=import_id))
    return dict((await api.get(f"{PATH}/{import_id}", params={"limit": 100})).json())


def counts(found: dict[str, Any]) -> tuple[str, int, int, int]:
    return found["status"], found["accepted"], found["duplicates"], found["refused"]


def errors(found: dict[str, Any]) -> list[tuple[int, str, str]]:
    return [(one["line"], one["code"], one["property"]) for one in found["errors"]]


async def test_as_a_danish_excel_writes_it(made: Metering) -> None:
    chain = await made.span(MAR)
    number = (await made.api.get(f"/v1/customers/{made.customer_id}")).json()["customerNumber"]
    name = (await made.api.get(f"/v1/meters/{made.meter_id}")).json()["name"]
    content = (
        "\ufeffsep=;\r\nNøgle;Kundenr.;Måler;Antal;Tidspunkt;metadata.Region;metadata.note;;\r\n"
        f'k-1;{number};{name};1.250,5;2026-03-10T12:00:00+01:00;Øst;"to\r\nlinjer";;\r\n'
        ";;;;;;;;\r\n"
        f"k-2;{number};{name};-0,25;2026-02-28T23:30:00Z;;;;\r\n"
    )
    found = await imported(made.api, content, fileName="forbrug.csv")
    assert (*counts(found), found["fileName"]) == ("completed", 2, 0, 0, "forbrug.csv"), found
    assert found["bytesRead"] == found["bytesTotal"] == len(content.encode())
    assert await made.quantity(chain, MAR, APR) == (2, Decimal("1250.25"))
    events = {one["idempotencyKey"]: one for one in (await made.api.get(EVENTS)).json()["data"]}
    assert (events["k-1"]["metadata"], events["k-1"]["value"]) == ({"Region": "Øst", "note": "to\r\nlinjer"}, 1250.5)
    assert (events["k-2"]["day"], events["k-2"]["value"]) == ("2026-03-01", -0.25)
    # The key is the identity, also of what an API reports, and of the same file.
    assert counts(await imported(made.api, content)) == ("completed", 0, 2, 0)
    same = await made.report("1250.5", "k-1", timestamp="2026-03-10T11:00:00Z", metadata=events["k-1"]["metadata"])
    assert same.json() == {"status": "duplicate"}
    assert (await made.api.get(PATH)).json()["total"] == 2
    assert await made.fault() is None


async def test_rows_that_are_refused_are_told_and_the_others_taken_in(made: Metering) -> None:
    await made.report(1, "taken", timestamp="2026-03-10T11:00:00Z")
    lines = [
        row(made, "a"),
        row(made, "taken"),
        row(made, "taken", "2"),
        row(made, "b", "x"),
        row(made, "c", "1,0000001"),
        row(made, "d", moment="2026-03-10T12:00:00"),
        row(made, "e", moment="10-03-2026 12:00"),
        row(made, "f", moment=""),
        row(made, "g", moment="2026-03-18T12:00:00Z"),
        row(made, "", "1"),
        f"h;{UNKNOWN};{made.meter_id};1;2026-03-10T12:00:00Z\r\n",
        f"i;{made.customer_id};{UNKNOWN};1;2026-03-10T12:00:00Z\r\n",
        "j;1;2\r\n",
        row(made, "k").replace(made.customer_id, "1042"),
        row(made, "a"),
        row(made, "l", "1,5"),
    ]
    found = await imported(made.api, HEADER + "".join(lines))
    assert counts(found) == ("completed", 2, 2, 12), found["failure"]
    assert errors(found) == [
        (4, "IDEMPOTENCY_KEY_REUSED", "idempotencyKey"),
        (5, "SHARED_VALIDATION_FAILED", "value"),
        (6, "SHARED_VALIDATION_FAILED", "value"),
        (7, "SHARED_VALIDATION_FAILED", "timestamp"),
        (8, "SHARED_VALIDATION_FAILED", "timestamp"),
        (9, "SHARED_VALIDATION_FAILED", "timestamp"),
        (10, "SHARED_VALIDATION_FAILED", "timestamp"),
        (11, "SHARED_VALIDATION_FAILED", "idempotencyKey"),
        (12, "CUSTOMER_NOT_FOUND", "customerId"),
        (13, "METER_NOT_FOUND", "meterId"),
        (14, "USAGE_IMPORT_UNREADABLE", ""),
        (15, "SHARED_VALIDATION_FAILED", "customerId"),
    ]
    page = (await made.api.get(f"{PATH}/{found['id']}", params={"limit": 5, "page": 3})).json()
    assert (len(page["errors"]), page["total"], page["errors"][0]["line"]) == (2, 12, 14)
    assert await made.fault() is None


@pytest.mark.parametrize(
    ("header", "rows", "query", "words"),
    [
        ("idempotencyKey;value;timestamp;meterId", "", {}, "customerId or customerNumber"),
        (HEADER.strip() + ";colour", "", {}, "unknown columns colour"),
        (HEADER.strip(), "a;{c};{m};1.500;2026-03-10T12:00:00Z", {}, "1500 or as 1.5"),
        (HEADER.strip() + ";metadata.x", b"a;{c};{m};1;2026-03-10T12:00:00Z;\xf8", {}, "not UTF-8"),
        (
            HEADER.strip() + ";metadata.x",
            "a;{c};{m};1;2026-03-10T12:00:00Z;ø",
            {"encoding": "windows-1252"},
            "is UTF-8",
        ),
    ],
)
async def test_a_file_that_leaves_questions_open_takes_nothing_in(
    made: Metering, header: str, rows: str | bytes, query: dict[str, str], words: str
) -> None:
    text = rows if isinstance(rows, bytes) else rows.encode()
    text = text.replace(b"{c}", made.customer_id.encode()).replace(b"{m}", made.meter_id.encode())
    found = await imported(made.api, header.encode() + b"\r\n" + text, **query)
    assert (found["status"], found["accepted"]) == ("failed", 0)
    assert words in found["failure"], found["failure"]
    assert "posted" not in found["failure"]
    assert (await made.usage())["accepted"] == 0


async def test_what_is_said_of_a_file_settles_it(made: Metering) -> None:
    content = HEADER.strip() + ";metadata.sted\r\n" + row(made, "a", "1.500").strip() + ";Ærø\r\n"
    found = await imported(made.api, content.encode("cp1252"), encoding="windows-1252", decimalMark=".")
    assert counts(found) == ("completed", 1, 0, 0), found
    (event,) = (await made.api.get(EVENTS)).json()["data"]
    assert (event["value"], event["metadata"]) == (1.5, {"sted": "Ærø"})


async def test_it_goes_on_where_it_was_killed(made: Metering, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of a chunk nothing of it is there; the file is long enough for several parts and turns."""
    monkeypatch.setattr(run, "CHUNK_ROWS", 40)
    for of_all_imports in (tables, imports.actions, imports.source):
        monkeypatch.setattr(of_all_imports, "PART_BYTES", 4096)
    content = HEADER + "".join(row(made, f"k-{n}") for n in range(200))
    import_id = await sent(made.api, content)
    true, calls = store.advance, []

    async def dies(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 3:
            raise RuntimeError
        return await true(*arguments)

    monkeypatch.setattr(store, "advance", dies)
    with pytest.raises(RuntimeError):
        await import_usage(job_of(made.api, importId=import_id))
    halfway = (await made.api.get(f"{PATH}/{import_id}")).json()
    assert counts(halfway) == ("running", 80, 0, 0)
    assert (await made.usage())["accepted"] == 80

    monkeypatch.setattr(store, "advance", true)
    monkeypatch.setattr(Shift, "is_over", lambda _: True)  # a chunk a turn
    for accepted in (120, 160, 200):
        await import_usage(job_of(made.api, importId=import_id))
        now = (await made.api.get(f"{PATH}/{import_id}")).json()
        assert (now["status"], now["accepted"]) == ("running", accepted)
    await import_usage(job_of(made.api, importId=import_id))
    ended = (await made.api.get(f"{PATH}/{import_id}")).json()
    assert counts(ended) == ("completed", 200, 0, 0)
    assert (await made.usage())["accepted"] == 200
    await import_usage(job_of(made.api, importId=import_id))  # a job may run twice
    told = (await made.api.get(f"/v1/audit-events?objectId={import_id}")).json()["data"]
    assert [one["type"] for one in told] == ["usage_import.completed", "usage_import.created"]


async def test_every_end_is_seen(made: Metering, monkeypatch: pytest.MonkeyPatch) -> None:
    cancelled = await sent(made.api, HEADER + row(made, "a"))
    assert (await made.api.post(f"{PATH}/{cancelled}/cancel")).json()["status"] == "cancelled"
    await import_usage(job_of(made.api, importId=cancelled))
    again = await made.api.post(f"{PATH}/{cancelled}/cancel")
    assert (again.status_code, again.json()["details"]) == (409, {"status": "cancelled"})
    assert (await made.usage())["accepted"] == 0

    given_up = await sent(made.api, HEADER + row(made, "a"))
    for _ in range(2):
        await jobs.give_up_import(job_of(made.api, importId=given_up), "it was tried too often")
    found = (await made.api.get(f"{PATH}/{given_up}")).json()
    assert (found["status"], "It was tried too often." in found["failure"]) == ("failed", True)

    async def begun(context: Context) -> UsageImportId:
        return await actions.begin_upload(context, None, CsvOptions(), 0, 10)

    broken = await made.api.run(begun)
    await end_broken_uploads(made.api.database, BLOBS, system_clock())
    assert (await made.api.get(f"{PATH}/{broken}")).json()["status"] == "receiving"
    monkeypatch.setattr(imports.jobs, "SILENT_FOR", timedelta(seconds=-1))
    await end_broken_uploads(made.api.database, BLOBS, system_clock())
    found = (await made.api.get(f"{PATH}/{broken}")).json()
    assert (found["status"], found["failure"]) == ("failed", "The upload broke off")

    monkeypatch.setattr(store, "check_quota", replace(store.TABLES, max_waiting=0).check_quota)
    full = await made.api.request("POST", PATH, content=HEADER, headers={"content-type": "text/csv"})
    assert (full.status_code, full.json()["code"]) == (429, "USAGE_IMPORT_QUOTA_EXCEEDED")
    assert (await made.api.get(PATH)).json()["total"] == 3


async def test_one_process_at_a_time(made: Metering) -> None:
    import_id = await sent(made.api, HEADER + row(made, "a"))
    name = f"usage import {made.api.company_id} {UUID(import_id)}"
    async with made.api.database.exclusive(name):
        with pytest.raises(LedgerBeeError) as fault:
            await import_usage(job_of(made.api, importId=import_id))
    assert fault.value.code == "USAGE_IMPORT_BUSY"
    assert timedelta(seconds=15) == jobs.USAGE_IMPORTS.pause_after(1)
