"""Beancount's command-line tools: found, run with a deadline, their errors and options read."""

import ast
import asyncio
import json
import os
import re
import resource
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ledgerbee.app.beancount.model import BooksRefusedError

#: Errors that are shown, and characters of each.
_SHOWN: Final = 20
_LENGTH: Final = 300
#: Bytes of memory that a tool may have, and of a file that it may write: books of a million transactions take less.
_MEMORY: Final = 4 * 1024**3
_WRITTEN: Final = 4 * 1024**3
#: What could steer a terminal or break the line that a message stands on.
_UNPRINTABLE: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_TRACE: Final = "Traceback (most recent call last):"
#: What `bean-doctor print-options` prints among others.
_OPTION: Final = re.compile(r"(name_[a-z]+|operating_currency): (.*)")


@dataclass(frozen=True, slots=True)
class Tools:
    """Runs the tools on the books in `file`. `folder` takes what they print, they have `seconds` together."""

    file: Path
    folder: Path
    seconds: float
    _until: float

    @classmethod
    def on(cls, file: Path, folder: Path, seconds: float) -> "Tools":
        """The tools for books. Raises `BooksRefusedError` for a path that they would take for another one."""
        file = Path(os.path.abspath(file))  # noqa: PTH100  links stay: includes are relative to the path as it is said
        name = str(file)
        if set("?#") & set(name) or os.path.expandvars(name) != name or not name.isprintable():
            raise BooksRefusedError(f"Beancount's tools can't open {plain(name)}: rename it without ?, # and $.")
        return cls(file, folder, seconds, time.monotonic() + seconds)

    async def check(self) -> None:
        """Refuse books that Beancount finds errors in. Accounts may lack their `open`.

        What Beancount has an error about it may leave out, so books with an error are not imported at all.
        """
        # --auto only opens accounts and adds prices: nothing else of what is booked depends on it.
        printed = await self._run("bean-check", "--auto", "--json", str(self.file), codes=(0, 1))
        try:
            errors = json.loads(printed.rpartition("\n")[2])["errors"]
        except (ValueError, LookupError, TypeError):
            raise self._failure("bean-check", "it listed no errors") from None
        if errors:
            raise BooksRefusedError(self._listed(errors))

    async def options(self) -> tuple[Mapping[str, str], Sequence[str]]:
        """What the books call the kinds of account (`name_assets`...), and their operating currencies."""
        printed = await self._run("bean-doctor", "print-options", str(self.file))
        matches = [_OPTION.fullmatch(line) for line in printed.splitlines()]
        found = {match[1]: match[2] for match in matches if match}
        try:
            currencies = ast.literal_eval(found.pop("operating_currency"))
        except (ValueError, SyntaxError, KeyError):
            raise self._failure("bean-doctor", "it told no options") from None
        return found, currencies

    async def query(self, query: str) -> Path:
        """The answer to a query of the Beancount Query Language, as a CSV file."""
        output = self.folder / "answer.csv"
        await self._run("bean-query", "-q", "-f", "csv", "-o", str(output), str(self.file), query)
        return output

    async def _run(self, name: str, *arguments: str, codes: Sequence[int] = (0,)) -> str:
        """Run a tool to its end; what it printed."""
        environment = {
            **os.environ,
            "PYTHONUTF8": "1",
            # Not beside the books, and of `bean-check` alone, which loads them with another plugin.
            "BEANCOUNT_LOAD_CACHE_FILENAME": str(self.folder / ("checked" if name == "bean-check" else "loaded")),
        }
        out = self.folder / f"{name}.out"
        with out.open("wb") as stdout, out.with_suffix(".err").open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                _program(name),
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=environment,
                start_new_session=True,
            )
            self._limit(process.pid)
            try:
                await asyncio.wait_for(process.wait(), max(self._until - time.monotonic(), 0))
            except TimeoutError:
                raise BooksRefusedError(
                    f"Beancount wasn't done with {self.file.name} after {self.seconds:g} seconds (see --timeout)."
                ) from None
            finally:
                if process.returncode is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    await process.wait()
        if process.returncode not in codes:
            raise self._failure(name, f"it ended with status {process.returncode}")
        return out.read_text("utf-8", "replace").strip()

    def _limit(self, pid: int) -> None:
        """Bound what a tool takes, where the system can do that from outside: books may be made to take everything."""
        if not hasattr(resource, "prlimit"):
            return
        seconds = int(self.seconds) + 1
        for limited, most in (
            (resource.RLIMIT_AS, _MEMORY),
            (resource.RLIMIT_FSIZE, _WRITTEN),
            (resource.RLIMIT_CPU, seconds),
        ):
            with suppress(ProcessLookupError):  # it is done already
                resource.prlimit(pid, limited, (most, most))

    def _failure(self, name: str, otherwise: str) -> BooksRefusedError:
        """That a tool failed, with the last line it said about it."""
        said = (self.folder / f"{name}.err").read_text("utf-8", "replace").strip().rpartition("\n")[2]
        return BooksRefusedError(f"Beancount's {name} failed on {self.file.name}: {plain(said) or otherwise}")

    def _listed(self, errors: Sequence[Any]) -> str:
        count = "an error" if len(errors) == 1 else f"{len(errors)} errors"
        lines = [f"Beancount finds {count} in {self.file.name}, so nothing was imported:"]
        for error in sorted(errors, key=lambda error: (error["filename"] or "", error["lineno"] or 0))[:_SHOWN]:
            what, _, trace = error["message"].partition(_TRACE)  # of a plug-in that failed: its last line says why
            why = trace.strip().rpartition("\n")[2]
            lines.append(f"  {self.place(error['filename'], error['lineno'])}: {plain(f'{what} {why}')}")
        if len(errors) > _SHOWN:
            lines.append(f"  ... and {len(errors) - _SHOWN} more: bean-check --auto {self.file.name}")
        return "\n".join(lines)

    def place(self, file: str | None, line: str | int | None) -> str:
        """Where something stands, for people: files by their path from the books' folder on."""
        path = Path(file or self.file)
        shown = path.relative_to(self.file.parent) if path.is_relative_to(self.file.parent) else path
        return f"{plain(str(shown))}:{line or 0}"


def plain(text: str) -> str:
    """Text of the tools or the books on one line, for a terminal, and not too long."""
    line = _UNPRINTABLE.sub(" ", text).strip()
    return line if len(line) <= _LENGTH else f"{line[:_LENGTH]}..."


def _program(name: str) -> str:
    """The path of a tool: beside the interpreter, where the optional extra installs it, else on PATH."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which(name, path=os.pathsep.join([beside, os.environ.get("PATH", "")]))
    if found is None:
        raise BooksRefusedError(f"Beancount's tool {name} is missing: pip install 'ledgerbee[beancount]'")
    return found
