"""What all commands share: their common options, their results and their refusals. Loads next to nothing."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from uuid import UUID

import typer

if TYPE_CHECKING:
    from ledgerbee.app.config import Settings
    from ledgerbee.core.errors import LedgerBeeError

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder of the embedded database (default: the user data folder)."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
CompanyOption = Annotated[UUID | None, typer.Option("--company", help="The company; needed when there are several.")]


def embedded_dir(data_dir: Path | None, settings: "Settings") -> Path | None:
    """The folder of the embedded database: the option, the setting, the default; None when `DATABASE_URL` says where.

    The option is said for this one command, so it goes before `DATABASE_URL`.
    """
    from ledgerbee.platform.postgres import default_data_dir

    if data_dir is None and settings.database_url:
        return None
    return data_dir or settings.data_dir or default_data_dir()


def print_json(value: dict[str, Any]) -> None:
    """One JSON object on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


def note(message: str) -> None:
    """Words for people, on standard error: standard output is for results."""
    typer.echo(message, err=True)


def fail(message: str) -> NoReturn:
    """End with status 1 and a message on standard error."""
    typer.secho("error: ", fg="red", bold=True, err=True, nl=False)
    typer.echo(message, err=True)
    raise typer.Exit(1)


@contextmanager
def plain_errors() -> Iterator[None]:
    """What can go wrong through no fault of the program becomes a message instead of a traceback."""
    try:
        yield
    except Exception as fault:
        message = _explained(fault)
        if message is None:
            raise
        fail(message)


def _explained(fault: Exception) -> str | None:
    """What to tell of a failure, or None when it is a fault of ours."""
    # Loaded only when something went wrong: a command that does little starts at once.
    import asyncpg
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from ledgerbee.app.config import Settings, refusals
    from ledgerbee.app.serve import StartFailedError
    from ledgerbee.core.errors import LedgerBeeError
    from ledgerbee.platform.migrate import MigrationError
    from ledgerbee.platform.postgres import EmbeddedPostgresError
    from ledgerbee.platform.rates.ecb import UnreadableRatesError

    message: str | None = None
    match fault:
        case LedgerBeeError():
            message = _refusal(fault)
        case ValidationError() if fault.title == Settings.__name__:
            message = "\n".join(["The environment has values that can't be used.", *refusals(fault)])
        case EmbeddedPostgresError() | MigrationError() | StartFailedError() | SettingsError():
            message = str(fault)
        case asyncpg.PostgresError() | asyncpg.InterfaceError():
            message = f"The database refused: {fault}"
        case UnreadableRatesError():
            message = f"These are no exchange rates: {fault}."
        case OSError(strerror=str(reason), filename=str(name)):
            message = f"{name}: {reason}"
        case OSError():
            message = fault.strerror or str(fault)
    return message


def _refusal(fault: "LedgerBeeError") -> str:
    from ledgerbee.core.errors import VALIDATION_FAILED

    if fault.error_code is not VALIDATION_FAILED:
        return f"{fault.message} ({fault.code})"
    return "; ".join(text for problem in fault.details["validationErrors"] for text in problem["constraints"].values())
