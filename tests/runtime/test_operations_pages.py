"""What the operator's pages print is run, or a test that stands in for it is named."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from tests.platform.servers import end, value
from tests.runtime.processes import PROGRAM, cli, cli_json, environment

from ledgerbee import embedded as postgres
from ledgerbee.app.cli.backups import BACKUP_ROLE_SQL
from ledgerbee.app.cli.commands import app
from ledgerbee.platform.blobs.marker import MARKER

PAGES = Path(__file__).parents[2] / "docs" / "operations"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: Blocks that need root's machine, a server elsewhere or the network: how each starts, and the test that stands in.
ELSEWHERE = {
    "LEDGERBEE_SECRET_KEYS=": "tests/runtime/test_doctor.py",
    "head -c 32": "tests/runtime/test_doctor.py",
    "LEDGERBEE_CELLS=": "tests/runtime/test_several_cells.py",
    "LEDGERBEE_DATABASE_BACKUP_URL=": "tests/runtime/test_operations_pages.py",
    "export DATABASE_URL=": "tests/runtime/test_operations_pages.py",
    "CREATE DATABASE ledgerbee_restored": "tests/runtime/test_operations_pages.py",
    "CREATE ROLE ledgerbee_backup": "tests/runtime/test_operations_pages.py",
    "DATABASE_URL=postgresql": "tests/runtime/test_operations_pages.py",
    "CREATE ROLE ledgerbee_owner": "tests/runtime/test_operations_pages.py",
    "REVOKE EXECUTE ON FUNCTION pg_stat": "tests/runtime/test_operations_pages.py",
    "REVOKE CONNECT ON DATABASE": "tests/runtime/test_operations_pages.py",
    "DELETE FROM pg_statistic": "tests/runtime/test_operations_pages.py",
    "[Unit]": "tests/runtime/test_installed.py",
    "server {": "tests/runtime/test_operations_pages.py",
    "location = ": "tests/runtime/test_operations_pages.py",
    "apt install": "tests/unit/test_rendering_fonts.py",
    ".venv/bin/python -m hatchling": "tests/runtime/test_installed.py",
    "sed -e '/^ *--hash/d'": "tests/runtime/test_installed.py",
    "systemd-run": "tests/runtime/test_doctor.py",
    "systemctl start": "tests/runtime/test_installed.py",
    "ledgerbee rates import": "tests/runtime/test_rates.py",
    "jq -Rs": "tests/api/test_delivery_bounces.py",
}


def blocks() -> Iterator[tuple[str, str]]:
    """Every code block of the pages: the page's name and the text."""
    for page in sorted(PAGES.glob("*.md")):
        for _, text in _BLOCK.findall(page.read_text()):
            yield page.name, text.strip()


def stand_in(text: str) -> str | None:
    return next((test for start, test in ELSEWHERE.items() if text.startswith(start)), None)


def test_every_block_is_run_or_has_a_stand_in() -> None:
    root = PAGES.parents[1]
    assert all((root / test).is_file() for test in ELSEWHERE.values())
    texts = [text for _, text in blocks()]
    assert len(texts) > 10
    assert [start for start in ELSEWHERE if not any(text.startswith(start) for text in texts)] == []
    unknown = [text for text in texts if stand_in(text) is None and not text.startswith(("ledgerbee ", "sed "))]
    assert unknown == []


def test_what_needs_no_other_machine_runs_as_it_is_printed(own_data: Path, own_folder: Path) -> None:
    """One after the other in the pages' order, with this test's folders and day in place of the printed ones."""
    ours = {
        "/backups/": f"{own_folder}/backups/",
        "/var/tmp/rehearsal": f"{own_folder}/rehearsal",  # noqa: S108  the page's
        "ledgerbee-2026-03-16.backup": "ledgerbee-$(date +%F).backup",
    }
    (own_folder / "backups").mkdir()
    (own_folder / "requirements.lock").write_text((PAGES.parents[1] / "requirements.lock").read_text())
    ran = 0
    for page, text in blocks():
        if text.startswith("sed "):
            text = text.partition("\n")[0]  # noqa: PLW2901  the rest makes accounts and services
        elif stand_in(text) is not None:
            continue
        for printed, own in ours.items():
            text = text.replace(printed, own)  # noqa: PLW2901
        if "ledgerbee db restore" in text and "--data-dir" not in text:
            text += " --force"  # noqa: PLW2901  nothing was stopped here before
        done = subprocess.run(
            ["/bin/sh", "-euc", text],
            env={
                **environment(LEDGERBEE_DATA_DIR=str(own_data)),
                "PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}",
            },
            cwd=own_folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (page, text, done.stderr)
        ran += 1
    end(own_folder / "rehearsal")
    assert ran >= 4
    pinned = (own_folder / "run-time.txt").read_text().splitlines()
    assert "asyncpg" in {line.partition("==")[0] for line in pinned}
    assert not [line for line in pinned if "--hash" in line or line.endswith("\\")]


def test_a_server_of_ones_own_as_the_pages_set_it_up(own_folder: Path) -> None:
    """The printed SQL by an administrator, the printed addresses, a backup, and the way back to it."""

    def block(start: str) -> str:
        (text,) = [text for _, text in blocks() if text.startswith(start)]
        return text

    server = postgres.ensure_running(own_folder / "server")
    try:
        # The owner of an embedded server has the name that the pages give to the owner of a database.
        value(server, "CREATE ROLE administrator SUPERUSER LOGIN")

        def by_administrator(sql: str, database: str = "books") -> None:
            sql = sql.replace("ledgerbee_owner", "books_owner").replace("DATABASE ledgerbee ", "DATABASE books ")
            connection = server.dsn("administrator", database)
            done = subprocess.run(
                [server.bin_dir / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", f"--dbname={connection}"],
                input=sql,
                capture_output=True,
                text=True,
                check=False,
            )
            assert (done.returncode, done.stderr) == (0, ""), sql

        def address(text: str) -> str:
            _, _, printed = text.splitlines()[0].partition("=")
            user, name = re.fullmatch(r"postgresql://(\w+):\.\.\.@db\.example/(\w+)", printed).groups()  # type: ignore[union-attr]
            return server.dsn(user.replace("ledgerbee_owner", "books_owner"), "books" if name == "ledgerbee" else name)

        by_administrator(block("CREATE ROLE ledgerbee_owner"), "postgres")
        settings = {
            "DATABASE_URL": address(block("DATABASE_URL=")),
            "LEDGERBEE_ATTACHMENTS_DIR": str(own_folder / "files"),
        }
        cli_json("company", "create", "--name", "Egen ApS", "--country", "DK", **settings)
        assert block("CREATE ROLE ledgerbee_backup") == BACKUP_ROLE_SQL  # what the refusal tells too
        by_administrator(block("CREATE ROLE ledgerbee_backup"))
        by_administrator(block("REVOKE EXECUTE ON FUNCTION pg_stat"))
        by_administrator(block("REVOKE CONNECT ON DATABASE"))
        by_administrator(block("DELETE FROM pg_statistic"))
        backup_url = address(block("LEDGERBEE_DATABASE_BACKUP_URL="))
        file = own_folder / "ledgerbee-2026-03-16.backup"
        done = cli("db", "backup", file, **settings, LEDGERBEE_DATABASE_BACKUP_URL=backup_url)
        assert done.returncode == 0, done.stderr
        by_administrator(block("CREATE DATABASE ledgerbee_restored"), "postgres")
        back = block("export DATABASE_URL=")
        printed = re.search(r"LEDGERBEE_ATTACHMENTS_DIR=(\S+)", back)
        assert printed is not None
        back = back.replace(printed[1], str(own_folder / "restored-files")).replace("/backups/", f"{own_folder}/")
        back = back.replace(back.splitlines()[0], f"export DATABASE_URL='{address(back)}'")
        done = subprocess.run(
            ["/bin/sh", "-euc", back],
            env={**environment(), "PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert [path.name for path in (own_folder / "restored-files").iterdir()] == [MARKER]
    finally:
        end(own_folder / "server")


def _told_commands() -> set[str]:
    """Every command line that a page, or a message of the program, shows in the middle of a sentence."""
    root = PAGES.parents[1]
    sources = [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("src/**/*.py")]
    return {
        " ".join(found.replace("{", "<").split())
        for source in sources
        for found in re.findall(r"`(ledgerbee [^`\n]+)`", source.read_text())
    }


@pytest.mark.parametrize("line", sorted(_told_commands()))
def test_a_command_in_a_sentence_is_one_that_there_is(line: str) -> None:
    command = typer.main.get_command(app)
    _, *words = line.split()
    while words and (verbs := getattr(command, "commands", None)):
        names = words.pop(0).split("|")
        assert set(names) <= set(verbs), line
        command = verbs[names[0]]
    known = {name for parameter in command.params for name in parameter.opts} | {"--help", "-h", "--version"}
    assert {word for word in words if word.startswith("-")} <= known, line
    takes = [parameter for parameter in command.params if not parameter.opts[0].startswith("-")]
    assert takes or not any(word.isupper() and not words[index - 1].startswith("-") for index, word in enumerate(words))


@pytest.mark.parametrize("page", ["running.md"])
def test_the_reverse_proxy_is_one_that_nginx_takes(page: str, tmp_path: Path) -> None:
    """By nginx itself where it is installed; everywhere, that what it needs to pass requests on whole is said."""
    servers = [text for name, text in blocks() if name == page and text.startswith(("server {", "location = "))]
    main, upload = servers
    for text in servers:
        assert "proxy_http_version 1.1;" in text
        assert "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;" in text
        assert text.count("{") == text.count("}")
    assert "client_max_body_size 16m;" in main
    assert "proxy_request_buffering off;" in upload
    if nginx := shutil.which("nginx"):
        whole = main.replace("listen 443 ssl", "listen 127.0.0.1:19643").rstrip().removesuffix("}") + upload + "\n}\n"
        whole = re.sub(r"^\s*ssl_.*$", "", whole, flags=re.MULTILINE)
        (tmp_path / "nginx.conf").write_text(
            f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{whole}\n}}\n"
        )
        done = subprocess.run(
            [nginx, "-t", "-q", "-c", tmp_path / "nginx.conf", "-p", tmp_path],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
