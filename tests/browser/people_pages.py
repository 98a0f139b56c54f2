"""The pages of people in a real browser: `python -m tests.browser.people_pages`, after `make browser`.

Through a proxy below a path, under the name `localhost`, for which browsers have passkeys without TLS.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import pyotp
from tests.browser.chromium import NoBrowserError, Tab, phone
from tests.browser.run import front
from tests.platform.servers import end
from tests.runtime.processes import Served

PICTURES: Final = Path("out/browser")
EMAIL: Final = "mette@example.com"
PASSWORD: Final = "korrekt hest batteri"
#: The least contrast of a text with what is behind it (WCAG 2.2, 1.4.3), over all texts of the page.
_CONTRAST: Final = """
(() => {
  const light = (text) => { const [r, g, b] = text.match(/[0-9.]+/g).map((n) => { const c = n / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (!c.endsWith(", 0)")) return c; } return "rgb(255, 255, 255)"; };
  return Math.min(...[...document.querySelectorAll("body *")].filter((e) =>
    e.checkVisibility() && e.innerText).map((e) => {
    const pair = [light(getComputedStyle(e).color), light(behind(e))].sort((a, b) => a - b);
    return (pair[1] + .05) / (pair[0] + .05); }));
})()
"""


def looks_right(tab: Tab, name: str) -> None:
    """Nothing cut off on a phone, each field with a label, buttons large enough, texts that can be read."""
    tab.picture(PICTURES / f"{name}.png")
    assert tab.ask("document.documentElement.scrollWidth") <= 390, f"{name}: wider than the screen"
    fields = "input:not([type=hidden]), select"
    assert tab.ask(f"[...document.querySelectorAll('{fields}')].every(f => f.labels.length == 1)"), name
    assert tab.ask(
        "[...document.querySelectorAll('main button:not(.plain)')].every(b => !b.offsetHeight || b.offsetHeight >= 44)"
    )
    assert tab.ask("document.querySelectorAll('h1').length") == 1, name
    assert tab.ask(_CONTRAST) >= 4.5, name
    assert tab.complaints == [], tab.complaints


def signs_in(tab: Tab, base: str) -> None:
    """By keyboard alone."""
    tab.open(f"{base}/account")
    assert tab.ask("document.activeElement === document.body")
    for _ in range(2):  # past the link to the content
        tab.key("Tab")
    assert tab.ask("document.activeElement.id") == "email"
    tab.insert(EMAIL)
    tab.key("Tab")
    tab.insert(PASSWORD)
    tab.key("Enter", loads=True)


def sets_up_codes(tab: Tab, base: str) -> pyotp.TOTP:
    tab.open(f"{base}/account/totp")
    looks_right(tab, "totp")
    totp = pyotp.TOTP(str(tab.ask("document.querySelector('[name=secret]').value")))
    tab.type("#code", totp.now())
    tab.type("#password", PASSWORD)
    tab.press("main form button", loads=True)
    looks_right(tab, "recovery-codes")
    assert len(str(tab.ask("document.querySelector('pre').innerText")).split()) == 10
    return totp


def adds_a_passkey(tab: Tab, base: str) -> None:
    tab.command("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    tab.command("WebAuthn.addVirtualAuthenticator", options=options)
    tab.run_scripts(on=True)
    tab.open(f"{base}/account")
    tab.press("details:has([data-passkey]) summary")
    looks_right(tab, "account")
    tab.type("#passkey-password", PASSWORD)
    tab.press("form[data-passkey] button")
    tab.wait_for(f"{base}/account?done=saved")


def main() -> int:
    """Look at everything; 0 if nothing is wrong."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    try:
        with phone() as tab, front() as proxy, tempfile.TemporaryDirectory(prefix="lb-", dir="/tmp") as folder:
            Path(folder).chmod(0o711)
            base = f"{proxy.url.replace('127.0.0.1', 'localhost')}/books"
            data = Path(folder) / "data"
            served = Served.start(data, Path(folder), LEDGERBEE_PUBLIC_URL=base, SMTP_URL="")
            try:
                proxy.behind = served.url
                command = ["ledgerbee", "user", "create", "--email", EMAIL, "--role", "owner", "--password-stdin"]
                subprocess.run([*command, "--data-dir", str(data)], input=PASSWORD, text=True, check=True)
                for language in ("da", "en"):
                    tab.open(f"{base}/sign-in?language={language}")
                    assert tab.ask("document.documentElement.lang") == language
                    looks_right(tab, f"sign-in-{language}")
                signs_in(tab, base)
                assert tab.ask("location.href") == f"{base}/account", tab.text()
                totp = sets_up_codes(tab, base)
                tab.press("header.site form button", loads=True)
                signs_in(tab, base)
                looks_right(tab, "second-factor")
                time.sleep(30 - time.time() % 30)  # the code of setting up is over
                tab.type("#code", totp.now())
                tab.key("Enter", loads=True)
                assert tab.ask("location.href") == f"{base}/account", tab.text()
                adds_a_passkey(tab, base)
                tab.press("header.site form button")
                tab.wait_for(f"{base}/sign-in?done=signed_out")
                tab.press("form[data-passkey] button")
                tab.wait_for(f"{base}/account")
                tab.press("a[href$='/people']", loads=True)
                looks_right(tab, "people")
            finally:
                served.stop()
                end(data)
    except NoBrowserError as fault:
        print(fault, file=sys.stderr)
        return 1
    print(
        "Signed in by keyboard, code and passkey; account and people looked at, in both languages: as they should be."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
