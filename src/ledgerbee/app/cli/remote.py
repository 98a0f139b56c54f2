"""An installation anywhere, over its API with a key: for commands that integrators run on their own machine."""

import json
from collections.abc import Mapping
from typing import Any, Final

import httpx

from ledgerbee import __version__
from ledgerbee.app.addresses import is_loopback
from ledgerbee.app.cli.options import fail, shown
from ledgerbee.app.config import KEY_VARIABLE

_PATIENCE_S: Final = 30.0


def api_client(url: str, key: str | None, environment: Mapping[str, str]) -> httpx.AsyncClient:
    """A client for the API at `url`, with or without its `/api`. Ends the command where URL or key can't be used."""
    found = (key or environment.get(KEY_VARIABLE, "")).strip()
    if not found:
        fail(f"Which company? Give a key: in the variable {KEY_VARIABLE}, or with --key.", 2)
    if not found.isascii() or not found.isprintable() or " " in found:
        fail("That is no API key: it holds characters that no key has.", 2)
    base = a_web_address(url, "--url")
    path = base.path.rstrip("/").removesuffix("/api")
    return httpx.AsyncClient(
        base_url=base.copy_with(path=f"{path}/api", query=None, fragment=None),
        headers={"x-api-key": found, "user-agent": f"ledgerbee/{__version__}"},
        timeout=_PATIENCE_S,
        trust_env=not is_loopback(base.host),
    )


def a_web_address(text: str, option: str) -> httpx.URL:
    """An http or https address of the command line; ends the command where it is none."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in {"http", "https"} or not url.host:
        fail(f"{option} must be http://host:port/… or https://host/….", 2)
    return url


def refusal_of(answer: httpx.Response) -> str:
    """What an answer that is a refusal says, in one line; where it isn't the API that answered, that."""
    try:
        body: Any = json.loads(answer.content)
        details = body["details"]
        problems = [text for one in details.get("validationErrors", ()) for text in one["constraints"].values()]
        texts = problems or [": ".join((body["message"], *details.get("requiredScopes", ())))]
        return f"{'; '.join(texts)} ({body['code']})"
    except (ValueError, KeyError, AttributeError, TypeError):
        return not_ours(answer)


def not_ours(answer: httpx.Response) -> str:
    """What to say of an answer that no ledgerbee gives."""
    return f"{answer.url.host} answers {answer.status_code}, and not as ledgerbee does: is --url right?"


def no_answer(api: httpx.AsyncClient, fault: httpx.HTTPError) -> str:
    """What to say where there was no answer."""
    return f"{api.base_url.host} can't be reached: {fault or type(fault).__name__}"


async def call(api: httpx.AsyncClient, method: str, path: str) -> dict[str, Any]:
    """The answer to one request without a body; ends the command where it is refused, or none comes."""
    async with api:
        try:
            answer = await api.request(method, path)
        except httpx.HTTPError as fault:
            fail(shown(no_answer(api, fault), 1_000))
    if not answer.is_success:
        fail(shown(refusal_of(answer), 1_000))
    try:
        body: dict[str, Any] = answer.json()
    except ValueError:
        fail(not_ours(answer))
    return body
