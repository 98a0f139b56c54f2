"""The demo's course: servers up, every seller sells and a month of usage is billed over HTTP, the books are asked,
servers down.

The API and the worker are the processes that `serve` starts, on a free port of the loopback; the mail server is real
and local. Only the first company and its key are made from inside, as `ledgerbee company create` makes them.
"""

import asyncio
import os
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeAlias
from uuid import UUID

import httpx

from ledgerbee.app.database_access import Access, in_company
from ledgerbee.app.demo.buyer import Buyer, Received
from ledgerbee.app.demo.client import TIMEOUT_S, Client
from ledgerbee.app.demo.flights import Flight
from ledgerbee.app.demo.mailbox import Mail, Mailbox, mail_socket, receiving
from ledgerbee.app.demo.metering import Metered, Meterer
from ledgerbee.app.demo.published import Document
from ledgerbee.app.demo.seller import Seller, Sold
from ledgerbee.app.onboarding import create_company, language_in, time_zone_in
from ledgerbee.app.serve import StopSignals, Supervisor, listen
from ledgerbee.app.verify import verify
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.verify import Verification
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.model import SCOPES
from ledgerbee.tenancy.api_keys import actions as api_keys
from ledgerbee.tenancy.company.model import CompanyFields

#: What makes a seller the same company on two documents.
_IDENTITY: Final = ("name", "country", "vatNumber")


@dataclass(frozen=True, slots=True)
class Books:
    """A company after the sales: its trial balance as the API answers it, and what the auditor found."""

    company: dict[str, Any]
    key: str
    refused: list[str]
    trial_balance: dict[str, Any]
    verification: Verification


_Finished: TypeAlias = tuple[Seller, list[Sold], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything the demo did. `received` are what was sold as it came back to the buyer, by the document's key.

    `metered` is the month of usage that was billed, with the books of who billed it; None where there were no flights.
    """

    sold: list[Sold]
    books: list[Books]
    mails: list[Mail]
    received: dict[str, Received]
    buyer: Books
    metered: tuple[Metered, Books] | None = None

    @property
    def all_books(self) -> list[Books]:
        """The books of all companies."""
        return [*self.books, self.buyer, *(() if self.metered is None else [self.metered[1]])]


@dataclass(frozen=True, slots=True)
class _Traded:
    """What was done over HTTP."""

    finished: list[_Finished]
    received: dict[str, Received]
    buyer: Buyer
    buyers_balance: dict[str, Any]
    metered: Metered | None


def run(found: Access, documents: Sequence[Document], flown: Sequence[Flight] = ()) -> Outcome:
    """Sell `documents`, and bill the month of the flights, on the database at `found`, and give what came of it.

    Must run in the main thread, which supervises the servers. Raises `DemoError` for what had to work and did not, and
    `KeyboardInterrupt` when it is told to stop, `StartFailedError` for a server that doesn't start.
    """
    with StopSignals() as signals, listen("127.0.0.1", 0) as listener, mail_socket() as mail_listener:
        signals.note()
        course = _Course(found, documents, flown, listener.getsockname()[1], mail_listener)
        environment = {
            **os.environ,
            **found.environment(),
            "SMTP_URL": f"smtp://127.0.0.1:{mail_listener.getsockname()[1]}",
            "LEDGERBEE_LOG_LEVEL": "ERROR",
            "LEDGERBEE_RATES_FETCH": "false",
        }
        result: Future[Outcome] = Future()
        was_stopped = False

        def go() -> None:
            nonlocal was_stopped
            try:
                result.set_result(course.take())
            except BaseException as fault:  # noqa: BLE001  raised again in the main thread
                result.set_exception(fault)
            finally:
                was_stopped = signals.stopping
                signals.stop()

        # At once: the first company is made while the servers start, and requests wait in the listener.
        thread = threading.Thread(target=go, name="demo")
        thread.start()
        try:
            Supervisor(listener=listener, processes=1, environment=environment, signals=signals).run()
        finally:
            thread.join()
        if was_stopped:
            raise KeyboardInterrupt
        return result.result()


@dataclass(frozen=True, slots=True)
class _Course:
    """What happens while the servers run."""

    found: Access
    documents: Sequence[Document]
    flown: Sequence[Flight]
    port: int
    mail_listener: socket.socket

    def take(self) -> Outcome:
        """Sell everything, have it received, bill what was used, then ask the books."""
        by_seller: dict[tuple[str, ...], list[Document]] = {}
        for document in self.documents:
            by_seller.setdefault(_identity(document), []).append(document)
        mailbox = Mailbox()
        traded = asyncio.run(self._trade(list(by_seller.values()), mailbox))
        books = [
            self._books(seller.client, seller.company, balance, seller.refused)
            for seller, _, balance in traded.finished
        ]
        sold = [sale for _, sales, _ in traded.finished for sale in sales]
        in_order = sorted(sold, key=lambda sale: self.documents.index(sale.document))
        bought = self._books(traded.buyer.client, traded.buyer.company, traded.buyers_balance)
        metered = traded.metered
        billed = None
        if metered is not None:
            billed = metered, self._books(metered.client, metered.company, metered.trial_balance)
        return Outcome(in_order, books, mailbox.mails, traded.received, bought, billed)

    def _books(
        self, client: Client, company: dict[str, Any], balance: dict[str, Any], refused: Sequence[str] = ()
    ) -> Books:
        verification = in_company(self.found, UUID(str(company["id"])), verify, one_snapshot=True)
        return Books(company, client.key, list(refused), balance, verification)

    async def _trade(self, by_seller: list[list[Document]], mailbox: Mailbox) -> _Traded:
        """Everything over HTTP: the sales, beside them the usage, and then what the buyer receives."""
        first_day, last_day = _days(self.documents)
        async with receiving(self.mail_listener, mailbox), self._http() as http:
            first, *others = by_seller
            client = Client(http, await self._first_key(first))
            turn = asyncio.Lock()  # companies are made one after the other, whoever asks
            opening = asyncio.create_task(Buyer.open(client, first_day, last_day, turn))
            metering = asyncio.create_task(self._meter(client, turn))
            finished = await asyncio.gather(
                _sell(client, await client.get("/v1/company"), first),
                *(self._sell_as_another(client, documents, turn) for documents in others),
            )
            buyer = await opening
            sold = [sale for _, sales, _ in finished for sale in sales]
            received = await asyncio.gather(*(buyer.receive(sale) for sale in sold))
            balance = await buyer.client.get("/v1/reports/trial-balance", fromDate=str(first_day), toDate=str(last_day))
            metered = await metering
        keys = [sale.document["key"] for sale in sold]
        return _Traded(finished, dict(zip(keys, received, strict=True)), buyer, balance, metered)

    async def _meter(self, client: Client, turn: asyncio.Lock) -> Metered | None:
        if not self.flown:
            return None
        meterer = await Meterer.open(client, turn)
        return await meterer.bill(self.flown)

    async def _sell_as_another(self, client: Client, documents: list[Document], turn: asyncio.Lock) -> _Finished:
        party = documents[0]["seller"]
        first_day, _ = _days(documents)
        body = {"name": party["name"], "countryCode": party["country"], "fiscalYearStart": first_day.isoformat()}
        async with turn:
            made = await client.post("/v1/companies", body)
        return await _sell(Client(client.http, made["key"]), made, documents)

    def _http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=TIMEOUT_S)

    async def _first_key(self, documents: Sequence[Document]) -> str:
        """A key of the first company, which nobody can make over HTTP: without a company there is no key."""
        party, (first_day, _) = documents[0]["seller"], _days(documents)
        country = party["country"]

        async def work(context: Context) -> str:
            fields = CompanyFields(
                name=party["name"], preferred_language=language_in(country), time_zone=time_zone_in(country)
            )
            await create_company(context, fields, country_code=country, fiscal_year=(first_day, None))
            _, secret = await api_keys.create(context, name="demo", scopes=SCOPES)
            return secret

        return await asyncio.to_thread(in_company, self.found, new_id(), work)


async def _sell(client: Client, company: dict[str, Any], documents: Sequence[Document]) -> _Finished:
    """Sell one seller's documents, one after the other, and read its trial balance."""
    seller = Seller(client, company)
    await seller.open_books(documents[0]["seller"])
    first_day, last_day = _days(documents)
    for _ in range(first_day.year, last_day.year):
        await client.post("/v1/fiscal-years", {})
    sold = [await seller.sell(document) for document in documents]
    balance = await client.get("/v1/reports/trial-balance", fromDate=str(first_day), toDate=str(last_day))
    return seller, sold, balance


def _days(documents: Sequence[Document]) -> tuple[date, date]:
    """The first and the last day of the calendar years that the documents are dated in."""
    years = [date.fromisoformat(document["issueDate"]).year for document in documents]
    return date(min(years), 1, 1), date(max(years), 12, 31)


def _identity(document: Document) -> tuple[str, ...]:
    return tuple(document["seller"][name] for name in _IDENTITY)
