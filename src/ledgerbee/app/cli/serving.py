"""`serve` and `worker`: what they start, and what they print for whoever started them."""

import asyncio
import os
import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import structlog
import typer

from ledgerbee.app.addresses import is_loopback
from ledgerbee.app.blobs import blob_folder
from ledgerbee.app.cli import store
from ledgerbee.app.cli.cells import warnings_of
from ledgerbee.app.cli.options import embedded_dir, note
from ledgerbee.app.cli.session import access, claim_blob_folder
from ledgerbee.app.config import Settings
from ledgerbee.app.database_access import Access, all_companies, as_owner, as_worker, in_company
from ledgerbee.app.e_invoices import e_invoice_folder
from ledgerbee.app.secret_keys import key_file
from ledgerbee.app.serve import StopSignals, Supervisor, listen
from ledgerbee.core.cells import DEFAULT_CELL
from ledgerbee.core.dates import system_clock
from ledgerbee.core.ids import new_id
from ledgerbee.embedded import EmbeddedPostgresError, is_up, running, serve_lock
from ledgerbee.identity.connections.model import MCP_PATH
from ledgerbee.identity.sign_in import store as users
from ledgerbee.platform import logs
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import SCOPES, secret_hash
from ledgerbee.platform.files import create_private
from ledgerbee.tenancy.company.model import CompanyFields
from ledgerbee.tenancy.rates import store as rates
from ledgerbee.tenancy.rates.rules import MOST_AGE_DAYS, age

#: Beside the embedded database, readable by its owner only: the key of the first company, for trying things out.
_KEY_FILE: Final = "first-api-key"
#: What `serve` starts with. Everything that an invoice has to say of its seller is made up (the CVR number passes its
#: check), so that a first invoice can be sent.
_FIRST_COMPANY: Final = CompanyFields(
    name="My company",
    preferred_language="da",
    time_zone="Europe/Copenhagen",
    address="Eksempelvej 1",
    postal_code="8000",
    city="Aarhus C",
    vat_number="12345674",
    email="faktura@example.com",
    bank_name="Eksempelbanken",
    bank_registration_number="0001",
    bank_account_number="0012345674",
    iban="DK8000010012345674",
)
_LOOPBACK_VARIABLE: Final = "LEDGERBEE_WEBHOOKS_ALLOW_LOOPBACK"
#: A process takes 100 MB: more than this by default suits few machines.
_MOST_BY_DEFAULT: Final = 8
#: Connections that the worker, the command line and an operator's console may need beside the API processes.
_OTHER_CONNECTIONS: Final = 20
#: Seconds between looks at the embedded database.
_LOOK_EVERY_S: Final = 2.0

log = structlog.get_logger("ledgerbee.serve")


def serve_everything(host: str, port: int, data_dir: Path | None, processes: int | None) -> None:
    """Run the whole system until SIGTERM, SIGINT or SIGHUP."""
    settings = Settings()
    with ExitStack() as stack:
        signals = stack.enter_context(StopSignals())
        folder = embedded_dir(data_dir, settings)
        say_address: Callable[[str], None] = _say_nothing
        if folder is not None:
            say_address = stack.enter_context(serve_lock(folder))
        count = processes or settings.processes or min(_cores(), _MOST_BY_DEFAULT)
        listener = stack.enter_context(listen(host, port, shared=count > 1))
        found = stack.enter_context(access(data_dir))
        logs.configure(settings.log_level)
        claim_blob_folder(found)
        _warn_of_old_rates(found, fetches=settings.rates_fetch)
        _warn_of_few_connections(found, count * settings.pool_size + _OTHER_CONNECTIONS)
        company_and_key = _first_company(found) if found.data_dir else None
        nobody_signs_in = not as_owner(found, users.is_anybody_there)
        bound_host, bound_port = listener.getsockname()[:2]
        _warn_of_cells(settings, blob_folder(settings, found.data_dir))
        warn_of_open_address(bound_host, settings.trusted_proxies)
        url = f"http://[{bound_host}]:{bound_port}" if ":" in bound_host else f"http://{bound_host}:{bound_port}"

        def announce() -> None:
            with suppress(OSError):  # a full disk: commands don't learn the address
                say_address(settings.public_url or url)
            with suppress(OSError):  # nobody reads: what was started goes on
                print_addresses()

        def print_addresses() -> None:
            typer.echo(f"API        {url}/api")
            typer.echo(f"Reference  {url}/docs")
            typer.echo(f"Sign in    {url}/sign-in")
            typer.echo(f"MCP        {_public_url(settings, url) or url}{MCP_PATH}")
            if company_and_key is not None:
                company, key = company_and_key
                typer.echo(f"Company    {company}")
                typer.echo(f"API key    {key or f'(ledgerbee api-key create --company {company} --scopes all)'}")
            if nobody_signs_in:
                named = f" --company {company_and_key[0]}" if company_and_key else ""
                note(f"Nobody can sign in yet: ledgerbee user create --email YOU@EXAMPLE.COM --role owner{named}")
            if not settings.smtp_url:
                note("SMTP_URL is not set: invoices sent by e-mail wait until it is.")
            _warn_of_sender(settings)
            if not _public_url(settings, url):
                note("LEDGERBEE_PUBLIC_URL is not set: quotes have no page on which their buyers answer.")
            if allows_loopback(settings, bound_host):
                note(f"Webhooks may go to programs on this machine, for development ({_LOOPBACK_VARIABLE}).")

        Supervisor(
            listener=listener,
            processes=count,
            environment={
                **os.environ,
                **found.environment(),
                "LEDGERBEE_PUBLIC_URL": _public_url(settings, url),
                _LOOPBACK_VARIABLE: str(allows_loopback(settings, bound_host)).lower(),
            },
            signals=signals,
            on_ready=announce,
            on_tick=_keeping_up(found.data_dir, stack) if found.data_dir else lambda: None,
        ).run()


def _say_nothing(_: str) -> None:
    """The operator's own database has no folder in which commands would look."""


def work_only(data_dir: Path | None) -> None:
    """Run the worker alone until SIGTERM or SIGINT."""
    from ledgerbee.app.worker_process import run_worker

    settings = Settings()
    with access(data_dir) as found:
        logs.configure(settings.log_level)
        claim_blob_folder(found)
        _warn_of_sender(settings)
        place = {
            "database_url": found.owner_url,
            "database_app_url": found.app_url,
            "database_worker_url": found.worker_url,
            "attachments_dir": blob_folder(settings, found.data_dir),
            "einvoice_dir": e_invoice_folder(settings, found.data_dir),
            "secret_key_file": key_file(settings, found.data_dir),
        }
        run_worker(settings.model_copy(update=place))


def _public_url(settings: Settings, own: str) -> str:
    """What links begin with; empty: none. `own` is where `serve` listens, which is enough for trying things out.

    Whoever gets mail by a server elsewhere can't open an address of this machine.
    """
    if settings.public_url:
        return settings.public_url
    mails_to_itself = settings.smtp_url is None or is_loopback(urlsplit(settings.smtp_url).hostname or "")
    return own if mails_to_itself and is_loopback(urlsplit(own).hostname or "") else ""


def allows_loopback(settings: Settings, host: str) -> bool:
    """Whether webhooks may go to this machine when `serve` listens on `host`.

    Unless the operator said it, only while nobody else has to do with it: the API is reached from this machine, no
    public address is known, and no mail leaves. Elsewhere callers must not reach what listens beside it.
    """
    if settings.webhooks_allow_loopback is not None:
        return settings.webhooks_allow_loopback
    return is_loopback(host) and settings.smtp_url is None and settings.public_url is None


def _warn_of_sender(settings: Settings) -> None:
    if settings.sends_from_default:
        note(f"LEDGERBEE_MAIL_FROM is not set: mail goes out from {settings.mail_from}, which most servers refuse.")


def _warn_of_cells(settings: Settings, own_folder: Path) -> None:
    """Say which further cells are not ready: their companies get 503 until they are."""
    if settings.cells:
        for mark, error in asyncio.run(warnings_of(settings, own_folder)).items():
            log.warning("cell.not_ready", cell=mark, error=error)


def warn_of_open_address(host: str, trusted_proxies: str) -> None:
    """Say so in the log when credentials and books go over the network in the clear: nothing in front speaks TLS."""
    proxies = [part.strip() for part in trusted_proxies.split(",") if part.strip()]
    if not is_loopback(host.partition("%")[0]) and all(is_loopback(proxy) for proxy in proxies):
        log.warning(
            "serve.open_address",
            host=host,
            remedy="put a proxy with TLS in front and name it in LEDGERBEE_TRUSTED_PROXIES, or listen on 127.0.0.1",
        )


def _cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _keeping_up(folder: Path, stack: ExitStack) -> Callable[[], None]:
    """A look at the embedded database now and then: one that was killed is started again."""
    next_look = time.monotonic()

    def look() -> None:
        nonlocal next_look
        if time.monotonic() < next_look:
            return
        if not is_up(folder):
            log.error("database.ended")
            try:
                stack.enter_context(running(folder))
            except EmbeddedPostgresError as fault:
                log.warning("database.not_started", error=str(fault))
            else:
                log.warning("database.started_again")
        next_look = time.monotonic() + _LOOK_EVERY_S

    return look


def _warn_of_few_connections(found: Access, needed: int) -> None:
    allowed = as_worker(found, store.get_connection_limit)
    if needed > allowed:
        note(f"The database allows {allowed} connections and up to {needed} may be needed: lower LEDGERBEE_POOL_SIZE.")


def _warn_of_old_rates(found: Access, *, fetches: bool) -> None:
    """Say so when what is booked in a foreign currency today may find no rate."""
    newest = as_worker(found, rates.newest_day)
    now = system_clock()
    if newest is not None and age(newest, now) > MOST_AGE_DAYS:
        remedy = "The worker looks for newer ones." if fetches else "Add newer ones: `ledgerbee rates import FILE`."
        note(f"The newest published exchange rates are of {newest}, {age(newest, now)} days ago. {remedy}")


def _first_company(found: Access) -> tuple[UUID, str | None]:
    """The company whose key is at hand, and that key: made at the first start, read from the key file later.

    The key is None when it is no longer valid or was never there.
    """
    assert found.data_dir is not None
    key_file = found.data_dir / _KEY_FILE
    companies = all_companies(found)
    if companies:
        key = key_file.read_text().strip() if key_file.exists() else ""
        principal = as_worker(found, lambda connection: credentials.resolve(connection, secret_hash(key), DEFAULT_CELL))
        return (principal.company_id, key) if principal else (companies[0], None)
    from ledgerbee.app.onboarding import create_company
    from ledgerbee.tenancy.api_keys import actions as api_keys

    company_id = new_id()

    async def work(context: Context) -> str:
        await create_company(context, _FIRST_COMPANY, country_code="DK")
        _, secret = await api_keys.create(context, name="first key", scopes=SCOPES)
        return secret

    secret = in_company(found, company_id, work)
    _write_private(key_file, secret + "\n")
    note("Address, CVR number and bank account of the company are made up: PATCH /v1/company makes it yours.")
    return company_id, secret


def _write_private(file: Path, text: str) -> None:
    """Put a file in place of what may be there, whole, and readable by its owner only from the first byte."""
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(create_private(part), "w") as opened:
        opened.write(text)
    part.replace(file)
