"""Runs every benchmark to its end, one after the other, and says at the end what fell short: `make bench`.

The output is the scripts' own. The status is 1 when a figure is beyond its limit or a script failed.
"""

import os
import subprocess
import sys
from pathlib import Path

from bench.support import FELL_SHORT

HERE = Path(__file__).parent
#: No benchmarks by themselves.
_OTHERS = {"support.py", "run_all.py", "written_rows.py"}


def run(script: Path) -> list[str]:
    """Run a script, its output as it comes; what is to be said of it at the end."""
    print(f"== {script.name}", flush=True)
    fell = []
    with subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(HERE.parent), "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if FELL_SHORT in line:
                fell.append(f"{script.name}: {line.strip()}")
    if process.returncode:
        fell.append(f"{script.name}: ended with status {process.returncode}")
    return fell


def main() -> int:
    """Run all, or those that the arguments name."""
    wanted = sys.argv[1:]
    scripts = [one for one in sorted(HERE.glob("*.py")) if one.name not in _OTHERS]
    scripts = [one for one in scripts if not wanted or one.stem in wanted or one.name in wanted]
    fell = [line for script in scripts for line in run(script)]
    print("== " + (f"{len(fell)} fell short:" if fell else f"all {len(scripts)} within their limits"))
    for line in fell:
        print(line)
    return 1 if fell else 0


if __name__ == "__main__":
    sys.exit(main())
