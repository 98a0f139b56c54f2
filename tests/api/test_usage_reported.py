"""Reporting usage: what is taken in, what is refused, and what is the same again (contract 2.10, decisions "Usage")."""

import asyncio
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from tests.api.catalog_steps import UNKNOWN, new_meter, problems, refusal
from tests.api.usage_steps import BATCH, EVENTS, KEY, REPORT, Metering, metering
from tests.conftest import Api
from tests.table_rows import rows_of

from ledgerbee.billing.usage.actions.events import UNATTRIBUTED
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context

TODAY = date(2026, 3, 16)


@pytest_asyncio.fixture
async def made(api: Api) -> Metering:
    """A company that meters, with a subscription since January."""
    made = await metering(api)
    await made.span(date(2026, 1, 1))
    return made


class TestOne:
    async def test_it_is_taken_in_and_there_at_once(self, made: Metering) -> None:
        answer = await made.report(12.5, "k-1", metadata={"region": "eu", "paid": True, "n": 1.25})
        assert answer.status_code == 202
        assert answer.json() == {"status": "queued", "requestId": answer.json()["requestId"]}
        event = (await made.api.get(EVENTS)).json()["data"][0]
        customer = (await made.api.get(f"/v1/customers/{made.customer_id}")).json()
        meter = (await made.api.get(f"/v1/meters/{made.meter_id}")).json()
        assert event == {
            "id": answer.json()["requestId"],
            "idempotencyKey": "k-1",
            "meterId": made.meter_id,
            "meterName": meter["name"],
            "customerId": made.customer_id,
            "customerName": customer["name"],
            "subscriptionId": event["subscriptionId"],
            "status": "attributed",
            "value": 12.5,
            "timestamp": "2026-03-16T12:00:00.000Z",
            "day": "2026-03-16",
            "metadata": {"region": "eu", "paid": True, "n": 1.25},
            "receivedAt": "2026-03-16T12:00:00.000Z",
        }
        assert event["subscriptionId"] is not None
        assert (await made.usage())["quantity"] == 12.5
        assert await made.fault() is None

    async def test_by_the_name_of_the_meter(self, made: Metering) -> None:
        name = (await made.api.get(f"/v1/meters/{made.meter_id}")).json()["name"]
        assert (await made.report(meterId=None, meterName=name)).status_code == 202
        assert (await made.report(meterName=name)).status_code == 202
        other = await new_meter(made.api)
        assert problems(await made.report(meterId=other, meterName=name)) == {"meterName": "isOfMeter"}
        wrong = await made.report(meterId=None, meterName=name.upper())
        assert refusal(wrong) == (404, "METER_NOT_FOUND")
        assert wrong.json()["details"] == {"property": "meterName", "meterName": name.upper()}

    async def test_it_needs_a_key(self, made: Metering) -> None:
        headers = {"x-api-key": made.api.key}
        missing = await made.api.http.post(f"/api{REPORT}", json=made.body(), headers=headers)
        assert problems(missing) == {KEY: "isDefined"}
        both = await made.api.http.post(f"/api{REPORT}", json=made.body("x"), headers=headers)
        assert problems(both) == {KEY: "isDefined", "value": "isNumber"}
        assert problems(await made.report(key="a b")) == {KEY: "matches"}
        assert problems(await made.report(key="k" * 256)) == {KEY: "maxLength"}
        assert (await made.report(key="k" * 255)).status_code == 202

    @pytest.mark.parametrize(
        ("fields", "faults"),
        [
            ({"value": None}, {"value": "isDefined"}),
            ({"value": "many"}, {"value": "isNumber"}),
            ({"value": True}, {"value": "isNumber"}),
            ({"value": 0.0000001}, {"value": "maxDigits"}),
            ({"value": 10**12}, {"value": "maxDigits"}),
            ({"value": "1234567890.123456"}, {"value": "maxDigits"}),
            ({"customerId": None}, {"customerId": "isDefined"}),
            ({"customerId": "x"}, {"customerId": "isUuid"}),
            ({"meterId": None}, {"meterId": "isDefined"}),
            ({"meterId": "x"}, {"meterId": "isUuid"}),
            ({"timestamp": "2026-03-16T12:00:00"}, {"timestamp": "isISO8601"}),
            ({"timestamp": "2026-03-16"}, {"timestamp": "isISO8601"}),
            ({"timestamp": "yesterday"}, {"timestamp": "isISO8601"}),
            ({"timestamp": "2026-03-17T12:00:00.001Z"}, {"timestamp": "maxDate"}),
            ({"timestamp": "1969-12-31T12:00:00Z"}, {"timestamp": "minDate"}),
            ({"metadata": {"a": [1]}}, {"metadata.a": "isMetadataValue"}),
            ({"metadata": {"subscriptionId": "main"}}, {"metadata.subscriptionId": "isUuid"}),
            ({"metadata": {"subscriptionId": 7}}, {"metadata.subscriptionId": "isUuid"}),
            ({"quantity": 1}, {"quantity": "whitelistValidation"}),
            ({"value": "x", "timestamp": "2027-01-01T00:00:00Z", "meterId": None},
             {"value": "isNumber", "timestamp": "maxDate", "meterId": "isDefined"}),
        ],
    )  # fmt: skip
    async def test_what_is_wrong_is_told_and_nothing_taken_in(
        self, made: Metering, fields: dict[str, Any], faults: dict[str, str]
    ) -> None:
        before = await rows_of(made.api)
        body = {name: value for name, value in {**made.body(), **fields}.items() if value is not None}
        assert problems(await made.api.post(REPORT, body)) == faults
        keyed = {"idempotencyKey": "k", **body}
        in_batch = await made.api.post(BATCH, {"events": [made.keyed(), keyed]})
        assert problems(in_batch) == {f"events.1.{name}": rule for name, rule in faults.items()}
        assert await rows_of(made.api) == before

    async def test_up_to_a_day_ahead(self, made: Metering) -> None:
        await made.reported(timestamp="2026-03-17T12:00:00Z")
        await made.reported(timestamp="2026-03-17T14:00:00+02:00")

    async def test_what_is_not_there_is_refused(self, made: Metering, other_api: Api) -> None:
        theirs = await metering(other_api)
        for fields, code, details in (
            ({"meterId": UNKNOWN}, "METER_NOT_FOUND", {"property": "meterId", "meterId": UNKNOWN}),
            ({"meterId": theirs.meter_id}, "METER_NOT_FOUND", {"property": "meterId", "meterId": theirs.meter_id}),
            ({"customerId": UNKNOWN}, "CUSTOMER_NOT_FOUND", {"property": "customerId", "customerId": UNKNOWN}),
            ({"customerId": theirs.customer_id}, "CUSTOMER_NOT_FOUND",
             {"property": "customerId", "customerId": theirs.customer_id}),
        ):  # fmt: skip
            refused = await made.report(**fields)
            assert (*refusal(refused), refused.json()["details"]) == (404, code, details)
            refused = await made.batch(made.keyed(), made.keyed(**fields))
            placed = {**details, "property": f"events.1.{details['property']}"}
            assert (*refusal(refused), refused.json()["details"]) == (404, code, placed)
        assert (await made.usage())["accepted"] == 0

    async def test_an_archived_meter_takes_none(self, made: Metering) -> None:
        await made.api.post(f"/v1/meters/{made.meter_id}/archive")
        refused = await made.report()
        assert (*refusal(refused), refused.json()["details"]) == (409, "METER_INVALID_STATE", {"status": "ARCHIVED"})
        assert (await made.usage())["accepted"] == 0

    @pytest.mark.parametrize("aggregation", ["COUNT", "MAX", "LAST", "UNIQUE_COUNT"])
    async def test_below_zero_only_where_it_is_summed_up(self, made: Metering, aggregation: str) -> None:
        await made.reported(-3)
        assert (await made.usage())["quantity"] == -3
        other = await new_meter(made.api, aggregation=aggregation)
        assert problems(await made.report(-3, meterId=other)) == {"value": "min"}
        assert problems(await made.batch(made.keyed(-3, meterId=other))) == {"events.0.value": "min"}
        assert (await made.report(0, meterId=other)).status_code == 202

    async def test_values_are_exact(self, made: Metering) -> None:
        for value in (0.1, "0.2", 0.000001, 999999999999, "123456789.123456", "1.50000000", 1e3):
            await made.reported(value)
        chain = (await made.api.get(EVENTS)).json()["data"][0]["subscriptionId"]
        expected = sum(
            map(Decimal, ("0.1", "0.2", "0.000001", "999999999999", "123456789.123456", "1.5", "1000")), Decimal()
        )
        assert await made.quantity(chain, date(2026, 3, 1), date(2026, 4, 1)) == (7, expected)


class TestTheSameAgain:
    async def test_it_is_a_duplicate_through_either_door(self, made: Metering) -> None:
        assert (await made.report(5, "k-1")).status_code == 202
        again = await made.report(5, "k-1")
        assert (again.status_code, again.json()) == (200, {"status": "duplicate"})
        batch = await made.batch(made.keyed(5, "k-1"), made.keyed(7, "k-2"))
        assert (batch.status_code, batch.json()) == (202, {"accepted": 1, "duplicates": 1})
        again = await made.report(7, "k-2")
        assert (again.status_code, again.json()) == (200, {"status": "duplicate"})
        assert (await made.usage())["quantity"] == 12

    async def test_keys_never_expire(self, made: Metering) -> None:
        await made.reported(5, key="k-1", timestamp="2026-03-16T12:00:00Z")
        await made.reported(6, key="k-2")
        made.api.clock.advance(days=400)
        assert (await made.report(5, "k-1", timestamp="2026-03-16T12:00:00Z")).json() == {"status": "duplicate"}
        assert (await made.report(6, "k-2")).json() == {"status": "duplicate"}

    async def test_another_body_under_a_key_is_refused(self, made: Metering) -> None:
        other_customer, other_meter = await made.new_customer(), await new_meter(made.api)
        body = {"timestamp": "2026-03-16T10:00:00Z", "metadata": {"a": 1}}
        await made.reported(5, key="k-1", **body)
        before = await rows_of(made.api)
        for change in (
            {"value": 6}, {"customerId": other_customer}, {"meterId": other_meter}, {"timestamp": None},
            {"timestamp": "2026-03-16T10:00:00.000001Z"}, {"metadata": {"a": True}}, {"metadata": {"a": "1"}},
            {"metadata": None}, {"value": -5},
        ):  # fmt: skip
            refused = await made.report(key="k-1", **{"value": 5, **body, **change})
            assert refusal(refused) == (409, "IDEMPOTENCY_KEY_REUSED"), change
            refused = await made.batch(made.keyed(1), made.keyed(key="k-1", **{"value": 5, **body, **change}))
            assert refusal(refused) == (409, "IDEMPOTENCY_KEY_REUSED"), change
            assert refused.json()["details"] == {"property": "events.1.idempotencyKey"}
        assert await rows_of(made.api) == before

    async def test_the_same_however_it_is_written(self, made: Metering) -> None:
        name = (await made.api.get(f"/v1/meters/{made.meter_id}")).json()["name"]
        stamp = {"timestamp": "2026-03-16T10:00:00Z"}
        await made.reported(1500, key="k-1", metadata={"a": 1, "b": "x"}, **stamp)
        for same in (
            json.dumps({**made.body(), "value": "1500.00", "metadata": {"b": "x", "a": 1.0}, **stamp}),
            json.dumps({**made.body(1500, meterId=None, meterName=name), "metadata": {"a": 1, "b": "x"}, **stamp}),
            json.dumps({**made.body(1500), "metadata": {"b": "x", "a": 1}, "timestamp": "2026-03-16T11:00:00+01:00"}),
            json.dumps({**made.body(1500), "metadata": {"b": "x", "a": 1}, **stamp}).replace("1500", "15e2"),
            json.dumps({**made.body(1500), "metadata": {"b": "x", "a": 1}, **stamp}).replace('"x"', '"\\u0078"'),
        ):
            headers = {KEY: "k-1", "content-type": "application/json"}
            again = await made.api.request("POST", REPORT, content=same, headers=headers)
            assert (again.status_code, again.json()) == (200, {"status": "duplicate"}), same

    async def test_what_was_taken_in_is_so_whatever_became_of_its_meter(self, made: Metering) -> None:
        await made.reported(5, key="k-1")
        await made.api.post(f"/v1/meters/{made.meter_id}/archive")
        assert (await made.report(5, "k-1")).json() == {"status": "duplicate"}
        assert refusal(await made.report(6, "k-1")) == (409, "IDEMPOTENCY_KEY_REUSED")
        assert refusal(await made.report(5, "k-2")) == (409, "METER_INVALID_STATE")
        assert (await made.batch(made.keyed(5, "k-1"))).json() == {"accepted": 0, "duplicates": 1}

    async def test_keys_are_the_companys(self, made: Metering, other_api: Api) -> None:
        theirs = await metering(other_api)
        await made.reported(5, key="k-1")
        assert (await theirs.report(6, "k-1")).status_code == 202

    async def test_keys_of_other_operations_are_others(self, made: Metering) -> None:
        headers = {KEY: "k-1"}
        assert (await made.api.post("/v1/meters", {"name": "Other"}, headers=headers)).status_code == 201
        assert (await made.report(5, "k-1")).status_code == 202

    async def test_twice_at_the_same_time(self, made: Metering) -> None:
        answers = await asyncio.gather(*(made.report(5, f"k-{n % 4}") for n in range(40)))
        assert sorted(answer.status_code for answer in answers) == [200] * 36 + [202] * 4
        batches = await asyncio.gather(*(made.batch(*(made.keyed(1, f"b-{n}") for n in range(50))) for _ in range(8)))
        assert sum(answer.json()["accepted"] for answer in batches) == 50
        assert sum(answer.json()["duplicates"] for answer in batches) == 350
        assert await made.usage() == await made.usage() | {"accepted": 54, "quantity": 70}
        assert await made.fault() is None

    async def test_one_of_two_bodies_at_the_same_time(self, made: Metering) -> None:
        answers = await asyncio.gather(*(made.report(value, "k-1") for value in (1, 2, 3)))
        assert sorted(answer.status_code for answer in answers) == [202, 409, 409]
        assert (await made.usage())["accepted"] == 1


class TestTogether:
    async def test_each_has_its_own_answer(self, made: Metering) -> None:
        answers = await asyncio.gather(
            made.report(1, "k-1"), made.report(2, "k-2"), made.report(meterId=UNKNOWN), made.report(-1, "k-3"),
            made.report(customerId=UNKNOWN), made.report(1, "k-1"), made.report(9, "k-2"),
        )  # fmt: skip
        statuses = [answer.status_code for answer in answers]
        assert statuses == [202, 202, 404, 202, 404, 200, 409]
        assert (await made.usage())["quantity"] == 2

    async def test_many_customers_and_meters(self, made: Metering) -> None:
        customers = [await made.new_customer() for _ in range(5)]
        meters = [await new_meter(made.api) for _ in range(3)]
        events = [
            made.keyed(
                n, customerId=customers[n % 5], meterId=meters[n % 3], timestamp=f"2026-03-{n % 28 + 1:02}T00:00:00Z"
            )
            for n in range(1, 15)
        ]
        assert (await made.batch(*events)).json() == {"accepted": 14, "duplicates": 0}
        assert sum([(await made.usage(meter))["unattributed"] for meter in meters]) == 14
        assert await made.fault() is None


async def keep(made: Metering, subscription_id: str | None) -> None:
    """Alter the subscription that is kept of events, behind the back of what writes it."""

    async def alter(context: Context) -> None:
        statement = "UPDATE usage_events SET named_subscription_id = $2 WHERE company_id = $1"
        await context.connection.execute(statement, context.company_id, subscription_id)

    await made.api.run(alter)


class TestNamedSubscriptions:
    @pytest.mark.parametrize("place", [None, 1])
    async def test_an_id_in_any_form_is_no_fault(self, made: Metering, place: int | None) -> None:
        chain = await made.span(date(2026, 2, 1))
        digits = chain.hex.upper()
        named = digits if place is None else f"{digits[:place]}-{digits[place:9]}-{digits[9:20]}-{digits[20:]}-"
        event = await made.reported(metadata={"subscriptionId": named})
        await made.reported()
        assert (await made.event(event))["subscriptionId"] == str(chain)
        assert await made.fault() is None

    @pytest.mark.parametrize("kept", [None, UNKNOWN])
    @pytest.mark.parametrize("has_hyphens", [True, False])
    async def test_another_id_than_is_named_is_a_fault(
        self, made: Metering, has_hyphens: bool, kept: str | None
    ) -> None:
        chain = await made.span(date(2026, 2, 1))
        named = str(chain) if has_hyphens else chain.hex
        await made.reported(key="k-1", metadata={"subscriptionId": named})
        await keep(made, kept)
        assert await made.fault() == "usage event k-1 names another subscription than is kept of it"

    async def test_nor_is_any_kept_that_nothing_names(self, made: Metering) -> None:
        await made.reported(key="k-1")
        await keep(made, UNKNOWN)
        assert await made.fault() == "usage event k-1 names another subscription than is kept of it"


class TestBatch:
    async def test_a_thousand(self, made: Metering) -> None:
        events = [made.keyed(1, f"k-{n}") for n in range(1_000)]
        assert (await made.batch(*events)).json() == {"accepted": 1_000, "duplicates": 0}
        assert (await made.batch(*events)).json() == {"accepted": 0, "duplicates": 1_000}
        assert problems(await made.batch(*events, made.keyed())) == {"events": "arrayMaxSize"}
        assert problems(await made.batch()) == {"events": "arrayMinSize"}
        assert (await made.usage())["quantity"] == 1_000

    async def test_all_or_nothing(self, made: Metering) -> None:
        before = await rows_of(made.api)
        refused = await made.batch(made.keyed(1), made.keyed(-1), made.keyed(1, customerId=UNKNOWN))
        assert refusal(refused) == (404, "CUSTOMER_NOT_FOUND")
        assert await rows_of(made.api) == before

    async def test_every_fault_is_told(self, made: Metering) -> None:
        other = await new_meter(made.api, aggregation="MAX")
        late = {"timestamp": "2027-01-01T00:00:00Z"}
        refused = await made.batch(
            made.keyed(), made.keyed(-1, meterId=other, **late), made.keyed(-1, meterId=other), made.keyed(**late)
        )
        assert problems(refused) == {
            "events.1.value": "min", "events.1.timestamp": "maxDate", "events.2.value": "min",
            "events.3.timestamp": "maxDate",
        }  # fmt: skip

    async def test_a_key_twice(self, made: Metering) -> None:
        twice = await made.batch(made.keyed(1, "k-1"), made.keyed(2, "k-2"), made.keyed(1, "k-1"))
        assert twice.json() == {"accepted": 2, "duplicates": 1}
        reused = await made.batch(made.keyed(1, "k-3"), made.keyed(2, "k-3"))
        assert refusal(reused) == (409, "IDEMPOTENCY_KEY_REUSED")
        assert reused.json()["details"] == {"property": "events.1.idempotencyKey"}
        assert (await made.usage())["accepted"] == 2

    async def test_keys_in_the_body_are_visible_ascii(self, made: Metering) -> None:
        for key, rule in (("", "minLength"), ("a b", "matches"), ("ø", "matches"), ("k" * 256, "maxLength")):
            answer = await made.api.post(BATCH, {"events": [{**made.keyed(), "idempotencyKey": key}]})
            assert problems(answer) == {"events.0.idempotencyKey": rule}

    async def test_it_takes_a_generic_key_too(self, made: Metering) -> None:
        body, headers = {"events": [made.keyed(1, "k-1")]}, {KEY: str(new_id())}
        first = await made.api.post(BATCH, body, headers=headers)
        again = await made.api.post(BATCH, body, headers=headers)
        assert (first.json(), again.json()) == ({"accepted": 1, "duplicates": 0},) * 2
        assert again.headers["Idempotent-Replayed"] == "true"


class TestUnattributed:
    async def test_it_is_counted_and_told_once_a_day(self, made: Metering) -> None:
        customer = await made.new_customer()
        before = UNATTRIBUTED._value.get()
        stamp = {"customerId": customer, "timestamp": "2026-03-15T12:00:00Z"}
        for _ in range(2):
            await made.reported(1, **stamp)
        await made.batch(*(made.keyed(1, **stamp) for _ in range(3)), made.keyed(1, customerId=customer), made.keyed(1))
        assert UNATTRIBUTED._value.get() - before == 6
        told = (await made.api.get(f"/v1/events?objectId={customer}&limit=100")).json()["data"]
        found = [one["data"] for one in told if one["type"] == "usage.unattributed"]
        assert sorted(one["day"] for one in found) == ["2026-03-15", "2026-03-16"]
        assert {(one["customerId"], one["meterId"]) for one in found} == {(customer, made.meter_id)}
