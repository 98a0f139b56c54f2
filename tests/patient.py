"""Requests to real servers, with as much patience as a busy machine needs: httpx's own ends after five seconds.

`tests/unit/test_requests_of_tests.py` finds those that don't say how long they wait.
"""

from typing import Any, Final

import httpx

#: Seconds: far longer than anything here takes, so that a busy machine fails no test.
PATIENCE: Final = 60.0


def request(method: str, url: str, **options: Any) -> httpx.Response:
    """What the server answers."""
    return httpx.request(method, url, **{"timeout": PATIENCE, **options})


def get(url: str, **options: Any) -> httpx.Response:
    """What it answers to GET."""
    return request("GET", url, **options)


def head(url: str, **options: Any) -> httpx.Response:
    """What it answers to HEAD."""
    return request("HEAD", url, **options)


def post(url: str, **options: Any) -> httpx.Response:
    """What it answers to POST."""
    return request("POST", url, **options)


def client(**options: Any) -> httpx.Client:
    """A client that waits as long."""
    return httpx.Client(**{"timeout": PATIENCE, **options})


def async_client(**options: Any) -> httpx.AsyncClient:
    """An asynchronous one that waits as long."""
    return httpx.AsyncClient(**{"timeout": PATIENCE, **options})
