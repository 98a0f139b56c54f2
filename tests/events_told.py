"""What events say of objects, held against the document: each has the form that it promises for the event's topic."""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import asyncpg
import jsonschema_rs
from tests.document import DOCUMENT

from ledgerbee.app.openapi.document import referred_to
from ledgerbee.app.openapi.events import by_topic

#: All of them but for posted entries, of which there are very many, and what tests made up in their own transactions.
_ALL = """
SELECT type, sequence, data::text FROM events
WHERE position > 0 AND type = ANY ($1) AND request_id <> 'test'
  AND (type <> 'journal_entry.posted' OR position % 10 = 0)
"""


@cache
def _names() -> Mapping[str, str]:
    """The name of the schema of each topic."""
    return {topic: data.name for topic, data in by_topic()}


@cache
def _validator(name: str) -> Any:
    """Of the schema of that name, with those alone that it needs: all of them take seconds to make."""
    schemas = DOCUMENT["components"]["schemas"]
    own = {"$ref": f"#/components/schemas/{name}"}
    needed = {needed: schemas[needed] for needed in referred_to(own, schemas)}
    return jsonschema_rs.Draft202012Validator({**own, "components": {"schemas": needed}})


def faults(events: Iterable[tuple[str, Any]]) -> Iterator[str]:
    """What is wrong with the `data` of events, each with its topic: not the document's form, or no topic of it."""
    for topic, data in events:
        name = _names().get(topic)
        if name is None:
            yield f"{topic} is not in the document"
            continue
        for fault in _validator(name).iter_errors(data):
            yield f"{topic}: {'.'.join(map(str, fault.instance_path))} {fault.message}"[:400]


async def faults_in(database_url: str) -> set[str]:
    """The same of the events of all companies in a database, as its owner."""
    owner = await asyncpg.connect(database_url)
    try:
        rows = await owner.fetch(_ALL, list(_names()))
    finally:
        await owner.close()
    return set(faults((row["type"], {"sequence": row["sequence"], **json.loads(row["data"])}) for row in rows))
