"""`ledgerbee import beancount`, with Beancount's own tools as processes of their own."""

import json
import subprocess
import sys
from asyncio import to_thread
from pathlib import Path

from tests.api.test_imports import PATH
from tests.conftest import Api
from tests.runtime.processes import cli, environment, refusal

#: Books that a company with the Danish chart takes.
BEANCOUNT = 'option "operating_currency" "DKK"\n'


def trip(amount: str) -> str:
    return f'2026-03-16 * "Rejsebureau" "Trip" #trip\n  Assets:Bank  {amount}\n  Equity:Opening\n'


async def test_the_command_line_imports_beancount_books(api: Api, database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "books.beancount"
    file.write_text(BEANCOUNT + trip("10.00 DKK") + trip("4.5 VACHR") + trip("1 DKK").replace("2026", "1850"))
    command: list[str | Path] = ["import", "beancount", file, "--company", str(api.company_id)]
    done = cli(*command, "--json", DATABASE_URL=database_url)
    told = json.loads(done.stdout)
    assert (done.returncode, told["status"], told["entriesPosted"], told["errorCount"]) == (1, "completed", 2, 1)
    assert [(error["place"], error["code"]) for error in told["errors"]] == [
        ("books.beancount:8", "FISCAL_YEAR_MISSING")
    ]
    assert told["summary"] == {"transactions": 3, "accountsCreated": 2, "tagsCreated": 1, "rounding": {}}
    assert (await api.get(f"{PATH}/{told['id']}")).json()["format"] == "beancount"
    listed = (await api.get("/v1/journal-entries?search=Rejsebureau")).json()["data"]
    assert [(entry["currency"], entry["originalAmount"]) for entry in listed] == [("VACHR", "4.5000"), ("DKK", "10.00")]
    assert listed[0]["description"] == "Rejsebureau | Trip"
    (tags,) = (await api.get("/v1/dimensions")).json()
    assert (tags["name"], tags["values"][0]["name"]) == ("Tags", "trip")

    again = refusal(*command, DATABASE_URL=database_url)
    assert "JOURNAL_IMPORT_REPEATED" in again
    repeated = cli(*command, "--again", DATABASE_URL=database_url)
    assert repeated.stdout.startswith("2 entries posted, 1 error ")
    assert "books.beancount:8 date: " in repeated.stderr


async def test_bad_beancount_books_get_a_reason_and_no_traceback(api: Api, database_url: str, tmp_path: Path) -> None:
    file, accounts = tmp_path / "books.beancount", tmp_path / "accounts.map"
    file.write_text(BEANCOUNT + trip("12,34 DKK") + 'plugin "no.such.one"\n')
    accounts.write_bytes("Assets:L\xf8n = x".encode("latin-1"))
    command: list[str | Path] = ["import", "beancount", file, "--company", str(api.company_id)]
    told = refusal(*command, DATABASE_URL=database_url)
    assert told.startswith("Beancount finds 2 errors in books.beancount, so nothing was imported:\n")
    assert "account number" in refusal(*command, "--map", accounts, DATABASE_URL=database_url)
    assert (await api.get(PATH)).json()["data"] == []


async def test_missing_tools_are_named(api: Api, database_url: str, tmp_path: Path) -> None:
    """In an environment that has the package but not its extra."""
    bare = tmp_path / "bare"
    await to_thread(lambda: subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True))
    (site,) = bare.glob("lib/python*/site-packages")
    (site / "all.pth").write_text("\n".join(path for path in sys.path if path.endswith(("site-packages", "src"))))
    file = tmp_path / "books.beancount"
    file.write_text(BEANCOUNT + trip("1 DKK"))
    program = "from ledgerbee.app.cli import main; main()"
    command: list[str | Path] = [
        bare / "bin" / "python",
        "-c",
        program,
        "import",
        "beancount",
        file,
        "--company",
        str(api.company_id),
    ]
    variables = environment(DATABASE_URL=database_url, PATH="/usr/bin:/bin")
    done = await to_thread(lambda: subprocess.run(command, env=variables, capture_output=True, text=True, check=False))
    wanted = "error: Beancount's tool bean-check is missing: pip install 'ledgerbee[beancount]'\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", wanted)
