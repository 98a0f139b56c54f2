"""`demo`: where it keeps its books, what it prints and when it fails."""

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console

from ledgerbee.app.cli.options import embedded_dir, fail
from ledgerbee.app.cli.reach import check_logins, check_owner
from ledgerbee.app.config import Settings
from ledgerbee.app.demo import checks, flights, published
from ledgerbee.app.demo.client import DemoError
from ledgerbee.app.demo.database import own_database
from ledgerbee.app.demo.report import print_outcome
from ledgerbee.app.demo.run import Outcome, run
from ledgerbee.embedded import running
from ledgerbee.platform import logs

#: The invoice of the metered month.
METERED_PDF: Final = "metered-month.pdf"
#: Columns where no terminal says how many there are.
_WIDTH: Final = 110


def demonstrate(output: Path, file: Path | None, data_dir: Path | None) -> bool:
    """Sell the published invoices, bill the published flights, write the PDFs below `output` and print what came of
    it; True if all holds. Of another `file` than the usual one only the documents are sold.

    The database is the demo's own, on the server that any command would use, and new at every run.
    """
    started = time.monotonic()
    logs.configure("WARNING")
    try:
        documents = published.documents(file)
    except ValueError as fault:
        fail(f"{file} is no file of published documents: {fault}.")
    flown = flights.flights() if file is None else []
    output.mkdir(
        parents=True, exist_ok=True
    )  # before anything is sold: PDFs that can't be written are reported at once
    doing = f"Selling {len(documents)} published documents over the API"
    try:
        with Console(stderr=True).status(doing), _server_url(data_dir) as server_url, own_database(server_url) as found:
            outcome = run(found, documents, flown)
    except DemoError as fault:
        fail(str(fault))
    pdfs = _write_pdfs(outcome, output)
    faults = checks.faults(outcome)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    print_outcome(console, outcome, pdfs, faults)
    console.print(f"[dim]{time.monotonic() - started:.1f} s[/]")
    return not faults


@contextmanager
def _server_url(data_dir: Path | None) -> Iterator[str]:
    """A login as owner on the server of `DATABASE_URL`, else on the embedded one, started if nobody has."""
    settings = Settings()
    folder = embedded_dir(data_dir, settings)
    if folder is None:
        assert settings.database_url is not None
        asyncio.run(check_owner(settings.database_url))
        asyncio.run(check_logins(settings))
        yield settings.database_url
        return
    with running(folder) as server:
        yield server.dsn()


def _write_pdfs(outcome: Outcome, output: Path) -> dict[str, Path]:
    written = {}
    for sale in outcome.sold:
        # The key is the file's own name of a document: of what else it may hold, nothing reaches the path.
        name = "".join(char if char.isalnum() else "-" for char in sale.document["key"])
        path = output / f"{name}.pdf"
        path.write_bytes(sale.pdf)
        written[sale.document["key"]] = path
    if outcome.metered is not None:
        (output / METERED_PDF).write_bytes(outcome.metered[0].pdf)
    return written
