"""Every command. Each takes `--data-dir` and works beside a running `serve` on the same folder.

What a command needs is loaded when it runs, so that those that do little start at once.
"""

import io
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from ledgerbee import __version__
from ledgerbee.app.cli import (
    api_keys,
    billing,
    books,
    companies,
    database,
    doctor,
    importing,
    jobs,
    mailing,
    rates,
    users,
    webhooks,
)
from ledgerbee.app.cli.options import DataDir, a_file, a_path, check_text, fail, not_understood, plain_errors
from ledgerbee.app.signals import cancel_and_exit

app = typer.Typer(
    name="ledgerbee",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Accounting and billing: every commercial event ends as a balanced, immutable journal entry.",
)
app.add_typer(companies.app, name="company")
app.add_typer(api_keys.app, name="api-key")
app.add_typer(billing.app, name="billing")
app.add_typer(books.report_app, name="report")
app.add_typer(importing.app, name="import")
app.add_typer(rates.app, name="rates")
app.add_typer(jobs.app, name="jobs")
app.add_typer(mailing.app, name="mail")
app.add_typer(users.app, name="user")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(database.app, name="db")
app.command()(books.verify)
app.command()(doctor.doctor)


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
    _log_only()
    from ledgerbee.app.cli.serving import serve_everything

    serve_everything(host, port, data_dir, processes)


@app.command()
def worker(data_dir: DataDir = None) -> None:
    """Run background jobs only (mail, housekeeping), beside API processes started elsewhere."""
    _log_only()
    from ledgerbee.app.cli.serving import work_only

    work_only(data_dir)


def _log_only() -> None:
    """Where no person reads standard error at a terminal, all of it is log lines."""
    if not sys.stderr.isatty():
        from ledgerbee.platform import logs

        logs.capture_stderr()


@app.command()
def demo(
    output: Annotated[
        Path, typer.Option("--output", parser=a_path, metavar="PATH", help="Folder for the invoices' PDFs.")
    ] = Path("out"),
    documents: Annotated[
        Path | None,
        typer.Option(
            "--documents", parser=a_file, metavar="FILE", help="Other published documents than those of examples/."
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Sell and credit published documents over the API, mail, book and receive them; meter and bill a month of
    published flights. Fails if a figure differs.

    Its books lie in a database of their own (`..._demo`), new at every run, beside yours on the same server.
    """
    from importlib.util import find_spec

    if find_spec("aiosmtpd") is None:
        fail("The demo mails to a server of its own: pip install 'ledgerbee[demo]'.")
    from ledgerbee.app.cli.demonstration import demonstrate

    if not demonstrate(output, documents, data_dir):
        raise typer.Exit(1)


@app.command()
def openapi(
    output: Annotated[
        Path | None,
        typer.Option("--output", parser=a_path, metavar="FILE", help="File to write instead of standard output."),
    ] = None,
) -> None:
    """Print the OpenAPI document."""
    if output is not None:
        output.touch()  # reported before the work, if it can't be written
    from ledgerbee.app.main import openapi_document

    text = json.dumps(openapi_document(), ensure_ascii=False, indent=2) + "\n"
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, "utf-8")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
) -> None:
    """Accounting and billing: every commercial event ends as a balanced, immutable journal entry."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Entry point of the `ledgerbee` command. Ends the process: 0 done, 1 refused, 2 not understood."""
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that the terminal has no letters for is no reason to fail
            stream.reconfigure(errors="backslashreplace")
    received: list[int] = []

    def end(number: int, _: object) -> None:
        received.append(number)
        cancel_and_exit(128 + number)

    # Like Ctrl-C: an embedded database that this command started is stopped on the way out.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)
    try:
        status = _run(sys.argv[1:] if arguments is None else arguments)
    except BaseException:
        if received:
            sys.exit(128 + received[0])
        raise
    finally:
        _give_up_unwritten()
    sys.exit(128 + received[0] if received else status)


def _open_closed_streams() -> None:
    """Have the three standard streams open, so that no file or connection takes the number of a closed one.

    What is written to a standard output that was closed is refused, as by any program; to standard error it is lost.
    """
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # it gets the lowest number that is free: this one
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  for as long as the process
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def _give_up_unwritten() -> None:
    """Drop what standard output does not take: that was reported, and Python would complain once more at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _run(arguments: Sequence[str]) -> int:
    """Carry a command line out; its exit status. What it prints is written when this returns."""
    try:
        with plain_errors():
            for argument in arguments:
                check_text(argument)
            outcome = app(list(arguments), prog_name="ledgerbee", standalone_mode=False)
            sys.stdout.flush()
            return outcome if isinstance(outcome, int) else 0
    except typer.Exit as ended:
        return ended.exit_code
    except typer.TyperException as fault:
        return not_understood(fault)
    except typer.Abort:
        return 130
    except BrokenPipeError:  # who reads has left, as `head` does: nothing is to be said, nor to be written at the end
        # (typer itself does so for what a command prints)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
