"""Every example of the document works as it is in a new Danish company, by the rule that the document states."""

import json
import re
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import pytest
from tests.authorizing import new_connection
from tests.conftest import Api, SteeredClock, new_company
from tests.contract.operations import OPERATIONS, Row
from tests.document import DOCUMENT
from tests.people import accepted
from tests.refunding import carried_out, disputed

from ledgerbee.platform.db import Database

#: Not the day that the examples are written with: what stands for today is put in place of it.
LATER: Final = datetime(2031, 5, 6, 9, 30, tzinfo=UTC)
TODAY: Final = "2026-03-16"


class Reader:
    """Sends examples as a reader of the document would, who knows no more than it says."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.cancels = False
        self.revokes = False
        self.answers: dict[str, httpx.Response] = {}

    async def send(self, name: str, media_type: str = "") -> httpx.Response:
        """The example of `METHOD /path`, after what it needs; once, whoever asks for it."""
        self.revokes |= name == "DELETE /v1/users/invitations/{invitationId}"
        self.cancels |= name == "POST /v1/charges/{chargeId}/cancel"
        if (key := name + media_type) not in self.answers:
            self.answers[key] = await self._sent(name, media_type)
            await self._meanwhile(name, self.answers[key])
        return self.answers[key]

    async def _meanwhile(self, name: str, answer: httpx.Response) -> None:
        """What others do after a request before the reader sends the next one: the worker, and who has a card. Whoever
        cancels a charge, or revokes an invitation, is before them."""
        if self.cancels or self.revokes:
            return
        if name == "POST /v1/users/invitations" and answer.is_success:
            await accepted(self.api, answer.json()["id"])
        if name == "POST /v1/invoices/{invoiceId}/charges" and answer.is_success:
            await carried_out(self.api, answer.json()["id"])
            await disputed(self.api, answer.json()["id"])

    async def _sent(self, name: str, media_type: str) -> httpx.Response:
        method, path = name.split(" ")
        if name == "GET /v1/connections":  # a member lets an application in, which no request of a key does
            await new_connection(self.api)
        operation = DOCUMENT["paths"][path][method.lower()]
        for step in operation.get("x-example-after", []):
            await self.done(step)
        ids = {id_: await self.id_of(source) for id_, source in operation.get("x-example-ids", {}).items()}
        query = {
            p["name"]: p["example"] for p in operation.get("parameters", []) if p["in"] == "query" and p.get("example")
        }
        media = operation.get("requestBody", {}).get("content", {})
        media_type = media_type or next((each for each in media if "example" in media[each]), "")
        options: dict[str, Any] = {}
        if media_type:
            headers = {
                p["name"]: p["schema"]["examples"][0]
                for p in operation.get("parameters", [])
                if p["in"] == "header" and p["required"]
            }
            options = {
                "content": self.filled(encoded(media_type, media[media_type]["example"]), ids),
                "headers": {"content-type": media_type, **headers},
            }
        return await self.api.request(
            method, self.filled(path, ids), params=json.loads(self.filled(json.dumps(query), ids)), **options
        )

    async def done(self, name: str) -> httpx.Response:
        """What is needed before, and has to succeed."""
        answer = await self.send(name)
        assert answer.is_success, (name, answer.text)
        return answer

    async def id_of(self, source: dict[str, Any]) -> str:
        found = (await self.done(source["operation"])).json()
        rows = found["data"] if "data" in found else found if isinstance(found, list) else [found]
        where = source.get("where", {})
        return str(
            next(row for row in rows if all(row[name] == value for name, value in where.items()))[source["field"]]
        )

    def filled(self, text: str, ids: dict[str, str]) -> str:
        for name, id_ in ids.items():
            text = text.replace(f"{{{name}}}", id_)
        return text.replace(TODAY, self.api.clock().date().isoformat())


def encoded(media_type: str, example: Any) -> str:
    if media_type == "application/json":
        return json.dumps(example)
    return example if isinstance(example, str) else urlencode(example, safe="{}")


def named(row: Row) -> str:
    return f"{row.method} {row.path.partition('?')[0]}"


async def new_reader(
    http: httpx.AsyncClient, database: Database, clock: SteeredClock, *, is_sandbox: bool = False
) -> Reader:
    """Someone with a company of this very year."""
    clock.now = LATER
    untold: dict[str, Any] = dict.fromkeys(("address", "postal_code", "city", "vat_number"))
    return Reader(await new_company(http, database, clock, is_sandbox=is_sandbox, **untold))


@pytest.mark.parametrize("row", OPERATIONS, ids=str)
async def test_the_example_of_an_operation_works(
    row: Row, http: httpx.AsyncClient, database: Database, clock: SteeredClock
) -> None:
    reader = await new_reader(http, database, clock, is_sandbox=row.tag == "Test Clock")
    answer = await reader.send(named(row))
    assert answer.status_code == row.success, answer.text


def other_media_types() -> list[tuple[str, str]]:
    """Bodies of another form than the first, by operation."""
    return [
        (f"{method.upper()} {path}", media_type)
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
        for media_type in list(operation.get("requestBody", {}).get("content", {}))[1:]
    ]


@pytest.mark.parametrize(("name", "media_type"), other_media_types())
async def test_the_example_of_every_form_of_a_body_works(
    name: str, media_type: str, http: httpx.AsyncClient, database: Database, clock: SteeredClock
) -> None:
    answer = await (await new_reader(http, database, clock)).send(name, media_type)
    assert answer.is_success, answer.text


def parameters() -> list[tuple[str, str, Any]]:
    """Query parameters with an example or a default, by operation."""
    found = []
    for path, operations in DOCUMENT["paths"].items():
        for parameter in operations.get("get", {}).get("parameters", []):
            schema = parameter["schema"]
            if parameter["in"] == "query" and not parameter.get("required"):
                example = parameter.get("example", schema.get("examples", [schema.get("default")])[0])
                if example not in (None, {}):
                    found.append((path, parameter["name"], example))
    return found


@pytest.mark.parametrize(("path", "name", "example"), parameters())
async def test_the_example_of_a_parameter_works(path: str, name: str, example: Any, api: Api) -> None:
    reader = Reader(api)
    ids = DOCUMENT["paths"][path]["get"].get("x-example-ids", {})
    address = reader.filled(path, {id_: await reader.id_of(source) for id_, source in ids.items()})
    answer = await reader.send(f"GET {path}")  # with what it needs
    assert answer.status_code == 200, answer.text
    answer = await api.get(address, params={**dict(answer.request.url.params), name: example})
    assert answer.status_code == 200, answer.text


def test_every_write_has_an_example_unless_it_takes_nothing() -> None:
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            for media_type, media in operation.get("requestBody", {}).get("content", {}).items():
                assert "example" in media, (method, path, media_type, "none in app/openapi/request_bodies.py")
                is_e_invoice = "application/xml" in operation["requestBody"]["content"]  # UBL is long-winded
                most = 3_500 if is_e_invoice else 700
                assert len(encoded(media_type, media["example"])) < most, (method, path)


def test_the_document_tells_where_every_name_in_braces_comes_from() -> None:
    for path, operations in DOCUMENT["paths"].items():
        for operation in operations.values():
            media = operation.get("requestBody", {}).get("content", {})
            names = set(re.findall(r"\{(\w+)\}", path + json.dumps([each.get("example") for each in media.values()])))
            assert set(operation.get("x-example-ids", {})) == names, path
            for name in names:
                assert f"`{{{name}}}`" in operation["description"]
