"""Members of a company: invitations and links in mail, roles, and what they end; the same on the page of people."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from asgi_lifespan import LifespanManager
from pydantic import SecretStr
from tests.api.test_sign_in import HOST, NEW, is_in, submit
from tests.company_copies import SECRET_KEY
from tests.conftest import BLOBS, PUBLIC_URL, Api, SteeredClock
from tests.ledger_books import as_owner
from tests.pages import Page
from tests.people import Browser, Person, new_person, signed_in
from tests.post_office import PostOffice, open_post_office

from ledgerbee.app.config import Settings
from ledgerbee.app.main import create_app
from ledgerbee.identity.sign_in.jobs import mail_reset
from ledgerbee.identity.sign_in.limits import sign_in_limits, take
from ledgerbee.identity.users.jobs import mail_invitation
from ledgerbee.platform.jobs import JobRun
from ledgerbee.platform.mail import Mailer

LINK = re.compile(re.escape(PUBLIC_URL) + r"(/(?:invitations|reset-password)/lb[ir]_00\.[A-Za-z0-9_-]{43})")


@pytest_asyncio.fixture(autouse=True)
async def first_minute(database_url: str) -> None:
    """The clock of tests stands still, and so would their counts."""
    owner = await as_owner(database_url)
    await owner.execute("DELETE FROM rate_limit_hits")
    await owner.close()


@pytest_asyncio.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with open_post_office(PostOffice()) as opened:
        yield opened


async def jobs_of(api: Api, database_url: str, name: str) -> list[dict[str, Any]]:
    """Payloads of the company's jobs of a name that wait, which are taken off the queue."""
    owner = await as_owner(database_url)
    rows = await owner.fetch(
        "DELETE FROM pgqueuer WHERE entrypoint = $1 AND convert_from(payload, 'UTF8')::json ->> 'companyId' = $2"
        " RETURNING convert_from(payload, 'UTF8')::json AS payload",
        name,
        str(api.company_id),
    )
    await owner.close()
    return [json.loads(row["payload"]) for row in rows]


async def mailed(api: Api, database_url: str, office: PostOffice, name: str) -> list[str]:
    """Run the jobs that mail a link, as the worker would; the paths of the links."""
    work = {"mail_invitation": mail_invitation, "mail_password_reset": mail_reset}[name]
    links = []
    for payload in await jobs_of(api, database_url, name):
        run = JobRun(
            database=api.database, mailer=Mailer(office.url, "books@example.com"), blobs=BLOBS, clock=api.clock,
            company_id=api.company_id, request_id=payload["requestId"], payload=payload, attempt=1, max_attempts=4,
        )  # fmt: skip
        await work(run)
        body = office.mails[-1][1].get_body(("plain",))
        assert body is not None
        links += LINK.findall(body.get_content())
    return links


async def accept(browser: Browser, link: str, **fields: str) -> str | int:
    """Open an invitation and send its form; where that leads, or what it is refused with."""
    await browser.open(link)
    answer = await browser.send(link, {"name": "Ib Lund", "new_password": NEW, "again": NEW, **fields})
    location: str | None = answer.headers.get("location")
    return location or answer.status_code


async def test_an_invitation_is_accepted_once_by_whom_it_is_for(
    api: Api, other_api: Api, database_url: str, office: PostOffice, clock: SteeredClock
) -> None:
    email = f"ib.{api.company_id.hex}@example.com"
    made = await api.post("/v1/users/invitations", {"email": email.upper(), "role": "sales", "language": "da"})
    assert (made.status_code, made.json()["email"], made.json()["status"]) == (201, email, "pending")
    (link,) = await mailed(api, database_url, office, "mail_invitation")
    assert office.mails[-1][0] == [email]
    assert link.rpartition("/")[2] not in made.text + (await api.get("/v1/audit-events")).text
    browser = Browser(api.http)
    page = await browser.open(link)
    assert (page.status_code, Page(page.text).language) == (200, "da")
    assert "Nordlys ApS" in page.text
    # Somebody else's session doesn't accept it.
    other, _ = await signed_in(other_api)
    await other.open(link)
    assert (await other.send(link, {"name": "Eve", "new_password": NEW, "again": NEW})).status_code == 200
    for fields in ({"name": " "}, {"new_password": "short"}, {"again": "x"}, {"new_password": email, "again": email}):
        assert await accept(browser, link, **fields) == 400
    twin = Browser(api.http)
    outcomes = await asyncio.gather(accept(browser, link), accept(twin, link))
    assert sorted(outcomes, key=str) == sorted(["/account?done=joined", 404], key=str) or "/sign-in" in outcomes
    assert (await Browser(api.http).open(link)).status_code == 404
    member = (await api.get("/v1/users")).json()[0]
    assert (member["email"], member["role"], member["name"]) == (email, "sales", "Ib Lund")
    told = (await api.get("/v1/audit-events?type=membership.created")).json()["data"]
    assert [one["actor"] for one in told] == [f"user:{member['id']}"]
    # Known by now, the same person signs in to accept another one, as who the invitation is for.
    await other_api.post("/v1/users/invitations", {"email": email, "role": "owner"})
    (link,) = await mailed(other_api, database_url, office, "mail_invitation")
    person = Person(UUID(member["id"]), email, NEW)
    browser = Browser(api.http)
    assert 'name="new_password"' not in (await browser.open(link)).text
    assert (await browser.send(link, {"name": "Eve", "new_password": NEW, "again": NEW})).status_code in {200, 400}
    await submit(browser, person, NEW)
    assert await accept(browser, link) == "/account?done=joined"
    assert [one["email"] for one in (await other_api.get("/v1/users")).json()][1:] == [email]
    # A member of two companies has the page of people where an owner.
    assert (await browser.open(f"/companies/{other_api.company_id}/people")).status_code == 200
    assert (await browser.open(f"/companies/{api.company_id}/people")).status_code == 404
    # Seven days.
    await api.post("/v1/users/invitations", {"email": "late@example.com", "role": "sales"})
    (link,) = await mailed(api, database_url, office, "mail_invitation")
    clock.advance(days=7)
    assert (await Browser(api.http).open(link)).status_code == 404
    listed = (await api.get("/v1/users/invitations")).json()
    assert [one["status"] for one in listed] == ["expired", "accepted"]


async def test_a_role_ends_what_it_opened(api: Api, other_api: Api) -> None:
    browser, owner = await signed_in(api)
    people = f"/companies/{api.company_id}/people"
    assert (await browser.open(people)).status_code == 200
    for refused in (
        await api.patch(f"/v1/users/{owner.id}", {"role": "sales"}), await api.delete(f"/v1/users/{owner.id}"),
    ):  # fmt: skip
        assert (refused.status_code, refused.json()["code"]) == (409, "LAST_OWNER")
    second, other = await signed_in(api)
    assert (await second.open(people)).status_code == 200
    # Two owners who demote each other at once: one of them stays one.
    answers = await asyncio.gather(*(api.patch(f"/v1/users/{one.id}", {"role": "read-only"}) for one in (owner, other)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    demoted = browser if answers[0].status_code == 200 else second
    kept = second if demoted is browser else browser
    assert (await demoted.open(people)).status_code == 404
    assert (await demoted.send(f"{people}/remove", {"id": str(owner.id)})).status_code in {400, 404}
    assert await is_in(demoted)
    # Nobody gives what is not theirs, to nobody.
    key = (await api.post("/v1/api-keys", {"name": "x", "scopes": ["users-write", "users-read"]})).json()["key"]
    weak = {"x-api-key": key}
    for method, path, body in (
        ("POST", "/v1/users/invitations", {"email": "x@example.com", "role": "read-only"}),
        ("PATCH", f"/v1/users/{other.id}", {"role": "owner"}),
        ("DELETE", f"/v1/users/{owner.id}", None),
    ):
        answer = await api.request(method, path, json=body, headers=weak)
        assert answer.status_code in {403, 409}, answer.text
    assert (await other_api.delete(f"/v1/users/{owner.id}")).status_code == 404
    # From the page.
    third = await new_person(api, "sales")
    await kept.open(people)
    answer = await kept.send(f"{people}/role", {"id": str(third.id), "role": "accountant"})
    assert answer.headers["location"].endswith("?done=changed")
    await kept.open(people)
    answer = await kept.send(f"{people}/invite", {"email": "ny@example.com", "role": "sales", "language": "da"})
    assert answer.headers["location"].endswith("?done=invited")
    page = Page((await kept.open(people)).text)
    invitation = next(form.fields["id"] for form in page.forms if form.action.endswith("/revoke-invitation"))
    assert (await kept.send(f"{people}/invite", {"email": "ny@example.com", "role": "sales"})).status_code == 409
    assert (await kept.send(f"{people}/revoke-invitation", {"id": invitation})).status_code == 303
    await kept.open(people)
    assert (await kept.send(f"{people}/remove", {"id": str(third.id)})).status_code == 303
    gone = Browser(api.http)
    await submit(gone, third)
    assert (await gone.open(people)).status_code == 404
    assert "Nordlys" not in (await gone.open("/account")).text


async def test_a_new_password_by_a_link(api: Api, database_url: str, office: PostOffice, clock: SteeredClock) -> None:
    person, browser = await new_person(api, language="da"), Browser(api.http)
    signed_browser = Browser(api.http)
    await submit(signed_browser, person)
    assert await is_in(signed_browser)

    async def asked() -> list[str]:
        await browser.open("/reset-password")
        assert (await browser.send("/reset-password", {"email": person.email})).status_code == 200
        return await mailed(api, database_url, office, "mail_password_reset")

    (first,) = await asked()
    (link,) = await asked()
    assert (await browser.open(first)).status_code == 404, "the newest is good"
    page = await browser.open(link)
    assert (page.status_code, person.email in page.text) == (200, True)
    for fields in ({"new_password": "short", "again": "short"}, {"new_password": NEW, "again": "x"}):
        assert (await browser.send(link, fields)).status_code == 400
    sent = {"new_password": NEW, "again": NEW}
    twin = Browser(api.http)
    await twin.open(link)
    answers = await asyncio.gather(browser.send(link, sent), twin.send(link, sent))
    assert sorted(answer.status_code for answer in answers) == [303, 404]
    assert (await browser.open(link)).status_code == 404
    assert not await is_in(signed_browser)
    assert (await submit(Browser(api.http), person)).status_code == 400
    assert (await submit(Browser(api.http), person, NEW)).status_code == 303
    assert len(await asked()) == 1
    assert await asked() == [], "three an hour, and nobody is told"
    clock.advance(hours=1)
    (late,) = await asked()
    clock.advance(hours=1)
    assert (await browser.open(late)).status_code == 404


@pytest.mark.parametrize("base_url", [PUBLIC_URL, f"https://{HOST}"])
async def test_strangers_lock_nobody_out(api: Api, database_url: str, office: PostOffice, base_url: str) -> None:
    """A hundred of them, each in a network of its own: a mailed link lets its reader in, by either password."""
    settings = Settings(attachments_dir=BLOBS.path, public_url=base_url, secret_keys=SecretStr(SECRET_KEY))
    application = create_app(database_url, settings, clock=api.clock)
    person, nobody = await new_person(api), Person(api.company_id, "nobody@example.com")

    def browser_at(host: str) -> Browser:
        transport = httpx.ASGITransport(application, client=(host, 40000))
        return Browser(httpx.AsyncClient(transport=transport, base_url=base_url))

    async with LifespanManager(application):
        home = browser_at("10.0.0.1")
        assert (await submit(home, person)).status_code == 303
        async with api.database.connection() as connection:
            for email, count in ((person.email, 99), (nobody.email, 100)):
                for number in range(count):
                    await take(connection, sign_in_limits(email, f"10.1.{number}.1", None), api.clock())
        refused = [await submit(browser_at("10.2.0.1"), one) for one in (person, nobody)]
        assert [page.status_code for page in refused] == [429, 429]
        known, unknown = (re.sub(r'value="[^"]*"', "", page.text) for page in refused)
        assert (known == unknown, "Have a link mailed" in known, "/reset-password" in known) == (True, True, True)
        assert refused[0].headers["retry-after"] == "3600"
        again = await home.open("/account")
        await home.send("/sign-out", {})
        assert (again.status_code, (await submit(home, person)).status_code) == (200, 303), "a browser that is known"
        new = browser_at("10.3.0.1")
        await new.open("/reset-password")
        await new.send("/reset-password", {"email": person.email})
        (link,) = await mailed(api, database_url, office, "mail_password_reset")
        page = await new.open(link)
        assert (page.status_code, "the link has opened the way" in page.text) == (200, True)
        assert (await submit(new, person)).status_code == 303, "with the password that there is"
        other = browser_at("10.2.0.1")
        await other.open(link)
        assert (await other.send(link, {"new_password": NEW, "again": NEW})).status_code == 303
        assert (await submit(other, person, NEW)).status_code == 303
        assert (await submit(browser_at("10.4.0.1"), person, NEW)).status_code == 429


async def test_names_turn_nothing_around_beside_them(api: Api) -> None:
    """On pages each name stands by itself; what a form sends back is the name as it is."""
    name = "Noa \u202egnp.exe"
    browser, _ = await signed_in(api, name=name)
    page = (await browser.open("/account")).text
    assert f'name="name" value="{name}"' in page
    people = (await browser.open(f"/companies/{api.company_id}/people")).text
    assert "\u2068Noa gnp.exe\u2069" in people
    assert "\u202e" not in people.replace(f'value="{name}"', "")
