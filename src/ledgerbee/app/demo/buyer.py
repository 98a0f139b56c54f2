"""The company that buys: what the sellers sold comes back to it as e-invoices, which it drafts and books."""

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from ledgerbee.app.demo.client import Client
from ledgerbee.app.demo.seller import ENDPOINT, Sold

_NAME: Final = "Det Fælles Indkøb A/S"
#: The account for what nobody has bought before: small acquisitions.
_ACCOUNT: Final = 2230


@dataclass(frozen=True, slots=True)
class Received:
    """An e-invoice as it was received, with its draft and the entry that this became. The API's answers."""

    document: dict[str, Any]
    draft: dict[str, Any]
    entry: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Buyer:
    """The company and its account for what is new."""

    client: Client
    company: dict[str, Any]
    account_id: str

    @classmethod
    async def open(cls, client: Client, first_day: date, last_day: date, turn: asyncio.Lock) -> "Buyer":
        """A new Danish company whose books cover these days; `client` may create companies, in its `turn`."""
        body = {"name": _NAME, "countryCode": "DK", "fiscalYearStart": first_day.isoformat()}
        async with turn:
            made = await client.post("/v1/companies", body)
        own = Client(client.http, made["key"])
        made |= await own.patch("/v1/company", {"vatNumber": ENDPOINT.partition(":")[2]})
        for _ in range(first_day.year, last_day.year):
            await own.post("/v1/fiscal-years", {})
        accounts = await own.get("/v1/accounts")
        return cls(own, made, next(one["id"] for one in accounts if one["accountNumber"] == _ACCOUNT))

    async def receive(self, sale: Sold) -> Received:
        """Receive what was sold as a draft, making its vendor where it is new, and book it."""
        document = await self.client.post_xml("/v1/incoming-documents", sale.e_invoice)
        if document["status"] == "received":
            path = f"/v1/incoming-documents/{document['id']}/draft"
            document = await self.client.post(path, {"accountId": self.account_id})
        path = f"/v2/draft-journal-entries/{document['draftJournalEntryId']}"
        draft = await self.client.get(path)
        return Received(document, draft, await self.client.post(f"{path}/book", {}))
