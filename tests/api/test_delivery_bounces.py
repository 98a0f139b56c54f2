"""Mails that come back, the list of what didn't arrive, and the mails that were kept."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from tests.api.test_delivery import delivery, delivery_id_of, job_run, run_job
from tests.api.test_delivery_recipients import ANNA, BO, CARL, copies, mailed, recipients
from tests.conftest import BLOBS, Api
from tests.post_office import PostOffice, open_post_office
from tests.selling import Shop, line
from tests.stories.harness.jobs import Jobs
from tests.unit.test_delivery_reports import GROUP, failed, report

from ledgerbee.platform.mail import Mailer, MailFailedError
from ledgerbee.sales.delivery.jobs import deliver_document, record_bounce
from ledgerbee.sales.kinds import KINDS

REASON = "550 5.1.1 <bo@havblik.example>: No such user"


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


@pytest_asyncio.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with open_post_office(PostOffice()) as office:
        yield office


async def mail_of(shop: Shop, invoice: dict[str, Any], address: str) -> str:
    """The id of a recipient, which names its mail."""
    found = (await delivery(shop, invoice))["recipients"]
    return str(next(one["id"] for one in found if one["address"] == address))


def about(mail_id: str, group: str = failed()) -> dict[str, str]:
    """The body of a report of a mail."""
    returned = f"Content-Type: text/rfc822-headers\n\nMessage-ID: <{mail_id}@ledgerbee.example>\n"
    return {"message": report(group, returned=returned)}


async def test_a_mail_that_comes_back_was_not_delivered(shop: Shop, office: PostOffice) -> None:
    """The recipient has bounced and the delivery failed; the document stays, and only that one is sent to again."""
    invoice = await mailed(shop)
    jobs = Jobs(shop.api, office)
    await jobs.run()
    sent = await shop.invoice(invoice["id"])
    body = about(await mail_of(shop, invoice, BO))
    counted = REGISTRY.get_sample_value("ledgerbee_mails_bounced_total") or 0
    first = await shop.ok("POST", "/v1/deliveries/bounces", body, status=202)
    assert first == {
        "deliveryId": str(await delivery_id_of(shop, invoice)), "recipientId": await mail_of(shop, invoice, BO),
        "action": "failed", "reason": REASON,
    }  # fmt: skip
    assert await shop.ok("POST", "/v1/deliveries/bounces", body, status=202) == first
    assert await jobs.run() == ["record_bounce"] * 2
    assert await shop.ok("POST", "/v1/deliveries/bounces", body, status=202) == first
    assert await jobs.run() == []
    assert REGISTRY.get_sample_value("ledgerbee_mails_bounced_total") == counted + 1
    assert await recipients(shop, invoice) == {
        ANNA: ("delivered", None), BO: ("bounced", REASON), CARL: ("delivered", None),
    }  # fmt: skip
    found = await delivery(shop, invoice)
    assert [(one["recipient"], one["outcome"]) for one in found["attempts"]] == [
        (ANNA, "delivered"), (BO, "delivered"), (CARL, "delivered"), (BO, "bounced"),
    ]  # fmt: skip
    assert await shop.invoice(invoice["id"]) == sent | {"deliveryStatus": "failed"}
    (event,) = await shop.events("invoice.delivery_failed")
    assert event["delivery"]["recipients"] == [{"address": BO, "reason": REASON}]
    await shop.ok("POST", f"/v1/invoices/{invoice['id']}/send", {"deliveryType": "Email"}, status=200)
    await jobs.run()
    assert copies(office) == {ANNA: 1, BO: 2, CARL: 1}
    assert await shop.invoice(invoice["id"]) == sent


async def test_what_is_no_bounce_of_the_companys_changes_nothing(
    shop: Shop, other_api: Api, office: PostOffice
) -> None:
    invoice = await mailed(shop)
    by_hand = str(await delivery_id_of(shop, await shop.sold(line(await shop.price("10")))))
    await Jobs(shop.api, office).run()
    before = await delivery(shop, invoice)
    mail_id = await mail_of(shop, invoice, BO)
    for action, status in (("delayed", "4.4.1"), ("delivered", "2.0.0")):
        body = about(mail_id, GROUP.format(action, status, ""))
        assert (await shop.ok("POST", "/v1/deliveries/bounces", body, status=202))["action"] == action
    details = await shop.refused(
        "POST", "/v1/deliveries/bounces", about(invoice["id"]), 404, "DELIVERY_NOT_FOUND"
    )  # fmt: skip
    assert details == {"property": "message", "deliveryId": invoice["id"]}
    await shop.refused("POST", "/v1/deliveries/bounces", about(by_hand), 404, "DELIVERY_NOT_FOUND")
    other = Shop(other_api)
    await other.refused("POST", "/v1/deliveries/bounces", about(mail_id), 404, "DELIVERY_NOT_FOUND")
    await other.refused("GET", f"/v1/deliveries/{mail_id}/messages", None, 404, "DELIVERY_NOT_FOUND")
    body = {"message": "Subject: Out of office\n\nBack on Monday\n"}
    await shop.refused("POST", "/v1/deliveries/bounces", body, 400, "SHARED_VALIDATION_FAILED")
    assert await Jobs(shop.api, office).run() == []
    assert await Jobs(other_api, office).run() == []
    assert await delivery(shop, invoice) == before


async def test_a_mail_comes_back_to_the_address_that_names_it(shop: Shop, office: PostOffice) -> None:
    """Before its delivery was recorded: whoever told first, it is bounced, and the invoice is on its way no more."""
    invoice = await mailed(shop, BO)
    run = job_run(shop, invoice, office.url, await delivery_id_of(shop, invoice))
    mailer = Mailer(office.url, "invoices@ledgerbee.example", "bounces.ledgerbee.example")
    office.hold()
    delivering = asyncio.create_task(deliver_document(KINDS, replace(run, mailer=mailer)))
    await office.taken.wait()
    (path,) = office.return_paths
    mail_id = await mail_of(shop, invoice, BO)
    assert path == f"bounces+{UUID(mail_id).hex}@bounces.ledgerbee.example"
    body = {"message": report(failed(), to=path, returned="Content-Type: text/plain\n\nNothing\n")}
    await shop.ok("POST", "/v1/deliveries/bounces", body, status=202)
    payload = {"recipientId": mail_id, "deliveryId": mail_id, "reason": REASON}
    await record_bounce(KINDS, replace(run, payload=payload))
    assert (await shop.invoice(invoice["id"]))["status"] == "scheduled"
    office.go_on.set()
    await delivering
    assert await recipients(shop, invoice) == {BO: ("bounced", REASON)}
    assert (await delivery(shop, invoice))["status"] == "failed"
    assert len(await shop.events("invoice.delivery_failed")) == 1


async def test_the_list_has_what_failed_of_every_kind_and_why(shop: Shop, office: PostOffice) -> None:
    refused = await mailed(shop, f"{BO}, {ANNA}")
    office.answers_to = {BO: ["550 5.1.1 No such user"] * 2}
    await run_job(shop, refused, office.url)
    quote = await shop.quote(await shop.customer(), {"priceId": await shop.price()})
    await shop.ok(
        "POST", f"/v1/quotes/{quote['id']}/send", {"deliveryType": "Email", "recipientEmail": BO}, status=200
    )  # fmt: skip
    await Jobs(shop.api, office).run()
    by_hand = await shop.sold({"priceId": await shop.price()})
    everything = await shop.ok("GET", "/v1/deliveries")
    assert [(one["documentId"], one["status"]) for one in everything["data"]] == [
        (by_hand["id"], "manual"), (quote["id"], "failed"), (refused["id"], "failed"),
    ]  # fmt: skip
    page = await shop.ok("GET", "/v1/deliveries?status=failed&sortOrder=ASC")
    assert page["total"] == 2
    first, second = page["data"]
    assert (first["documentType"], first["documentNumber"], first["deliveryType"]) == ("invoice", "1", "Email")
    assert [(one["address"], one["status"], one["reason"]) for one in first["recipients"]] == [
        (BO, "failed", "550 5.1.1 No such user"), (ANNA, "delivered", None),
    ]  # fmt: skip
    assert (second["documentType"], second["documentNumber"]) == ("quote", "1")
    only = await shop.ok("GET", "/v1/deliveries?status=failed&documentType=quote")
    assert [one["documentId"] for one in only["data"]] == [quote["id"]]
    await shop.ok("POST", f"/v1/quotes/{quote['id']}/send", {"deliveryType": "Manual"}, status=200)
    page = await shop.ok("GET", "/v1/deliveries?status=failed")
    assert [one["documentId"] for one in page["data"]] == [refused["id"]], "what was sent again is no more to do"


async def test_the_kept_mails_can_be_read_back(shop: Shop, office: PostOffice) -> None:
    invoice = await mailed(shop, f"{ANNA}, {BO}")
    path = f"/v1/deliveries/{await delivery_id_of(shop, invoice)}/messages"
    assert await shop.ok("GET", path) == {"messages": []}
    office.answers_to = {BO: ["451 4.7.1 Later"]}
    with pytest.raises(MailFailedError):
        await run_job(shop, invoice, office.url)
    found = (await shop.ok("GET", path))["messages"]
    assert [one["address"] for one in found] == [ANNA, BO]
    assert b64decode(found[0]["content"]) == office.received[0]
    await run_job(shop, invoice, office.url, attempt=2)
    assert b64decode(found[1]["content"]) == office.received[1]
    assert (await shop.ok("GET", path))["messages"] == found
    own = await shop.value("SELECT hash FROM sent_messages WHERE id = $1", UUID(found[0]["recipientId"]))
    await BLOBS.delete(shop.api.company_id, own)
    await shop.refused("GET", path, None, 503, "ATTACHMENT_STORE_UNAVAILABLE")
