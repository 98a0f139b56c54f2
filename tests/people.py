"""People who sign in, for tests: made as commands make them, and browsers that they sign in with."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from tests.conftest import Api

from ledgerbee.core.cells import new_secret
from ledgerbee.core.ids import new_id
from ledgerbee.identity.pages import cookies
from ledgerbee.identity.pages.rules import form_token
from ledgerbee.identity.sign_in.model import SESSION_PREFIX
from ledgerbee.identity.users import actions as users
from ledgerbee.identity.users import store
from ledgerbee.identity.users.model import Role
from ledgerbee.identity.users.passwords import PARAMETERS, new_record, password_check
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.model import secret_hash

PASSWORD = "korrekt hest batteri"
_TOKEN = re.compile(r'name="token" value="([0-9a-f]{64})"')


@dataclass
class Browser:
    """A browser without scripts: it keeps cookies, and sends forms with the token of the page that it has open."""

    http: httpx.AsyncClient
    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=lambda: {"accept-language": "en"})
    page: str = ""

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request with the cookies; those of the answer are kept."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {**self.headers, **({"cookie": cookie} if cookie else {}), **options.pop("headers", {})}
        answer = await self.http.request(method, path, headers=headers, **options)
        for header in answer.headers.get_list("set-cookie"):
            name, _, rest = header.partition("=")
            value = rest.partition(";")[0].strip('"')
            if not value or "max-age=0" in rest.lower():
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        self.http.cookies.clear()
        if answer.headers.get("content-type", "").startswith("text/html"):
            self.page = answer.text
        return answer

    async def open(self, path: str, **options: Any) -> httpx.Response:
        """Open a page."""
        return await self.request("GET", path, **options)

    async def send(self, path: str, fields: Mapping[str, str], **options: Any) -> httpx.Response:
        """Send a form of the page that is open, with its token unless the fields have one."""
        found = _TOKEN.search(self.page)
        token = {"token": found[1]} if found else {}
        return await self.request("POST", path, data={**token, **fields}, **options)


@dataclass
class Person:
    """Somebody with an account."""

    id: UUID
    email: str
    password: str = PASSWORD


async def new_person(
    api: Api, role: str | None = "owner", name: str = "Mette Holm", language: str = "en", email: str = ""
) -> Person:
    """A person with a password, who works in the company of `api` as `role` (None: does not)."""
    email = email or f"{new_id().hex}@example.com"

    async def work(context: Context) -> UUID:
        user_id = await users.add_user(context, email, name, language, await new_record(PASSWORD))
        if role is not None:
            await users.add_member(context, user_id, Role(role))
        return user_id

    return Person(await api.run(work), email)


async def session_cookie(api: Api, person: Person) -> dict[str, str]:
    """The cookie of a new session of the person's, without the pages."""
    secret = new_secret(SESSION_PREFIX, "00")
    async with api.database.connection() as connection:
        row = await connection.fetchrow("SELECT * FROM password_parameters($1, $2)", person.email, PARAMETERS)
        assert row is not None
        check = await password_check(person.password, row["salt"], row["parameters"])
        done = await connection.fetchval(
            "SELECT outcome FROM begin_sign_in($1, $2, $3, $4, $4, NULL, NULL, NULL, NULL, NULL, $5)",
            person.email, check, new_id(), secret_hash(secret), api.clock(),
        )  # fmt: skip
    assert done == "signed_in"
    return {cookies.SESSION: secret}


async def signed_in(api: Api, role: str | None = "owner", **options: Any) -> tuple[Browser, Person]:
    """A browser in which a new member of the company has signed in."""
    person = await new_person(api, role, **options)
    return Browser(api.http, await session_cookie(api, person)), person


def token_of(browser: Browser) -> str:
    """What the forms of the browser's session send along."""
    return form_token(browser.cookies[cookies.SESSION])


async def accepted(api: Api, invitation_id: str) -> None:
    """Have whom an invitation is for accept it, as if the page had been opened."""

    async def work(context: Context) -> None:
        invitation = await store.get_invitation(context, UUID(invitation_id))
        user_id = await users.add_user(context, invitation.email, "Mette Holm", "da", None)
        await users.accept(context, invitation.id, user_id)

    await api.run(work)
