"""A headless Chromium that does what a person does: opens addresses, types, presses. Scripts of pages are off.

It is driven over a pipe (`--remote-debugging-pipe`, Chrome DevTools Protocol): no driver, no port, no library.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

#: Names of the program, the first one that is there; `CHROMIUM` goes before them.
NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_PATIENCE: Final = 30.0
#: Keys that are pressed: their number, and the character that they type.
KEYS: Final = {"Tab": (9, ""), "Enter": (13, "\r")}


class NoBrowserError(Exception):
    """There is no Chromium on this machine."""


def find_program() -> str:
    """Where Chromium is. Raises `NoBrowserError`."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        raise NoBrowserError(
            "Chromium is needed: install it (on Debian: apt-get install chromium), or say CHROMIUM=path"
        )
    return found


@dataclass
class Tab:
    """One page of the browser. `requests` are the addresses that it asked for, `complaints` what its console says."""

    _to: int
    _from: int
    session: str = ""
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    status: int = 0
    loads: int = 0
    _number: int = 0
    _rest: bytes = b""

    def command(self, method: str, **parameters: Any) -> Any:
        """Have something done, and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            told = self._next()
            if told.get("id") == self._number:
                assert "error" not in told, (method, told)
                return told["result"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            block = os.read(self._from, 1 << 16)
            assert block, "the browser ended"
            self._rest += block
        message, _, self._rest = self._rest.partition(b"\0")
        told: dict[str, Any] = json.loads(message)
        self._note(told.get("method", ""), told.get("params", {}))
        return told

    def _note(self, event: str, about: dict[str, Any]) -> None:
        if event == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])
        elif event == "Network.responseReceived" and about["type"] == "Document":
            self.status = about["response"]["status"]
        elif event == "Page.loadEventFired":
            self.loads += 1
        elif event == "Log.entryAdded" and about["entry"]["source"] == "security":
            self.complaints.append(about["entry"]["text"])

    def _until_loaded(self, before: int) -> None:
        deadline = time.monotonic() + _PATIENCE
        while self.loads == before:
            waits = b"\0" not in self._rest
            assert not waits or select.select([self._from], [], [], deadline - time.monotonic())[0], "no page came"
            self._next()

    def open(self, address: str) -> None:
        """Type an address."""
        before = self.loads
        self.command("Page.navigate", url=address)
        self._until_loaded(before)

    def ask(self, expression: str) -> Any:
        """The value of an expression over the page, as the test sees it."""
        return self.command("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def key(self, name: str, *, loads: bool = False) -> None:
        """Press a key of `KEYS`; wait for the page that follows."""
        before = self.loads
        code, text = KEYS[name]
        about = {"key": name, "code": name, "windowsVirtualKeyCode": code}
        self.command("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **about)
        self.command("Input.dispatchKeyEvent", type="keyUp", **about)
        if loads:
            self._until_loaded(before)

    def insert(self, text: str) -> None:
        """Type where the focus is."""
        self.command("Input.insertText", text=text)

    def wait_for(self, address: str) -> None:
        """Wait until a page is there that was gone on to by itself."""
        deadline = time.monotonic() + _PATIENCE
        while self.ask("location.href") != address or self.ask("document.readyState") != "complete":
            assert time.monotonic() < deadline, (self.ask("location.href"), "is not", address)
            time.sleep(0.05)

    def resize(self, width: int, height: int) -> None:
        """Be as wide and as high as a screen; a narrow one is a phone's."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.command("Emulation.setDeviceMetricsOverride", **size)

    def run_scripts(self, *, on: bool) -> None:
        """Whether pages may run scripts from the next one on."""
        self.command("Emulation.setScriptExecutionDisabled", value=not on)

    def text(self) -> str:
        """What is read on the page."""
        return str(self.ask("document.body.innerText")).replace("\u00a0", " ")

    def press(self, selector: str, *, loads: bool = False) -> None:
        """Press in the middle of an element, which may have to be scrolled to; wait for the page that follows."""
        before = self.loads
        self.ask(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})")
        box = self.ask(
            f"(() => {{const b = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            "return [b.x + b.width / 2, b.y + b.height / 2]})()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.command("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)
        if loads:
            self._until_loaded(before)

    def type(self, selector: str, text: str) -> None:
        """Press in a field and type."""
        self.press(selector)
        self.insert(text)

    def picture(self, file: Path, *, whole: bool = True) -> None:
        """Keep what the page looks like, the whole of it or what the screen shows."""
        shot = self.command("Page.captureScreenshot", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def phone() -> Iterator[Tab]:
    """A tab the size of a phone, in a browser of its own. Raises `NoBrowserError`."""
    program = find_program()
    with tempfile.TemporaryDirectory(prefix="ledgerbee-browser-", ignore_cleanup_errors=True) as folder:
        (read_end, ours_out), (ours_in, write_end) = os.pipe(), os.pipe()
        theirs_in, theirs_out = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in (read_end, write_end))
        os.close(read_end)
        os.close(write_end)
        # The browser reads descriptor 3 and writes 4.
        shell = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out} {theirs_in}<&- {theirs_out}>&-'
        options = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
            "--disable-background-networking", f"--user-data-dir={folder}", "--remote-debugging-pipe", "about:blank",
        ]  # fmt: skip
        process = subprocess.Popen(
            ["bash", "-c", shell, "bash", program, *options], pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        try:
            tab = Tab(ours_out, ours_in)
            target = tab.command("Target.createTarget", url="about:blank")["targetId"]
            tab.session = tab.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Network", "Log", "Runtime"):
                tab.command(f"{domain}.enable")
            tab.resize(390, 844)
            tab.run_scripts(on=False)
            yield tab
        finally:
            process.terminate()
            process.wait(_PATIENCE)
            os.close(ours_out)
            os.close(ours_in)
