"""Running Beancount's tools: hostile books, plug-ins that misbehave, odd names, and what the answers say exactly."""

import time
from collections.abc import Awaitable
from decimal import Decimal
from pathlib import Path

import pytest
from tests.runtime.processes import is_alive, wait_for

from ledgerbee.app.beancount.model import Books, BooksRefusedError
from ledgerbee.app.beancount.reading import read_books

PLUG_IN = 'option "insert_pythonpath" "TRUE"\nplugin '


def with_amount(amount: str) -> str:
    return f'2024-01-05 * "x"\n  Assets:A  {amount}\n  Equity:O\n'


def read(file: Path, text: str, seconds: float = 60) -> Awaitable[Books]:
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    return read_books(file, "DKK", seconds)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (with_amount("12,34 DKK"), "finds an error in books.beancount, so nothing was imported:\n"),
        (with_amount(f"{'(' * 50_000}1{')' * 50_000} DKK"), "books.beancount"),
        (with_amount(f"{'9' * 5000} DKK"), "books.beancount"),
        (with_amount(f"{'-' * 100_000}1 DKK"), "books.beancount"),
        (with_amount(" * ".join(["9" * 2000] * 300) + " DKK"), "books.beancount"),
        ('2024-01-05 * "open\n' + "a line in an open string\n" * 25_000, "books.beancount"),
        (f'option "inferred_tolerance_multiplier" "NaN"\n{with_amount("1.005 DKK")}', "books.beancount"),
        (f'option "inferred_tolerance_default" "DKK:abc"\n{with_amount("1.005 DKK")}', "books.beancount"),
        (f'{PLUG_IN}"greedy"\n', "MemoryError"),
        (with_amount(f"{10**13} DKK"), "books.beancount:1: 10000000000000 is more than an amount can be"),
        (f'{PLUG_IN}"gone"\n', "bean-check failed on books.beancount: it ended with status 3"),
        (f'{PLUG_IN}"done"\n', "bean-check failed on books.beancount: it listed no errors"),
        (f'{PLUG_IN}"no.such.one"\n', 'Error importing "no.such.one": ModuleNotFoundError'),
        ('include "books.beancount"\n', "Duplicate filename"),
        ("\udcff\udcfe\x00", "Invalid token"),
        (f"{with_amount('1 DKK')}2024-01-06 balance Assets:A  2 DKK\n", "books.beancount:4: Balance failed"),
    ],
)
async def test_bad_books_get_a_reason(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "gone.py").write_text("import os\nos._exit(3)\n")
    (tmp_path / "greedy.py").write_text("held = bytearray(5 << 30)\n")
    (tmp_path / "done.py").write_text("import sys\nsys.exit(0)\n")
    with pytest.raises(BooksRefusedError) as refused:
        await read(tmp_path / "books.beancount", text)
    assert words in str(refused.value)
    assert "Traceback" not in str(refused.value)


async def test_errors_can_neither_flood_nor_steer_a_terminal(tmp_path: Path) -> None:
    with pytest.raises(BooksRefusedError) as refused:
        await read(tmp_path / "books.beancount", f"2024-01-05 \x1b[2J{'x' * 5000}\n" * 1000)
    lines = str(refused.value).splitlines()
    assert (len(lines), "... and" in lines[-1]) == (22, True)
    assert all(line.isprintable() and len(line) < 400 for line in lines)


@pytest.mark.parametrize("name", ["a?b", "a#b", "a$HOME", "a\tb"])
async def test_names_that_the_tools_would_take_for_others_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BooksRefusedError, match="can't open"):
        await read(tmp_path / name, with_amount("1 DKK"))


@pytest.mark.parametrize("name", ["~a b", "a%20b;c", "{filename}", "-q", "bøger.beancount"])
async def test_other_names_are_read(tmp_path: Path, name: str) -> None:
    books = await read(tmp_path / name, with_amount("1 DKK"))
    assert [one.place for one in books.transactions] == [f"{name}:1"]


async def test_tools_are_stopped_after_their_time(tmp_path: Path) -> None:
    """With what they started: a plug-in may have done anything."""
    (tmp_path / "slow.py").write_text(
        "import pathlib, subprocess, time\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(child.pid))\n"
        "time.sleep(600)\n"
    )
    began = time.monotonic()
    with pytest.raises(BooksRefusedError, match=r"after 5 seconds \(see --timeout\)"):
        await read(tmp_path / "books.beancount", f'{PLUG_IN}"slow"\n', 5)
    assert time.monotonic() - began < 30
    pid = int((tmp_path / "pid").read_text())
    assert wait_for(lambda: not is_alive(pid), 10)


async def test_what_a_plug_in_prints_or_adds(tmp_path: Path) -> None:
    """What it prints disturbs nothing, and the transactions that it adds are part of the books."""
    (tmp_path / "twice.py").write_text(
        "__plugins__ = ['twice']\n"
        "def twice(entries, options):\n"
        "    print('id,file\\noperating_currency: nonsense')\n"
        "    return entries + [entry._replace(narration='again') for entry in entries], []\n"
    )
    books = await read(tmp_path / "books.beancount", f'{PLUG_IN}"twice"\n' + with_amount("1 DKK"))
    assert [one.description for one in books.transactions] == ["x", "again"]


async def test_amounts_come_exactly_and_texts_whole(tmp_path: Path) -> None:
    books = await read(
        tmp_path / "books.beancount",
        'option "operating_currency" "DKK"\noption "operating_currency" "EUR"\noption "name_equity" "Egenkapital"\n'
        "2024-01-01 price EUR 7.45 DKK\n"
        f'2024-01-05 * "Pay, ee" "nar\\"ra\ntion {"n" * 200_000}" #t1 ^l1 #t2\n'
        '  Assets:A  9.178 VFIFX {45.36123456789 EUR, 2013-1-4, "lab, el"}\n'
        "  Assets:B  (100 / 3) USD @ 3.00 EUR\n"
        "  Egenkapital:O\n",
    )
    assert (books.operating_currencies, books.names["Equity"]) == (["DKK", "EUR"], "Egenkapital")
    (one,) = books.transactions
    assert one.description.startswith('Pay, ee | nar"ra\ntion nnn')
    assert (len(one.description) > 200_000, one.tags) == (True, ["t1", "t2", "^l1"])
    shares, dollars, rest = one.postings
    assert shares.weight == Decimal("416.32541086409442")
    assert shares.lot == '9.178 VFIFX {45.36123456789 EUR, 2013-01-04, "lab, el"}'
    assert dollars.number == Decimal(100) / 3
    assert dollars.weight == dollars.number * 3
    assert rest.weight == -(shares.weight + dollars.weight)
    assert {posting.rate for posting in one.postings} == {Decimal("7.45")}


async def test_the_users_own_settings_of_bean_query_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".config/beanquery").mkdir(parents=True)
    settings = tmp_path / ".config/beanquery/init"
    settings.write_text(".set nullvalue none\n.set numberify true\n.set expand true\n.set boxed true\n")
    (one,) = (await read(tmp_path / "books.beancount", with_amount("1 DKK"))).transactions
    assert (one.description, one.tags, one.postings[0].lot) == ("x", [], None)
    settings.write_text(".set format text\n")
    with pytest.raises(BooksRefusedError, match="beanquery/init"):
        await read(tmp_path / "books.beancount", with_amount("1 DKK"))
