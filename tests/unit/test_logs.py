"""What may stand in a log, and what happens when nobody reads it."""

import json
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.cells import DEFAULT_CELL, new_secret
from ledgerbee.platform.logs import _encode, printable

_TALKS = """
import logging, structlog
from ledgerbee.platform import logs
logs.configure("info")
{before}
structlog.get_logger().info("ours", number=1)
logging.getLogger("library").warning("theirs %s", "x")
logs.log_request("id", "GET", "/api/v1/accounts", 200, 3)
print("done")
"""


@given(prefix=st.sampled_from(["lb_", "lbs_", "lbt_"]), around=st.text(max_size=30))
def test_a_secret_in_a_path_is_not_printed(prefix: str, around: str) -> None:
    secret = new_secret(prefix, DEFAULT_CELL)
    shown = printable(f"/{around}/{secret}/x")
    assert secret[:20] not in shown
    assert "[secret]" in shown


@given(st.text(alphabet=st.characters(exclude_characters="_"), max_size=200))
def test_other_paths_are_printed_as_they_are(path: str) -> None:
    assert printable(path) == path


def test_a_long_path_is_cut() -> None:
    assert len(printable("/" + "a" * 50_000)) < 300


def test_lines_are_json_objects() -> None:
    done = subprocess.run([sys.executable, "-c", _TALKS.format(before="")], capture_output=True, text=True, check=True)
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in events] == ["ours", "theirs x", "request"]
    assert [line["level"] for line in events] == ["info", "warning", "info"]
    assert all(line["timestamp"].endswith("Z") for line in events)


_ENDS_MIDWAY = """
for fault in (INTERNAL_ERROR.error(), OSError("gone")):
    try:
        raise fault
    except Exception as raised:
        logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=raised)
"""


def test_the_server_repeats_no_refusal_that_ended_an_answer() -> None:
    """Any caller can bring it about, and it was told as `answer.broken_off`: no error, and no traceback."""
    before = "from ledgerbee.http.envelope import INTERNAL_ERROR" + _ENDS_MIDWAY
    program = _TALKS.format(before=before)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    errors = [line for line in map(json.loads, done.stderr.splitlines()) if line["level"] == "error"]
    assert ["OSError: gone" in line["exception"] for line in errors] == [True]


#: Control, format, private and unassigned-to-text characters, and what ends a line.
_UNSEEN = {"Cc", "Cf", "Zl", "Zp", "Co", "Cs"}


@given(st.text(st.characters(categories=["Cc", "Cf", "Zl", "Zp", "Co", "Cs", "L", "N", "P", "S", "Zs"])))
def test_a_line_shows_what_is_in_it(text: str) -> None:
    line = _encode({"path": text})
    assert json.loads(line) == {"path": text}
    assert [char for char in line if unicodedata.category(char) in _UNSEEN] == []


@pytest.mark.parametrize(
    "code", [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x061C, 0xFEFF, 0x85, 0xE0041]
)
def test_what_turns_text_around_is_escaped(code: int) -> None:
    line = _encode({"path": f"/a{chr(code)}b/æøå"})
    assert line.isascii() is False
    assert chr(code) not in line
    assert "æøå" in line


def test_a_reader_that_is_gone_costs_lines_and_nothing_else() -> None:
    talks = _TALKS.format(before="import os; reader, writer = os.pipe(); os.dup2(writer, 2); os.close(reader)")
    done = subprocess.run([sys.executable, "-c", talks], capture_output=True, text=True, check=False)
    assert done.stdout == "done\n"
