"""An application that the official client of MCP makes is let in by a member, and goes from a quote to money by tools.

Everything is real: `ledgerbee serve`, the pages of signing in and agreeing, the application's own page on this machine.
Every figure is worked out by hand beside it: kroner, debit positive, Danish VAT of 25 %.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.exceptions import OAuthFlowError
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl
from tests import patient
from tests.callbacks import Callback, open_callback
from tests.members import Member
from tests.post_office import PostOffice, open_post_office
from tests.runtime.processes import Served, cli, today
from tests.stories.harness.agents import actor_of, journal_of, new_people, set_up_shop, signed

REVENUE, DEBTORS, BANK, OUTPUT_VAT = 1010, 6190, 6480, 7680
#: What writes of the tools, by their names.
WRITES = re.compile(
    "save_|draft_|convert_|report_|send_|credit_|register_|post_|reverse_|assign_|change_|cancel_|commit_"
)


@dataclass
class Kept:
    """What an application keeps between two runs."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@dataclass
class Application:
    """An application with the official client; the member who is asked gives it `access` to a company, or nothing."""

    name: str
    member: Member
    company: str
    access: str | None
    kept: Kept = field(default_factory=Kept)
    asked: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def connects(self, address: str, callback: Callback) -> AsyncIterator["Tools"]:
        """Its tools at an address; whoever isn't let in yet is asked for access on the way."""
        provider = OAuthClientProvider(
            address,
            OAuthClientMetadata(
                client_name=self.name, redirect_uris=[AnyUrl(callback.uri)], token_endpoint_auth_method="none"
            ),
            self.kept,
            self._leads_member,
            lambda: self._is_told(callback),
        )
        async with (
            httpx2.AsyncClient(auth=provider, timeout=patient.PATIENCE) as http,
            Client(streamable_http_client(address, http_client=http)) as client,
        ):
            yield Tools(client)

    async def _leads_member(self, address: str) -> None:
        self.asked.append(address)
        if self.access is None:
            await self.member.refuses(address, self.company)
        else:
            await self.member.lets_in(address, self.company, self.access)

    async def _is_told(self, callback: Callback) -> AuthorizationCodeResult:
        told = await callback.told.get()
        return AuthorizationCodeResult(code=told.get("code", ""), state=told["state"], iss=told["iss"])


@dataclass
class Tools:
    """The tools as an application uses them."""

    client: Client

    async def names(self) -> set[str]:
        return {tool.name for tool in (await self.client.list_tools()).tools}

    async def did(self, tool: str, **arguments: Any) -> Any:
        """What a call gives that must succeed."""
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, result
        return cast("Any", result.structured_content)

    async def refused(self, code: str, tool: str, **arguments: Any) -> Any:
        """The error of a call that must be refused."""
        result = await self.client.call_tool(tool, arguments)
        fault = cast("Any", result.structured_content)
        assert (result.is_error, fault["code"]) == (True, code), result
        return fault

    async def commit(self, preview: Any) -> Any:
        return await self.did("commit_preview", previewId=preview["previewId"])


@contextmanager
def no_way_in() -> Iterator[None]:
    """The client gives up, as nobody lets the application in: its transport says so, in groups."""
    with pytest.raises(BaseExceptionGroup) as found:
        yield
    assert found.value.split(OAuthFlowError)[1] is None, found.value


async def test_an_agent_goes_from_a_quote_to_money(own_data: Path, own_folder: Path) -> None:
    async with AsyncExitStack() as stack:
        office = await stack.enter_async_context(open_post_office(PostOffice()))
        variables = {"SMTP_URL": office.url, "LEDGERBEE_WEBHOOKS_ALLOW_LOOPBACK": "true"}
        served = await asyncio.to_thread(Served.start, own_data, own_folder, **variables)
        stack.callback(served.stop)
        company = cast("str", served.company)
        address = f"{served.url}/api/v1/mcp"
        mette, ib = await new_people(stack, served, own_data)
        set_up_shop(served)
        callback = await stack.enter_async_context(open_callback())

        agent = Application("Regnemester", mette, company, "full")
        async with agent.connects(address, callback) as tools:
            invoice, larger = await from_quote_to_money(tools, ib, office)
        assert len(agent.asked) == 1
        the_journal_is(served, actor_of(mette, company, own_data), invoice, larger)
        verified = cli("verify", "--data-dir", own_data)
        assert verified.returncode == 0, verified.stdout

        await a_reader_sees_no_tool_that_writes(f"{address}/c/{company}", mette, company)

        token = cast("OAuthToken", agent.kept.tokens)
        page = await mette.takes_back(company, "Regnemester")
        assert "invoice.sent" in page.text
        agent.access = None
        await nobody_is_in(agent, address, token, callback)


async def from_quote_to_money(tools: Tools, ib: Member, office: PostOffice) -> tuple[Any, Any]:
    """The work itself; the two invoices that came of it."""
    assert any(map(WRITES.match, await tools.names()))
    product = (await tools.did("search", query="KURSUS"))["data"][0]
    assert product["type"] == "product"
    group = (await tools.did("list_customers"))["data"][0]["customerGroupId"]
    saved = await tools.did(
        "save_customer", customerNumber="2", customerType="company", name="Skibssmedjen ApS", vatZone="domestic",
        countryCode="DK", customerGroupId=group, email="smed@skibssmedjen.example", address="Havnegade 1",
        postalCode="8000", city="Aarhus C",
    )  # fmt: skip
    customer = saved["customer"]["id"]

    lines = [{"priceId": product["priceId"], "quantity": 3}]
    quote = (await tools.did("draft_quote", customerId=customer, date=today(), lines=lines))["quote"]
    preview = await tools.did("send_document", type="quote", documentId=quote["id"], deliveryType="Email")
    assert (preview["entries"], [one["recipient"] for one in preview["deliveries"]]) == (
        [],
        ["smed@skibssmedjen.example"],
    )
    assert office.mails == []
    assert not (await tools.commit(preview))["idempotencyReplay"]

    # 3 x 100.00 make 300.00; 25 % of it are 75.00.
    draft = (await tools.did("convert_quote", quoteId=quote["id"], target="invoice"))["made"]
    preview = await tools.did("send_document", type="invoice", documentId=draft["id"], deliveryType="Manual")
    assert [signed(one) for one in preview["entries"]] == [
        {DEBTORS: "375.00", REVENUE: "-300.00", OUTPUT_VAT: "-75.00"}
    ]
    assert (await tools.did("list_journal_entries"))["total"] == 0
    sent = await tools.commit(preview)
    assert [signed(one) for one in sent["entries"]] == [signed(one) for one in preview["entries"]]
    assert await tools.commit(preview) == sent | {"idempotencyReplay": True}
    invoice = (await tools.did("get_document", kind="invoice", documentId=draft["id"]))["document"]

    await tools.commit(
        await tools.did("register_payment", invoiceId=draft["id"], date=today(), amount="200.00")
    )  # fmt: skip

    # 90 x 100.00 and VAT make 11,250.00: with the 575.00 of before more than the 10,000.00 that nobody looks at.
    lines = [{"priceId": product["priceId"], "quantity": 90}]
    larger = (await tools.did("draft_invoice", customerId=customer, date=today(), lines=lines))["invoice"]
    preview = await tools.did("send_document", type="invoice", documentId=larger["id"], deliveryType="Manual")
    fault = await tools.refused("APPROVAL_REQUIRED", "commit_preview", previewId=preview["previewId"])
    shown = await ib.approves(fault["details"]["approvalUrl"])
    assert "575,00 af 10.000,00 kr." in shown.text
    assert "11.250,00 DKK" in shown.text
    sent = await tools.commit(preview)
    assert sent["status"] == "committed"

    # 375.00 less 200.00 are open of the first invoice, all of the second.
    balance = await tools.did("explain_balance", customerId=customer)
    assert balance["closing"] == "11425.00"
    assert {one["openAmount"] for one in balance["openInvoices"]["data"]} == {"175.00", "11250.00"}
    trial = await tools.did("get_trial_balance")
    accounts = [one for one in trial["data"] if one["ledgerType"] in {"BALANCE_SHEET", "PROFIT_AND_LOSS"}]
    assert {one["accountNumber"]: one["closing"] for one in accounts} == {
        REVENUE: "-9300.00", DEBTORS: "11425.00", BANK: "200.00", OUTPUT_VAT: "-2325.00",
    }  # fmt: skip
    while not office.mails_to("smed@skibssmedjen.example"):
        await office.taken.wait()
    return invoice, (await tools.did("get_document", kind="invoice", documentId=larger["id"]))["document"]


def the_journal_is(served: Served, user: str, invoice: Any, larger: Any) -> None:
    """All that was posted, read by another way than the application's."""
    assert journal_of(served) == [
        (1, today(), {DEBTORS: "375.00", REVENUE: "-300.00", OUTPUT_VAT: "-75.00"}, user),
        (2, today(), {BANK: "200.00", DEBTORS: "-200.00"}, user),
        (3, today(), {DEBTORS: "11250.00", REVENUE: "-9000.00", OUTPUT_VAT: "-2250.00"}, user),
    ]
    assert [(one["number"], one["amount"]) for one in (invoice, larger)] == [("1", "375.00"), ("2", "11250.00")]


async def a_reader_sees_no_tool_that_writes(address: str, mette: Member, company: str) -> None:
    """Another application, which says who it is by a document of its own, at the address of the company alone."""
    async with open_callback() as callback:
        callback.document = {
            "client_id": callback.client_id, "client_name": "Lytter", "redirect_uris": ["http://127.0.0.1/callback"],
            "token_endpoint_auth_method": "none",
        }  # fmt: skip
        known = OAuthClientInformationFull(
            client_id=callback.client_id, redirect_uris=[AnyUrl(callback.uri)], token_endpoint_auth_method="none"
        )
        reader = Application("Lytter", mette, company, "read", Kept(client=known))
        async with reader.connects(address, callback) as tools:
            names = await tools.names()
            assert "get_trial_balance" in names
            assert not [name for name in names if WRITES.match(name)]
            assert (await tools.did("list_documents", kind="invoice"))["total"] == 2
        # Called by name a tool that writes is refused: the client, which keeps its token, asks for more, in vain.
        reader.access = None
        with no_way_in():
            async with reader.connects(address, callback) as tools:
                await tools.did("save_customer", customerNumber="3")
        assert len(reader.asked) == 2
        wanted = [httpx2.URL(one).params["scope"].split() for one in reader.asked]
        assert set(wanted[1]) - set(wanted[0]) == {"customers-write"}


async def nobody_is_in(agent: Application, address: str, token: OAuthToken, callback: Callback) -> None:
    """The token, the refresh token and the client itself are out; the member is asked anew, and refuses."""
    headers = {"authorization": f"Bearer {token.access_token}", "accept": "application/json, text/event-stream"}
    async with patient.async_client(headers=headers) as http:
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
        answer = await http.post(address, json=body)
        assert (answer.status_code, "resource_metadata=" in answer.headers["www-authenticate"]) == (401, True)
    with no_way_in():
        async with agent.connects(address, callback) as tools:
            await tools.names()
    assert len(agent.asked) == 2
