"""Signing in: by password, second factor and passkey; what strangers learn and reach; what ends what."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pyotp
import pytest
import pytest_asyncio
from asgi_lifespan import LifespanManager
from pydantic import SecretStr
from tests.authenticators import Authenticator
from tests.company_copies import SECRET_KEY
from tests.conftest import BLOBS, Api, SteeredClock
from tests.ledger_books import as_owner
from tests.pages import Page
from tests.people import PASSWORD, Browser, Person, new_person, session_cookie, signed_in, token_of

from ledgerbee.app.config import Settings
from ledgerbee.app.main import create_app
from ledgerbee.identity.pages import cookies

NEW = "fire helt andre ord"
SECRET = re.compile(r'name="secret" value="([A-Z2-7]{32})"')
RECOVERY = re.compile(r"^[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}$", re.MULTILINE)


@pytest_asyncio.fixture(autouse=True)
async def first_minute(database_url: str) -> None:
    """The clock of tests stands still, and so would their counts."""
    owner = await as_owner(database_url)
    await owner.execute("DELETE FROM rate_limit_hits")
    await owner.close()


async def submit(browser: Browser, person: Person, password: str = PASSWORD, **fields: str) -> httpx.Response:
    """Open the page of signing in, and send its form."""
    await browser.open("/sign-in")
    return await browser.send("/sign-in", {"email": person.email, "password": password, "next": "", **fields})


async def is_in(browser: Browser) -> bool:
    return (await browser.open("/account")).status_code == 200


async def test_by_password(api: Api) -> None:
    person, browser = await new_person(api), Browser(api.http)
    page = await browser.open("/account?x=1")
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=%2Faccount%3Fx%3D1")
    page = await browser.open(page.headers["location"])
    assert len(page.content) < 60_000
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert policy.endswith("form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
    assert Page(page.text).forms[0].fields["next"] == "/account?x=1"
    before = browser.cookies[cookies.BEFORE_SESSION]
    answer = await submit(browser, person, f" {PASSWORD}")
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    # However it is written: capital letters in the address, letters that are put together.
    answer = await submit(browser, Person(person.id, person.email.upper()), next="/account?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account?x=1")
    set_cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith(cookies.SESSION))
    assert "HttpOnly; Max-Age=43200; Path=/; SameSite=lax" in set_cookie
    assert before not in browser.cookies.values()
    page = await browser.open("/account")
    assert person.email in page.text
    assert Page(page.text).language == "en"
    assert Page((await browser.open("/account?language=da")).text).language == "da"
    first = browser.cookies[cookies.SESSION]
    people = await browser.open(f"/companies/{api.company_id}/people")
    assert (people.status_code, person.email in people.text) == (200, True)
    member = (await api.get("/v1/users")).json()[0]
    assert member["lastSignedInAt"] == "2026-03-16T12:00:00.000Z"
    told = (await api.get("/v1/audit-events?type=user.signed_in")).json()["data"]
    assert [(one["actor"], one["credentialKind"]) for one in told] == [(f"user:{person.id}", "user_session")]
    answer = await browser.send("/sign-out", {})
    assert answer.headers["location"] == "/sign-in?done=signed_out"
    browser.cookies[cookies.SESSION] = first
    assert not await is_in(browser)
    assert (await browser.open(f"/companies/{api.company_id}/people")).status_code == 303


async def test_a_session_is_new_each_time_and_ends_by_itself(api: Api, clock: SteeredClock) -> None:
    """One that somebody was given before is not the one that is signed in to."""
    person, browser = await new_person(api), Browser(api.http)
    planted = "lbu_00." + "A" * 43
    browser.cookies[cookies.SESSION] = planted
    await submit(browser, person)
    first = browser.cookies[cookies.SESSION]
    assert first != planted
    browser.cookies[cookies.SESSION] = planted
    assert not await is_in(browser)
    browser.cookies[cookies.SESSION] = first
    assert await is_in(browser)
    assert (await browser.open(f"/companies/{api.company_id}/people")).status_code == 200
    clock.advance(hours=12)
    assert not await is_in(browser)
    assert (await browser.open(f"/companies/{api.company_id}/people")).status_code == 303


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.dk/", "//evil.dk", "/\\evil.dk", "\\\\evil.dk", "/\t/evil.dk", "javascript:alert(1)", "account",
        "/a\nb", "/æ", "http:evil.dk", "https:/evil.dk", "/" + "x" * 4_001, "",
    ],
)  # fmt: skip
async def test_nobody_is_led_to_another_site(api: Api, target: str) -> None:
    browser, _ = await signed_in(api)
    answer = await browser.open("/sign-in", params={"next": target})
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")


async def test_known_or_not_is_answered_alike(api: Api) -> None:
    person, stranger = await new_person(api), Person(api.company_id, "nobody@example.com")
    answers: list[Any] = []
    for one in (person, stranger):
        browser = Browser(api.http)
        answer = await submit(browser, one, "a wrong password")
        page = re.sub(r'value="[^"]*"', "", answer.text)
        answers.append((answer.status_code, page, sorted(browser.cookies)))
        answer = await browser.open("/reset-password")
        answer = await browser.send("/reset-password", {"email": one.email})
        answers[-1] = (*answers[-1], answer.status_code, answer.text)
    assert answers[0] == answers[1]


async def test_forms_are_taken_from_our_own_pages_alone(api: Api) -> None:
    browser, person = await signed_in(api)
    other, _ = await signed_in(api)
    await browser.open("/account")
    sent: list[Any] = [
        {"data": {"name": "Eve", "language": "en"}},
        {"data": {"name": "Eve", "language": "en", "token": token_of(other)}},
        {"data": {"name": "Eve", "language": "en", "token": token_of(browser)},
         "headers": {"sec-fetch-site": "cross-site"}},
        {"data": {"name": "Eve", "language": "en", "token": token_of(browser)},
         "headers": {"origin": "https://evil.dk"}},
        {"content": f"name=Eve&language=en&token={token_of(browser)}", "headers": {"content-type": "text/plain"}},
    ]  # fmt: skip
    for options in sent:
        for path in ("/account", "/sign-out", "/account/sessions/end", f"/companies/{api.company_id}/people/remove"):
            assert (await browser.request("POST", path, **options)).status_code == 400, (path, options)
    assert "Eve" not in (await browser.open("/account")).text
    # Ahead of signing in too: the form is bound to a cookie that only its page gives.
    stranger = Browser(api.http)
    for path in ("/sign-in", "/reset-password", "/sign-in/passkey/options"):
        answer = await stranger.request("POST", path, data={"email": person.email, "password": PASSWORD, "token": ""})
        assert answer.status_code == 400, path


async def test_a_stranger_locks_nobody_out(api: Api, clock: SteeredClock) -> None:
    person, home = await new_person(api), Browser(api.http)
    await submit(home, person)
    await home.open("/account")
    await home.send("/sign-out", {})
    thief = Browser(api.http)
    statuses = [(await submit(thief, person, f"wrong password {n}")).status_code for n in range(7)]
    assert statuses == [400] * 4 + [429] * 3, "five in a minute from the network, the owner's own one among them"
    answer = await submit(thief, person)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert (await submit(home, person)).status_code == 303, "a browser that is known has a count of its own"
    clock.advance(seconds=61)
    statuses = [(await submit(thief, person, f"wrong password {n}")).status_code for n in range(5)]
    assert statuses == [400] + [429] * 4, "ten in a quarter of an hour"
    clock.advance(minutes=15)
    assert (await submit(thief, person)).status_code == 303


async def set_up_totp(browser: Browser, clock: SteeredClock) -> tuple[pyotp.TOTP, list[str]]:
    page = await browser.open("/account/totp")
    found = SECRET.search(page.text)
    assert found is not None
    totp = pyotp.TOTP(found[1])
    fields = {"secret": found[1], "code": totp.at(clock()), "password": PASSWORD}
    assert (await browser.send("/account/totp", {**fields, "password": "wrong"})).status_code == 400
    assert (await browser.send("/account/totp", {**fields, "code": "000000"})).status_code == 400
    page = await browser.send("/account/totp", fields)
    codes = RECOVERY.findall(page.text.replace("<pre>", "").replace("</pre>", ""))
    assert len(codes) == 10
    return totp, codes


async def test_by_one_time_passwords(api: Api, clock: SteeredClock) -> None:
    browser, person = await signed_in(api)
    totp, codes = await set_up_totp(browser, clock)
    assert (await api.get("/v1/users")).json()[0]["hasSecondFactor"] is True
    other = Browser(api.http)

    async def show(code: str) -> httpx.Response:
        return await other.send("/sign-in/second-factor", {"code": code, "next": "/account"})

    answer = await submit(other, person, next="/account")
    assert answer.headers["location"] == "/sign-in/second-factor?next=%2Faccount"
    assert cookies.SESSION not in other.cookies
    await other.open(answer.headers["location"])
    assert (await show(totp.at(clock()))).status_code == 400, "the code of setting up was taken"
    assert (await show(totp.at(clock(), counter_offset=2))).status_code == 400, "too far ahead"
    assert (await show(totp.at(clock(), counter_offset=1))).headers["location"] == "/account"
    assert await is_in(other)
    # Of two that show the same code at once one comes in; what was shown is over for every sign-in.
    clock.advance(seconds=60)
    twins = [Browser(api.http), Browser(api.http)]
    for twin in twins:
        await twin.open((await submit(twin, person)).headers["location"])
    shown = {"code": totp.at(clock()), "next": ""}
    answers = await asyncio.gather(*(twin.send("/sign-in/second-factor", shown) for twin in twins))
    assert sorted(answer.status_code for answer in answers) == [303, 400]
    # A recovery code is good once; five wrong ones take the password again.
    for code, status in ((codes[0].lower().replace("-", " "), 303), (codes[0], 400)):
        other = Browser(api.http)
        await other.open((await submit(other, person)).headers["location"])
        assert (await show(code)).status_code == status
    for _ in range(4):
        assert (await show("123456")).status_code == 400
    assert (await show(codes[1])).headers["location"] == "/sign-in"
    fields = {"password": PASSWORD}
    await browser.open("/account")
    renewed = RECOVERY.findall((await browser.send("/account/recovery-codes", fields)).text.replace("<pre>", ""))
    assert not {*renewed} & {*codes}
    await browser.open("/account")
    assert (await browser.send("/account/totp/remove", fields)).headers["location"] == "/account?done=removed"
    clock.advance(minutes=20)
    assert (await submit(Browser(api.http), person)).headers["location"] == "/account"


async def test_another_password_ends_whatever_is_open(api: Api) -> None:
    person = await new_person(api)
    here, there = [Browser(api.http, await session_cookie(api, person)) for _ in range(2)]
    for browser in (here, there):
        assert (await browser.open(f"/companies/{api.company_id}/people")).status_code == 200
    await here.open("/account")
    change = {"password": PASSWORD, "new_password": NEW, "again": NEW}
    for fields in (
        {**change, "password": "wrong"}, {**change, "again": "else"}, {**change, "new_password": "short"},
        {**change, "new_password": "password1234", "again": "password1234"},
        {**change, "new_password": person.email, "again": person.email},
    ):  # fmt: skip
        assert (await here.send("/account/password", fields)).status_code == 400
    old = here.cookies[cookies.SESSION]
    assert (await here.send("/account/password", change)).headers["location"] == "/account?done=changed_password"
    assert here.cookies[cookies.SESSION] != old
    assert await is_in(here)
    assert not await is_in(there)
    for secret in (old, there.cookies[cookies.SESSION]):
        gone = Browser(api.http, {cookies.SESSION: secret})
        assert (await gone.open(f"/companies/{api.company_id}/people")).status_code == 303
    assert (await submit(Browser(api.http), person)).status_code == 400
    assert (await submit(Browser(api.http), Person(person.id, person.email, NEW), NEW)).status_code == 303


async def test_sessions_are_ended_from_another_browser(api: Api) -> None:
    person, stranger = await new_person(api), await new_person(api)
    here, there, third = [Browser(api.http, await session_cookie(api, person)) for _ in range(3)]
    foreign = Browser(api.http, await session_cookie(api, stranger))
    page = Page((await here.open("/account")).text)
    ids = [form.fields["id"] for form in page.forms if form.action == "/account/sessions/end" and "id" in form.fields]
    assert len(ids) == 2
    await foreign.open("/account")
    await foreign.send("/account/sessions/end", {"id": ids[0]})
    assert all([await is_in(browser) for browser in (here, there, third)])
    await here.open("/account")
    await here.send("/account/sessions/end", {"id": ids[0]})
    assert sorted([await is_in(there), await is_in(third)]) == [False, True]
    await here.open("/account")
    await here.send("/account/sessions/end", {})
    assert [await is_in(browser) for browser in (here, there, third, foreign)] == [True, False, False, True]


HOST = "books.example"


@pytest_asyncio.fixture
async def by_https(database_url: str, clock: SteeredClock) -> AsyncIterator[httpx.AsyncClient]:
    """The application as it is reached by https, under a name."""
    url = f"https://{HOST}"
    settings = Settings(attachments_dir=BLOBS.path, public_url=url, secret_keys=SecretStr(SECRET_KEY))
    async with LifespanManager(create_app(database_url, settings, clock=clock)) as manager:
        transport = httpx.ASGITransport(manager.app, client=("127.0.0.1", 40000))
        async with httpx.AsyncClient(transport=transport, base_url=url) as client:
            yield client


async def test_by_passkeys(api: Api, by_https: httpx.AsyncClient, clock: SteeredClock) -> None:
    person, browser = await new_person(api), Browser(by_https)
    key = Authenticator(f"https://{HOST}", HOST)
    assert (await submit(browser, person)).status_code == 303
    assert f"__Host-{cookies.SESSION}" in browser.cookies
    await browser.open("/account")

    async def add(one: Authenticator, password: str = PASSWORD) -> httpx.Response:
        await browser.open("/account")
        answer = await browser.send("/account/passkeys/options", {"password": password})
        if answer.status_code != 200:
            return answer
        assert answer.json()["rp"]["id"] == HOST
        return await browser.send("/account/passkeys", {"credential": one.make(answer.json()), "name": "Telefon"})

    assert (await add(key, "wrong")).status_code == 400
    for wrong in (
        Authenticator("https://evil.dk", HOST), Authenticator(f"https://{HOST}", "evil.dk"),
        Authenticator(f"https://{HOST}", HOST, flags=1),
    ):  # fmt: skip
        assert (await add(wrong)).status_code == 400, "of another site, or nobody was asked"
    assert len(RECOVERY.findall((await add(key)).text.replace("<pre>", "").replace("</pre>", ""))) == 10
    assert "Telefon" in (await browser.open("/account")).text

    async def options(one: Browser) -> dict[str, Any]:
        await one.open("/sign-in")
        return dict((await one.send("/sign-in/passkey/options", {})).json())

    async def show(one: Browser, credential: str) -> int:
        return (await one.send("/sign-in/passkey", {"credential": credential, "next": "/account"})).status_code

    other = Browser(by_https)
    asked = await options(other)
    answer = key.sign(asked)
    assert await show(other, answer) == 303, "alone, without a password"
    assert (await other.open("/account")).status_code == 200
    thief = Browser(by_https)
    await thief.open("/sign-in")
    assert await show(thief, answer) == 400, "an answer is good once"
    asked = await options(thief)
    clock.advance(minutes=6)
    assert await show(thief, key.sign(asked)) == 400, "for five minutes"
    unknown = Authenticator(f"https://{HOST}", HOST)
    assert await show(thief, unknown.sign(await options(thief))) == 400
    forged = Authenticator(f"https://{HOST}", HOST, credential_id=key.credential_id, count=key.count)
    assert await show(thief, forged.sign(await options(thief))) == 400
    key.count = 0
    assert await show(thief, key.sign(await options(thief))) == 400, "a copy of it has counted on"
    assert await show(thief, "no JSON") == 400
    # With a password it is the second factor.
    key.count = 10
    again = Browser(by_https)
    page = await again.open((await submit(again, person)).headers["location"])
    assert 'data-passkey="get"' in page.text
    assert "'sha256-" in page.headers["content-security-policy"].partition("script-src")[2]
    asked = (await again.send("/sign-in/passkey/options", {})).json()
    assert await show(again, key.sign(asked)) == 303
    # Removed, it opens nothing.
    shown = Page((await browser.open("/account")).text)
    passkey_id = next(form.fields["id"] for form in shown.forms if form.action == "/account/passkeys/remove")
    answer_ = await browser.send("/account/passkeys/remove", {"id": passkey_id, "password": PASSWORD})
    assert answer_.headers["location"] == "/account?done=removed"
    assert await show(thief, key.sign(await options(thief))) == 400
    assert (await submit(Browser(by_https), person)).headers["location"] == "/account"
