"""A receiver of webhooks that keeps books of what it is told, for each company: they have to be the company's."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg
from tests.receivers import Answer, Received, receiving
from tests.runtime.processes import PATIENCE
from tests.sim.auditor import MismatchError, same
from tests.sim.clients import Line
from tests.sim.debtor import Debtor, figures_of
from tests.sim.figures import text_of
from tests.sim.model import Company
from tests.sim.requests import Request

#: Of what the models know, everything that is told.
TOPICS: Final = (
    "journal_entry.posted", "journal_entry.reversed", "journal_entry.updated", "invoice.created", "invoice.updated",
    "invoice.sent", "invoice.sent_again", "invoice.partially_paid", "invoice.paid", "invoice.reopened",
    "invoice.credited", "invoice.credit_applied", "invoice.cancelled", "invoice.deleted", "payment.recorded",
    "payment.reversed",
)  # fmt: skip
#: What an event of an invoice has beside the invoice.
_BESIDE: Final = "creditUse"
_LARGEST_PAGE: Final = 100
_UNTOLD: Final = """
SELECT c.last_position - w.told_up_to AS events, d.pending FROM webhook_endpoints w
JOIN event_counters c ON c.company_id = w.company_id
CROSS JOIN LATERAL (
    SELECT count(*) AS pending FROM webhook_deliveries p WHERE p.company_id = $1 AND p.status = 'pending'
) d
WHERE w.company_id = $1 AND (c.last_position > w.told_up_to OR d.pending > 0)
"""
_LOG: Final = """
SELECT event_id::text AS id, status = 'delivered' AND attempts->-1->>'status' = '200' AS is_delivered
FROM webhook_deliveries WHERE company_id = $1
"""


@dataclass
class View:
    """What one company's events say: of each object the latest, by its `sequence`."""

    line: Line
    entries: dict[str, Any] = field(default_factory=dict)
    invoices: dict[str, Any] = field(default_factory=dict)
    payments: dict[str, Any] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    fault: str = ""

    def take(self, received: Received) -> None:
        """A delivery: the first of its event is told, any other has to be the same."""
        if (before := self.bodies.get(received.id)) is not None:
            if before != received.body:
                self.fault = f"told as {before!r}\nand as {received.body!r}"
            return
        self.bodies[received.id] = received.body
        event = received.event
        kind, data = event["type"].partition(".")[0], event["data"]
        sequence, object_id = data.pop("sequence"), data["id"]
        if sequence <= self.sequences.get(object_id, 0):
            self.fault = f"{kind} {object_id}: {sequence} came after {self.sequences[object_id]}"
        self.sequences[object_id] = sequence
        of_kind = {"journal_entry": self.entries, "invoice": self.invoices, "payment": self.payments}[kind]
        of_kind[object_id] = {name: value for name, value in data.items() if name != _BESIDE}

    async def compare_entries(self, company: Company | None) -> None:
        """Raises `MismatchError` unless each entry is the API's, and that of the model where there is one."""
        if company is not None:
            same("entries as they were told", company.entries, self.entries)
        listed: dict[str, Any] = {}
        for page in range(1, len(self.entries) // _LARGEST_PAGE + 2):
            params = {"page": str(page), "limit": str(_LARGEST_PAGE)}
            answer = await self._get("/v1/journal-entries", params)
            listed |= {entry["id"]: entry for entry in answer["data"]}
            same("number of entries told", answer["total"], len(self.entries))
        same("entries as they were told, and the API's", listed, self.entries)

    async def compare_sales(self, debtor: Debtor) -> None:
        """Raises `MismatchError` unless each invoice and payment is the API's, and the figures are the model's."""
        same("invoices told", debtor.model.sales.keys(), self.invoices.keys())
        left = dict(self.payments)
        for sale_id, sale in debtor.model.sales.items():
            told = self.invoices[sale_id]
            same(f"figures of invoice {sale_id} as told", *figures_of(sale, told))
            shown = await self._get(f"/v1/invoices/{sale_id}")
            same(f"invoice {sale_id} as told", {name: shown[name] for name in told}, told)
            listed = await self._get(f"/v1/invoices/{sale_id}/payments")
            same(f"payments of {sale_id}", listed, [left.pop(one["id"], None) for one in listed])
            standing = {one["id"]: one["amount"] for one in listed if one["reversedAt"] is None}
            paid = {key: text_of(amount, sale.currency) for key, amount in sale.payments.items()}
            same(f"payments of {sale_id} that were not taken back", paid, standing)
        same("payments of no invoice", {}, left)

    async def _get(self, path: str, params: dict[str, str] | None = None) -> Any:
        response = await self.line.send(Request("", "GET", path, params=params or {}))
        if not response.is_success:
            raise MismatchError(f"{path}: {response.text}")
        return response.json()


@dataclass
class Listener:
    """The receiver of all companies of a round."""

    url: str = ""
    views: dict[str, View] = field(default_factory=dict)

    async def subscribe(self, company_id: str, line: Line) -> None:
        """Make the company's endpoint: what happens from now on is told."""
        self.views[company_id] = View(line)
        body = {"url": f"{self.url}/{company_id}", "enabledEvents": list(TOPICS)}
        made = await line.send(Request("", "POST", "/v1/webhook-endpoints", body, key=f"listener-{company_id}"))
        assert made.status_code == 201, made.text

    async def answer(self, received: Received) -> Answer:
        """Take what is told."""
        self.views[received.path.rpartition("/")[2]].take(received)
        return Answer()

    async def wait(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        """Until everything is delivered. Raises `MismatchError` if that doesn't come."""
        deadline = time.monotonic() + PATIENCE
        for company_id, view in self.views.items():
            await connection.execute(f"SET app.company_id = '{company_id}'")
            while found := await connection.fetch(_UNTOLD, company_id):
                if time.monotonic() > deadline:
                    raise MismatchError(f"events of {company_id} are not delivered: {found}")
                await asyncio.sleep(0.05)
            if view.fault:
                raise MismatchError(view.fault)
            log = await connection.fetch(_LOG, company_id)
            same("the log", sorted(view.bodies), sorted(row["id"] for row in log))
            same("what is not delivered by the log", [], [row["id"] for row in log if not row["is_delivered"]])


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    """A listener at work for the length of the block."""
    listener = Listener()
    async with receiving(listener.answer) as receiver:
        listener.url = receiver.url
        yield listener
