"""New rates over the network: a real web server, a real database, and everything that can be wrong with what comes."""

import asyncio
import ipaddress
import ssl
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from structlog.testing import capture_logs
from tests.conftest import BLOBS
from tests.rates.conftest import Rates
from tests.rates.documents import Days, FeedServer, csv, daily_csv, feed_server, xml, zipped
from tests.rates.test_rates_documents import BOMB

from ledgerbee.tenancy.rates import ecb, store
from ledgerbee.tenancy.rates.feed import HISTORY, NINETY_DAYS, Feed, usual_address

WEDNESDAY, THURSDAY, FRIDAY = date(2026, 11, 25), date(2026, 11, 26), date(2026, 11, 27)
#: Friday evening: the day's rates are out.
NOW = datetime(2026, 11, 27, 18, tzinfo=UTC)
OLD: Days = {WEDNESDAY: {"USD": "1.11", "DKK": "7.47", "SEK": "10.9", "NOK": "10.3", "JPY": "175.9", "CHF": "0.92"}}
NEW: Days = {day: {code: f"{rate}1" for code, rate in OLD[WEDNESDAY].items()} for day in (FRIDAY, THURSDAY)}
FEED = {**NEW, WEDNESDAY: {"USD": "9"}}


def rows(*documents: Days) -> set[ecb.RateRow]:
    every = [(day, code, rate) for days in documents for day, rates in days.items() for code, rate in rates.items()]
    return {(code, day, Decimal(str(rate))) for day, code, rate in every}


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with feed_server() as server:
        server.content = xml(FEED)
        yield server


@pytest.fixture
async def old(rates: Rates) -> Rates:
    """The rates of Wednesday are stored."""
    await store.seed(rates.owner, list(rows(OLD)))
    return rates


async def renew(rates: Rates, feed: Feed, now: datetime = NOW) -> list[Any]:
    """What a run of the timetable tells."""
    with capture_logs() as logs:
        await feed.renew(rates.database, BLOBS, now)
    return logs


@pytest.mark.parametrize("document", [xml(FEED), csv(FEED), zipped(csv(FEED))], ids=["xml", "csv", "zip"])
async def test_new_days_are_added_and_stored_ones_stay(old: Rates, server: FeedServer, document: bytes) -> None:
    server.content = document
    logs = await renew(old, Feed(old.url, server.url))
    assert await old.stored() == rows(OLD, NEW)
    assert logs == [{"event": "rates.added", "days": 2, "newest": FRIDAY, "log_level": "info"}]
    ((path, headers),) = server.requests
    assert path == "/eurofxref.xml"
    assert headers["user-agent"].startswith("ledgerbee/")
    found = await old.find("EUR", "DKK", FRIDAY)
    assert found is not None
    assert (found.value, found.day, found.source) == (Decimal("7.471"), FRIDAY, "ECB")


async def test_the_document_of_one_day_is_enough(old: Rates, server: FeedServer) -> None:
    server.content = daily_csv(FRIDAY, NEW[FRIDAY])
    await renew(old, Feed(old.url, server.url))
    assert await old.stored() == rows(OLD, {FRIDAY: NEW[FRIDAY]})


async def test_a_day_in_between_is_added_later(old: Rates, server: FeedServer) -> None:
    server.content = xml({FRIDAY: NEW[FRIDAY]})
    feed = Feed(old.url, server.url)
    await renew(old, feed)
    server.content = xml({FRIDAY + timedelta(days=3): NEW[FRIDAY], **FEED})
    await renew(old, feed, NOW + timedelta(days=3))
    assert await old.stored() == rows(OLD, NEW, {FRIDAY + timedelta(days=3): NEW[FRIDAY]})


async def test_nobody_is_asked_before_there_can_be_anything_new(old: Rates, server: FeedServer) -> None:
    feed = Feed(old.url, server.url)
    assert await renew(old, feed, datetime(2026, 11, 26, 15, tzinfo=UTC)) == []  # Thursday, 16:00 in Frankfurt
    assert server.requests == []
    await renew(old, feed)
    assert len(server.requests) == 1
    for hours in (1, 24, 48, 69):  # until Monday, 16:05 in Frankfurt
        assert await renew(old, feed, NOW + timedelta(hours=hours)) == []
    assert len(server.requests) == 1
    await renew(old, feed, NOW + timedelta(days=3))
    assert len(server.requests) == 2


async def test_two_workers_at_once_add_once(old: Rates, server: FeedServer) -> None:
    begun: list[str] = []

    def wait_for_the_other(request: BaseHTTPRequestHandler) -> None:
        begun.append(request.path)
        deadline = time.monotonic() + 20
        while len(begun) < 6 and time.monotonic() < deadline:
            time.sleep(0.01)
        request.send_response(200)
        request.end_headers()
        request.wfile.write(server.content)

    server.answer = wait_for_the_other
    with capture_logs() as logs:
        await asyncio.gather(*(Feed(old.url, server.url).renew(old.database, BLOBS, NOW) for _ in range(6)))
    assert await old.stored() == rows(OLD, NEW)
    assert [(line["event"], line["days"]) for line in logs] == [("rates.added", 2)]


def trickle(server: FeedServer) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while not server.ended.wait(0.05):
            request.wfile.write(b" ")

    server.answer = answer


def endless(server: FeedServer) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while not server.ended.is_set():
            request.wfile.write(b" " * 65536)

    server.answer = answer


def cut_off(server: FeedServer) -> None:
    server.headers = {"content-length": str(len(server.content) + 10)}


def squeezed(server: FeedServer) -> None:
    server.content = zlib.compress(b" " * ecb.MAX_BYTES, wbits=31)
    server.headers = {"content-encoding": "gzip"}


def redirects(target: str) -> Callable[[FeedServer], None]:
    def set_up(server: FeedServer) -> None:
        server.status, server.headers = 302, {"location": target}

    return set_up


def answers(status: int) -> Callable[[FeedServer], None]:
    def set_up(server: FeedServer) -> None:
        server.status = status

    return set_up


def says(content: bytes) -> Callable[[FeedServer], None]:
    def set_up(server: FeedServer) -> None:
        server.content = content

    return set_up


FAILURES = {
    "500": (answers(500), "127.0.0.1 answers 500"),
    "404": (answers(404), "answers 404"),
    "hanging": (FeedServer.hang, "no answer within 1 seconds"),
    "trickling": (trickle, "no answer within 1 seconds"),
    "endless": (endless, "more than 16 MiB"),
    "cut off": (cut_off, "RemoteProtocolError"),
    "squeezed": (squeezed, "encoding that was not asked for"),
    "elsewhere": (redirects("http://localhost:9/eurofxref.xml"), "redirects to another host"),
    "to another port": (redirects("http://127.0.0.1:9/"), "redirects to another host"),
    "to another scheme": (redirects("https://127.0.0.1/"), "redirects to another host"),
    "to no host": (redirects("http://[nonsense"), "redirects to another host"),
    "to no address": (redirects("http://127.0.0.1:port/"), "Invalid URL"),
    "to itself": (redirects("/eurofxref.xml"), "redirects without end"),
    "garbage": (says(b"\xff\xfe\x00\x01"), "neither"),
    "empty": (says(b""), "first column must be Date"),
    "web page": (says(b"<html><body>We are moving</body></html>"), "no rates"),
    "entity bomb": (says(BOMB), "declares a document type"),
    "zero": (says(xml({FRIDAY: {**NEW[FRIDAY], "USD": "0"}})), "'0' is no rate (USD on 2026-11-27)"),
    "negative": (says(xml({FRIDAY: {**NEW[FRIDAY], "USD": "-1.1"}})), "'-1.1' is no rate"),
    "no currency": (says(xml({FRIDAY: {**NEW[FRIDAY], "U$": "1"}})), "'U$' is no currency"),
    "to come": (says(xml({date(2026, 12, 24): NEW[FRIDAY]})), "2026-12-24 is yet to come"),
    "partial": (says(xml({FRIDAY: {"USD": "1.1", "DKK": "7.4"}})), "2026-11-27 are not whole"),
}


@pytest.mark.parametrize(("set_up", "error"), FAILURES.values(), ids=FAILURES)
async def test_a_failure_changes_nothing_and_is_told_once_a_day(
    old: Rates, server: FeedServer, set_up: Callable[[FeedServer], None], error: str
) -> None:
    set_up(server)
    feed = Feed(old.url, server.url, timeout_s=1)
    began = time.monotonic()
    (told,) = await renew(old, feed)
    assert time.monotonic() - began < 10
    assert (told["event"], told["log_level"], told["newest"]) == ("rates.not_renewed", "warning", WEDNESDAY)
    assert error in told["error"]
    assert await old.stored() == rows(OLD)

    asked = len(server.requests)
    assert await renew(old, feed, NOW + timedelta(hours=1)) == []  # tried again, not told again
    assert len(server.requests) > asked
    assert [line["event"] for line in await renew(old, feed, NOW + timedelta(days=1))] == ["rates.not_renewed"]

    server.answer, server.status, server.headers, server.content = None, 200, {}, xml(FEED)
    assert [line["event"] for line in await renew(old, feed, NOW + timedelta(days=1))] == ["rates.added"]
    assert await old.stored() == rows(OLD, NEW)
    server.status = 500  # a new failure is news
    assert [line["event"] for line in await renew(old, feed, NOW + timedelta(days=3))] == ["rates.not_renewed"]


async def test_nobody_at_the_address(old: Rates) -> None:
    (told,) = await renew(old, Feed(old.url, "http://127.0.0.1:9/secret?token=hemmelig"))
    assert told["error"].startswith("ConnectError: ")
    assert "hemmelig" not in str(told)


async def test_whole_days_beside_a_partial_one_are_added(old: Rates, server: FeedServer) -> None:
    server.content = xml({FRIDAY: {"USD": "1.1"}, THURSDAY: NEW[THURSDAY]})
    logs = await renew(old, Feed(old.url, server.url))
    assert [line["event"] for line in logs] == ["rates.added", "rates.not_renewed"]
    assert await old.stored() == rows(OLD, {THURSDAY: NEW[THURSDAY]})


async def test_a_redirect_on_the_same_host_is_followed(old: Rates, server: FeedServer) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        moved = request.path != "/new/place.xml"
        request.send_response(301 if moved else 200)
        if moved:
            request.send_header("location", "/new/place.xml")
        request.end_headers()
        if not moved:
            request.wfile.write(server.content)

    server.answer = answer
    await renew(old, Feed(old.url, server.url))
    assert [path for path, _ in server.requests] == ["/eurofxref.xml", "/new/place.xml"]
    assert await old.stored() == rows(OLD, NEW)


async def test_the_owners_login_is_needed_and_its_failure_is_told(old: Rates, server: FeedServer) -> None:
    (told,) = await renew(old, Feed("postgresql://nobody@127.0.0.1:9/nothing", server.url))
    assert told["event"] == "rates.not_renewed"
    assert await old.stored() == rows(OLD)
    async with old.database.connection() as connection:
        with pytest.raises(Exception, match="permission denied"):
            await connection.execute("INSERT INTO exchange_rates VALUES ('USD', '2026-11-27', 1)")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for the loopback that nobody vouches for, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rates")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return file


async def test_a_certificate_is_verified(old: Rates, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with feed_server(tls) as server:
        server.content = xml(FEED)
        (told,) = await renew(old, Feed(old.url, server.url))
        assert "CERTIFICATE_VERIFY_FAILED" in told["error"]
        assert server.requests == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # an operator's own authority
        await renew(old, Feed(old.url, server.url))
    assert await old.stored() == rows(OLD, NEW)


def test_the_bank_is_asked_for_no_more_than_is_missing() -> None:
    assert usual_address(None, NOW) == HISTORY
    assert usual_address(FRIDAY, NOW) == NINETY_DAYS
    assert usual_address(NOW.date() - timedelta(days=80), NOW) == NINETY_DAYS
    assert usual_address(NOW.date() - timedelta(days=81), NOW) == HISTORY
    assert {address.partition("/stats/")[0] for address in (HISTORY, NINETY_DAYS)} == {"https://www.ecb.europa.eu"}
