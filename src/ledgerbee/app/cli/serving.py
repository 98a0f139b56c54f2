"""`serve` and `worker`: what they start, and what they tell whoever started them."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import typer

from ledgerbee.app.cli.session import Access, access, all_companies, data_dir_of, in_company, notes
from ledgerbee.app.config import Settings
from ledgerbee.app.onboarding import create_company
from ledgerbee.app.process import run_worker
from ledgerbee.app.serve import Supervisor, listen
from ledgerbee.core.ids import new_id
from ledgerbee.platform.api_keys import actions as api_keys
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.model import SCOPES
from ledgerbee.platform.postgres import serve_lock

#: Beside the embedded database, readable by its owner only: the key of the first company, for trying things out.
_KEY_FILE: Final = "first-api-key"


def serve_everything(host: str, port: int, data_dir: Path | None, processes: int | None) -> None:
    """Run the whole system until SIGTERM or SIGINT."""
    settings = Settings()
    with ExitStack() as stack:
        listener = stack.enter_context(listen(host, port))
        embedded = not settings.database_url or data_dir is not None
        if embedded:
            stack.enter_context(serve_lock(data_dir_of(data_dir, settings)))
        found = stack.enter_context(access(data_dir))
        company_and_key = _first_company(found, data_dir_of(data_dir, settings)) if embedded else None
        bound_host, bound_port = listener.getsockname()[:2]
        url = f"http://[{bound_host}]:{bound_port}" if ":" in bound_host else f"http://{bound_host}:{bound_port}"

        def announce() -> None:
            typer.echo(f"API        {url}/api")
            typer.echo(f"Reference  {url}/docs")
            if company_and_key is not None:
                company, key = company_and_key
                typer.echo(f"Company    {company}")
                typer.echo(f"API key    {key}")
            if not settings.smtp_url:
                notes.print("SMTP_URL is not set: invoices sent by e-mail wait until it is.")

        count = processes or settings.processes or os.cpu_count() or 1
        environment = {**os.environ, **found.environment(), "LEDGERBEE_LOG_LEVEL": settings.log_level}
        Supervisor(listener, count, environment, announce).run()


def work_only(data_dir: Path | None) -> None:
    """Run the worker alone until SIGTERM or SIGINT."""
    with access(data_dir) as found:
        settings = Settings().model_copy(update={"database_url": found.owner_url, "database_app_url": found.app_url})
        run_worker(settings)


def _first_company(found: Access, data_dir: Path) -> tuple[str, str]:
    """The company of a new installation and its key: made at the first start, read from the key file later."""
    key_file = data_dir / _KEY_FILE
    companies = all_companies(found)
    if companies:
        company = str(companies[0])
        return company, key_file.read_text().strip() if key_file.exists() else "(ledgerbee api-key create --scopes all)"
    company_id = new_id()

    async def work(context: Context) -> str:
        await create_company(context, name="My company", country_code="DK")
        _, secret = await api_keys.create(context, name="first key", scopes=SCOPES)
        return secret

    secret = in_company(found, company_id, work, new=True)
    descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret + "\n")
    return str(company_id), secret
