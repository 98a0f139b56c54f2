"""The draft operations of v1 name their successors on every answer, until their sunset (contract 1.1)."""

from typing import Any

import pytest
import pytest_asyncio
from tests.conftest import Api
from tests.drafting import drafted, plain
from tests.ledger_books import Books, books_of

from ledgerbee.app.routes import ROUTERS
from ledgerbee.core.ids import new_id
from ledgerbee.http.operation import operation_of


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    return await books_of(api)


def old_operations() -> list[tuple[str, str, str]]:
    """Method, path and successor of every draft operation of v1."""
    found = []
    for router in ROUTERS:
        for route in router.routes:
            facts = operation_of(route)
            if facts is not None and facts.deprecation is not None and "/v1/draft-journal" in route.path:
                (method,) = route.methods
                found.append((method, route.path.removeprefix("/api"), facts.deprecation.successor))
    return found


def test_six_operations_have_a_successor_that_is_there() -> None:
    there = {(method, route.path) for router in ROUTERS for route in router.routes for method in route.methods}
    assert len(old_operations()) == 6
    for method, path, successor in old_operations():
        assert (method, successor) in there
        assert successor == f"/api{path}".replace("/v1/", "/v2/")


@pytest.mark.parametrize(("method", "path", "successor"), old_operations())
async def test_every_answer_names_the_successor(books: Books, method: str, path: str, successor: str) -> None:
    known = (await drafted(books, plain(books)))["id"]

    async def ask(draft_id: str = known, how: str = method, **options: Any) -> int:
        answer = await books.api.request(how, path.replace("{draftJournalEntryId}", draft_id), **options)
        link = successor.replace("{draftJournalEntryId}", draft_id)
        assert answer.headers["Deprecation"] == "true"
        assert answer.headers["Sunset"] == "2026-11-08"
        assert answer.headers["Link"] == f'<{link}>; rel="successor-version"'
        return answer.status_code

    assert await ask(headers={"x-api-key": "nobody's"}) == 401
    assert await ask(params="a=%00") == 400
    assert await ask(how="PUT", json={}) == 405
    if "{" in path:
        assert await ask(str(new_id())) == 404
        assert await ask("no-id") == 400
    if method != "POST":
        assert await ask() == (200 if method == "GET" else 204)
        return
    assert await ask(json={"no": 1}) == 400
    assert await ask(content=b"x", headers={"content-type": "text/plain"}) == 415
    assert await ask(content=b" " * (15 * 1024 * 1024 + 1), headers={"content-type": "application/json"}) == 413
    key, body = {"x-api-idempotency-key": "k"}, plain(books)
    if "batches" in path:
        body = {"entries": [body]}
    elif path.endswith("/book"):
        body = {}
    first = await ask(headers=key, json=body)
    assert await ask(headers=key, json=body) == first
    assert first in {200, 201}
