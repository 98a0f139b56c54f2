"""Applications whose id is the address of what they say of themselves: strangers' words from strangers' servers."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from tests.authorizing import Application, query_of
from tests.conftest import Api
from tests.pages import Page
from tests.people import signed_in

from ledgerbee.identity.authorization import clients
from ledgerbee.identity.authorization.model import ClientRefusedError
from ledgerbee.webhooks.targets import allow_loopback

CALLBACKS = ["http://localhost/callback", "http://127.0.0.1/callback"]


class DocumentServer:
    """Answers with what stands at a path; `asked` are the requests that came."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.answers: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.hold = asyncio.Event()

    def put(self, path: str, body: Any, status: str = "200 OK", *headers: str) -> str:
        """Have it answer at `path`; the address."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = headers or ("content-type: application/json; charset=utf-8",)
        head = "\r\n".join([f"HTTP/1.1 {status}", f"content-length: {len(content)}", *given])
        self.answers[path] = head.encode() + b"\r\n\r\n" + content
        return self.base + path

    def put_document(self, path: str, **changes: Any) -> str:
        """A document as Claude Code's: its redirect URIs have no port."""
        told = {"client_id": self.base + path, "client_name": "Regnebot", "redirect_uris": CALLBACKS, **changes}
        return self.put(path, told)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ")[1]
        self.asked.append(head)
        if path == "/slow":
            await self.hold.wait()
        writer.write(self.answers.get(path, b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"))


@pytest_asyncio.fixture
async def documents() -> AsyncIterator[DocumentServer]:
    found: list[DocumentServer] = []
    connections: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await found[0].answer(reader, writer)
        finally:  # whoever asked may have gone without a word
            writer.close()
            connections.discard(task)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    found.append(DocumentServer(server.sockets[0].getsockname()[1]))
    async with server:
        yield found[0]
        found[0].hold.set()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def test_an_application_with_a_document(api: Api, documents: DocumentServer) -> None:
    client_id = documents.put_document("/client.json", client_name="Regne\u202e\u0007<b>bot</b>")
    application = Application(api.http, client_id, "http://localhost:54545/callback")
    # Strangers don't have us fetch anything.
    assert (await api.http.get(application.request())).headers["location"].startswith("/sign-in?")
    assert documents.asked == []
    browser, _ = await signed_in(api, language="da")
    page = await browser.open(application.request())
    shown = Page(page.text)
    assert "Må Regne<b>bot</b> arbejde i Nordlys ApS?" in shown.text
    assert "oplyst af 127.0.0.1" in shown.text
    assert "localhost:54545" in shown.text
    assert [tag for tag, _ in shown.elements if tag == "b"] == []
    body = await application.connects(browser)
    assert (await application.refreshes(body["refresh_token"])).status_code == 200
    assert len(documents.asked) == 1  # remembered for a while
    assert "cookie" not in documents.asked[0].lower()
    (found,) = (await api.get("/v1/connections")).json()
    assert (found["clientId"], found["redirectHost"]) == (client_id, "localhost:54545")
    # It has no secret, and nobody else's redirect URI.
    application.secret = "any"
    assert (await application.refreshes(body["refresh_token"])).status_code == 401
    for uri in ("http://localhost:54545/other", "http://[::1]:54545/callback", "https://evil.dk/callback"):
        assert (await browser.open(application.request(redirect_uri=uri))).status_code == 400


async def test_documents_that_are_no_good(api: Api, documents: DocumentServer) -> None:
    good = documents.put_document("/good.json")
    large = documents.put_document("/large.json", padding="x" * 5120)

    def said(path: str) -> dict[str, Any]:
        return {"client_id": documents.base + path, "redirect_uris": CALLBACKS}

    bad = {
        "another's": documents.put("/other.json", {"client_id": good, "redirect_uris": CALLBACKS}),
        "no id": documents.put("/none.json", {"redirect_uris": CALLBACKS}),
        "redirected": documents.put("/moved.json", b"", "302 Found", f"location: {good}"),
        "too large": large,
        "no object": documents.put("/list.json", []),
        "a text": documents.put("/text.html", said("/text.html"), "200 OK", "content-type: text/html"),
        "of no type": documents.put(
            "/untyped.json", said("/untyped.json"), "200 OK", "x-content-type: application/json"
        ),
        "no JSON": documents.put("/text.json", b"\xff{"),
        "nested": documents.put("/deep.json", b"[" * 5000),
        "missing": f"{documents.base}/missing.json",
        "an error": documents.put("/error.json", b"{}", "500 Oops"),
        "a secret": documents.put_document("/secret.json", client_secret="x"),
        "a method": documents.put_document("/method.json", token_endpoint_auth_method="client_secret_post"),
        "no address": documents.put_document("/nowhere.json", redirect_uris=["javascript:alert(1)"]),
        "not http": documents.put("/raw.json", b"").replace("raw", "raw2"),
        "private": "https://10.0.0.1/client.json",
        "link-local": "https://169.254.169.254/client.json",
        "no TLS": good.replace("http:", "https:"),
        "unknown name": "https://no.such.name.invalid/client.json",
        "slow": f"{documents.base}/slow",
    }
    documents.answers["/raw2.json"] = b"what?\r\n\r\n"
    browser, _ = await signed_in(api)

    async def opened(client_id: str) -> tuple[int, str, bool]:
        answer = await browser.open(Application(api.http, client_id, "http://localhost:1/callback").request())
        return answer.status_code, Page(answer.text).text, "location" in answer.headers

    named = list(bad)
    answers: dict[str, tuple[int, str, bool]] = {}
    for some in (named[:9], named[9:]):  # not more at once than are fetched at once
        answers |= zip(some, await asyncio.gather(*(opened(bad[name]) for name in some)), strict=True)
    asked = {head.split(" ")[1] for head in documents.asked}
    assert asked == {address.removeprefix(documents.base) for address in bad.values() if documents.base in address}
    texts = {text for _, text, _ in answers.values()}
    assert len(texts) == 1  # nothing of why: what answers in our network is nobody's business
    assert "what the application says of itself can't be had" in texts.pop().lower()
    assert {(status, leads) for status, _, leads in answers.values()} == {(400, False)}
    for unfit in (f"{documents.base}", f"{documents.base}/", f"{good}#x", "https://user@host/x", "ftp://host/x"):
        assert (await opened(unfit))[0] == 400
    assert (await opened(good))[0] == 200


async def test_this_machine_is_asked_only_where_that_is_set(documents: DocumentServer) -> None:
    client_id = documents.put_document("/mine.json")
    before = allow_loopback(False)
    try:
        cells: Any = None
        with pytest.raises(ClientRefusedError):
            await clients.find(client_id, cells)
        with pytest.raises(clients.UnreachableDocumentError):
            await clients.find(client_id.replace("http:", "https:"), cells)
    finally:
        allow_loopback(before)
    assert documents.asked == []


async def test_consents_at_once_share_a_fetch(api: Api, documents: DocumentServer) -> None:
    client_id = documents.put_document("/shared.json")
    browser, _ = await signed_in(api)
    application = Application(api.http, client_id, "http://localhost:9/callback")
    pages = await asyncio.gather(*(browser.open(application.request()) for _ in range(3)))
    assert {page.status_code for page in pages} == {200}
    assert len(documents.asked) == 1
    refuse: Callable[[], Any] = lambda: browser.send(application.request(), {"decision": "refuse"})  # noqa: E731
    assert query_of(await refuse())["error"] == "access_denied"
