"""An application asks for access, as a member sees it: signing in, agreeing, the page of connected apps.

On a phone, in both languages, with scripts off. What is checked of every state (`sees`) holds of each picture.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import asyncpg
import httpx
from tests import patient
from tests.authorizing import challenge_of, new_verifier
from tests.browser.chromium import Tab
from tests.browser.sandbox_pages import CONTRAST
from tests.people import PASSWORD
from tests.runtime.processes import Served

from ledgerbee import embedded as postgres
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.core.dates import system_clock
from ledgerbee.identity.users import actions as users
from ledgerbee.identity.users.model import Role
from ledgerbee.identity.users.passwords import new_record
from ledgerbee.platform.context import Actor, Context
from ledgerbee.platform.db import Database, Tenant

EMAIL: Final = "mette@example.com"
NAME: Final = "Regne<b>mester</b>"
SAID: Final = {
    "da": {
        "ask": f"Må {NAME} arbejde i", "warning": "et program på den computer", "change": "Det kan ændre",
        "scope": "Oprette, ændre og sende fakturaer", "again": "Vælg, hvor meget", "apps": "Apps med adgang",
    },
    "en": {
        "ask": f"May {NAME} work in", "warning": "a program on the computer", "change": "It can change",
        "scope": "Create, change and send invoices", "again": "Choose how much", "apps": "Apps with access",
    },
}  # fmt: skip


class _Callback(BaseHTTPRequestHandler):
    """The application's own page, which the browser is led to."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Done</title>Done")

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def _application() -> Iterator[str]:
    """Where the application waits for its answer."""
    with HTTPServer(("127.0.0.1", 0), _Callback) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/callback"
        finally:
            server.shutdown()
            thread.join()


async def _add_member(data: Path) -> str:
    """An owner of the company that is there, with a password; the company's id."""
    dsn = postgres.ensure_running(data).dsn()
    connection = await asyncpg.connect(dsn)
    company_id = await connection.fetchval("SELECT company_id FROM company_directory LIMIT 1")
    await connection.close()
    database = await Database.open(dsn, reactions=REACTIONS, max_size=2)

    async def work(context: Context) -> None:
        user_id = await users.add_user(context, EMAIL, "Mette Holm", "da", await new_record(PASSWORD))
        await users.add_member(context, user_id, Role.OWNER)

    tenant = Tenant(company_id, Actor("operator", "browser"), "browser", "Europe/Copenhagen")
    await database.run(tenant, system_clock(), work)
    await database.close()
    return str(company_id)


def sees(tab: Tab, pictures: Path, name: str) -> None:
    """Whatever is shown: nothing cut off on a phone, fields with labels, texts that can be read, nothing fetched."""
    tab.picture(pictures / f"{name}.png")
    assert tab.ask("document.documentElement.scrollWidth") <= 390, f"{name}: wider than the screen"
    assert tab.ask("[...document.querySelectorAll('input:not([type=hidden])')].every(f => f.labels.length == 1)"), name
    assert tab.ask("[...document.querySelectorAll('main button')].every(b => b.offsetHeight >= 44)"), name
    assert tab.ask("document.querySelectorAll('script, link, img, iframe').length") == 0, name
    assert tab.ask(CONTRAST) >= 4.5, name
    assert tab.complaints == [], tab.complaints


def looks_at_consent(tab: Tab, served: Served, data: Path, pictures: Path, ours: str) -> None:
    """Everything from an application's first request to the end of its access. `ours` is where browsers come."""
    company = asyncio.run(_add_member(data))
    tab.run_scripts(on=False)
    tab.resize(390, 844)
    with _application() as callback:
        told = {
            "client_name": NAME, "redirect_uris": [callback], "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
        }  # fmt: skip
        client_id = served.http.post("/api/v1/oauth/register", json=told).json()["client_id"]
        for language, access in (("da", "read"), ("en", "full")):
            body = _agrees(tab, pictures, ours, client_id, callback, language, access)
            writes = {scope for scope in body["scope"].split() if not scope.endswith("-read")}
            assert bool(writes) is (access == "full")
            tab.open(f"{ours}/companies/{company}/connected-apps?language={language}")
            sees(tab, pictures, f"apps-{language}")
            assert SAID[language]["apps"] in tab.text()
            tab.press("ul.rows h3 a", loads=True)
            sees(tab, pictures, f"app-{language}")
            tab.press("button.danger", loads=True)
            refused = _token(ours, client_id, grant_type="refresh_token", refresh_token=body["refresh_token"])
            assert refused.json()["error"] == "invalid_grant"


def _agrees(
    tab: Tab, pictures: Path, ours: str, client_id: str, callback: str, language: str, access: str
) -> dict[str, Any]:
    said, verifier = SAID[language], new_verifier()
    request = {
        "response_type": "code", "client_id": client_id, "redirect_uri": callback, "state": language,
        "code_challenge": challenge_of(verifier), "code_challenge_method": "S256",
        "resource": f"{ours}/api/v1/mcp",
    }  # fmt: skip
    address = f"{ours}/oauth/authorize?{urlencode(request)}"
    tab.open(f"{address}&language={language}")
    if tab.ask("location.pathname").endswith("/sign-in"):
        tab.type("#email", EMAIL)
        tab.type("#password", PASSWORD)
        tab.press("main form button", loads=True)
    assert tab.ask("location.pathname").endswith("/oauth/authorize")
    assert tab.ask("document.documentElement.lang") == language
    sees(tab, pictures, f"consent-{language}")
    for words in ("ask", "warning", "change", "scope"):
        assert said[words] in tab.text(), said[words]
    assert urlsplit(callback).netloc in tab.text()
    assert tab.ask("document.querySelectorAll('input:checked').length") == 0, "nothing is chosen for anybody"
    tab.press("button[value=allow]")  # the browser itself asks how much
    assert tab.ask("location.pathname").endswith("/oauth/authorize")
    tab.press(f"input[value={access}]")
    tab.press("button[value=allow]", loads=True)
    answer = urlsplit(tab.ask("location.href"))
    assert f"{answer.scheme}://{answer.netloc}{answer.path}" == callback
    told = {name: values[0] for name, values in parse_qs(answer.query).items()}
    issuer = urlsplit(ours)
    assert (told["state"], told["iss"]) == (language, f"{issuer.scheme}://{issuer.netloc}")
    tab.complaints.clear()  # of the application's own page
    exchanged = _token(
        ours, client_id, grant_type="authorization_code", code=told["code"], redirect_uri=callback,
        code_verifier=verifier, resource=request["resource"],
    )  # fmt: skip
    assert exchanged.status_code == 200, exchanged.text
    return dict(exchanged.json())


def _token(ours: str, client_id: str, **form: str) -> httpx.Response:
    return patient.post(f"{ours}/api/v1/auth/token", data={"client_id": client_id, **form})
