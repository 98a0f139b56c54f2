"""What receivers are told is what the document says: its topics, and the form of the data of each."""

import re
from typing import Any, Final

import jsonschema_rs
import pytest
from docs.reference import generate
from tests.contract.test_openapi import SCHEMAS
from tests.contract.world import World
from tests.document import DOCUMENT
from tests.events_told import faults

from ledgerbee.app.openapi.events import DATA, by_topic, example_of
from ledgerbee.webhooks.topics import TOPICS

#: Of the company itself, of who may enter it, of how cards are charged, and of webhooks: first words of
#: topics that auditors alone are told of.
_AUDIT_ONLY: Final = frozenset({
    "account", "api_key", "card_link", "charge", "company", "connection", "dimension", "dimension_value",
    "document_template", "exchange_rate", "fiscal_year", "invitation", "journal_category", "ledger", "membership",
    "oauth_client", "payment_provider", "payout", "refund", "staged_command", "test_clock", "user", "vat_code",
    "webhook_endpoint",
})  # fmt: skip
EMITTED: Final = set(generate.emitted_topics())


def test_each_topic_is_of_integrators_or_of_auditors() -> None:
    """Told to the one, it has its data in the document; told to the other alone, it has none."""
    of_auditors = {topic for topic in EMITTED - TOPICS if topic.partition(".")[0] in _AUDIT_ONLY}
    assert of_auditors == EMITTED - TOPICS
    described = [topic for topic, _ in by_topic()]
    assert len(described) == len(set(described))
    assert set(described) == EMITTED & TOPICS
    assert DOCUMENT["webhooks"].keys() == set(described)


def test_the_reference_says_of_each_topic_whether_it_is_told() -> None:
    text = (generate.DOCS / "reference/events.md").read_text("utf-8")
    _, to_come, told = re.split(r"## Topics to come|## What receivers get", text)
    assert set(re.findall(r"`([a-z_]+(?:\.[a-z_]+)?)`", to_come)) == TOPICS - EMITTED
    assert set(re.findall(r'"type": "([a-z_.]+)",\n  "timestamp"', told)) == {data.topics[0] for data in DATA}


@pytest.mark.parametrize(("topic", "data"), list(by_topic()), ids=[topic for topic, _ in by_topic()])
def test_an_example_is_what_the_document_says(topic: str, data: Any) -> None:
    example = example_of(topic, data, SCHEMAS)
    assert list(faults([(topic, example["data"])])) == []
    body = DOCUMENT["webhooks"][topic]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert jsonschema_rs.is_valid({**body, "components": DOCUMENT["components"]}, example)


def test_no_object_has_a_sequence_of_its_own() -> None:
    """Data would have the name twice."""
    assert [data.name for data in DATA if "sequence" in SCHEMAS.get(data.answer, {}).get("properties", {})] == []


async def test_what_a_company_did_is_told_as_the_document_says(world: World) -> None:
    told: list[tuple[str, Any]] = []
    cursor, before = "0", ""
    while cursor != before:
        page = (await world.api.get("/v1/events", params={"after": cursor, "limit": 100})).json()
        told += [(event["type"], event["data"]) for event in page["data"]]
        cursor, before = page["nextCursor"], cursor
    assert len({topic for topic, _ in told}) > 20
    assert set(faults(told)) == set()


def test_what_is_not_as_the_document_says_is_found() -> None:
    assert list(faults([("vendor.created", {"sequence": 1})])) != []
    assert list(faults([("company.updated", {"sequence": 1})])) == ["company.updated is not in the document"]
