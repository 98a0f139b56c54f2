"""Every command. Each takes `--data-dir` and works beside a running `serve` on the same folder.

What a command needs is loaded when it runs, so that those that do little start at once.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledgerbee import __version__
from ledgerbee.app.cli import books, companies, database, importing, jobs, mailing, rates
from ledgerbee.app.cli.options import AsJson, CompanyOption, DataDir, note, plain_errors, print_json
from ledgerbee.app.signals import unwind

if TYPE_CHECKING:
    from ledgerbee.platform.api_keys.model import ApiKey
    from ledgerbee.platform.context import Context

app = typer.Typer(
    name="ledgerbee",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    help="Accounting and billing: every commercial event ends as a balanced, immutable journal entry.",
)
api_key_app = typer.Typer(no_args_is_help=True, help="API keys.")
app.add_typer(companies.app, name="company")
app.add_typer(api_key_app, name="api-key")
app.add_typer(books.report_app, name="report")
app.add_typer(importing.app, name="import")
app.add_typer(rates.app, name="rates")
app.add_typer(jobs.app, name="jobs")
app.add_typer(mailing.app, name="mail")
app.add_typer(database.app, name="db")
app.command()(books.verify)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 picks a free one.")] = 8000,
    data_dir: DataDir = None,
    processes: Annotated[
        int | None, typer.Option(min=1, max=64, help="API processes (default: one per core, at most 8).")
    ] = None,
) -> None:
    """Run the API, the worker, the reference page and, unless DATABASE_URL is set, the embedded database."""
    with plain_errors():
        from ledgerbee.app.cli.serving import serve_everything

        serve_everything(host, port, data_dir, processes)


@app.command()
def worker(data_dir: DataDir = None) -> None:
    """Run background jobs only (mail, housekeeping), beside API processes started elsewhere."""
    with plain_errors():
        from ledgerbee.app.cli.serving import work_only

        work_only(data_dir)


@app.command()
def demo(
    output: Annotated[Path, typer.Option("--output", help="Folder for the invoices' PDFs.")] = Path("out"),
    documents: Annotated[
        Path | None, typer.Option("--documents", help="Other published documents than those of examples/.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Sell published invoices over the API, mail and book them, and compare every figure. Fails if one differs.

    Its books lie in a database of their own (`..._demo`), new at every run, beside yours on the same server.
    """
    with plain_errors():
        from ledgerbee.app.cli.demonstration import demonstrate

        if not demonstrate(output, documents, data_dir):
            raise typer.Exit(1)


@app.command()
def openapi(
    output: Annotated[Path | None, typer.Option("--output", help="File to write instead of standard output.")] = None,
) -> None:
    """Print the OpenAPI document."""
    from ledgerbee.app.main import create_api

    text = json.dumps(create_api().openapi(), ensure_ascii=False, indent=2) + "\n"
    with plain_errors():
        if output is None:
            typer.echo(text, nl=False)
        else:
            output.write_text(text, "utf-8")


@api_key_app.command("create")
def api_key_create(
    scopes: Annotated[str, typer.Option(help="`all`, or scopes separated by commas.")],
    company: CompanyOption = None,
    name: Annotated[str, typer.Option(help="What the key is for.")] = "command line",
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Create an API key; it is shown once."""
    with plain_errors():
        from ledgerbee.app.cli.session import access, in_company, the_company
        from ledgerbee.platform.api_keys import actions as api_keys
        from ledgerbee.platform.credentials.model import SCOPES

        wanted = list(SCOPES) if scopes == "all" else [scope.strip() for scope in scopes.split(",") if scope.strip()]

        async def work(context: "Context") -> "tuple[ApiKey, str]":
            return await api_keys.create(context, name=name, scopes=wanted)

        with access(data_dir) as found:
            key, secret = in_company(found, the_company(found, company), work)
    if as_json:
        print_json({"id": key.id, "key": secret})
    else:
        typer.echo(secret)
        note("Keep it: it is not shown again.")


def main() -> None:
    """Entry point of the `ledgerbee` command."""
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    received: list[int] = []

    def end(number: int, _: object) -> None:
        received.append(number)
        unwind(128 + number)

    # Like Ctrl-C: an embedded database that this command started is stopped on the way out.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)
    try:
        app()
    except BaseException:
        if received:
            sys.exit(128 + received[0])
        raise
