"""Every command. Each takes `--data-dir` and works beside a running `serve` on the same folder."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from ledgerbee import __version__
from ledgerbee.app import logs
from ledgerbee.app.cli import database
from ledgerbee.app.cli.serving import serve_everything, work_only
from ledgerbee.app.cli.session import AsJson, DataDir, access, in_company, notes, plain_errors, print_json, the_company
from ledgerbee.app.config import Settings
from ledgerbee.app.main import create_api
from ledgerbee.app.onboarding import create_company
from ledgerbee.core.ids import new_id
from ledgerbee.platform.api_keys import actions as api_keys
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.model import SCOPES

app = typer.Typer(
    name="ledgerbee",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Accounting and billing: every commercial event ends as a balanced, immutable journal entry.",
)
company_app = typer.Typer(no_args_is_help=True, help="Companies.")
api_key_app = typer.Typer(no_args_is_help=True, help="API keys.")
report_app = typer.Typer(no_args_is_help=True, help="What the ledger says.")
app.add_typer(company_app, name="company")
app.add_typer(api_key_app, name="api-key")
app.add_typer(report_app, name="report")
app.add_typer(database.app, name="db")

CompanyOption = Annotated[UUID | None, typer.Option("--company", help="The company; needed when there are several.")]


@app.callback()
def configure() -> None:
    """Set up logging before any command runs."""
    logs.configure(Settings().log_level if "serve" in sys.argv or "worker" in sys.argv else "WARNING")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 picks a free one.")] = 8000,
    data_dir: DataDir = None,
    processes: Annotated[int | None, typer.Option(min=1, max=64, help="API processes (default: one per core).")] = None,
) -> None:
    """Run the API, the worker, the reference page and, unless DATABASE_URL is set, the embedded database."""
    with plain_errors():
        serve_everything(host, port, data_dir, processes)


@app.command()
def worker(data_dir: DataDir = None) -> None:
    """Run background jobs only (mail, housekeeping), beside API processes started elsewhere."""
    with plain_errors():
        work_only(data_dir)


@app.command()
def openapi(
    output: Annotated[Path | None, typer.Option("--output", help="File to write instead of standard output.")] = None,
) -> None:
    """Print the OpenAPI document."""
    text = json.dumps(create_api().openapi(), ensure_ascii=False, indent=2) + "\n"
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, "utf-8")


@company_app.command("create")
def company_create(
    name: Annotated[str, typer.Option(help="The company's name.")],
    country: Annotated[str, typer.Option(help="ISO 3166-1 alpha-2; DK gets the Danish standard chart.")],
    currency: Annotated[str | None, typer.Option(help="Base currency (default: the country's).")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Create a company with chart of accounts, VAT codes, categories, groups and templates."""
    company_id = new_id()

    async def work(context: Context) -> None:
        await create_company(context, name=name, country_code=country.upper(), base_currency=currency)

    with plain_errors(), access(data_dir) as found:
        in_company(found, company_id, work, new=True)
    if as_json:
        print_json({"id": company_id, "name": name})
    else:
        typer.echo(f"Company {name}: {company_id}")


@api_key_app.command("create")
def api_key_create(
    scopes: Annotated[str, typer.Option(help="`all`, or scopes separated by commas.")],
    company: CompanyOption = None,
    name: Annotated[str, typer.Option(help="What the key is for.")] = "command line",
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Create an API key; it is shown once."""
    wanted = list(SCOPES) if scopes == "all" else [scope.strip() for scope in scopes.split(",") if scope.strip()]

    with plain_errors(), access(data_dir) as found:
        key, secret = in_company(
            found, the_company(found, company), lambda context: api_keys.create(context, name=name, scopes=wanted)
        )
    if as_json:
        print_json({"id": key.id, "key": secret})
    else:
        typer.echo(secret)
        notes.print("Keep it: it is not shown again.")


def main() -> None:
    """Entry point of the `ledgerbee` command."""
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    app()
