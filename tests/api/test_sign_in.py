"""Signing in: by password, second factor and passkey; what strangers learn and reach; what ends what."""

import httpx
import pytest_asyncio
from tests.conftest import Api
from tests.ledger_books import as_owner
from tests.pages import Page
from tests.people import PASSWORD, Browser, Person, new_person

from ledgerbee.identity.pages import cookies


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


async def test_by_password(api: Api) -> None:
    person, browser = await new_person(api), Browser(api.http)
    page = await browser.open("/account")
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=%2Faccount")
    page = await browser.open(page.headers["location"])
    assert page.status_code == 200
    assert len(page.content) < 60_000
    print("bytes", len(page.content))
    answer = await submit(browser, person, next="/account?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account?x=1")
    assert cookies.BEFORE_SESSION not in browser.cookies
    page = await browser.open("/account")
    print(page.text[-6000:])
    assert person.email in Page(page.text).text
    people = await browser.open(f"/companies/{api.company_id}/people")
    assert people.status_code == 200
    assert person.email in people.text
    answer = await browser.send("/sign-out", {})
    assert answer.headers["location"] == "/sign-in?done=signed_out"
    assert (await browser.open("/account")).status_code == 303
