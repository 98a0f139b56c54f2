"""Whatever stands on a command line: one or two lines on standard error, no traceback, and nothing done by halves."""

import asyncio
import contextlib
import io
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import typer
from tests.conftest import clone_template, drop_database, with_database
from tests.runtime.processes import PROGRAM, cli_json, environment, refused
from tests.table_rows import counts

from ledgerbee import __version__
from ledgerbee.app.cli.commands import app, main
from ledgerbee.app.cli.options import a_path
from ledgerbee.app.demo import published

UNKNOWN = "0195d0a0-0000-7000-8000-000000000000"
#: Values that are odd wherever they stand.
HOSTILE = {
    "empty": "",
    "blank": "   ",
    "commas": ",,",
    "huge": "x" * 100_000,
    "huge number": "9" * 40,
    "negative": "-1",
    "newline": "a\nb",
    "NUL": "a\0b",
    "escape": "\x1b[31mred",
    "not UTF-8": os.fsdecode(b"\xff\xfe"),
    "last day": "9999-12-31",
    "no such day": "2026-02-30",
    "unknown id": UNKNOWN,
    "directory": "/",
    "nowhere": "/dev/null/nowhere",
    "device": "/dev/null",
}
#: Commands that go on until they are told to stop: their database is one that nobody answers at.
ENDLESS = {"serve", "worker", "demo"}
NOBODY = "postgresql://nobody@127.0.0.1:9/nothing"
#: What the other required parameters of a command are given.
NEEDED = {
    "company create": ["--name", "Nordlys ApS", "--country", "DK"],
    "api-key create": ["--scopes", "all"],
    "api-key revoke": [UNKNOWN],
    "import csv": ["/dev/null"],
    "import jsonl": ["/dev/null"],
    "import beancount": ["/dev/null"],
    "rates import": ["/dev/null"],
    "webhooks listen": ["--forward", "http://127.0.0.1:9/hook", "--url", "http://127.0.0.1:9", "--key", "none"],
    "webhooks send-test": ["--url", "http://127.0.0.1:9", "--key", "none", UNKNOWN],
    "db backup": ["/dev/null/backup"],
    "db restore": ["/dev/null/backup"],
}


def _leaves(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its name."""
    if not (verbs := getattr(command, "commands", None)):
        yield path, command
    for name, verb in (verbs or {}).items():
        yield from _leaves(f"{path} {name}".strip(), verb)


COMMANDS = dict(_leaves("", typer.main.get_command(app)))
OPTIONS = [
    pytest.param(name, parameter.opts[0], id=f"{name} {parameter.opts[0]}")
    for name, command in COMMANDS.items()
    for parameter in command.params
    if not getattr(parameter, "is_flag", False) and parameter.name != "data_dir"
]


@pytest.fixture(scope="module")
def books(server_url: str) -> Iterator[tuple[str, str]]:
    """The address of a database, for `DATABASE_URL`, and a company in it."""
    name = f"ledgerbee_hostile_{os.getpid()}"
    url = with_database(server_url, name)
    asyncio.run(clone_template(server_url, name))
    company = cli_json("company", "create", "--name", "Nordlys ApS", "--country", "DK", DATABASE_URL=url)["id"]
    yield url, company
    asyncio.run(drop_database(server_url, name))


@pytest.fixture(scope="module", autouse=True)
def commands_are_built_once() -> Iterator[None]:
    """As in a process that has one command line to carry out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", cache(typer.main.get_command))
        yield


@pytest.fixture(scope="module")
def company_database(books: tuple[str, str]) -> str:
    return books[0]


@pytest.fixture
def company(books: tuple[str, str]) -> str:
    return books[1]


@pytest.fixture
def here(company_database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """This process as an operator's shell: the settings of the environment, in an empty folder."""
    monkeypatch.setenv("DATABASE_URL", company_database)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> tuple[int, str, str]:
    """A command line in this process: exit status, standard output, standard error. Raises what is unforeseen."""
    out, err = io.StringIO(), io.StringIO()
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main(arguments)
    logging.captureWarnings(capture=False)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    assert isinstance(ended.value.code, int)
    said = err.getvalue()
    if said.startswith("{"):  # `serve` and `worker` write a log
        *notes, _ = [json.loads(line) for line in said.splitlines()]
        assert {line["event"] for line in notes} <= {"note"}
        said = f"error: {refused(said)}\n"
    return ended.value.code, out.getvalue(), said


@pytest.fixture(scope="module")
def rows(company_database: str) -> Iterator[Callable[[], dict[str, int]]]:
    """Tells how much there is of everything."""
    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(asyncpg.connect(company_database))
    yield lambda: loop.run_until_complete(counts(connection))
    loop.run_until_complete(connection.close())
    loop.close()


def _is_plain_refusal(code: int, out: str, err: str) -> bool:
    lines = err.splitlines()
    plain = code in {1, 2} and not out and err.startswith("error: ") and len(lines) <= 2 and "Traceback" not in err
    return plain and all(len(line) < 3_000 and line.isprintable() for line in lines)


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_every_option_of_every_command_refuses_in_a_line_or_two(
    name: str,
    option: str,
    here: Path,
    rows: Callable[[], dict[str, int]],
    company: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    takes_company = any("--company" in parameter.opts for parameter in COMMANDS[name].params)
    others = ["--company", company] if takes_company and option != "--company" else []
    if name in ENDLESS:
        monkeypatch.setenv("DATABASE_URL", NOBODY)
    lines = {
        kind: [*others, *NEEDED.get(name, []), f"{option}={value}"]
        if option.startswith("-")
        else [*others, "--", value]
        for kind, value in HOSTILE.items()
    }
    before = rows()
    kinds = [kind for kind, given in lines.items() if _is_refused(kind, *name.split(), *given)]
    if len(kinds) < len(lines):  # what was done wrote something: once more without it
        before = rows()
        assert [kind for kind in kinds if _is_refused(kind, *name.split(), *lines[kind])] == kinds
    assert rows() == before


def _is_refused(kind: str, *line: str) -> bool:
    """Whether a command line was refused, in the way in which each is."""
    code, out, err = run(*line)
    if code:
        assert _is_plain_refusal(code, out, err), (kind, err)
    else:
        assert not {"\x1b", "\0"} & set(out), kind
    return code != 0


@pytest.mark.parametrize("arguments", [["db", "backup"], ["import", "csv"], ["db", "restore"]], ids=" ".join)
def test_the_reason_is_told_beside_a_value_of_any_length(arguments: list[str], here: Path, company: str) -> None:
    code, out, err = run(*arguments, HOSTILE["huge"])
    assert _is_plain_refusal(code, out, err), err
    assert "File name too long" in err
    assert len(err) < 600


@pytest.mark.parametrize("file", ["/dev/null", "/dev/null/nowhere", "/", "{here}/no/folder"])
def test_a_backup_that_cannot_be_written_makes_no_database(file: str, here: Path) -> None:
    code, out, err = run("db", "backup", f"--data-dir={here / 'data'}", file.format(here=here))
    assert _is_plain_refusal(code, out, err), err
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("kind", HOSTILE)
def test_every_folder_of_data_is_taken_by_one_rule(kind: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsers = {
        parameter.type_descriptor.parameter_info.parser
        for command in COMMANDS.values()
        for parameter in command.params
        if parameter.name == "data_dir"
    }
    assert parsers == {a_path}
    code, out, err = run("db", "status", f"--data-dir={HOSTILE[kind]}")
    assert (code == 0 and out.startswith("absent")) or _is_plain_refusal(code, out, err), err
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["company", "create", "--name", "A", "--country", "DK", "--currency", "kr"],
        ["company", "create", "--name", "A", "--country", ""],
        ["company", "create", "--name", os.fsdecode(b"\xff"), "--country", "DK"],
        ["report", "trial-balance", "--to", "9999-12-31"],
        ["report", "trial-balance", "--from", "2026-1-1"],
        ["jobs", "list", "--limit", "99999999999999999999"],
        ["jobs", "retry", "99999999999999999999"],
        ["jobs", "retry"],
        ["api-key", "create", "--scopes", ""],
        ["api-key", "create", "--scopes", "invoices-read,,"],
        ["api-key", "create", "--scopes", "all", "--name", ""],
        ["api-key", "create", "--scopes", "all", "--company", UNKNOWN],
        ["api-key", "revoke", UNKNOWN],
        ["company", "licenses", "--set", ",,"],
        ["company", "licenses", "--set", "everything"],
        ["verify", "--company", UNKNOWN],
        ["import", "csv", "/"],
        ["rates", "import", "/nowhere/rates.xml"],
        ["db", "backup", "/dev/null"],
        ["db", "restore", "/dev/null"],
        ["demo", "--documents", "/dev/null"],
        ["demo", "--output", "/dev/null/out"],
        ["webhooks", "listen", "--forward", "127.0.0.1:3000"],
        ["webhooks", "send-test", UNKNOWN],
        ["serve", "--host", "x" * 300],
        ["serve", "--host", "256.0.0.1"],
        ["nonsense"],
        ["company", "creat"],
        ["company", "create"],
    ],
    ids=lambda arguments: " ".join(arguments)[:60].encode("ascii", "backslashreplace").decode(),
)
def test_what_has_to_be_refused(
    arguments: list[str], here: Path, rows: Callable[[], dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    if arguments[0] in ENDLESS:
        monkeypatch.setenv("DATABASE_URL", NOBODY)
    before = rows()
    said = run(*arguments)
    assert _is_plain_refusal(*said), said
    assert rows() == before


def _spoilt() -> dict[str, Any]:
    """Files of documents that are none: each is the published one with one thing wrong."""
    (first, *_) = published.documents()
    whole = json.loads(json.dumps(first))
    line = whole["lines"][0]
    return {
        "no JSON": b"{",
        "not UTF-8": b'{"documents": ["\xff"]}',
        "deep": b"[" * 100_000,
        "a list": [],
        "none": {"documents": []},
        "numbers": {"documents": [1]},
        **{f"without {name}": {"documents": [{**whole, name: None}]} for name in ("key", "seller", "lines", "totals")},
        "without lines": {"documents": [{**whole, "lines": []}]},
        "a quantity of zero": {"documents": [{**whole, "lines": [{**line, "quantity": "0"}]}]},
        "a price of NaN": {"documents": [{**whole, "lines": [{**line, "unitPrice": "NaN"}]}]},
        "a number": {"documents": [{**whole, "lines": [{**line, "unitPrice": 1}]}]},
        "no day": {"documents": [{**whole, "issueDate": "2015-02-30"}]},
        "twice": {"documents": [whole, whole]},
    }


@pytest.mark.parametrize("kind", _spoilt())
def test_documents_that_the_demo_cannot_read(kind: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", NOBODY)
    content = _spoilt()[kind]
    file = here / "documents.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    code, out, err = run("demo", "--documents", str(file), "--output", str(here / "out"))
    assert _is_plain_refusal(code, out, err), err
    assert str(file) in err
    assert not (here / "out").exists()


@pytest.mark.parametrize("name", list(dict.fromkeys(["", *COMMANDS, *(name.split()[0] for name in COMMANDS)])))
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_is_everywhere(name: str, option: str) -> None:
    code, out, err = run(*name.split(), option)
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: ledgerbee {name}".rstrip())


def test_the_version_is_an_option_too() -> None:
    assert run("--version") == (0, f"{__version__}\n", "")


def test_who_stops_reading_gets_no_complaint() -> None:
    with subprocess.Popen(
        [PROGRAM, "openapi"], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        assert program.stdout is not None
        program.stdout.close()
        assert program.stderr is not None
        assert program.stderr.read() == b""
    assert program.returncode == 1


#: Command lines that print a result, and need no file for it.
PRINTING = [
    ["version"],
    ["--version"],
    ["--help"],
    ["openapi"],
    ["company", "list"],
    ["company", "list", "--json"],
    ["api-key", "list", "--json"],
    ["jobs", "list", "--json"],
    ["db", "status"],
    ["verify"],
    ["report", "trial-balance"],
    ["doctor"],
    ["doctor", "--json"],
]
UNWRITABLE = {">/dev/full": "No space left on device", ">&-": "Bad file descriptor"}


@pytest.mark.parametrize(
    ("arguments", "redirection"),
    [
        *((arguments, redirection) for arguments in PRINTING for redirection in UNWRITABLE),
        *(([*name.split(), "--help"], ">/dev/full") for name in COMMANDS),
    ],
)
def test_a_result_that_cannot_be_written_is_told(
    arguments: list[str], redirection: str, company_database: str, company: str
) -> None:
    """By every command in the same way: status 1 and one line, whatever the length of the result."""
    if arguments[0] in {"api-key", "report", "verify"} and "--help" not in arguments:  # not of all that was made here
        arguments = [*arguments, "--company", company]
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", PROGRAM, *arguments],
        env=environment(DATABASE_URL=company_database, LEDGERBEE_RATES_FETCH="false"),
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, f"error: {UNWRITABLE[redirection]}\n")


@pytest.mark.parametrize("redirection", ["2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_place_for_files_and_connections(redirection: str, company_database: str) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", PROGRAM, "company", "list", "--json"],
        env=environment(DATABASE_URL=company_database),
        capture_output=True,
        text=True,
        check=False,
    )
    is_closed = ">&- 2" in redirection
    assert (done.returncode, done.stderr) == (1 if is_closed else 0, "")
    assert is_closed or json.loads(done.stdout)


def test_bytes_that_are_not_utf8_in_a_real_command_line() -> None:
    done = subprocess.run(
        [PROGRAM, "company", "create", b"--name=\xff\xfe", "--country", "DK"],
        env=environment(DATABASE_URL=NOBODY),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().count("\n") == 1


def test_keys_are_made_listed_and_revoked(here: Path, company: str) -> None:
    at = ("--company", company)
    made = json.loads(run("api-key", "create", *at, "--scopes", "invoices-read, invoices-write", "--json")[1])
    (listed, *_) = json.loads(run("api-key", "list", *at, "--json")[1])["apiKeys"]
    assert (listed["id"], listed["scopes"], listed["revokedAt"]) == (
        made["id"],
        ["invoices-read", "invoices-write"],
        None,
    )
    assert made["key"] not in json.dumps(listed)
    assert made["key"].startswith(listed["prefix"])
    assert made["id"] in run("api-key", "list", *at)[1]
    assert json.loads(run("api-key", "revoke", made["id"], *at, "--json")[1])["id"] == made["id"]
    assert "revoked" in run("api-key", "list", *at)[1]
