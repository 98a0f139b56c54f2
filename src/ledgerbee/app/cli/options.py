"""What all commands share: their common options, their results and their refusals. Loads next to nothing."""

import json
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn, Protocol, runtime_checkable
from uuid import UUID

import typer

if TYPE_CHECKING:
    from ledgerbee.app.config import Settings
    from ledgerbee.core.errors import LedgerBeeError

#: A message is for a line or two of a terminal; what it quotes may be of any length.
_LONGEST_MESSAGE: Final = 2_000
_LONGEST_WORD: Final = 300
#: What a text on the command line may hold of control characters: an address has several lines.
_ALLOWED_CONTROLS: Final = "\n\t"


@runtime_checkable
class _Log(Protocol):
    """Standard error of `serve` and the worker, where it is a log (`platform/logs.py`)."""

    def note(self, text: str) -> None: ...
    def refusal(self, text: str) -> None: ...


def a_path(text: str) -> Path:
    """A path of the command line. An empty one is a variable of a script that was not set, not this folder."""
    if not text:
        raise typer.BadParameter("the path is empty.")
    return Path(text)


def a_file(text: str) -> Path:
    """A path of the command line that names a file to read."""
    path = a_path(text)
    try:
        with path.open("rb"):
            return path
    except OSError as fault:
        raise typer.BadParameter(f"{text}: {fault.strerror}.") from None


DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        parser=a_path,
        metavar="PATH",
        help="Folder of the embedded database (default: the user data folder).",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
CompanyOption = Annotated[UUID | None, typer.Option("--company", help="The company; needed when there are several.")]


def embedded_dir(data_dir: Path | None, settings: "Settings") -> Path | None:
    """The folder of the embedded database: the option, the setting, the default; None when `DATABASE_URL` says where.

    The option is said for this one command, so it goes before `DATABASE_URL`.
    """
    from ledgerbee.embedded import default_data_dir

    if data_dir is None and settings.database_url:
        return None
    return data_dir or settings.data_dir or default_data_dir()


def print_json(value: dict[str, Any]) -> None:
    """One JSON object on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


def print_result(value: dict[str, Any], *lines: str, as_json: bool) -> None:
    """The result of a command on standard output: one JSON object, or `lines` for people."""
    if as_json:
        print_json(value)
    else:
        for line in lines:
            typer.echo(line)


def note(message: str) -> None:
    """Words for people, on standard error: standard output is for results. In a log they are a line of it."""
    if isinstance(sys.stderr, _Log):
        sys.stderr.note(message)
        return
    with suppress(OSError):  # a closed standard error is no reason to leave work undone
        typer.echo(message, err=True)


def fail(message: str, status: int = 1) -> NoReturn:
    """End with that status and a message on standard error."""
    _say_error(message)
    raise typer.Exit(status)


def not_understood(fault: typer.TyperException) -> int:
    """Say in one line why a command line is not understood; the exit status. A group alone prints its help."""
    message = fault.format_message()
    context = getattr(fault, "ctx", None)
    if context is not None and context.command.no_args_is_help and not context.invoked_subcommand and "\n" in message:
        note(message)
    else:
        hint = f" See `{context.command_path} --help`." if context is not None else ""
        _say_error(" ".join(message.split()).rstrip(".") + "." + hint)
    return fault.exit_code


def check_text(argument: str) -> None:
    """Refuse an argument that is no text: bytes that are not UTF-8, control characters. Status 2."""
    odd = next(
        (char for char in argument if unicodedata.category(char) in {"Cc", "Cs"} and char not in _ALLOWED_CONTROLS),
        None,
    )
    if odd is not None:
        kind = "is not UTF-8" if "\ud800" <= odd <= "\udfff" else "holds a control character"
        fail(f"The argument {shown(argument)!s} {kind}.", 2)


def shown(text: str, longest: int = 200) -> str:
    """A text as it may stand in a line of a terminal: control characters escaped, and not longer than that."""
    cut = text if len(text) <= longest else text[:longest] + "…"
    return "".join(
        char
        if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        else char.encode("unicode-escape").decode()
        for char in cut
    )


def _say_error(message: str) -> None:
    brief = re.sub(rf"(\S{{{_LONGEST_WORD}}})\S+", r"\1…", message)  # what is said after a long value is still read
    lines = (shown(line, _LONGEST_MESSAGE) for line in brief.splitlines())
    if isinstance(sys.stderr, _Log):
        sys.stderr.refusal("\n".join(lines))
        return
    with suppress(OSError):
        typer.secho("error: ", fg="red", bold=True, err=True, nl=False)
        typer.echo("\n".join(lines), err=True)


@contextmanager
def plain_errors() -> Iterator[None]:
    """What can go wrong through no fault of the program becomes a message instead of a traceback."""
    try:
        yield
    except (BrokenPipeError, typer.Exit, typer.Abort, typer.TyperException):
        raise  # `main` knows what to do
    except Exception as fault:
        message = _explained(fault)
        if message is None:
            raise
        fail(message)


def _explained(fault: Exception) -> str | None:
    """What to print of a failure, or None when it is a fault of ours."""
    # Loaded only when something went wrong: a command that does little starts at once.
    import asyncpg
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from ledgerbee.app.beancount.model import BooksRefusedError
    from ledgerbee.app.cli.reach import DatabaseUnusableError
    from ledgerbee.app.config import Settings, refusals
    from ledgerbee.app.serve import StartFailedError
    from ledgerbee.core.errors import LedgerBeeError
    from ledgerbee.embedded import EmbeddedPostgresError
    from ledgerbee.migrations.migrate import MigrationError
    from ledgerbee.platform.blobs.marker import FolderTakenError
    from ledgerbee.platform.cell_mark import WrongDatabaseError
    from ledgerbee.tenancy.rates.ecb import UnreadableRatesError

    message: str | None = None
    match fault:
        case LedgerBeeError():
            message = _refusal(fault)
        case ValidationError() if fault.title == Settings.__name__:
            message = "\n".join(["The environment has values that can't be used.", *refusals(fault)])
        case DatabaseUnusableError() | MigrationError() | WrongDatabaseError():
            message = " ".join(str(fault).split())  # the server's own words come in several lines
        case EmbeddedPostgresError() | StartFailedError() | SettingsError() | FolderTakenError() | BooksRefusedError():
            message = str(fault)
        case asyncpg.PostgresError() | asyncpg.InterfaceError():
            message = f"The database refused: {' '.join(str(fault).split())}"
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
