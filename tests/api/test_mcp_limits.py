"""What an application may book in a day without anybody looking, and who says yes to more."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from tests.agents import Agent, rows_of
from tests.api.instances import instance
from tests.conftest import PUBLIC_URL, Api, new_company
from tests.connections import connect
from tests.ledger_books import Books, as_owner, books_of
from tests.selling import Shop, line
from tests.subscribing import Subscriptions

from ledgerbee.app.config import Settings
from ledgerbee.app.mcp.staging import actions
from ledgerbee.app.mcp.tools.previews import PLANS
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.identity.connections import actions as connections
from ledgerbee.identity.connections.model import EndReason
from ledgerbee.identity.users.model import Role
from ledgerbee.identity.users.rules import SCOPES_OF
from ledgerbee.platform.context import Actor, Context, Origin
from ledgerbee.platform.db import Database, Tenant


@pytest_asyncio.fixture
async def agent(api: Api, database_url: str) -> Agent:
    made = await Agent.of(api, database_url)
    await made.allow("100")
    return made


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    return await books_of(api)


async def entry(agent: Agent, books: Books, amount: str, **fields: Any) -> Any:
    """A preview of capital paid in."""
    lines = [
        {"accountId": str(books.accounts[number]), "side": side, "amount": amount}
        for number, side in ((6480, "DEBIT"), (6510, "CREDIT"))
    ]
    body = {"entryType": "JOURNAL_ENTRY", "date": "2026-03-16", "originalAmount": amount, "lines": lines}
    return await agent.did("post_entry", **{**body, **fields})


async def decide(api: Api, decision: Any, preview: Any, role: Role = Role.OWNER, kind: str = "user_session") -> UUID:
    """What a member says on a page, or what shows another credential; the member's id."""
    member = new_id()
    tenant = Tenant(api.company_id, Actor("user", str(member)), "test", "Europe/Copenhagen",
                    origin=Origin(kind, new_id()))  # fmt: skip

    async def work(context: Context) -> None:
        await decision(context, UUID(preview["previewId"]), SCOPES_OF[role], PLANS)

    await api.database.run(tenant, api.clock(), work)
    return member


async def not_allowed(api: Api, code: str, *arguments: Any, **options: Any) -> None:
    with pytest.raises(LedgerBeeError) as refused:
        await decide(api, *arguments, **options)
    assert refused.value.code == code


async def test_the_sum_of_a_day_counts_and_a_refusal_changes_nothing(
    api: Api, agent: Agent, books: Books, database_url: str
) -> None:
    for part in ("40.00", "59.99"):
        await agent.commit(await entry(agent, books, part))
    last = await entry(agent, books, "0.01")
    assert (last["booking"], last["idempotencyReplay"]) == (
        {"currency": "DKK", "amount": 0.01, "bookedBefore": 99.99, "dailyLimit": 100, "needsApproval": False},
        False,
    )
    above = await entry(agent, books, "0.02")
    assert above["booking"]["needsApproval"]
    before = await rows_of(database_url, api, ("staged_commands",))
    fault = await agent.refused("APPROVAL_REQUIRED", "commit_preview", previewId=above["previewId"])
    assert fault["details"]["approvalUrl"] == (
        f"http://ledgerbee.test/companies/{api.company_id}/connected-apps/commands/{above['previewId']}"
    )
    assert fault["details"]["bookedBefore"] == 99.99
    assert "details.approvalUrl" in fault["remedy"]
    assert await rows_of(database_url, api, ("staged_commands",)) == before
    assert (await agent.commit(last))["status"] == "committed"  # exactly the limit
    # A draft that is booked counts as well.
    draft = await Shop(api).ok("POST", "/v2/draft-journal-entries", above["arguments"])
    booked = await agent.did("post_entry", draftJournalEntryId=draft["id"])
    await agent.refused("APPROVAL_REQUIRED", "commit_preview", previewId=booked["previewId"])
    # So do documents; what isn't booked doesn't.
    shop = Shop(api)
    customer = await shop.customer()
    quote = await shop.quote(customer, line(await shop.price("100")))
    sent = await agent.did("send_document", type="quote", documentId=quote["id"])
    assert (await agent.commit(sent))["booking"]["amount"] == 0
    invoice = await shop.draft(customer, line(await shop.price("100")))
    billed = await agent.did("send_document", type="invoice", documentId=invoice["id"])
    await agent.refused("APPROVAL_REQUIRED", "commit_preview", previewId=billed["previewId"])
    # Another day begins at nothing; the company's own, in its time zone.
    api.clock.advance(hours=11, minutes=1)
    await agent.renew()
    again = await entry(agent, books, "100.00", date="2026-03-17")
    assert (again["booking"]["bookedBefore"], again["booking"]["needsApproval"]) == (0, False)
    assert (await agent.commit(again))["status"] == "committed"


async def test_two_at_once_are_not_both_within_the_limit(api: Api, agent: Agent, books: Books) -> None:
    previews = [await entry(agent, books, "60.00", description=f"Part {number}") for number in range(3)]
    answers = await asyncio.gather(*(agent.tried("commit_preview", previewId=one["previewId"]) for one in previews))
    assert sorted(one.get("code", "committed") for one in answers) == [
        "APPROVAL_REQUIRED", "APPROVAL_REQUIRED", "committed",
    ]  # fmt: skip
    assert (await books.verify()).entries == 1


async def test_another_consent_begins_no_other_sum(api: Api, agent: Agent, books: Books, database_url: str) -> None:
    await agent.commit(await entry(agent, books, "60.00"))
    again = await agent.once_more()  # with a limit of 10,000 of its own
    assert (await entry(again, books, "40.01"))["booking"] == {
        "currency": "DKK", "amount": 40.01, "bookedBefore": 60, "dailyLimit": 100, "needsApproval": True,
    }  # fmt: skip
    # Both at once are not both within what is left.
    previews = [(one, await entry(one, books, "30.00", description="Both")) for one in (agent, again)]
    answers = await asyncio.gather(*(one.tried("commit_preview", previewId=it["previewId"]) for one, it in previews))
    assert sorted(one.get("code", "committed") for one in answers) == ["APPROVAL_REQUIRED", "committed"]
    # What a revoked one has booked counts on; its limit doesn't.
    await api.run(lambda context: connections.revoke(context, agent.connection.id, EndReason.USER))
    third = await again.once_more()
    await third.allow("200")
    left = (await entry(third, books, "1.00"))["booking"]
    assert (left["bookedBefore"], left["dailyLimit"]) == (90, 200)
    # Another member's, or another application's, is another sum.
    for other in (await Agent.of(api, database_url), await again.once_more("https://else.example/client.json")):
        fresh = (await entry(other, books, "1.00"))["booking"]
        assert (fresh["bookedBefore"], fresh["dailyLimit"]) == (0, 10_000)


async def test_what_a_kill_interrupts_is_not_done_and_can_be_done(
    api: Api, agent: Agent, books: Books, database_url: str
) -> None:
    await agent.commit(await entry(agent, books, "10.00"))
    preview = await entry(agent, books, "60.00")
    owner = await as_owner(database_url)
    before = await rows_of(database_url, api)
    async with owner.transaction():  # holds what the commit counts in, so that it is killed in its last step
        await owner.execute("SELECT FROM application_postings WHERE user_id = $1 FOR UPDATE", agent.connection.user_id)
        commit = asyncio.create_task(agent.tried("commit_preview", previewId=preview["previewId"]))
        blocked = None
        while blocked is None:
            await asyncio.sleep(0.01)
            blocked = await owner.fetchval(
                "SELECT pid FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))"
            )
        await owner.execute("SELECT pg_terminate_backend($1)", blocked)
        assert (await commit)["code"] == "DATABASE_UNAVAILABLE"
    await owner.close()
    assert await rows_of(database_url, api) == before
    # Another process carries it out, and the first one knows.
    async with instance(database_url, api.clock, settings=Settings(public_url=PUBLIC_URL)) as http:
        done = await replace(agent, api=replace(api, http=http)).commit(preview)
    assert (done["booking"]["bookedBefore"], done["idempotencyReplay"]) == (10, False)
    assert await agent.commit(preview) == done | {"idempotencyReplay": True}
    assert (await books.verify()).entries == 2


async def test_the_limit_is_in_kroner_whatever_the_books_are_in(
    api: Api, database: Database, database_url: str
) -> None:
    abroad = await new_company(api.http, database, api.clock, base_currency="UYU")
    agent, books = await Agent.of(abroad, database_url), await books_of(abroad)
    await agent.allow("1000")
    # Without a rate nobody can say how much it is.
    unknown = await entry(agent, books, "1.00")
    assert (unknown["booking"]["amount"], unknown["booking"]["needsApproval"]) == (None, True)
    await agent.refused("APPROVAL_REQUIRED", "commit_preview", previewId=unknown["previewId"])
    rate = {"currency": "DKK", "date": "2026-03-16", "rate": "6.25"}
    await Shop(abroad).ok("PUT", "/v1/exchange-rates", rate, 200)
    below, above = [await entry(agent, books, amount) for amount in ("6250.00", "0.07")]
    assert [one["booking"]["amount"] for one in (below, above)] == [1000, 0.01]  # 0.07 / 6.25 = 0.0112
    await agent.commit(below)
    await agent.refused("APPROVAL_REQUIRED", "commit_preview", previewId=above["previewId"])


async def test_a_rate_of_ones_own_makes_nothing_less(api: Api, agent: Agent, books: Books) -> None:
    await agent.allow("10000")
    shop = Shop(api)
    await shop.ok("PUT", "/v1/exchange-rates", {"currency": "EUR", "date": "2026-03-16", "rate": "7.45"}, 200)
    for rate, counted in (("0.001", 372_500), ("7.45", 372_500), ("8", 400_000)):
        preview = await entry(agent, books, "50000", currency="EUR", exchangeRate=rate)
        assert (preview["booking"]["amount"], preview["booking"]["needsApproval"]) == (counted, True)
        await agent.refused("APPROVAL_REQUIRED", "commit_preview", previewId=preview["previewId"])
    # Nor does a draft, or a payment.
    draft = await shop.ok("POST", "/v2/draft-journal-entries", preview["arguments"] | {"exchangeRate": "0.001"})
    assert (await agent.did("post_entry", draftJournalEntryId=draft["id"]))["booking"]["amount"] == 372_500
    customer = await shop.customer(currency="EUR")
    invoice = await shop.send(
        await shop.draft(customer, line(await shop.price("10000", currency="EUR")), currency="EUR")
    )
    paid = {"invoiceId": invoice["id"], "date": "2026-03-16", "amount": "10000", "exchangeRate": "0.001"}
    assert (await agent.did("register_payment", **paid))["booking"]["needsApproval"]
    # A currency that nobody has a rate of is counted by nobody.
    unknown = await entry(agent, books, "1.00", currency="UYU", exchangeRate="0.001")
    assert (unknown["booking"]["amount"], unknown["booking"]["needsApproval"]) == (None, True)


async def test_another_spelling_is_no_other_payment(api: Api, agent: Agent, database_url: str) -> None:
    shop = Shop(api)
    customer = await shop.customer()
    price = await shop.price("100")
    invoice = await shop.send(await shop.draft(customer, line(price)))
    paid = {"invoiceId": invoice["id"], "date": "2026-03-16", "amount": "10"}
    done = await agent.commit(await agent.did("register_payment", **paid))
    own: dict[str, Any]
    for own in ({"amount": "10.00"}, {"amount": 10}, {"repetition": 1}, {"currency": None}, {"amount": "010.0"}):
        again = await agent.did("register_payment", **{**paid, **own})
        assert (again["previewId"], again["idempotencyReplay"]) == (done["previewId"], True)
    second = await agent.did("register_payment", **paid, repetition=2)
    assert not second["idempotencyReplay"]
    draft = {"customerId": customer, "date": "2026-03-16", "lines": [line(price)]}
    made = await agent.did("draft_invoice", **draft)
    for own in (
        {"repetition": 1},
        {"lines": [line(price, quantity="1.0")]},
        {"lines": [line(price, lineType="product")]},
    ):
        assert (await agent.did("draft_invoice", **{**draft, **own}))["invoice"]["id"] == made["invoice"]["id"]


async def test_what_is_billed_later_needs_a_member(api: Api, agent: Agent, database_url: str) -> None:
    await agent.allow("1000000")
    subscriptions = Subscriptions(api)
    shop, price = subscriptions.shop, await subscriptions.price("200")
    monthly = await subscriptions.plan(price)
    meter = (await shop.ok("POST", "/v1/meters", {"name": "Calls"}))["id"]
    used = await shop.price("2", billingPeriodType="USAGE", billingInterval="month", meterId=meter)
    customer = await shop.customer(email="faktura@example.com")
    new: dict[str, Any] = {"customerId": customer, "planId": monthly, "startDate": "2026-03-16"}
    by_use = await subscriptions.plan(used, interval="month")
    runs, metered = [await subscriptions.assigned(plan) for plan in (monthly, by_use)]
    behind = await subscriptions.assigned(monthly, billingDirection="arrears")
    calls: list[tuple[str, dict[str, Any]]] = [
        ("assign_subscription", new),
        ("assign_subscription", new | {"startDate": "2024-03-16"}),
        ("assign_subscription", new | {"billingCycleAnchor": "2026-03-17"}),
        ("assign_subscription", new | {"planId": by_use}),
        ("assign_subscription", new | {"trialDays": 30}),
        ("change_subscription", {"subscriptionId": runs["id"], "type": "edit_products", "effectiveDate": "2026-03-20",
                                 "payload": {"products": [{"priceId": price, "quantity": 5000}]}}),
        ("change_subscription", {"subscriptionId": runs["id"], "type": "cancel"}),
        ("cancel_subscription", {"id": runs["id"], "strategy": "specific_date", "effectiveDate": "2026-03-17",
                                 "refundBehavior": "prorated"}),
        ("cancel_subscription", {"id": runs["id"], "strategy": "end_of_cycle"}),
        # Its last bill is yet to come.
        ("cancel_subscription", {"id": behind["id"], "strategy": "immediately"}),
    ]  # fmt: skip
    for tool, arguments in calls:
        preview = await agent.did(tool, **arguments)
        assert (preview["amount"], preview["booking"]["needsApproval"]) == (None, True), (tool, arguments)
        before = await rows_of(database_url, api, ("staged_commands",))
        await agent.refused("APPROVAL_REQUIRED", "commit_preview", previewId=preview["previewId"])
        assert await rows_of(database_url, api, ("staged_commands",)) == before
    # What ends at once, with nothing to bill or give back, books nothing.
    await subscriptions.bill(runs)
    ended = await agent.did("cancel_subscription", id=runs["id"], strategy="immediately")
    assert ended["booking"]["needsApproval"] is False
    await agent.commit(ended)
    # Usage that was reported is its last bill.
    event = {"value": "5", "customerId": metered["customerId"], "meterId": meter, "timestamp": "2026-03-15T11:00:00Z"}
    reported = await api.post("/v1/meters/report", event, headers={"x-api-idempotency-key": "one"})
    assert reported.status_code == 202, reported.text
    with_usage = await agent.did("cancel_subscription", id=metered["id"], strategy="immediately")
    assert with_usage["nextBilling"]["next"]["amount"] == "12.50"
    await agent.refused("APPROVAL_REQUIRED", "commit_preview", previewId=with_usage["previewId"])


async def test_two_commits_of_one_preview_book_once(api: Api, agent: Agent, books: Books) -> None:
    preview = await entry(agent, books, "60.00")
    answers = await asyncio.gather(*(agent.tried("commit_preview", previewId=preview["previewId"]) for _ in range(3)))
    done = [one for one in answers if "code" not in one]
    assert sum(not one["idempotencyReplay"] for one in done) == 1
    assert {one["code"] for one in answers if "code" in one} <= {"PREVIEW_BEING_COMMITTED"}
    assert (await books.verify()).entries == 1
    result = await agent.commit(preview)
    assert all(one["answer"] == result["answer"] for one in done)


async def test_a_member_decides_and_nobody_else(api: Api, agent: Agent, books: Books, database_url: str) -> None:
    preview = await entry(agent, books, "100.01")
    # Nothing is there to decide before the application has wanted it.
    await not_allowed(api, "PREVIEW_INVALID_STATE", actions.approve, preview)
    await agent.refused("APPROVAL_REQUIRED", "commit_preview", previewId=preview["previewId"])
    for kind in ("user_token", "api_key", "oauth_token"):
        await not_allowed(api, "APPROVAL_FOR_PEOPLE", actions.approve, preview, kind=kind)
    for role in (Role.SALES, Role.READ_ONLY):
        await not_allowed(api, "INSUFFICIENT_PERMISSIONS", actions.approve, preview, role)
    await not_allowed(api, "PREVIEW_NOT_FOUND", actions.approve, {"previewId": str(new_id())})
    # A person takes longer than a quarter of an hour.
    api.clock.advance(minutes=50)
    assert [one.id for one in await api.run(actions.waiting)] == [UUID(preview["previewId"])]
    member = await decide(api, actions.approve, preview, Role.ACCOUNTANT)
    await not_allowed(api, "PREVIEW_INVALID_STATE", actions.reject, preview)
    assert await api.run(actions.waiting) == []
    done = await agent.commit(preview)
    assert (done["booking"]["bookedBefore"], done["booking"]["needsApproval"]) == (0, False)
    # It doesn't count to what may be done without.
    small = await entry(agent, books, "100.00")
    assert small["booking"]["bookedBefore"] == 0
    events = (await api.get(f"/v1/audit-events?objectId={preview['previewId']}")).json()["data"]
    assert [(one["type"], one["actor"]) for one in events] == [("staged_command.approved", f"user:{member}")]

    large = await entry(agent, books, "500.00")
    await agent.refused("APPROVAL_REQUIRED", "commit_preview", previewId=large["previewId"])
    await decide(api, actions.reject, large)
    fault = await agent.refused("PREVIEW_INVALID_STATE", "commit_preview", previewId=large["previewId"])
    assert fault["details"] == {"status": "rejected"}
    assert (await books.verify()).entries == 1


async def test_a_preview_is_good_for_its_connection_and_a_while(
    api: Api, agent: Agent, books: Books, other_api: Api, database_url: str
) -> None:
    preview = await entry(agent, books, "10.00")
    stranger = await Agent.of(api, database_url)
    other_company = await Agent.of(other_api, database_url)
    for one in (stranger, other_company):
        await one.refused("PREVIEW_NOT_FOUND", "commit_preview", previewId=preview["previewId"])
        assert (await one.did("list_previews"))["data"] == []
    await agent.refused("PREVIEW_NOT_FOUND", "commit_preview", previewId=str(new_id()))
    api.clock.advance(minutes=15)
    fault = await agent.refused("PREVIEW_INVALID_STATE", "commit_preview", previewId=preview["previewId"])
    assert fault["details"] == {"status": "expired"}
    anew = await entry(agent, books, "10.00")
    assert (anew["previewId"] != preview["previewId"], anew["idempotencyReplay"]) == (True, False)
    assert [one["status"] for one in (await agent.did("list_previews"))["data"]] == ["waiting", "replaced"]
    await agent.commit(anew)
    # Of what nothing came nothing is kept for long.
    for days, left in ((6, 2), (8, 1)):
        async with api.database.connection() as connection:
            await connection.execute("SELECT purge_staged_commands($1)", api.clock() + timedelta(days=days))
        assert (await agent.did("list_previews"))["total"] == left
    # The same call is the same command for 24 hours, and another one after that.
    api.clock.advance(hours=23, minutes=59)
    await agent.renew()
    assert (await entry(agent, books, "10.00"))["answer"] == (await agent.commit(anew))["answer"]
    api.clock.advance(minutes=1)
    assert not (await entry(agent, books, "10.00"))["idempotencyReplay"]
    assert (await books.verify()).entries == 1


async def test_a_commit_does_what_was_shown_or_nothing(api: Api, agent: Agent, database_url: str) -> None:
    await agent.allow("100000")
    shop = Shop(api)
    customer = await shop.customer(email="faktura@example.com", currency="EUR")
    price = await shop.price("100", currency="EUR")
    await shop.ok("PUT", "/v1/exchange-rates", {"currency": "EUR", "date": "2026-03-16", "rate": "7.45"}, 200)
    drafts = [await shop.draft(customer, line(price), currency="EUR") for _ in range(2)]
    first, second = [await agent.did("send_document", type="invoice", documentId=one["id"]) for one in drafts]
    assert first["booking"]["amount"] == 931.25

    async def outdated(preview: Any) -> Any:
        before = await rows_of(database_url, api, ("staged_commands",))
        fault = await agent.refused("PREVIEW_OUTDATED", "commit_preview", previewId=preview["previewId"])
        assert await rows_of(database_url, api, ("staged_commands",)) == before
        await agent.refused("PREVIEW_INVALID_STATE", "commit_preview", previewId=preview["previewId"])
        return fault["details"]["newPreview"]

    # A rate, and a line.
    await shop.ok("PUT", "/v1/exchange-rates", {"currency": "EUR", "date": "2026-03-16", "rate": "7.46"}, 200)
    first, second = await outdated(first), await outdated(second)
    assert first["booking"]["amount"] == 932.5
    await shop.ok("PATCH", f"/v1/invoices/{drafts[1]['id']}", {"lines": [line(price, quantity=2)]})
    second = await outdated(second)
    assert second["booking"]["amount"] == 1865
    # What others send meanwhile takes numbers, and changes nothing else.
    others = await shop.send(await shop.draft(customer, line(price), currency="EUR"))
    assert (await agent.commit(second))["booking"]["amount"] == 1865
    assert (await agent.commit(first))["booking"]["bookedBefore"] == 1865
    # What is refused is refused at once.
    fault = await agent.refused("INVOICE_INVALID_STATE", "send_document", type="invoice", documentId=others["id"])
    assert fault["details"]["status"] == "sent"


async def test_entries_are_for_whoever_may_read_them(api: Api, database_url: str) -> None:
    scopes = SCOPES_OF[Role.OWNER] - {"journal-entries-read"}
    agent = Agent(api, *await connect(api, database_url, scopes), database_url)
    shop = Shop(api)
    customer, price = await shop.customer(), await shop.price("100")
    draft = await shop.draft(customer, line(price))
    preview = await agent.did("send_document", type="invoice", documentId=draft["id"])
    await shop.ok("PATCH", f"/v1/invoices/{draft['id']}", {"lines": [line(price, quantity=2)]})
    outdated = await agent.refused("PREVIEW_OUTDATED", "commit_preview", previewId=preview["previewId"])
    anew = outdated["details"]["newPreview"]
    for one in (preview, anew, await agent.commit(anew), await agent.commit(anew)):
        assert one["entries"] is None
        assert one["notShown"] == [{"part": "entries", "scope": "journal-entries-read"}]
        assert "6190" not in str(one)
    # Who approves it sees them, and so does whoever may read them.
    reader = await Agent.of(api, database_url)
    draft = await shop.draft(customer, line(price))
    shown = await reader.did("send_document", type="invoice", documentId=draft["id"])
    assert (len(shown["entries"]), shown["notShown"]) == (1, [])


async def test_whoever_may_only_read_has_no_tool_that_writes(api: Api, database_url: str) -> None:
    reader = await Agent.of(api, database_url, Role.READ_ONLY)
    names = await reader.tools()
    assert not {*PLANS, "commit_preview", "list_previews", "save_customer"} & names
    for tool in (*PLANS, "commit_preview", "save_customer"):
        answer = await reader.ask(tool)
        assert answer.status_code == 403
        challenge = answer.headers["www-authenticate"]
        assert 'error="insufficient_scope"' in challenge
        assert "connecting again doesn't help" in answer.json()["error"]["data"]["remedy"]
        asked = set(challenge.partition('scope="')[2].partition('"')[0].split())
        assert asked <= SCOPES_OF[Role.READ_ONLY], "nobody can allow what the role hasn't got"
    seller = await Agent.of(api, database_url, Role.SALES)
    assert {"send_document", "credit_invoice", "commit_preview"} <= await seller.tools()
    assert not {"post_entry", "reverse_entry", "register_payment"} & await seller.tools()
