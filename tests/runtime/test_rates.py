"""Published exchange rates as an operator gets them: from the feed under `serve` and `worker`, and from files."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest
from tests import patient
from tests.rates.documents import FeedServer, csv, daily_csv, feed_server, xml, zipped
from tests.runtime.processes import PROGRAM, Program, Served, cli, cli_json, refusal, wait_for
from tests.runtime.test_own_server import as_application

from ledgerbee.core.dates import system_clock
from ledgerbee.tenancy.rates import ecb
from ledgerbee.tenancy.rates.rules import age, published_by

#: The newest day that can be out, and the newest that came with the release.
TODAY, SHIPPED = published_by(system_clock()), next(ecb.history())[1]
RATES = {code: f"{rate}" for code, day, rate in ecb.history(SHIPPED) if day == SHIPPED} | {"DKK": "7.5", "USD": "1.25"}


@pytest.fixture
def feed() -> Iterator[FeedServer]:
    with feed_server() as server:
        server.content = xml({TODAY: RATES})
        yield server


def newest_rate(served: Served) -> tuple[str, str]:
    answer = served.http.get("/api/v1/exchange-rates", params={"currency": "USD"}).json()
    return answer["rate"], answer["publishedDate"]


def test_serve_fetches_what_is_missing_and_tells_how_old_the_rates_are(
    serve_own: Callable[..., Served], feed: FeedServer
) -> None:
    without = serve_own()
    days = age(SHIPPED, system_clock())
    assert f"ledgerbee_exchange_rates_age_days {days}.0" in patient.get(f"{without.url}/metrics").text
    warning = f"The newest published exchange rates are of {SHIPPED}, {days} days ago. "
    assert (warning + "Add newer ones: `ledgerbee rates import FILE`." in without.program.notes) == (days > 5)
    assert without.stop() == 0

    served = serve_own(LEDGERBEE_RATES_FETCH="true", LEDGERBEE_RATES_URL=feed.url)
    assert (warning + "The worker looks for newer ones." in served.program.notes) == (days > 5)
    added = served.program.wait_for_event("rates.added")
    assert (added["days"], added["newest"]) == (1, TODAY.isoformat())
    assert newest_rate(served) == ("6", TODAY.isoformat())  # 7.5 / 1.25
    metrics = patient.get(f"{served.url}/metrics").text
    assert f"ledgerbee_exchange_rates_age_days {age(TODAY, system_clock())}.0" in metrics
    assert served.stop() == 0

    again = serve_own(LEDGERBEE_RATES_FETCH="true", LEDGERBEE_RATES_URL=feed.url)
    assert [line for line in again.program.notes if "exchange rates" in line] == []
    again.program.wait_for_event("worker.started")
    assert newest_rate(again) == ("6", TODAY.isoformat())
    assert again.stop() == 0
    assert len(feed.requests) == 1


def test_a_feed_that_hangs_keeps_nobody_waiting(serve_own: Callable[..., Served], feed: FeedServer) -> None:
    feed.hang()
    served = serve_own(LEDGERBEE_RATES_FETCH="true", LEDGERBEE_RATES_URL=feed.url)
    wait_for(lambda: bool(feed.requests))
    assert served.http.get("/api/v1/accounts").status_code == 200
    assert served.stop() == 0


async def test_a_worker_adds_rates_as_the_owner_and_works_as_the_application(
    migrated_database: str, own_folder: Path, feed: FeedServer
) -> None:
    variables = {"DATABASE_URL": migrated_database, "LEDGERBEE_DATABASE_APP_URL": as_application(migrated_database)}
    scheduled = "SELECT expression FROM pgqueuer_schedules WHERE entrypoint = 'renew_rates'"
    newest = "SELECT max(day), count(*) FILTER (WHERE day = $1) FROM exchange_rates"
    for number, fetch in enumerate(("false", "true")):
        folder = own_folder / str(number)
        folder.mkdir()
        worker = Program.start(
            [PROGRAM, "worker"], folder, LEDGERBEE_RATES_FETCH=fetch, LEDGERBEE_RATES_URL=feed.url, **variables
        )
        worker.wait_for_event("rates.added" if fetch == "true" else "worker.started")
        assert worker.stop() == 0
        connection = await asyncpg.connect(migrated_database)
        rows = await connection.fetch(scheduled)
        row = await connection.fetchrow(newest, TODAY)
        await connection.close()
        assert row is not None
        if fetch == "true":
            assert [row["expression"] for row in rows] == ["7 * * * *"]
            assert tuple(row) == (TODAY, len(RATES))
        else:
            assert rows == []
            assert tuple(row) == (SHIPPED, 0)
    assert len(feed.requests) == 1


DAYS = {SHIPPED + timedelta(days=n): RATES for n in range(1, 4)}


def test_rates_come_from_files_too(own_data: Path, own_folder: Path) -> None:
    """Of one day, of many, of all there ever were; each day once, in whatever order; into the embedded database."""
    first, *later = DAYS
    whole = dict.fromkeys((SHIPPED, date(1999, 1, 4), *DAYS), RATES)
    files = {
        "eurofxref.zip": zipped(daily_csv(later[0], RATES)),
        "eurofxref-daily.xml": xml({later[1]: RATES}),
        "eurofxref-hist.zip": zipped(csv(whole)),
        "eurofxref-hist.csv": csv(whole),
    }
    for name, content in files.items():
        (own_folder / name).write_bytes(content)
    at = ("--data-dir", own_data)
    done = cli("rates", "import", own_folder / "eurofxref.zip", *at)
    assert (done.returncode, done.stdout) == (0, f"1 of 1 days added ({later[0]} to {later[0]})\n"), done.stderr
    added = cli_json("rates", "import", own_folder / "eurofxref-daily.xml", *at)
    assert added == {
        "daysInFile": 1, "daysAdded": 1, "first": str(later[1]), "last": str(later[1]), "notWhole": [],
    }  # fmt: skip
    done = cli("rates", "import", own_folder / "eurofxref-hist.zip", *at)
    assert (done.returncode, done.stdout) == (0, f"1 of 5 days added ({first} to {first})\n")
    done = cli("rates", "import", own_folder / "eurofxref-hist.csv", *at)
    assert (done.returncode, done.stdout) == (0, "0 of 5 days added\n")


async def test_files_go_into_the_database_of_database_url(migrated_database: str, own_folder: Path) -> None:
    file = own_folder / "rates.csv"
    day = next(iter(DAYS))
    file.write_bytes(csv({day: RATES, SHIPPED + timedelta(days=2): {"USD": "1.1"}}))
    done = cli("rates", "import", file, DATABASE_URL=migrated_database)
    assert (done.returncode, done.stdout) == (0, f"1 of 2 days added ({day} to {day})\n")
    assert "is not whole and was left out" in done.stderr
    connection = await asyncpg.connect(migrated_database)
    stored = await connection.fetchval(
        "SELECT rate_per_eur FROM exchange_rates WHERE day = $1 AND currency = 'USD'", day
    )
    await connection.close()
    assert stored == Decimal("1.25")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it is not the European Central Bank's CSV: the first column must be Date"),
        (b"%PDF-1.7 \xff\xfe", "it is neither the European Central Bank's XML nor its CSV"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "it declares a document type, which the European"),
        (xml({SHIPPED: {"USD": "0"}}), f"'0' is no rate (USD on {SHIPPED})"),
        (xml({date(2999, 1, 1): RATES}), "2999-01-01 is yet to come"),
    ],
    ids=["empty", "garbage", "entities", "zero", "to come"],
)
def test_a_file_that_holds_no_rates_is_refused_in_a_line(
    own_data: Path, own_folder: Path, content: bytes, says: str
) -> None:
    (own_folder / "file").write_bytes(content)
    line = refusal("rates", "import", own_folder / "file", "--data-dir", own_data)
    assert line.startswith(f"These are no exchange rates: {says}")
    assert "\n" not in line


def test_a_file_that_is_not_there(own_folder: Path) -> None:
    done = cli("rates", "import", own_folder / "none")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
