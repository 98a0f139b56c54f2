"""The pages of buyers and of card owners in a real browser: `make browser`.

Against a real `serve` and through a proxy below a path, as an operator has it. Says what was looked at; pictures are in
`out/browser`. The status is 1 when something is wrong or there is no Chromium.
"""

import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from tests import patient
from tests.browser.chromium import NoBrowserError, Tab, phone
from tests.browser.consent_pages import looks_at_consent
from tests.browser.sandbox_pages import looks_at_all
from tests.platform.servers import end
from tests.runtime.processes import Served, today

from ledgerbee.core.dates import day_in, system_clock

PICTURES: Final = Path("out/browser")
#: What a proxy hands on.
_KEPT: Final = (
    "content-type", "location", "content-security-policy", "referrer-policy", "content-disposition",
)  # fmt: skip


class _Proxy(BaseHTTPRequestHandler):
    """Hands requests below `/books` on to the server, without that path; a page of its own is somebody else's."""

    server: "_Front"

    def do_GET(self) -> None:
        if self.path.partition("?")[0] == "/elsewhere":
            self._send(200, {"content-type": "text/html"}, self.server.page)
            return
        self._pass_on(b"")

    def do_POST(self) -> None:
        self._pass_on(self.rfile.read(int(self.headers["content-length"])))

    def _pass_on(self, body: bytes) -> None:
        kept = {name: text for name, text in self.headers.items() if name.lower() not in {"connection", "host"}}
        answer = patient.request(
            self.command, self.server.behind + self.path.removeprefix("/books"), content=body,
            headers={**kept, "host": self.headers["host"]}, follow_redirects=False,
        )  # fmt: skip
        headers = {name: text for name, text in answer.headers.items() if name in _KEPT}
        self._send(answer.status_code, headers, answer.content, answer.headers.get_list("set-cookie"))

    def _send(self, status: int, headers: dict[str, str], content: bytes, cookies: Sequence[str] = ()) -> None:
        self.send_response(status)
        for name, text in {**headers, "content-length": str(len(content))}.items():
            self.send_header(name, text)
        for cookie in cookies:
            self.send_header("set-cookie", cookie)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


class _Front(ThreadingHTTPServer):
    behind = ""
    page = b""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def front() -> Iterator[_Front]:
    """A proxy on a port of its own; `behind` is said when the server runs."""
    with _Front(("127.0.0.1", 0), _Proxy) as proxy:
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()


class Seller:
    """The company that quotes, over the API."""

    def __init__(self, served: Served) -> None:
        self.http = served.http
        groups = self.ok("GET", "/v1/product-groups")["data"]
        product = self.ok(
            "POST", "/v1/products", {"number": "P1", "name": "Rådgivning", "productGroupId": groups[0]["id"]}
        )
        price = {"productId": product["id"], "billingPeriodType": "ONE_TIME", "pricingModel": "FLAT_RATE"}
        self.price = self.ok("POST", "/v1/product-prices", {**price, "unitAmount": "1234.50"})["id"]
        self.group = self.ok("GET", "/v1/customer-groups")[0]["id"]
        self.customers = 0

    def ok(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"/api{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def offered(self, language: str, **fields: Any) -> dict[str, Any]:
        """A sent quote to a new customer."""
        self.customers += 1
        fields_of_customer = {"customerNumber": f"C{self.customers}", "customerType": "company", "name": "Havblik A/S"}
        place = {"countryCode": "DK", "address": "Havnegade 1", "postalCode": "1058", "city": "København K"}
        terms = {"vatZone": "domestic", "customerGroupId": self.group, "language": language}
        customer = self.ok("POST", "/v1/customers", {**fields_of_customer, **place, **terms})
        lines = [
            {"priceId": self.price, "quantity": 2.5, "discountPercent": 10, "description": "Gennemgang af <b>alt</b>"},
            {"lineType": "text", "description": "Efter aftale"},
            {"priceId": self.price, "description": "Langtordudenmellemrum" * 12},
        ]
        body = {"customerId": customer["id"], "date": today(), "lines": lines, "notes": "Tak\nfor nu", **fields}
        made = self.ok("POST", "/v1/quotes", body)
        self.ok("POST", f"/v1/quotes/{made['id']}/send", {})
        return self.now(made)

    def now(self, quote: dict[str, Any]) -> dict[str, Any]:
        """The quote as it is now."""
        found: dict[str, Any] = self.ok("GET", f"/v1/quotes/{quote['id']}")
        return found


def looks_right(tab: Tab, name: str) -> None:
    """Whatever is shown: no script, nothing cut off on a phone, fields with labels, buttons large enough to press."""
    tab.picture(PICTURES / f"{name}.png")
    assert tab.ask("document.documentElement.scrollWidth") <= 390, f"{name}: wider than the screen"
    assert tab.ask("[...document.querySelectorAll('h1, caption, dt')].every(e => e.offsetHeight < 90)"), (
        f"{name}: squeezed"
    )
    assert tab.ask("document.querySelectorAll('script, link, img, iframe, [style]').length") == 0
    assert tab.ask("[...document.querySelectorAll('form button')].every(b => !b.offsetHeight || b.offsetHeight >= 44)")
    assert tab.ask(
        "[...document.querySelectorAll('input:not([type=hidden]), textarea')].every(f => f.labels.length == 1)"
    )
    assert tab.ask("getComputedStyle(document.querySelector('section')).backgroundColor") == "rgb(255, 255, 255)", name
    assert tab.complaints == [], tab.complaints


def accepts(tab: Tab, seller: Seller) -> None:
    quote = seller.offered("da", validUntil=today())
    tab.requests.clear()
    tab.open(quote["acceptanceUrl"])
    looks_right(tab, "open-da")
    assert tab.ask("document.documentElement.lang") == "da"
    for said in (
        "Tilbuddet venter på jeres svar.",
        "Havblik A/S",
        "Gennemgang af <b>alt</b>",
        "4.012,13",
        "Efter aftale",
    ):
        assert said in tab.text(), said
    assert tab.ask("document.querySelectorAll('form')[1].checkVisibility()") is False, "to reject takes a press first"
    tab.press("form button")  # without a name the browser itself asks for one
    assert seller.now(quote)["status"] == "sent"
    tab.type("#accepted-by", "Mette Holm")
    tab.press("form button", loads=True)
    assert tab.status == 200
    looks_right(tab, "accepted-da")
    assert "Tilbuddet er accepteret af Mette Holm" in tab.text()
    assert tab.ask("document.querySelectorAll('form').length") == 0
    found = seller.now(quote)
    assert (found["status"], found["answeredBy"]) == ("accepted", "Mette Holm")
    outside = [one for one in tab.requests if not one.startswith((quote["acceptanceUrl"], "chrome", "about"))]
    assert [one for one in outside if not one.endswith("/favicon.ico")] == []


def rejects(tab: Tab, seller: Seller) -> None:
    quote = seller.offered("en")
    tab.open(quote["acceptanceUrl"])
    looks_right(tab, "open-en")
    tab.press("summary")
    tab.type("#rejected-by", "Ib <i>Lund</i>")
    tab.type("#comment", "Not this year.\nSorry & thanks")
    looks_right(tab, "rejecting-en")
    tab.press("details button", loads=True)
    looks_right(tab, "rejected-en")
    assert "The quote was rejected by Ib <i>Lund</i>" in tab.text()
    found = seller.now(quote)
    assert (found["status"], found["answeredBy"]) == ("rejected", "Ib <i>Lund</i>")
    assert found["answerComment"] == "Not this year.\nSorry & thanks"


def is_told_the_truth(tab: Tab, seller: Seller) -> None:
    """What changed while the page was open: an answer of the seller's, a link that was revoked, a day that went by."""
    answered = seller.offered("da")
    tab.open(answered["acceptanceUrl"])
    seller.ok("POST", f"/v1/quotes/{answered['id']}/reject", {"answeredBy": "Ib"})
    tab.type("#accepted-by", "Mette Holm")
    tab.press("form button", loads=True)
    assert tab.status == 409
    looks_right(tab, "late-da")
    assert "Dit svar er ikke registreret." in tab.text()
    assert "afslået af Ib" in tab.text()
    revoked = seller.offered("en")
    tab.open(revoked["acceptanceUrl"])
    seller.ok("POST", f"/v1/quotes/{revoked['id']}/revoke-link")
    tab.type("#accepted-by", "Mette Holm")
    tab.press("form button", loads=True)
    assert tab.status == 404
    looks_right(tab, "gone")
    assert seller.now(revoked)["status"] == "sent"
    yesterday = (day_in(system_clock(), "Europe/Copenhagen") - timedelta(days=1)).isoformat()
    expired = seller.offered("en", date=yesterday, validUntil=yesterday)
    tab.open(expired["acceptanceUrl"])
    looks_right(tab, "expired-en")
    assert "has expired" in tab.text()
    assert tab.ask("document.querySelectorAll('form').length") == 0


def is_safe_from_other_sites(tab: Tab, seller: Seller, proxy: _Front) -> None:
    """Another site's form that even knows the link and the page's token: the browser says where it stands."""
    quote = seller.offered("en")
    tab.open(quote["acceptanceUrl"])
    token = tab.ask("document.querySelector('[name=token]').value")
    proxy.page = (
        f'<form method="post" action="{quote["acceptanceUrl"]}"><input name="token" value="{token}">'
        '<input name="decision" value="accept"><input name="name" value="Evil"><button>Win</button></form>'
    ).encode()
    tab.open(f"{proxy.url.replace('127.0.0.1', 'localhost')}/elsewhere")
    tab.press("button", loads=True)
    assert tab.status == 400
    looks_right(tab, "foreign-en")
    assert "did not come from this page" in tab.text()
    assert seller.now(quote)["status"] == "sent"


def main() -> int:
    """Look at everything; 0 if nothing is wrong."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    try:
        with phone() as tab, front() as proxy, tempfile.TemporaryDirectory(prefix="lb-", dir="/tmp") as folder:
            Path(folder).chmod(0o711)
            served = Served.start(
                Path(folder) / "data", Path(folder), LEDGERBEE_PUBLIC_URL=f"{proxy.url}/books/", SMTP_URL=""
            )
            try:
                proxy.behind = served.url
                seller = Seller(served)
                accepts(tab, seller)
                rejects(tab, seller)
                is_told_the_truth(tab, seller)
                is_safe_from_other_sites(tab, seller, proxy)

                def put(page: bytes) -> str:
                    proxy.page = page
                    return f"{proxy.url.replace('127.0.0.1', 'localhost')}/elsewhere"

                looks_at_consent(tab, served, Path(folder) / "data", PICTURES, f"{proxy.url}/books")
                looks_at_all(tab, served, Path(folder) / "data", PICTURES, f"{proxy.url}/books", put)
            finally:
                served.stop()
                end(Path(folder) / "data")
    except NoBrowserError as fault:
        print(fault, file=sys.stderr)
        return 1
    print("Quotes accepted, rejected, late, expired, revoked, from another site: as they should be.")
    print("Cards saved, refused, none; payments confirmed and refused; links used and expired: as they should be.")
    print("An application let in and shut out again, on a phone, in both languages: as it should be.")
    print(f"Pictures: {PICTURES}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
