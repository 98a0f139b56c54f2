"""Mail to several addresses: each has attempts and a state of its own, and nobody who has got it gets it again."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from tests.api.test_delivery import MAX_ATTEMPTS, delivery, run_job
from tests.conftest import BLOBS, Api
from tests.post_office import DROP, PostOffice, open_post_office
from tests.selling import Shop, line

from ledgerbee.platform import mail
from ledgerbee.platform.mail import MailFailedError, MailUnconfirmedError
from ledgerbee.sales.delivery.rules import CLAIM_LASTS

ANNA, BO, CARL = THREE = [f"{name}@havblik.example" for name in ("anna", "bo", "carl")]


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


@pytest_asyncio.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with open_post_office(PostOffice()) as office:
        yield office


async def mailed(shop: Shop, addresses: str = ", ".join(THREE), **options: Any) -> dict[str, Any]:
    """An invoice sent to these addresses, waiting for the worker."""
    draft = await shop.draft(await shop.customer(email="post@havblik.example"), line(await shop.price()))
    return await shop.send(draft, deliveryType="Email", overrideEmail=addresses, **options)


async def recipients(shop: Shop, invoice: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    """Where each recipient of the newest delivery stands, and why."""
    found = (await delivery(shop, invoice))["recipients"]
    return {one["address"]: (one["status"], one["reason"]) for one in found}


def copies(office: PostOffice) -> Counter[str]:
    """How often each address got the mail; each mail is for one."""
    assert all(len(addresses) == 1 for addresses, _ in office.mails)
    return Counter(addresses[0] for addresses, _ in office.mails)


async def test_one_of_three_is_refused(shop: Shop, office: PostOffice) -> None:
    """550 to one of three, 451 to another, who gets it later; then only the one who failed is sent to again."""
    invoice = await mailed(shop)
    office.answers_to = {BO: ["550 5.1.1 No such user", "451 4.7.1 Later"], CARL: ["451 4.7.1 Greylisted"]}
    with pytest.raises(MailFailedError, match="Greylisted"):
        await run_job(shop, invoice, office.url)
    assert (await delivery(shop, invoice))["status"] == "pending"
    assert await recipients(shop, invoice) == {
        ANNA: ("delivered", None), BO: ("failed", "550 5.1.1 No such user"), CARL: ("pending", None),
    }  # fmt: skip
    await run_job(shop, invoice, office.url, attempt=2)
    found = await delivery(shop, invoice)
    assert found["status"] == "failed"
    assert [(one["recipient"], one["outcome"], one["message"][:3]) for one in found["attempts"]] == [
        (ANNA, "delivered", "2.0"), (BO, "failed", "550"), (CARL, "failed", "451"), (CARL, "delivered", "2.0"),
    ]  # fmt: skip
    assert copies(office) == {ANNA: 1, CARL: 1}
    kept = await shop.invoice(invoice["id"])
    assert (kept["status"], kept["number"], kept["deliveryStatus"]) == ("scheduled", "1", "failed")
    assert [one["id"] for one in (await shop.ok("GET", "/v1/invoices?deliveryStatus=failed"))["data"]] == [kept["id"]]
    (event,) = await shop.events("invoice.delivery_failed")
    assert event["delivery"]["message"] == "550 5.1.1 No such user"
    assert event["delivery"]["recipients"] == [{"address": BO, "reason": "550 5.1.1 No such user"}]
    assert await shop.value("SELECT count(*) FROM journal_entries") == 1

    await shop.ok("POST", f"/v1/invoices/{invoice['id']}/send", {"deliveryType": "Email"}, status=200)
    assert await recipients(shop, invoice) == {BO: ("pending", None)}
    with pytest.raises(MailFailedError, match="Later"):
        await run_job(shop, invoice, office.url)
    await run_job(shop, invoice, office.url, attempt=2)
    assert await recipients(shop, invoice) == {BO: ("delivered", None)}
    assert copies(office) == {ANNA: 1, BO: 1, CARL: 1}
    done = await shop.invoice(invoice["id"])
    assert (done["status"], done["number"], done["deliveryStatus"]) == ("sent", "1", "delivered")


@pytest.mark.parametrize("seed", range(3))
async def test_states_and_attempts_tell_what_the_server_did(shop: Shop, office: PostOffice, seed: int) -> None:
    """Against a model of the server's answers: refusals for good and for now, and mails taken without a word."""
    chance = random.Random(seed)  # noqa: S311  a plan, no secret
    replies = ["250 OK", "550 5.1.1 No", "451 4.7.1 Later", DROP]
    plans = {address: [chance.choice(replies) for _ in range(3)] for address in THREE}
    office.answers_to = {address: list(plan) for address, plan in plans.items()}
    expected, got = dict.fromkeys(THREE, "pending"), Counter[str]()
    attempts: list[tuple[str, str]] = []
    invoice = await mailed(shop)
    for turn, attempt in enumerate((1, 2, MAX_ATTEMPTS)):
        tried = {address: plans[address][turn] for address in THREE if expected[address] == "pending"}
        for address, reply in tried.items():
            got[address] += reply in {"250 OK", DROP}
            attempts.append((address, "delivered" if reply == "250 OK" else "failed"))
            is_over = attempt == MAX_ATTEMPTS or reply.startswith("550")
            expected[address] = "delivered" if reply == "250 OK" else "failed" if is_over else "pending"
        outcome = await asyncio.gather(run_job(shop, invoice, office.url, attempt), return_exceptions=True)
        assert isinstance(outcome[0], MailFailedError) == bool({"451 4.7.1 Later", DROP} & {*tried.values()}), outcome
        found = await delivery(shop, invoice)
        assert {address: status for address, (status, _) in (await recipients(shop, invoice)).items()} == expected
        assert [(one["recipient"], one["outcome"]) for one in found["attempts"]] == attempts
        statuses = set(expected.values())
        whole = "pending" if "pending" in statuses else "failed" if "failed" in statuses else "delivered"
        assert found["status"] == whole
        assert copies(office) == +got
        assert (await shop.invoice(invoice["id"]))["status"] == ("sent" if whole == "delivered" else "scheduled")
    for address in THREE:  # whatever came twice is the same mail
        assert len({str(one["Message-ID"]) for one in office.mails_to(address)}) <= 1


async def test_a_server_that_takes_it_and_says_nothing_may_have_it(
    shop: Shop, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is lost, or the answer never comes: the attempt says so, and the same mail goes out again."""
    invoice = await mailed(shop, ANNA)
    office.answers_to = {ANNA: [DROP]}
    with pytest.raises(MailUnconfirmedError):
        await run_job(shop, invoice, office.url)
    monkeypatch.setattr(mail, "DATA_TIMEOUT_S", 0.2)
    office.hold()
    with pytest.raises(MailUnconfirmedError):
        await run_job(shop, invoice, office.url, attempt=2)
    office.go_on.set()
    await run_job(shop, invoice, office.url, attempt=3)
    first, second, third = (await delivery(shop, invoice))["attempts"]
    assert [one["outcome"] for one in (first, second, third)] == ["failed", "failed", "delivered"]
    assert "may have been taken" in first["message"]
    assert "may have been taken" in second["message"]
    assert len(office.received) == 3
    assert len(set(office.received)) == 1


async def test_a_worker_that_dies_doubles_one_mail_at_most(shop: Shop, office: PostOffice) -> None:
    invoice = await mailed(shop)
    office.hold()
    dying = asyncio.create_task(run_job(shop, invoice, office.url))
    await office.taken.wait()  # Anna's
    first, office.go_on = office.go_on, asyncio.Event()
    office.taken.clear()
    first.set()
    await office.taken.wait()  # Bo's
    dying.cancel()
    await asyncio.sleep(0)
    office.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await dying
    assert [status for status, _ in (await recipients(shop, invoice)).values()] == ["delivered", "sending", "pending"]
    shop.api.clock.now += CLAIM_LASTS
    await run_job(shop, invoice, office.url)
    assert copies(office) == {ANNA: 1, BO: 2, CARL: 1}
    assert len({str(one["Message-ID"]) for one in office.mails_to(BO)}) == 1
    found = await delivery(shop, invoice)
    assert found["status"] == "delivered"
    assert [(one["recipient"], one["outcome"]) for one in found["attempts"]] == [
        (ANNA, "delivered"), (BO, "failed"), (BO, "delivered"), (CARL, "delivered"),
    ]  # fmt: skip


async def test_each_mail_is_kept_as_it_was_handed_over(shop: Shop, office: PostOffice) -> None:
    invoice = await mailed(shop)
    await run_job(shop, invoice, office.url)
    hashes = await shop.value("SELECT array_agg(hash) FROM sent_messages WHERE company_id = $1", shop.api.company_id)
    kept = [await BLOBS.get(shop.api.company_id, one) for one in hashes]
    assert sorted(one or b"" for one in kept) == sorted(office.received)
    assert {str(message["To"]) for _, message in office.mails} == set(THREE), "nobody is told who else gets it"
    assert await shop.value("SELECT count(*) FROM blob_leases WHERE company_id = $1", shop.api.company_id) == 0
    again = await mailed(shop, ANNA)
    office.answers_to = {ANNA: ["451 Later"]}
    with pytest.raises(MailFailedError):
        await run_job(shop, again, office.url)
    (recipient,) = (await delivery(shop, again))["recipients"]
    own = await shop.value("SELECT hash FROM sent_messages WHERE id = $1", UUID(recipient["id"]))
    await BLOBS.delete(shop.api.company_id, own)
    with pytest.raises(Exception, match="not in the store"):
        await run_job(shop, again, office.url, attempt=2)
    assert (await delivery(shop, again))["status"] == "pending"


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("a@x.example", "a@x.example"),
        (" a@x.example ,b@X.EXAMPLE", "a@x.example, b@x.example"),
        ("b@x.example,a@x.example,B@x.example", "b@x.example, a@x.example"),
        (",".join(f"{name}@x.example" for name in "abcde"), ", ".join(f"{name}@x.example" for name in "abcde")),
        (",".join(f"{name}@x.example" for name in "abcdef"), None),
        ("a@x.example,", None),
        ("a@x.example;b@x.example", None),
        ("a@x.example, nobody", None),
        (f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.example", None),
    ],
)
async def test_one_to_five_addresses(shop: Shop, given: str, taken: str | None) -> None:
    draft = await shop.draft(await shop.customer(), line(await shop.price()))
    body = {"deliveryType": "Email", "overrideEmail": given, "updateCustomerRecord": True}
    answer = await shop.api.post(f"/v1/invoices/{draft['id']}/send", body)
    customer = await shop.ok("GET", f"/v1/customers/{draft['customerId']}")
    if taken is None:
        assert answer.status_code == 400
        (problem,) = answer.json()["details"]["validationErrors"]
        assert (problem["property"], list(problem["constraints"])) == ("overrideEmail", ["isEmail"])
        assert (await shop.invoice(draft["id"]))["status"] == "draft"
        assert customer["email"] is None
    else:
        assert answer.status_code == 200, answer.text
        assert await shop.value("SELECT recipient FROM deliveries") == taken
        assert ", ".join(await recipients(shop, draft)) == taken
        assert customer["email"] == taken.partition(",")[0]
