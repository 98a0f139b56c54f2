"""What the dispatcher does: each committed event arrives, in the order of its object, for as long as the plan lasts."""

import asyncio
import base64
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook
from tests.conftest import BLOBS, Api
from tests.post_office import PostOffice, open_post_office
from tests.receivers import Answer, Received, receiving
from tests.webhooks import dispatching, endpoint_of, log_of, subscribe, tell, until

from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import JobRun
from ledgerbee.platform.mail import Mailer
from ledgerbee.platform.secrets import SecretBox, new_key
from ledgerbee.webhooks import targets
from ledgerbee.webhooks.deliveries.rules import WAITS
from ledgerbee.webhooks.sending.dispatcher import LONG_EVENTS_OF_COMPANY, SLOW_LANE_OF_COMPANY
from ledgerbee.webhooks.sending.notices import NOTICES

TOPIC = "customer.updated"
REFUSED = ErrorCode("REFUSED", 400, "For the sake of the test")


async def test_events_come_once_and_in_the_order_of_their_object(api: Api) -> None:
    objects = [new_id() for _ in range(40)]
    async with receiving() as receiver, dispatching(api):
        await subscribe(api, receiver.url, TOPIC, "customer.created")
        for first in range(0, 400, 100):
            numbers = range(first, first + 100)
            await tell(api, *((TOPIC, objects[number % 40], {"number": number}) for number in numbers))
        received = await receiver.wait_for(400)
    assert len({one.id for one in received}) == len(receiver.received) == 400
    by_object: dict[int, list[int]] = defaultdict(list)
    for one in received:
        by_object[one.event["data"]["number"] % 40].append(one.event["data"]["sequence"])
    assert all(sequences == list(range(1, 11)) for sequences in by_object.values())


async def test_a_delivery_is_the_event_as_it_was(api: Api) -> None:
    object_id = new_id()
    async with receiving() as receiver, dispatching(api):
        await subscribe(api, receiver.url, TOPIC)
        await tell(api, (TOPIC, object_id, {"name": "Café Ørsted \u2028 & søn"}), (TOPIC, object_id, {}))
        first, second = await receiver.wait_for(2)
    assert first.event == {
        "id": first.headers["webhook-id"],
        "type": TOPIC,
        "timestamp": "2026-03-16T12:00:00.000Z",
        "data": {"sequence": 1, "name": "Café Ørsted \u2028 & søn"},
    }
    assert second.event["data"] == {"sequence": 2}
    assert first.headers["content-type"] == "application/json"
    found = (await api.get(f"/v1/events/{first.id}")).json()
    assert {name: found[name] for name in first.event} == first.event


async def test_a_long_event_is_delivered_whole(api: Api) -> None:
    text = "".join(chr(0x4E00 + number * 7919 % 20000) for number in range(200_000))
    async with receiving() as receiver, dispatching(api):
        await subscribe(api, receiver.url, TOPIC)
        await tell(api, (TOPIC, new_id(), {"notes": text}))
        (received,) = await receiver.wait_for(1)
    assert received.event["data"] == {"sequence": 1, "notes": text}


async def test_what_was_rolled_back_is_not_told(api: Api) -> None:
    kept = new_id()

    async def work(context: Context) -> None:
        context.emit(TOPIC, new_id(), {"lost": True})
        raise REFUSED.error()

    async with receiving() as receiver, dispatching(api):
        await subscribe(api, receiver.url, TOPIC)
        with pytest.raises(Exception, match="For the sake"):
            await api.run(work)
        await tell(api, (TOPIC, kept, {}))
        (received,) = await receiver.wait_for(1)
        await asyncio.sleep(0.2)
    assert [one.id for one in receiver.received] == [received.id]


async def test_only_topics_that_were_subscribed_to_are_told(api: Api) -> None:
    async with receiving() as receiver, dispatching(api):
        await tell(api, (TOPIC, new_id(), {"before": True}))
        await subscribe(api, receiver.url, "invoice.sent")
        await tell(api, (TOPIC, new_id(), {}), ("invoice.sent", new_id(), {"number": "1"}), (TOPIC, new_id(), {}))
        (received,) = await receiver.wait_for(1)
        await asyncio.sleep(0.2)
    assert received.event["type"] == "invoice.sent"
    assert len(receiver.received) == 1


async def test_a_failed_delivery_is_tried_eight_times_by_the_plan(api: Api) -> None:
    """The id stays, the signature is that of each attempt; the object's next event waits, others flow on."""

    async def behaviour(received: Received) -> Answer | None:
        return Answer(503, b"later") if received.event["data"].get("isStuck") else Answer()

    stuck, other = new_id(), new_id()
    async with receiving(behaviour) as receiver, dispatching(api):
        endpoint = await subscribe(api, receiver.url, TOPIC)
        await tell(api, (TOPIC, stuck, {"isStuck": True}), (TOPIC, stuck, {"next": True}), (TOPIC, other, {}))
        await receiver.wait_for(2)
        started = api.clock()
        for number, wait in enumerate(WAITS, 2):
            await until(lambda attempts=number - 1: _attempts(api, endpoint["id"], attempts))
            (pending,) = [one for one in await log_of(api, endpoint["id"], status="pending") if one["attempts"]]
            at = datetime.fromisoformat(pending["nextAttemptAt"])
            assert wait - timedelta(milliseconds=2) <= at - api.clock() < wait * 1.1
            api.clock.now = at - timedelta(seconds=1)
            await asyncio.sleep(0.15)
            assert len(receiver.received) == number
            api.clock.now = at + timedelta(milliseconds=1)  # it is shown without microseconds
            await receiver.wait_for(number + 1)
        await receiver.wait_for(10)  # the object's next event, when the first was given up
        failed = await until(lambda: log_of(api, endpoint["id"], status="failed"))
    tries = [one for one in receiver.received if one.event["data"].get("isStuck")]
    assert len(tries) == 8
    assert len({one.id for one in tries}) == 1
    assert len({one.body for one in tries}) == 1
    assert len({one.headers["webhook-signature"] for one in tries}) == 8
    for one in tries:
        at = datetime.fromtimestamp(int(one.headers["webhook-timestamp"]), UTC)
        assert Webhook(endpoint["secret"]).sign(one.id, at, one.body.decode()) == one.headers["webhook-signature"]
    (given_up,) = failed
    assert [attempt["status"] for attempt in given_up["attempts"]] == [503] * 8
    assert given_up["attempts"][0]["answer"] == "later"
    assert given_up["nextAttemptAt"] is None
    assert receiver.received[-1].event["data"] == {"sequence": 2, "next": True}
    assert timedelta(hours=21) < api.clock() - started < timedelta(hours=24)


async def _attempts(api: Api, endpoint_id: str, count: int) -> bool:
    return any(len(one["attempts"]) == count for one in await log_of(api, endpoint_id, status="pending"))


async def test_retry_after_postpones_within_the_plan(api: Api) -> None:
    async def behaviour(_: Received) -> Answer | None:
        return Answer(429, b"", (("retry-after", "100"),))

    async with receiving(behaviour) as receiver, dispatching(api):
        endpoint = await subscribe(api, receiver.url, TOPIC)
        await tell(api, (TOPIC, new_id(), {}))
        await until(lambda: _attempts(api, endpoint["id"], 1))
        (pending,) = await log_of(api, endpoint["id"])
    assert datetime.fromisoformat(pending["nextAttemptAt"]) - api.clock() == timedelta(seconds=100)


@pytest.mark.parametrize("status", [199 + 101, 301, 307, 400, 404, 410, 500])
async def test_whatever_is_no_success_is_tried_again(api: Api, status: int) -> None:
    async def behaviour(received: Received) -> Answer | None:
        if received.path == "/other":
            return Answer()
        return Answer(status, b"", (("location", receiver.url.replace("/hook", "/other")),))

    async with receiving(behaviour) as receiver, dispatching(api):
        endpoint = await subscribe(api, receiver.url, TOPIC)
        await tell(api, (TOPIC, new_id(), {}))
        await until(lambda: _attempts(api, endpoint["id"], 1))
        (pending,) = await log_of(api, endpoint["id"])
    assert [one.path for one in receiver.received] == ["/hook"]
    assert pending["attempts"][0]["status"] == status
    assert pending["nextAttemptAt"] is not None


async def test_an_endpoint_backs_off_and_comes_back(api: Api) -> None:
    answers = [None, Answer()]  # dropped without a word, then taken

    async def behaviour(_: Received) -> Answer | None:
        return answers.pop(0)

    async with receiving(behaviour) as receiver, dispatching(api):
        endpoint = await subscribe(api, receiver.url, TOPIC)
        assert endpoint["status"] == "active"
        await tell(api, (TOPIC, new_id(), {}))
        await until(lambda: _attempts(api, endpoint["id"], 1))
        failing = await endpoint_of(api, endpoint["id"])
        assert failing["status"] == "backing_off"
        assert failing["lastFailure"]
        assert failing["failingSince"] == "2026-03-16T12:00:00.000Z"
        assert failing["nextAttemptAt"] > failing["failingSince"]
        assert failing["pendingCount"] == 1
        api.clock.advance(seconds=40)
        await receiver.wait_for(2)
        healed = await until(lambda: _with_status(api, endpoint["id"], "active"))
    assert (healed["failingSince"], healed["lastFailure"], healed["nextAttemptAt"]) == (None, None, None)
    assert healed["lastSuccessAt"] == "2026-03-16T12:00:40.000Z"


async def _with_status(api: Api, endpoint_id: str, status: str) -> dict[str, Any] | None:
    endpoint = await endpoint_of(api, endpoint_id)
    return endpoint if endpoint["status"] == status else None


async def test_an_endpoint_that_fails_for_five_days_is_disabled(api: Api) -> None:
    """What waits is skipped and counted; a success would have cleared it; the event of it can be subscribed to."""

    async def behaviour(_: Received) -> Answer | None:
        return Answer(500, b"broken")

    async with receiving(behaviour) as receiver, receiving() as watcher, dispatching(api):
        endpoint = await subscribe(api, receiver.url, TOPIC)
        await subscribe(api, watcher.url, "webhook_endpoint.disabled")
        await tell(api, (TOPIC, new_id(), {}))
        await until(lambda: _attempts(api, endpoint["id"], 1))
        api.clock.advance(days=5)
        waiting = new_id()
        await tell(api, (TOPIC, waiting, {}), (TOPIC, waiting, {}))
        (told,) = await watcher.wait_for(1)
        disabled = await until(lambda: _with_status(api, endpoint["id"], "disabled_by_system"))
        await tell(api, (TOPIC, waiting, {}))
        await until(lambda: _skipped(api, endpoint["id"], 1, waiting))
    assert told.event["data"]["id"] == endpoint["id"]
    assert "500" in told.event["data"]["reason"]
    assert told.event["data"]["failingSince"] == "2026-03-16T12:00:00.000Z"
    assert "500" in disabled["statusReason"]
    assert disabled["pendingCount"] == 0
    jobs = await api.run(lambda context: context.connection.fetch("SELECT entrypoint FROM pgqueuer"))
    assert "tell_webhook_endpoint_disabled" in {job["entrypoint"] for job in jobs}


async def _skipped(api: Api, endpoint_id: str, at_least: int, object_id: object) -> bool:
    return len(await log_of(api, endpoint_id, status="skipped", objectId=str(object_id))) > at_least


async def test_what_waited_for_a_disabled_endpoint_can_be_replayed(api: Api) -> None:
    """Forty wait, the endpoint is disabled and enabled again: they are skipped, and in order when replayed."""
    is_broken = True

    async def behaviour(_: Received) -> Answer | None:
        return Answer(500) if is_broken else Answer()

    objects = [new_id() for _ in range(4)]
    async with receiving(behaviour) as receiver, dispatching(api):
        endpoint = await subscribe(api, receiver.url, TOPIC)
        path, body = f"/v1/webhook-endpoints/{endpoint['id']}", {"url": receiver.url, "enabledEvents": [TOPIC]}
        await tell(api, *((TOPIC, objects[number % 4], {"number": number}) for number in range(40)))
        await until(lambda: _attempts(api, endpoint["id"], 1))
        assert (await api.put(path, {**body, "isEnabled": False})).status_code == 200
        disabled = await until(lambda: _with_counts(api, endpoint["id"], skipped=40))
        assert disabled["status"] == "disabled_by_user"
        assert (await api.post(f"{path}/test")).status_code == 409
        assert (await api.post(f"{path}/replay", {"failed": True})).status_code == 409
        is_broken = False
        assert (await api.put(path, {**body, "isEnabled": True})).status_code == 200
        before = len(receiver.received)
        replayed = await api.post(f"{path}/replay", {"failed": True})
        assert replayed.json() == {"count": 40}
        received = (await receiver.wait_for(before + 40))[before:]
    for place in range(4):
        numbers = [one.event["data"]["number"] for one in received if one.event["data"]["number"] % 4 == place]
        assert numbers == sorted(numbers)
    assert sorted(one.event["data"]["number"] for one in received) == list(range(40))


async def _with_counts(api: Api, endpoint_id: str, skipped: int) -> dict[str, Any] | None:
    endpoint = await endpoint_of(api, endpoint_id)
    return endpoint if (endpoint["skippedCount"], endpoint["pendingCount"]) == (skipped, 0) else None


async def test_a_dead_endpoint_delays_no_other(api: Api) -> None:
    async def stall(_: Received) -> Answer | None:
        return await asyncio.Future()

    async with receiving(stall) as dead, receiving() as alive, dispatching(api):
        await subscribe(api, dead.url, TOPIC)
        await subscribe(api, alive.url, TOPIC)
        await tell(api, *((TOPIC, new_id(), {"number": number}) for number in range(300)))
        await dead.wait_for(1)
        await alive.wait_for(300)
        assert len(dead.received) <= 32


async def test_both_secrets_sign_for_a_day_after_a_roll(api: Api) -> None:
    async with receiving() as receiver, dispatching(api):
        endpoint = await subscribe(api, receiver.url, TOPIC)
        rolled = (await api.post(f"/v1/webhook-endpoints/{endpoint['id']}/roll-secret")).json()
        assert rolled["secret"] != endpoint["secret"]
        await tell(api, (TOPIC, new_id(), {}))
        await receiver.wait_for(1)
        api.clock.advance(hours=24)
        await tell(api, (TOPIC, new_id(), {}))
        during, after = await receiver.wait_for(2)
    assert during.headers["webhook-signature"].split() == [
        _signature(secret, during) for secret in (rolled["secret"], endpoint["secret"])
    ]
    assert after.headers["webhook-signature"] == _signature(rolled["secret"], after)


def _signature(secret: str, received: Received) -> str:
    at = datetime.fromtimestamp(int(received.headers["webhook-timestamp"]), UTC)
    return Webhook(secret).sign(received.id, at, received.body.decode())


async def test_asymmetric_signatures_are_verified_by_the_public_key(api: Api) -> None:
    async with receiving() as receiver, dispatching(api):
        endpoint = await subscribe(api, receiver.url, TOPIC, signatureType="v1a")
        assert endpoint["publicKey"].startswith("whpk_")
        await tell(api, (TOPIC, new_id(), {}))
        (received,) = await receiver.wait_for(1)
    version, signature = received.headers["webhook-signature"].split(",")
    assert version == "v1a"
    signed = f"{received.id}.{received.headers['webhook-timestamp']}.".encode() + received.body
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(endpoint["publicKey"].removeprefix("whpk_")))
    key.verify(base64.b64decode(signature), signed)


async def test_a_test_event_goes_to_its_endpoint_alone(api: Api) -> None:
    async with receiving() as tested, receiving() as other, dispatching(api):
        endpoint = await subscribe(api, tested.url, TOPIC)
        await subscribe(api, other.url, TOPIC, "ping")
        answer = await api.post(f"/v1/webhook-endpoints/{endpoint['id']}/test")
        (received,) = await tested.wait_for(1)
        await tell(api, (TOPIC, new_id(), {}))
        await other.wait_for(1)
    assert received.event["type"] == "ping"
    assert received.id == answer.json()["eventId"]
    assert [one.event["type"] for one in other.received] == [TOPIC]


async def test_two_workers_share_the_work_and_one_takes_over(api: Api) -> None:
    """A company is one worker's at a time: nothing is sent twice while both live, nothing is lost when one is gone."""
    async with receiving() as receiver:
        await subscribe(api, receiver.url, TOPIC)
        async with dispatching(api):
            async with dispatching(api):
                await tell(api, *((TOPIC, new_id(), {}) for _ in range(100)))
                await receiver.wait_for(100)
                await asyncio.sleep(0.1)
            assert len(receiver.received) == 100
            await tell(api, (TOPIC, new_id(), {}))
            await receiver.wait_for(101)


async def test_nobody_listening_misses_nothing(api: Api) -> None:
    async with receiving() as receiver:
        await subscribe(api, receiver.url, TOPIC)
        await tell(api, *((TOPIC, new_id(), {"number": number}) for number in range(1200)))
        async with dispatching(api):
            received = await receiver.wait_for(1200)
    assert {json.loads(one.body)["data"]["number"] for one in received} == set(range(1200))


async def test_another_company_hears_nothing(api: Api, other_api: Api) -> None:
    async with receiving() as receiver, receiving() as others, dispatching(api):
        await subscribe(api, receiver.url, TOPIC)
        await subscribe(other_api, others.url, TOPIC)
        await tell(api, (TOPIC, new_id(), {"whose": "mine"}))
        await tell(other_api, (TOPIC, new_id(), {"whose": "theirs"}))
        (mine,) = await receiver.wait_for(1)
        (theirs,) = await others.wait_for(1)
    assert (mine.event["data"]["whose"], theirs.event["data"]["whose"]) == ("mine", "theirs")


async def test_a_lost_key_is_got_over_by_a_roll(api: Api) -> None:
    """What can't be read fails as any attempt does; a roll gets over it, though the old secret can't be read."""

    async def lose(context: Context) -> None:
        lost = SecretBox(lambda: [new_key()]).encrypt(b"whsec_lost")
        await context.connection.execute(
            "UPDATE webhook_endpoints SET secret = $2 WHERE company_id = $1", context.company_id, lost
        )

    async with receiving() as receiver, dispatching(api):
        endpoint = await subscribe(api, receiver.url, TOPIC, signatureType="v1a")
        await api.run(lose)
        assert (await endpoint_of(api, endpoint["id"]))["publicKey"] is None
        await tell(api, (TOPIC, new_id(), {}))
        await until(lambda: _attempts(api, endpoint["id"], 1))
        assert receiver.received == []
        (failed,) = await log_of(api, endpoint["id"])
        assert "LEDGERBEE_SECRET_KEYS" in failed["attempts"][0]["error"]
        rolled = (await api.post(f"/v1/webhook-endpoints/{endpoint['id']}/roll-secret")).json()
        api.clock.advance(seconds=40)
        (received,) = await receiver.wait_for(1)
    assert rolled["publicKey"]
    assert len(received.headers["webhook-signature"].split()) == 1


async def test_the_company_is_told_by_mail_that_an_endpoint_was_disabled(api: Api) -> None:
    """In its language, with the reason; not of one that was enabled meanwhile, nor where it has no address."""

    async def disable(context: Context) -> None:
        await context.connection.execute(
            "UPDATE webhook_endpoints SET status = 'disabled_by_system', status_reason = $2 WHERE company_id = $1",
            context.company_id,
            "Answered 500 \u202e<b>",
        )

    async with receiving() as receiver, open_post_office(PostOffice()) as office:
        endpoint = await subscribe(api, receiver.url, TOPIC)
        run = JobRun(
            database=api.database,
            mailer=Mailer(office.url, "LedgerBee <webhooks@ledgerbee.example>"),
            blobs=BLOBS,
            clock=api.clock,
            company_id=api.company_id,
            request_id="test",
            payload={"endpointId": endpoint["id"], "noticeId": str(new_id())},
            attempt=1,
            max_attempts=NOTICES.max_attempts,
        )
        await NOTICES.run(run)
        assert office.mails == []
        await api.run(disable)
        await NOTICES.run(run)
        assert office.mails == []
        for language in ("da", "en"):
            body = {"preferredLanguage": language, "email": "regnskab@nordlys.example"}
            assert (await api.patch("/v1/company", body)).status_code == 200
            await NOTICES.run(run)
    (_, danish), (recipients, english) = office.mails
    assert danish["subject"] == "Webhook slået fra"
    assert english["subject"] == "Webhook endpoint disabled"
    assert recipients == ["regnskab@nordlys.example"]
    plain = english.get_body(("plain",))
    assert plain is not None
    assert receiver.url in plain.get_content()
    assert "Answered 500 <b>" in plain.get_content()
    html = english.get_body(("html",))
    assert html is not None
    assert "Answered 500 &lt;b&gt;" in html.get_content()


async def test_the_log_is_kept_for_thirty_days(api: Api) -> None:
    """What still waits stays; a deleted endpoint goes with the last of its deliveries."""
    async with receiving() as receiver, dispatching(api):
        endpoint = await subscribe(api, receiver.url, TOPIC)
        gone = await subscribe(api, receiver.url, TOPIC)
        await tell(api, (TOPIC, new_id(), {}))
        await receiver.wait_for(2)
        assert (await api.delete(f"/v1/webhook-endpoints/{gone['id']}")).status_code == 204
        await until(lambda: log_of(api, endpoint["id"], status="delivered"))

    async def purge_at(days: int) -> int:
        async def work(context: Context) -> int:
            await context.connection.execute(
                "SELECT purge_webhook_deliveries($1)", context.now + timedelta(days=days, seconds=1)
            )
            return int(
                await context.connection.fetchval(
                    "SELECT count(*) FROM webhook_endpoints WHERE company_id = $1", context.company_id
                )
            )

        endpoints: int = await api.run(work)
        return endpoints

    assert await purge_at(29) == 2
    assert len(await log_of(api, endpoint["id"])) == 1
    assert await purge_at(30) == 1
    assert await log_of(api, endpoint["id"]) == []


async def test_a_long_backlog_of_a_disabled_endpoint_is_skipped_in_portions(api: Api) -> None:
    async with receiving() as receiver:
        endpoint = await subscribe(api, receiver.url, TOPIC)

        async def wait(context: Context) -> None:
            await context.connection.execute(
                "INSERT INTO webhook_deliveries (company_id, id, endpoint_id, event_id, event_type, object_id,"
                " position, status, created_at)"
                " SELECT $1, gen_random_uuid(), $2, gen_random_uuid(), $3, gen_random_uuid(), n, 'pending', $4"
                " FROM generate_series(1, 12000) n",
                context.company_id,
                UUID(endpoint["id"]),
                TOPIC,
                context.now,
            )

        async def statuses() -> dict[str, int]:
            found = await api.run(
                lambda context: context.connection.fetch(
                    "SELECT status, count(*) FROM webhook_deliveries WHERE company_id = $1 GROUP BY 1",
                    context.company_id,
                )
            )
            return dict(found)

        await api.run(wait)
        body = {"url": receiver.url, "enabledEvents": [TOPIC], "isEnabled": False}
        assert (await api.put(f"/v1/webhook-endpoints/{endpoint['id']}", body)).status_code == 200
        assert await statuses() == {"skipped": 10_000, "pending": 2_000}
        async with dispatching(api):
            await until(lambda: _is(statuses, {"skipped": 12_000}))
    assert receiver.received == []


async def _is(question: Callable[[], Awaitable[Any]], answer: object) -> bool:
    return bool(await question() == answer)


async def test_what_stalls_leaves_places_to_others(api: Api, other_api: Api) -> None:
    """Endpoints that never answered have few places, however many there are; others find theirs at once."""

    async def stall(_: Received) -> Answer | None:
        return await asyncio.Future()

    async with receiving(stall) as dead, receiving() as alive, receiving() as own, dispatching(api):
        await subscribe(other_api, alive.url, TOPIC)
        await subscribe(api, own.url, TOPIC, "customer.created")
        await tell(api, ("customer.created", new_id(), {}))
        await own.wait_for(1)
        for _ in range(30):
            await subscribe(api, dead.url, TOPIC)
        await tell(api, *((TOPIC, new_id(), {}) for _ in range(40)))
        await own.wait_for(41)
        await dead.wait_for(SLOW_LANE_OF_COMPANY)
        await tell(other_api, (TOPIC, new_id(), {}))
        await alive.wait_for(1)
        assert len(dead.received) == SLOW_LANE_OF_COMPANY


async def test_what_is_asked_for_again_goes_before_what_happened_later(api: Api) -> None:
    """Also where the later event of the object waits for hours, or is under way meanwhile."""
    answers = iter([Answer(), Answer(500)])
    go_on = asyncio.Event()

    async def behaviour(_: Received) -> Answer | None:
        answer = next(answers, None)
        if answer is None:
            await go_on.wait()
        return answer or Answer(500 if len(receiver.received) == 4 else 200)

    one = new_id()
    async with receiving(behaviour) as receiver, dispatching(api):
        endpoint = await subscribe(api, receiver.url, TOPIC)
        await tell(api, (TOPIC, one, {"number": 1}))
        await until(lambda: log_of(api, endpoint["id"], status="delivered"))
        await tell(api, (TOPIC, one, {"number": 2}))
        await until(lambda: _attempts(api, endpoint["id"], 1))
        (first,) = await log_of(api, endpoint["id"], status="delivered")
        path = f"/v1/webhook-endpoints/{endpoint['id']}/deliveries/{first['id']}/redeliver"
        again = (await api.post(path)).json()
        assert again["nextAttemptAt"] is not None
        await receiver.wait_for(3)
        go_on.set()
        await receiver.wait_for(4)  # the later one, as soon as the earlier one has arrived
        await until(lambda: _attempts(api, endpoint["id"], 2))
        go_on.clear()
        api.clock.advance(minutes=5)
        await receiver.wait_for(5)  # is under way
        await api.post(path)
        go_on.set()
        await receiver.wait_for(6)
        await until(lambda: _all_delivered(api, endpoint["id"]))
    assert [received.event["data"]["number"] for received in receiver.received] == [1, 2, 1, 2, 2, 1]


async def _all_delivered(api: Api, endpoint_id: str) -> bool:
    return {one["status"] for one in await log_of(api, endpoint_id)} == {"delivered"}


async def test_an_endpoint_that_would_be_refused_by_now_can_be_disabled(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiving() as receiver:
        endpoint = await subscribe(api, receiver.url, TOPIC)
        monkeypatch.setattr(targets, "_is_loopback_allowed", False)
        path, body = f"/v1/webhook-endpoints/{endpoint['id']}", {"url": receiver.url, "enabledEvents": [TOPIC]}
        assert (await api.put(path, body)).status_code == 400
        disabled = await api.put(path, {**body, "isEnabled": False})
        assert (disabled.status_code, disabled.json()["status"]) == (200, "disabled_by_user")
        other = {**body, "url": receiver.url + "2", "isEnabled": False}
        assert (await api.put(path, other)).status_code == 400
        assert (await api.put(path, {**body, "isEnabled": True})).status_code == 400


async def test_long_events_that_stall_leave_room_for_those_of_others(api: Api, other_api: Api) -> None:
    async def stall(_: Received) -> Answer | None:
        return await asyncio.Future()

    text = "".join(chr(0x4E00 + number * 7919 % 20000) for number in range(20_000))
    async with receiving(stall) as dead, receiving() as alive, dispatching(api):
        for _ in range(3):
            await subscribe(api, dead.url, TOPIC)
        await subscribe(other_api, alive.url, TOPIC)
        await tell(api, *((TOPIC, new_id(), {"notes": text}) for _ in range(10)))
        await dead.wait_for(LONG_EVENTS_OF_COMPANY)
        await tell(other_api, (TOPIC, new_id(), {"notes": text}))
        await alive.wait_for(1)
        assert len(dead.received) == LONG_EVENTS_OF_COMPANY
