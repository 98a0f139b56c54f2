"""Whether the unit tests of the rules run every branch of them: `python -m tests.branches`, a step of `make check`.

What no unit test runs yet is stated below, for each file its lines and branches. The numbers may only shrink.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import coverage
import pytest

ROOT: Final = Path(__file__).parents[1]
SOURCE: Final = ROOT / "src" / "ledgerbee"
#: Where decisions are made without I/O: `core`, and every `rules` (a file or a folder).
RULES: Final = ("core/**/*.py", "**/rules.py", "**/rules/**/*.py")
TESTS: Final = (
    "test_*_rules.py", "test_cells.py", "test_core.py", "test_core_texts.py", "test_entries_fast_wire.py",
    "test_entry_hints.py", "test_imports_named_twice.py", "test_invoices_booking.py", "test_money_allocation.py",
    "test_prices_amounts.py", "test_vat_of_vouchers.py", "billing/test_*_rules.py",
)  # fmt: skip

#: Lines and branches that none of the tests runs, where there are any.
NOT_RUN: Final[dict[str, int]] = {
    "catalog/prices/rules/__init__.py": 1,
    "ledger/entries/rules/chain.py": 7,
    "ledger/entries/rules/entering.py": 27,
    "ledger/entries/rules/hints.py": 2,
    "sales/invoices/rules/checks.py": 2,
    "sales/invoices/rules/draft.py": 5,
}


def measured() -> dict[str, dict[str, Any]]:
    """What the tests run of each file of the rules. Ends the program if one of them fails."""
    files = {str(path.relative_to(SOURCE)): str(path) for pattern in RULES for path in sorted(SOURCE.glob(pattern))}
    watch = coverage.Coverage(data_file=None, branch=True, config_file=False, include=list(files.values()))
    tests = sorted(str(path) for pattern in TESTS for path in (ROOT / "tests" / "unit").glob(pattern))
    watch.start()
    ended = pytest.main(["-q", "-n", "0", "-p", "no:cacheprovider", "--hypothesis-profile=branches", *tests])
    watch.stop()
    if ended:
        sys.exit(int(ended))
    with tempfile.TemporaryDirectory() as folder:
        watch.json_report(morfs=list(files.values()), outfile=f"{folder}/report.json")
        report = json.loads((Path(folder) / "report.json").read_text(encoding="utf-8"))
    found = {str((ROOT / name).resolve()): result for name, result in report["files"].items()}
    return {name: found[path] for name, path in files.items()}


def faults(found: dict[str, dict[str, Any]]) -> list[str]:
    """What is wrong with the numbers above."""
    wrong = [f"{name}: there is no such file, and NOT_RUN names it" for name in NOT_RUN.keys() - found.keys()]
    for name, result in found.items():
        lines, branches = result["missing_lines"], result["missing_branches"]
        count, stated = len(lines) + len(branches), NOT_RUN.get(name, 0)
        if count > stated:
            wrong.append(f"{name}: {count} not run, {stated} stated; lines {lines}, branches {branches}")
        elif count < stated:
            wrong.append(f"{name}: {stated} stated, but only {count} are not run: lower the number")
    return wrong


if __name__ == "__main__":
    sys.exit("\n".join(faults(measured())) or None)
