"""`ledgerbee webhooks`: a developer gets the events of any installation, over its API, signed as webhooks are."""

import json
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from standardwebhooks import Webhook
from tests.runtime.hooks import Hook, hooked
from tests.runtime.processes import PROGRAM, Program, Served, cli, cli_json, refusal, wait_for

from ledgerbee.webhooks.signing import SignatureType, new_secret


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hooked() as hook:
        yield hook


@pytest.fixture
def listen(served: Served, own_folder: Path) -> Iterator[Callable[..., Program]]:
    """Starts the command, and waits until it listens; whatever is left of it after the test is killed."""
    started: list[Program] = []

    def start(hook: Hook, *options: str, url: str = served.url) -> Program:
        folder = own_folder / str(len(started))
        folder.mkdir()
        command: list[str | Path] = [PROGRAM, "webhooks", "listen", "--forward", hook.url, "--url", url, *options]
        program = Program.start(command, folder, LEDGERBEE_API_KEY=served.key or "")
        started.append(program)
        wait_for(lambda: said(program))
        return program

    yield start
    for program in started:
        program.process.kill()
        program.end()


def said(program: Program) -> list[str]:
    """The lines that it printed; none while it has not begun."""
    assert program.process.poll() in {None, 0}, program.errors
    return program.out.splitlines() if program.out.endswith("\n") else []


def add_group(served: Served, name: str) -> None:
    """Something that happens."""
    answer = served.http.post("/api/v1/product-groups", json=served.group_body(f"{name} {uuid4().hex[:8]}"))
    assert answer.status_code == 201, answer.text


def feed(served: Served, after: str) -> list[dict[str, Any]]:
    """All events behind a cursor, by the API."""
    answer = served.http.get("/api/v1/events", params={"after": after, "limit": 100})
    assert answer.status_code == 200, answer.text
    events: list[dict[str, Any]] = answer.json()["data"]
    return events


def test_events_come_in_order_signed_as_deliveries(
    served: Served, hook: Hook, listen: Callable[..., Program], own_folder: Path
) -> None:
    add_group(served, "before it listened")
    program = listen(hook, "--json")
    begun = json.loads(said(program)[0])
    add_group(served, "one")
    add_group(served, "two")
    events = feed(served, begun["cursor"])
    assert [event["type"] for event in events] == ["product_group.created"] * 2
    wait_for(lambda: len(said(program)) > 2)
    for event, received in zip(events, hook.received, strict=True):
        told = Webhook(begun["secret"]).verify(received.body, received.headers)
        assert told == {name: event[name] for name in ("id", "type", "timestamp", "data")}
        assert next(iter(told["data"])) == "sequence"
        assert (received.id, received.headers["content-type"]) == (event["id"], "application/json")
    lines = [json.loads(line) for line in said(program)[1:]]
    assert [(line["id"], line["status"], line["error"]) for line in lines] == [(one["id"], 200, None) for one in events]
    program.send(signal.SIGINT)
    assert program.end() == 0
    assert program.errors == ""
    assert str(served.key) not in program.out


def test_what_it_posts_is_what_a_delivery_is_byte_by_byte(
    hook: Hook, serve_own: Callable[..., Served], listen: Callable[..., Program]
) -> None:
    """To this machine, as a `serve` for trying things out allows it. A test event is one more event."""
    served = serve_own()
    with hooked() as endpoint:
        body = {"url": endpoint.url, "enabledEvents": ["product_group.created"]}
        answer = served.http.post("/api/v1/webhook-endpoints", json=body)
        assert answer.status_code == 201, answer.text
        listen(hook, "--types", "product_group.created,ping", url=served.url)
        add_group(served, "Kød & Æg")
        wait_for(lambda: hook.received and endpoint.received)
        at = {"LEDGERBEE_API_KEY": served.key or ""}
        sent = cli_json("webhooks", "send-test", answer.json()["id"], "--url", served.url, **at)
        wait_for(lambda: len(hook.received) == len(endpoint.received) == 2)
        assert [one.body for one in hook.received] == [one.body for one in endpoint.received]
        assert [one.id for one in hook.received][1] == sent["eventId"]
        assert hook.received[0].headers.keys() >= {"webhook-id", "webhook-timestamp", "webhook-signature"}
    said = refusal("webhooks", "send-test", str(uuid4()), "--url", served.url, **at)
    assert "(WEBHOOK_ENDPOINT_NOT_FOUND)" in said


def test_elsewhere_webhooks_do_not_go_to_this_machine(serve_own: Callable[..., Served]) -> None:
    served = serve_own(LEDGERBEE_PUBLIC_URL="https://books.example")
    body = {"url": "http://127.0.0.1:9/hook", "enabledEvents": ["ping"]}
    assert served.http.post("/api/v1/webhook-endpoints", json=body).status_code == 400


def test_for_people_it_prints_a_line_an_event_and_where_to_go_on(
    served: Served, hook: Hook, listen: Callable[..., Program]
) -> None:
    """Whatever the receiver answers, the next event follows; what came while nobody listened comes by the cursor."""
    secret = new_secret(SignatureType.SYMMETRIC)
    program = listen(hook, "--secret", secret, "--types", "product_group.created")
    assert said(program) == [f"Secret  {secret}"]
    hook.statuses = [500, 302]
    for name in ("fails", "moves", "is taken"):
        add_group(served, name)
    lines = wait_for(lambda: said(program)[1:] if len(said(program)) > 3 else None)
    told = [f"{one.event['timestamp']}  product_group.created  {one.id}" for one in hook.received]
    assert lines == [f"{line}  {status}" for line, status in zip(told, (500, 302, 200), strict=True)]
    program.send(signal.SIGTERM)
    assert program.end() == 0
    ended, cursor = program.errors.rsplit(" ", 1)
    assert ended == "Ended. To go on from here: --from"
    add_group(served, "meanwhile")
    again = listen(hook, "--from", cursor.strip(), "--count", "1")
    assert again.end() == 0
    assert len(hook.received) == 4
    assert hook.received[3].event["data"]["number"].startswith("meanwhile")


def test_a_receiver_that_is_away_is_told_and_listening_goes_on(
    served: Served, hook: Hook, listen: Callable[..., Program]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = Hook(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    program = listen(nobody, "--json", "--count", "2")
    add_group(served, "one")
    add_group(served, "two")
    assert program.end() == 0
    lines = [json.loads(line) for line in program.out.splitlines()[1:]]
    assert [line["status"] for line in lines] == [None, None]
    assert all("connect" in line["error"] for line in lines)


def test_an_installation_that_is_away_for_a_while_is_waited_for(
    hook: Hook, serve_own: Callable[..., Served], listen: Callable[..., Program]
) -> None:
    served = serve_own()
    port = str(served.address[1])
    program = listen(hook, "--key", served.key or "", url=f"{served.url}/api/")
    assert served.stop() == 0
    wait_for(lambda: "is asked again" in program.errors)
    again = serve_own("--port", port)
    add_group(again, "after all")
    wait_for(lambda: hook.received)
    assert [one.event["data"]["sequence"] for one in hook.received] == [1]
    assert program.errors.count("\n") <= 3  # each reason once
    program.send(signal.SIGINT)
    assert program.end() == 0


def test_what_cannot_work_is_told_at_once(served: Served, hook: Hook) -> None:
    at = ("--url", served.url)
    forward = ("--forward", "http://127.0.0.1:9/hook")
    wrong = "lb_00.nobodys-key"
    said = refusal("webhooks", "listen", *forward, *at, LEDGERBEE_API_KEY=wrong)
    assert wrong not in said
    assert "(UNAUTHORIZED)" in said
    said = refusal("webhooks", "listen", *forward, *at, LEDGERBEE_API_KEY=narrow_key(served))
    assert "requires: events-read (INSUFFICIENT_PERMISSIONS)" in said
    key = {"LEDGERBEE_API_KEY": served.key or ""}
    assert "nextCursor" in refusal("webhooks", "listen", *forward, *at, "--from", "yesterday", **key)
    assert "topics" in refusal("webhooks", "listen", *forward, *at, "--types", "nothing.happened", **key)
    assert "can't be reached" in refusal("webhooks", "listen", *forward, "--url", "http://127.0.0.1:9", **key)
    assert "is --url right?" in refusal("webhooks", "listen", *forward, "--url", hook.url, **key)
    for options in (
        [*forward, *at],
        [*forward, *at, "--key", "lb_\u00e6"],
        ["--forward", "ftp://127.0.0.1", *at, "--key", "lb_x"],
        [*forward, "--url", "books.example", "--key", "lb_x"],
        [*forward, *at, "--key", "lb_x", "--secret", "whsec_short"],
    ):
        done = cli("webhooks", "listen", *options)
        assert (done.returncode, done.stdout) == (2, ""), options
        assert done.stderr.startswith("error: ")
        assert "whsec_short" not in done.stderr


def narrow_key(served: Served) -> str:
    """A key that may not read events."""
    answer = served.http.post("/api/v1/api-keys", json={"name": "narrow", "scopes": ["accounts-read"]})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["key"])
