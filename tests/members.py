"""A member of companies in front of a browser without scripts: signs in, lets applications in, approves, takes back.

Whatever is sent are the forms of the pages that were shown, with what stands in them.
"""

from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
from tests import patient
from tests.pages import Form, Page
from tests.people import PASSWORD, Browser


@dataclass
class Member:
    """Somebody with an account, or who is about to have one."""

    browser: Browser
    email: str
    name: str

    @classmethod
    def at(cls, http: httpx.AsyncClient, email: str, name: str) -> Self:
        """With a browser of their own, at the server that `http` asks."""
        return cls(Browser(http), email, name)

    async def accepts(self, link: str) -> None:
        """Open the link of an invitation: choose name and password, or accept as whoever has signed in."""
        path = urlsplit(link).path
        await self._opens(path)
        answer = await self._sends(self._form(path), name=self.name, new_password=PASSWORD, again=PASSWORD)
        assert answer.status_code == 303, answer.text

    async def signs_out(self) -> None:
        """End the session of this browser."""
        await self._opens("/account")
        assert (await self._sends(self._form("/sign-out"))).status_code == 303

    async def asked(self, address: str, company: str) -> Page:
        """The page on which an application's request for a company is answered, by way of signing in and choosing."""
        answer = await self.browser.open(address)
        if answer.status_code == 303:
            answer = await self.browser.open(answer.headers["location"])
            answer = await self._sends(self._form("/sign-in"), email=self.email, password=PASSWORD)
            assert answer.status_code == 303, answer.text
            answer = await self.browser.open(answer.headers["location"])
        if any(one.method == "get" for one in Page(answer.text).forms):
            choice = next(one for one in Page(answer.text).forms if one.method == "get")
            answer = await self.browser.open(choice.action, params={**choice.fields, "company": company})
        assert answer.status_code == 200, answer.text
        return Page(answer.text)

    async def lets_in(self, address: str, company: str, access: str) -> Page:
        """Give an application access to a company, `read` or `full`; the page on which it was asked for."""
        page = await self.asked(address, company)
        await self._leaves(await self._sends(self._form("/oauth/authorize"), decision="allow", access=access))
        return page

    async def refuses(self, address: str, company: str) -> None:
        """Give an application nothing."""
        await self.asked(address, company)
        await self._leaves(await self._sends(self._form("/oauth/authorize"), decision="refuse"))

    async def approves(self, address: str) -> Page:
        """Approve what an application wants to do; the page that shows it."""
        answer = await self._opens(address)
        assert (await self._sends(self._form(urlsplit(address).path), decision="approved")).status_code == 303
        return Page(answer.text)

    async def takes_back(self, company: str, client: str) -> Page:
        """Take the access of an application back; its page, with what it did."""
        path = f"/companies/{company}/connected-apps"
        links = [link for link in Page((await self._opens(path)).text).links if link.startswith(f"{path}/")]
        for link in links:
            answer = await self._opens(link)
            page = Page(answer.text)
            if client in page.text and any(form.action == link for form in page.forms):
                assert (await self._sends(self._form(link), decision="revoke")).status_code == 303
                return page
        raise AssertionError(f"{client} has no access: {links}")

    async def _opens(self, address: str) -> httpx.Response:
        answer = await self.browser.open(address)
        assert answer.status_code == 200, (address, answer.status_code, answer.text)
        return answer

    def _form(self, path: str) -> Form:
        """The form of the open page that goes to this path."""
        return next(one for one in Page(self.browser.page).forms if urlsplit(one.action).path == path)

    async def _sends(self, form: Form, **fields: Any) -> httpx.Response:
        return await self.browser.send(form.action, {**form.fields, **fields})

    async def _leaves(self, answer: httpx.Response) -> None:
        """Be led to the application's own page, without the cookies of the server."""
        assert answer.status_code == 303, answer.text
        async with patient.async_client() as other:
            assert (await other.get(answer.headers["location"])).status_code == 200
