"""The pages of the sandbox provider as somebody sees them who saves a card, or confirms a payment.

In both languages, on a phone and on a large screen, by keyboard alone, with scripts and without. What is checked of
every state (`Viewer.sees`) holds of each picture.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import asyncpg
from tests.browser.chromium import Tab
from tests.runtime.processes import Served, today, wait_for

from ledgerbee import embedded as postgres

VISA, SECURE, REFUSED = "4242 4242 4242 4242", "4000 0000 0000 3220", "4000 0000 0000 0002"
#: Valid by its check digit (Luhn), and no test card.
REAL: Final = "4111 1111 1111 1111"
SCREENS: Final = {"narrow": (360, 740), "phone": (390, 844), "desktop": (1280, 800)}
COMPANY, CUSTOMER = "Nordlys <b>Kaffe</b> ApS", "Havblik & Søn A/S"
LANGUAGES: Final = ("da", "en")
#: What each language says on each page.
SAID: Final = {
    "da": {
        "open": "Gem et kort", "nothing": "Der trækkes ingen penge nu", "test": "Testtilstand: der flyttes ingen penge",
        "wrong": "ikke et af testkortene", "refused": "afvist og er ikke gemt", "saved": "Kortet er gemt",
        "confirm": "Bekræft betalingen", "amount": "1.250,00 DKK", "paid": "Betalingen er bekræftet",
        "unpaid": "Betalingen er ikke gennemført", "cancelled": "Der er ikke gemt noget kort",
        "foreign": "Svaret kom ikke fra denne side",
    },
    "en": {
        "open": "Save a card", "nothing": "Nothing is charged now", "test": "Test mode: no money moves",
        "wrong": "none of the test cards", "refused": "refused and is not saved", "saved": "The card is saved",
        "confirm": "Confirm the payment", "amount": "1,250.00 DKK", "paid": "The payment is confirmed",
        "unpaid": "The payment was not made", "cancelled": "No card was saved",
        "foreign": "did not come from this page",
    },
}  # fmt: skip

#: Of each text that is seen, its contrast with what is behind it (WCAG 2.2, 1.4.3); the least of them.
CONTRAST: Final = """(() => {
  const light = c => { const v = c.match(/[\\d.]+/g).slice(0, 3).map(x => x / 255)
    .map(x => x <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4); return .2126*v[0] + .7152*v[1] + .0722*v[2] };
  const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (!/, 0\\)$/.test(c)) return c } return 'rgb(255, 255, 255)' };
  const texts = [...document.querySelectorAll('body *')].filter(e => e.checkVisibility() &&
    (e.tagName == 'INPUT' || [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim())));
  return Math.min(...texts.map(e => { const a = light(getComputedStyle(e).color), b = light(behind(e));
    return (Math.max(a, b) + .05) / (Math.min(a, b) + .05) }));
})()"""
#: How the element that has the focus is marked, and what it is.
_FOCUS: Final = """(() => { const e = document.activeElement, s = getComputedStyle(e);
  return [e.id || e.value || e.className || e.tagName, s.outlineStyle, parseFloat(s.outlineWidth)] })()"""


class Viewer:
    """Somebody who looks at the pages, and keeps pictures of them."""

    def __init__(self, tab: Tab, pictures: Path, ours: str, elsewhere: str) -> None:
        self.tab = tab
        self.pictures = pictures
        self.ours = ours
        #: Where links lead back to.
        self.elsewhere = elsewhere

    def sees(self, name: str, *said: str, language: str = "") -> None:
        """What is on the page, and that it is as every page has to be; a picture of it on each screen."""
        tab = self.tab
        for screen, (width, height) in SCREENS.items():
            tab.resize(width, height)
            assert tab.ask("document.documentElement.scrollWidth") <= width, f"{name}: wider than {width}"
            small = "e => e.checkVisibility() && (e.offsetHeight < 44 || e.offsetWidth < 44)"
            assert not tab.ask(f"[...document.querySelectorAll('button, input:not([type=hidden])')].some({small})"), (
                name
            )
            if screen != "narrow":
                tab.picture(self.pictures / f"{name}-{screen}.png")
        text = tab.text()
        for one in said:
            assert one in text, (name, one, text)
        if language:
            assert tab.ask("document.documentElement.lang") == language, name
        assert tab.ask("document.querySelectorAll('script, link, img, iframe, [style]').length") == 0
        assert tab.ask("document.querySelectorAll('h1').length") == len(tab.ask("document.title").split(" / ")), name
        fields = "[...document.querySelectorAll('input:not([type=hidden])')]"
        assert tab.ask(f"{fields}.every(f => f.labels.length == 1)"), name
        named = (
            f"{fields}.every(f => f.getAttribute('aria-describedby').split(' ').every(i => document.getElementById(i)))"
        )
        assert tab.ask(named), name
        assert tab.ask(CONTRAST) >= 4.5, (name, tab.ask(CONTRAST))
        assert tab.complaints == [], tab.complaints
        assert tab.command("Network.getCookies")["cookies"] == []
        known = (self.ours, self.elsewhere, "about", "chrome")
        outside = [one for one in tab.requests if not one.startswith(known) and not one.endswith("/favicon.ico")]
        assert outside == [], outside

    def tabs_to(self, *names: str) -> None:
        """Go from one thing to the next with the keyboard, each of which is marked as the one."""
        for name in names:
            self.tab.key("Tab")
            focused, style, width = self.tab.ask(_FOCUS)
            assert (focused, style) == (name, "solid"), (focused, style, "is not", name)
            assert width >= 2


class Shop:
    """The company that has cards saved, and charges them."""

    def __init__(self, served: Served, data: Path) -> None:
        self.http = served.http
        self.data = data
        self.customers = 0
        #: What opens its pages, and stands in no log.
        self.secrets: list[str] = []
        place = {"address": "Vestergade 1", "postalCode": "8000", "city": "Aarhus C", "vatNumber": "12345674"}
        self.ok("PATCH", "/v1/company", {"name": COMPANY, **place})
        self.ok("PUT", "/v1/payment-providers/sandbox", {"isEnabled": True})
        group = self.ok("GET", "/v1/product-groups")["data"][0]["id"]
        product = self.ok("POST", "/v1/products", {"number": "S1", "name": "Kaffe", "productGroupId": group})
        price = {"productId": product["id"], "billingPeriodType": "ONE_TIME", "pricingModel": "FLAT_RATE"}
        self.price = self.ok("POST", "/v1/product-prices", {**price, "unitAmount": "1000"})["id"]

    def ok(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"/api{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def customer(self, language: str) -> str:
        """A new customer; its id."""
        self.customers += 1
        group = self.ok("GET", "/v1/customer-groups")[0]["id"]
        fields = {"customerNumber": f"S{self.customers}", "customerType": "company", "name": CUSTOMER}
        more = {"vatZone": "domestic", "countryCode": "DK", "customerGroupId": group, "language": language}
        return str(self.ok("POST", "/v1/customers", {**fields, **more})["id"])

    def link(self, language: str, **fields: str) -> str:
        """The page on which a new customer saves a card."""
        path = f"/v1/customers/{self.customer(language)}/payment-methods/card-link"
        url = str(self.ok("POST", path, fields)["url"])
        self.secrets.append(url.rpartition("/")[2])
        return url

    def charge(self, language: str, number: str = SECURE) -> dict[str, Any]:
        """A charge of an invoice of 1,250.00, once the provider has decided on it or asks for its owner's word."""
        customer = self.customer(language)
        self.ok("POST", "/v1/payment-providers/sandbox/cards", {"customerId": customer, "number": number})
        lines = [{"priceId": self.price, "quantity": 1}]
        invoice = self.ok("POST", "/v1/invoices", {"customerId": customer, "date": today(), "lines": lines})
        self.ok("POST", f"/v1/invoices/{invoice['id']}/send", {"deliveryType": "Manual"})
        made = self.ok("POST", f"/v1/invoices/{invoice['id']}/charges", {})
        return self.waits_for(made, lambda charge: charge["status"] not in {"pending", "unclear"})

    def waits_for(self, charge: dict[str, Any], ready: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """A charge, once the worker has got so far with it."""

        def found() -> dict[str, Any] | None:
            now: dict[str, Any] = self.ok("GET", f"/v1/charges/{charge['id']}")
            return now if ready(now) else None

        return wait_for(found)

    def asks(self, statement: str, *arguments: Any) -> Any:
        """The value that a statement has in the database, as its owner."""

        async def ask() -> Any:
            connection = await asyncpg.connect(postgres.ensure_running(self.data).dsn())
            try:
                return await connection.fetchval(statement, *arguments)
            finally:
                await connection.close()

        return asyncio.run(ask())

    def keeps(self, number: str) -> list[str]:
        """The tables that have a card's number in any column, with or without its blanks, as text or bytes."""
        forms = [number, number.replace(" ", ""), number.encode().hex(), number.replace(" ", "").encode().hex()]

        async def look() -> list[str]:
            connection = await asyncpg.connect(postgres.ensure_running(self.data).dsn())
            try:
                named = await connection.fetch(
                    "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
                    " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
                )
                statement = "SELECT EXISTS (SELECT FROM {} t, unnest($1::text[]) n WHERE position(n IN t::text) > 0)"
                return [row["name"] for row in named if await connection.fetchval(statement.format(row["name"]), forms)]
            finally:
                await connection.close()

        return asyncio.run(look())


def saves_a_card(viewer: Viewer, shop: Shop, language: str) -> None:
    """With the mouse: wrong, refused, saved; where the browser goes then; the link once more."""
    tab, said = viewer.tab, SAID[language]
    url = shop.link(language, returnUrl=f"{viewer.elsewhere}?order=7&x='%22%3Ci%3E")
    tab.open(url)
    viewer.sees(
        f"sandbox-save-{language}", COMPANY, CUSTOMER, said["open"], said["nothing"], said["test"], language=language
    )
    tab.press("form button")  # without a number the browser itself asks for one
    for number, what in ((REAL, "wrong"), (REFUSED, "refused")):
        tab.type("#number", number)
        tab.press("form button", loads=True)
        assert tab.status == 400
        viewer.sees(f"sandbox-{what}-{language}", said[what], language=language)
        assert tab.ask("document.activeElement.id") == "number"
        assert tab.ask("document.querySelector('#number').value") == ""
    tab.type("#number", VISA)
    tab.press("form button", loads=True)
    tab.wait_for(f"{viewer.elsewhere}?order=7&x=%27%22%3Ci%3E&card=saved")
    tab.open(url)
    viewer.sees(f"sandbox-used-{language}", said["saved"], "Visa •••• 4242", COMPANY, language=language)
    assert tab.ask("document.querySelectorAll('form').length") == 0
    tab.press(".back", loads=True)
    assert tab.ask("location.search").endswith("card=saved")


def saves_a_card_by_keyboard(viewer: Viewer, shop: Shop, language: str) -> None:
    """With the keyboard alone, and without an address to come back to."""
    tab, said = viewer.tab, SAID[language]
    tab.open(shop.link(language))
    viewer.tabs_to("number")
    tab.insert(VISA)
    viewer.tabs_to("save")
    tab.key("Enter", loads=True)
    tab.wait_for(f"{viewer.ours}/saved-cards/{language}?card=saved")
    viewer.sees(f"sandbox-returned-{language}", said["saved"], language=language)
    tab.open(shop.link(language))
    viewer.tabs_to("number", "save", "back")
    tab.key("Enter", loads=True)
    viewer.sees(f"sandbox-cancelled-{language}", said["cancelled"], language=language)


def confirms_and_refuses(viewer: Viewer, shop: Shop, language: str) -> None:
    """A payment that its owner has to confirm: once confirmed, by keyboard, and once refused."""
    tab, said = viewer.tab, SAID[language]
    charge = shop.charge(language)
    tab.open(charge["actionUrl"])
    viewer.sees(
        f"sandbox-confirm-{language}", said["confirm"], said["amount"], COMPANY, "Visa •••• 3220", said["test"],
        language=language,
    )  # fmt: skip
    viewer.tabs_to("confirm", "refuse")
    tab.open(charge["actionUrl"])
    viewer.tabs_to("confirm")
    tab.key("Enter", loads=True)
    viewer.sees(f"sandbox-confirmed-{language}", said["paid"], said["amount"], language=language)
    assert shop.waits_for(charge, lambda now: now["status"] != "requires_action")["status"] == "succeeded"
    charge = shop.charge(language)
    tab.open(charge["actionUrl"])
    tab.press("button.second", loads=True)
    viewer.sees(f"sandbox-declined-{language}", said["unpaid"], language=language)
    ended = shop.waits_for(charge, lambda now: now["status"] != "requires_action")
    assert (ended["status"], ended["declineCode"]) == ("failed", "authentication_failed")
    tab.open(charge["actionUrl"])
    assert tab.ask("document.querySelectorAll('form').length") == 0


def is_told_that_a_link_has_expired(viewer: Viewer, shop: Shop) -> None:
    """One that was open when its day was over, and one that never was."""
    tab = viewer.tab
    tab.open(shop.link("da"))
    tab.type("#number", VISA)
    shop.asks("UPDATE credentials SET expires_at = now() WHERE kind = 'sandbox_page'")
    tab.press("form button", loads=True)
    assert tab.status == 404
    viewer.sees("sandbox-expired", "Linket virker ikke", "The link does not work")
    tab.open(f"{viewer.ours}/sandbox-payments/lbs_00.nobody")
    assert tab.status == 404


def is_safe_from_other_sites(viewer: Viewer, shop: Shop, language: str, put: Callable[[bytes], str]) -> None:
    """Another site's form that even knows the link and the page's token."""
    tab = viewer.tab
    charge = shop.charge(language)
    tab.open(charge["actionUrl"])
    token = tab.ask("document.querySelector('[name=token]').value")
    form = (
        f'<form method="post" action="{charge["actionUrl"]}"><input name="token" value="{token}">'
        '<input name="answer" value="confirm"><button>Win</button></form>'
    )
    tab.open(put(form.encode()))
    tab.press("button", loads=True)
    assert tab.status == 400
    viewer.sees(f"sandbox-foreign-{language}", SAID[language]["foreign"], language=language)
    assert shop.ok("GET", f"/v1/charges/{charge['id']}")["status"] == "requires_action"


def looks_at_all(tab: Tab, served: Served, data: Path, pictures: Path, ours: str, put: Callable[[bytes], str]) -> None:
    """Every state of every page. `put` lays a page of somebody else's, and says where."""
    tab.command("Network.clearBrowserCookies")  # of the pages on which people sign in
    tab.requests.clear()
    shop = Shop(served, data)
    for language in LANGUAGES:
        tab.run_scripts(on=language == "en")
        viewer = Viewer(tab, pictures, ours, put(b"<!doctype html><title>Shop</title>Shop"))
        saves_a_card(viewer, shop, language)
        saves_a_card_by_keyboard(viewer, shop, language)
        confirms_and_refuses(viewer, shop, language)
        is_safe_from_other_sites(viewer, shop, language, put)
    is_told_that_a_link_has_expired(viewer, shop)
    for number in (REAL, VISA, SECURE, REFUSED):
        assert shop.keeps(number) == [], number
        assert number not in served.program.out + served.program.errors
    assert shop.keeps("•••• 4242") != [], "what is looked for is found where it is"
    assert not any(secret in served.program.out + served.program.errors for secret in shop.secrets)
    pictures_of_the_guide(viewer, shop)


def pictures_of_the_guide(viewer: Viewer, shop: Shop) -> None:
    """What a phone shows first of a page, as the guide has it (docs/images)."""
    shop.ok("PATCH", "/v1/company", {"name": "Nordlys ApS"})
    viewer.tab.resize(*SCREENS["phone"])
    for name, url in (("save", shop.link("en")), ("confirm", shop.charge("en")["actionUrl"])):
        viewer.tab.open(url)
        viewer.tab.picture(viewer.pictures / f"guide-{name}.png", whole=False)
