"""Programs of ours that start others of ours."""

import re
from pathlib import Path

import ledgerbee


def test_nothing_is_imported_from_the_folder_that_the_program_is_started_in() -> None:
    """`python -m` looks there first, and finds what anybody has put there; `-P` keeps it from that."""
    sources = [file.read_text() for file in Path(ledgerbee.__file__).parent.rglob("*.py")]
    started = [line for source in sources for line in re.findall(r".*sys\.executable.*", source) if '"-m"' in line]
    assert len(started) >= 2
    assert [line for line in started if '"-P", "-m"' not in line] == []
