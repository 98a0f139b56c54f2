"""Saved cards of a company, for tests: links over the API, the provider's page as its owner uses it."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from tests.conftest import Api
from tests.pages import Page
from tests.selling import Shop

from ledgerbee.payments.payment_methods.actions import look_at_link
from ledgerbee.payments.payment_methods.model import CardLink, CardLinkId
from ledgerbee.payments.provider_settings import actions as provider_settings
from ledgerbee.payments.provider_settings import store as provider_settings_store
from ledgerbee.payments.providers.model import Access, ProviderName, Providers
from ledgerbee.payments.providers.sandbox.provider import SandboxProvider
from ledgerbee.platform.context import Context

VISA = "4242424242424242"


@dataclass
class Cards:
    """One company's saved cards. Ids and bodies are the wire's."""

    api: Api
    shop: Shop = field(init=False)

    def __post_init__(self) -> None:
        self.shop = Shop(self.api)

    async def enable(self) -> None:
        """Use the provider that is built in."""
        await self.shop.ok("PUT", "/v1/payment-providers/sandbox", {"isEnabled": True})

    async def save(self, customer: str, number: str = VISA) -> dict[str, Any]:
        """A card that is saved without its page."""
        body = {"customerId": customer, "number": number}
        made: dict[str, Any] = await self.shop.ok("POST", "/v1/payment-providers/sandbox/cards", body, 201)
        return made

    async def link(self, customer: str, **fields: Any) -> dict[str, Any]:
        """A new link."""
        path = f"/v1/customers/{customer}/payment-methods/card-link"
        made: dict[str, Any] = await self.shop.ok("POST", path, fields, 201)
        return made

    async def listed(self, customer: str, query: str = "") -> list[dict[str, Any]]:
        """The cards of a customer."""
        found: list[dict[str, Any]] = await self.shop.ok("GET", f"/v1/customers/{customer}/payment-methods{query}")
        return found

    async def links(self) -> list[dict[str, Any]]:
        """The rows of links, oldest first."""

        async def work(context: Context) -> list[dict[str, Any]]:
            statement = "SELECT * FROM card_links WHERE company_id = $1 ORDER BY id"
            return [dict(row) for row in await context.connection.fetch(statement, context.company_id)]

        found: list[dict[str, Any]] = await self.api.run(work)
        return found

    async def seen(self, url: str, status: int = 200) -> Page:
        """A page of the provider."""
        answer = await self.api.http.get(url)
        assert answer.status_code == status, answer.text
        return Page(answer.text)

    async def send(self, url: str, headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
        """Send a form of a page of the provider, as somebody does who has it open."""
        token = form.fields["token"] if (form := next(iter((await self.seen(url)).forms), None)) else ""
        return await self.api.http.post(url, data={"token": token, **fields}, headers=headers)

    async def type(self, url: str, number: str = VISA) -> httpx.Response:
        """Type a card's number into its page."""
        return await self.send(url, answer="save", number=number)

    @property
    def providers(self) -> Providers:
        """The adapters, as the worker has them."""
        return {ProviderName.SANDBOX: self.provider}

    @property
    def provider(self) -> SandboxProvider:
        """The provider that is built in."""
        return SandboxProvider(self.api.database, self.api.clock)

    async def access(self) -> Access:
        """What it is reached with."""

        async def work(context: Context) -> Access:
            settings = await provider_settings_store.get(context, ProviderName.SANDBOX)
            return provider_settings.access_of(context, settings)

        found: Access = await self.api.run(work)
        return found

    async def look(self, link_id: UUID | None = None, providers: Providers | None = None) -> CardLink | None:
        """Look at a link, the newest unless named, as the worker does it."""
        wanted = CardLinkId(link_id or (await self.links())[-1]["id"])
        return await look_at_link(
            self.api.database, self.api.tenant, self.api.clock(), providers or self.providers, wanted
        )
