"""Real PostgreSQL, the real application, and a company of its own for every test that asks for one.

`DATABASE_URL` names a server to use; without it an embedded one is started for the run. Each worker process
has a database of its own, cloned from one that was migrated once. Companies don't see each other, so tests
don't either: nothing is cleaned up between them.
"""

import asyncio
import gc
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
import pytest_asyncio
import structlog
from asgi_lifespan import LifespanManager
from hypothesis import HealthCheck, settings
from pydantic import SecretStr
from sqlalchemy.engine import make_url
from tests.company_copies import SECRET_KEY, Copies, Original
from tests.events_told import faults_in

from ledgerbee.app.config import Settings
from ledgerbee.app.main import create_app
from ledgerbee.app.onboarding import create_company, language_in, time_zone_in
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.core.ids import new_id
from ledgerbee.embedded import State, cluster, running, status
from ledgerbee.embedded.settings import command_line
from ledgerbee.migrations.migrate import migrate
from ledgerbee.platform.blobs.store import Folder
from ledgerbee.platform.context import Actor, Context
from ledgerbee.platform.credentials.model import SCOPES
from ledgerbee.platform.db import Database, Tenant
from ledgerbee.platform.secrets import SecretBox
from ledgerbee.tenancy.api_keys import actions as api_keys
from ledgerbee.tenancy.company.model import CompanyFields

# How long an example takes says how much else the machine has to do.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# A shell ignores these for what it starts in the background, and so would every program that is started from here,
# with tests that send them. Handlers aren't inherited: the programs have the default, and here they still do nothing.
for _number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, lambda *_: None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without looking for garbage, of which there is none, and leave what was collected out of later looks."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
        gc.set_threshold(10_000)  # as in the program's own processes


#: Folders of tests that start programs and servers, and wait for them: half of all the time in a tenth of the tests.
_LONG = {"fuzz", "platform", "runtime", "sim", "stories"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have each process begin with its share of the modules that take long: none of them begins when others are done.

    A process is given one piece of the list, and takes of the end of another's when it has none (`--dist worksteal`).
    """
    modules = [list(of_module) for _, of_module in groupby(items, key=lambda item: item.path)]
    long = [module for module in modules if _LONG & set(module[0].path.parts)]
    short = [item for module in modules if not _LONG & set(module[0].path.parts) for item in module]
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    dealt: list[pytest.Item] = []
    for place in range(count):
        piece = [item for module in long[place::count] for item in module]
        missing = max(len(items) * (place + 1) // count - len(dealt) - len(piece), 0)
        dealt += piece + short[:missing]
        del short[:missing]
    items[:] = dealt + short


TEMPLATE = "ledgerbee_test_template"
#: The operation that takes nothing without a key: a new one, where a test has none.
REPORT_USAGE = "/v1/meters/report"
#: Where the application of tests is reached.
PUBLIC_URL = "http://ledgerbee.test"
OPERATOR = Actor("operator", "tests")


@dataclass
class SteeredClock:
    """A clock that tests set. It starts at a fixed moment and stands still until moved."""

    now: datetime = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@dataclass
class Api:
    """One company's way into the API: an HTTP client with its key, and its books behind it."""

    http: httpx.AsyncClient
    company_id: UUID
    key: str
    database: Database
    clock: SteeredClock
    headers: dict[str, str] = field(default_factory=dict)

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        keyed = {"x-api-idempotency-key": str(new_id())} if path.partition("?")[0] == REPORT_USAGE else {}
        headers = {"x-api-key": self.key, **keyed, **self.headers, **options.pop("headers", {})}
        return await self.http.request(method, f"/api{path}", headers=headers, **options)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("GET", path, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return await self.request("POST", path, json={} if json is None else json, **options)

    async def patch(self, path: str, json: Any, **options: Any) -> httpx.Response:
        return await self.request("PATCH", path, json=json, **options)

    async def put(self, path: str, json: Any, **options: Any) -> httpx.Response:
        return await self.request("PUT", path, json=json, **options)

    async def delete(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("DELETE", path, **options)

    @property
    def tenant(self) -> Tenant:
        return Tenant(self.company_id, OPERATOR, "test", "Europe/Copenhagen")

    async def run(self, work: Any, **options: Any) -> Any:
        """Run `work(context)` in a transaction of this company, as the operator."""
        return await self.database.run(self.tenant, self.clock(), work, **options)


def with_database(url: str, name: str) -> str:
    """The same server and login, another database."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A login as the owner role on a running PostgreSQL."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return

    # Not below pytest's own folder: run as root, the server has an account that can't enter it.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    folder = Path(tempfile.gettempdir()) / f"ledgerbee-test-{run}"
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cluster, "command_line", _quick_command_line)
            server = stack.enter_context(running(folder))
        yield server.dsn(database="postgres")
    if status(folder).state is State.STOPPED:  # the last worker clears up
        shutil.rmtree(folder, ignore_errors=True)


def _quick_command_line(socket_dir: Path) -> list[str]:
    """That of the program's own servers, without waiting for the disk: nobody needs what is on it after a crash."""
    return [*command_line(socket_dir), "-c", "fsync=off", "-c", "full_page_writes=off"]


@pytest.fixture(scope="session")
def database_url(server_url: str, worker_id: str) -> Iterator[str]:
    """A migrated database of this worker's own, as its owner."""
    name = f"ledgerbee_test_{os.getpid()}_{worker_id}"
    url = with_database(server_url, name)
    asyncio.run(clone_template(server_url, name))
    yield url
    told_badly = asyncio.run(faults_in(url))
    asyncio.run(drop_database(server_url, name))
    assert told_badly == set(), "events that the tests made are not what the document promises"


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """xdist's name for this worker process, `main` without xdist."""
    return str(getattr(request.config, "workerinput", {}).get("workerid", "main"))


async def clone_template(server_url: str, name: str) -> None:
    """Make a migrated database of that name."""
    server = await asyncpg.connect(server_url)
    try:
        # One worker migrates the template, the others wait and clone it.
        await server.execute("SELECT pg_advisory_lock(7221002)")
        template = f"{TEMPLATE}_{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}"
        if not await server.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", template):
            await server.execute(f'CREATE DATABASE "{template}"')
            await migrate(with_database(server_url, template))
            await allow_any_moment(with_database(server_url, template))
        await server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        if "PYTEST_XDIST_TESTRUNUID" not in os.environ:
            await server.execute(f'DROP DATABASE "{template}"')
    finally:
        await server.close()


async def allow_any_moment(url: str) -> None:
    """Let the clock of tests differ from the server's, by as much as they steer it."""
    owner = await asyncpg.connect(url)
    await owner.execute("UPDATE application_trust SET clock_tolerance = '1000 years'")
    await owner.close()


async def drop_database(server_url: str, name: str) -> None:
    server = await asyncpg.connect(server_url)
    await server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await server.close()


@pytest.fixture
def clock() -> Iterator[SteeredClock]:
    """The application's clock, back at its start for every test, and after it for what others share."""
    _CLOCK.now = SteeredClock().now
    yield _CLOCK
    _CLOCK.now = SteeredClock().now


_CLOCK = SteeredClock()


@pytest.fixture(scope="module")
def module_clock() -> Iterator[SteeredClock]:
    """The same clock, for what a whole module of tests looks at; it stays where it was moved to."""
    _CLOCK.now = SteeredClock().now
    yield _CLOCK
    _CLOCK.now = SteeredClock().now


@pytest_asyncio.fixture(scope="session")
async def database(database_url: str) -> AsyncIterator[Database]:
    """A pool of connections that work as commands do, beside the application's own."""
    database = await Database.open(database_url, reactions=REACTIONS, max_size=5)
    database.public_url, database.secrets = PUBLIC_URL, SecretBox(lambda: [SECRET_KEY])
    yield database
    await database.close()


#: The application's store of attached files, of this process.
BLOBS = Folder(Path(tempfile.gettempdir()) / f"ledgerbee-test-blobs-{os.getpid()}")


@pytest_asyncio.fixture(scope="session")
async def http(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the whole application, in process."""
    settings = Settings(
        attachments_dir=BLOBS.path,
        public_url=PUBLIC_URL,
        secret_keys=SecretStr(SECRET_KEY),
        webhooks_allow_loopback=True,
    )
    app = create_app(database_url, settings, clock=_CLOCK)
    async with LifespanManager(app) as manager:
        transport = httpx.ASGITransport(manager.app, client=("127.0.0.1", 40000))
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
            yield client
    shutil.rmtree(BLOBS.path, ignore_errors=True)


#: What an invoice has to say of its seller.
SELLER = {"address": "Havnegade 1", "postal_code": "1058", "city": "København K", "vat_number": "13585628"}


async def new_company(
    http: httpx.AsyncClient,
    database: Database,
    clock: SteeredClock,
    country: str = "DK",
    fiscal_year: tuple[date | None, date | None] = (None, None),
    base_currency: str | None = None,
    is_sandbox: bool = False,
    **options: Any,
) -> Api:
    """A new company that can send invoices, with an API key that carries every scope."""
    company_id = new_id()
    usual = {"name": "Nordlys ApS", "preferred_language": language_in(country), "time_zone": time_zone_in(country)}
    fields = CompanyFields(**{**usual, **SELLER, **options})

    async def work(context: Context) -> str:
        await create_company(
            context,
            fields,
            country_code=country,
            base_currency=base_currency,
            fiscal_year=fiscal_year,
            is_sandbox=is_sandbox,
        )
        _, secret = await api_keys.create(context, name="tests", scopes=SCOPES)
        return secret

    tenant = Tenant(company_id, OPERATOR, "test", "Europe/Copenhagen")
    key = await database.run(tenant, clock(), work)
    return Api(http, company_id, key, database, clock)


@pytest.fixture(autouse=True)
def logs_as_usual() -> Iterator[None]:
    """Commands that a test runs in this process set up its logs: no other test is to be without its own."""
    yield
    structlog.reset_defaults()


@pytest_asyncio.fixture(scope="session")
async def copies(database_url: str) -> AsyncIterator[Copies]:
    """Makes companies that are like one that was made through the application."""
    copies = await Copies.open(database_url, BLOBS.path)
    yield copies
    await copies.close()


@pytest_asyncio.fixture(scope="session")
async def danish(http: httpx.AsyncClient, database: Database, copies: Copies) -> Original:
    """A new Danish company, made when the clock of tests starts."""
    made = await new_company(http, database, SteeredClock())
    return await copies.original(made.company_id, made.key)


@pytest_asyncio.fixture
async def api(
    http: httpx.AsyncClient, database: Database, clock: SteeredClock, copies: Copies, danish: Original
) -> Api:
    """A new Danish company."""
    copy = await copies.make(danish)
    return Api(http, copy.company_id, copy.key, database, clock)


@pytest_asyncio.fixture
async def other_api(
    http: httpx.AsyncClient, database: Database, clock: SteeredClock, copies: Copies, danish: Original
) -> Api:
    """Another company, for what must not be seen across the border."""
    copy = await copies.make(danish)
    return Api(http, copy.company_id, copy.key, database, clock)
