"""`make webhooks-node`: the guide's receivers under Node, one of them with the npm package `standardwebhooks`.

A command of its own: Node, npm and its registry are not on every machine that the tests run on.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.guide_receivers import judge, programs

_PACKAGE: Final = "standardwebhooks@1.1.1"


def main() -> None:
    """Judge both; ends with status 1 where there is no Node or npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        sys.exit("node and npm are needed")
    own, by_package = programs("js")
    imports, _, function = by_package.partition("\n\n")
    with_package, count = re.subn(r"^function verify\(.*?^}\n", lambda _: function, own, flags=re.MULTILINE | re.DOTALL)
    assert count == 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        install = [npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", _PACKAGE]
        subprocess.run(install, cwd=folder, check=True)
        for what, program in {"node:crypto": own, _PACKAGE: f"{imports}\n{with_package}"}.items():
            (folder / "receiver.mjs").write_text(program)
            judge([node, "receiver.mjs"], folder)
            print(f"the guide's receiver with {what}: takes what is genuine, once, and nothing else")


if __name__ == "__main__":
    main()
