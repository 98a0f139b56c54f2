"""`ledgerbee webhooks`: tools for whoever receives webhooks, for any installation: over its API, with a key."""

import asyncio
import base64
import os
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

import typer

from ledgerbee.app.cli.options import AsJson, fail, note, print_result, shown

if TYPE_CHECKING:
    import httpx

    from ledgerbee.app.cli.listening import Feed, Forwarded

app = typer.Typer(no_args_is_help=True, help="Tools for receivers of webhooks.")

_HERE: Final = "http://127.0.0.1:8000"
_NOW: Final = "now"
#: What a secret of Standard Webhooks may have, in bytes.
_SECRET_BYTES: Final = range(24, 65)

_Url = Annotated[str, typer.Option("--url", metavar="URL", help="Address of the installation.")]
_Key = Annotated[str | None, typer.Option("--key", metavar="KEY", help="API key (default: LEDGERBEE_API_KEY).")]


@app.command("listen")
def listen(
    to: Annotated[str, typer.Option("--forward", metavar="URL", help="Where events are posted to.")],
    url: _Url = _HERE,
    key: _Key = None,
    types: Annotated[
        str | None, typer.Option("--types", metavar="TOPICS", help="Only these topics, separated by commas.")
    ] = None,
    start: Annotated[
        str, typer.Option("--from", metavar="CURSOR", help="`now`, or a cursor: 0, or where it ended before.")
    ] = _NOW,
    secret: Annotated[
        str | None, typer.Option("--secret", metavar="SECRET", help="What it signs with (default: a fresh one).")
    ] = None,
    count: Annotated[int | None, typer.Option("--count", min=1, help="End after so many events.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line and nothing else.")] = False,
) -> None:
    """Post a company's events to an address, such as one of your own machine, signed as webhooks are: for developing.

    They are read from GET /v1/events, so that nothing has to reach your machine; the key needs the scope events-read.
    Each event is posted once, one after the other, whatever is answered. Ctrl-C ends it.
    """
    from ledgerbee.app.cli.listening import Feed, FeedRefusedError
    from ledgerbee.app.cli.remote import a_web_address, api_client
    from ledgerbee.webhooks.signing import SignatureType, new_secret

    target = a_web_address(to, "--forward")
    signing = new_secret(SignatureType.SYMMETRIC) if secret is None else _checked(secret)
    api = api_client(url, key, os.environ)
    feed = Feed(api, types, note)

    async def work() -> None:
        async with api:
            await feed.begin(None if start == _NOW else start)
            print_result({"secret": signing, "cursor": feed.cursor}, f"Secret  {signing}", as_json=as_json)
            await _pass_on(feed, target, signing, count, as_json=as_json)

    try:
        asyncio.run(_until_told(work()))
    except FeedRefusedError as fault:
        fail(shown(str(fault), 1_000))
    if not as_json:
        note(f"Ended. To go on from here: --from {feed.cursor}")


async def _pass_on(feed: "Feed", to: "httpx.URL", secret: str, count: int | None, *, as_json: bool) -> None:
    """Forward events one after the other, `count` of them or without an end, and say of each what came of it."""
    from ledgerbee.app.cli.listening import forward

    done = 0
    async for event in feed.events():
        _print(await forward(to, event, secret), as_json=as_json)
        feed.cursor = event.cursor
        done += 1
        if done == count:
            return


def _print(done: "Forwarded", *, as_json: bool) -> None:
    event = done.event
    told = {"timestamp": event.timestamp, "type": event.type, "id": event.id}
    came = str(done.status) if done.error is None else f"failed: {done.error}"
    line = shown("  ".join((*told.values(), came)), 1_000)
    facts = {**told, "cursor": event.cursor, "status": done.status, "error": done.error}
    print_result(facts, line, as_json=as_json)


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    """Work until it is done, or until Ctrl-C or SIGTERM, which are how this is meant to end."""
    task = asyncio.create_task(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


def _checked(secret: str) -> str:
    """A secret of the command line; ends the command where it is none. It is not repeated."""
    from ledgerbee.webhooks.signing import SECRET_PREFIX

    try:
        length = len(base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True))
    except ValueError:
        length = 0
    if not secret.startswith(SECRET_PREFIX) or length not in _SECRET_BYTES:
        fail(f"--secret must be {SECRET_PREFIX} and 24 to 64 bytes as base64.", 2)
    return secret


@app.command("send-test")
def send_test(
    endpoint: Annotated[UUID, typer.Argument(metavar="ID", help="The endpoint's id.")],
    url: _Url = _HERE,
    key: _Key = None,
    as_json: AsJson = False,
) -> None:
    """Have a test event (`ping`) sent to an endpoint, and print its id. The key needs webhook-endpoints-write.

    The endpoint's deliveries say what came of it.
    """
    from ledgerbee.app.cli.remote import api_client, call

    answer = asyncio.run(call(api_client(url, key, os.environ), "POST", f"v1/webhook-endpoints/{endpoint}/test"))
    event_id = answer["eventId"]
    print_result({"eventId": event_id}, f"Sent: event {shown(str(event_id))}", as_json=as_json)
