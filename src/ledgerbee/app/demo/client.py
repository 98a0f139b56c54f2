"""The API as a caller sees it: a base address, a key, JSON."""

from dataclasses import dataclass
from typing import Any, Final

import httpx

#: Seconds that an answer may take; the first one waits for the server to start.
TIMEOUT_S: Final = 60


class DemoError(Exception):
    """Something that had to work did not."""


class ApiError(DemoError):
    """The API refused a request."""

    def __init__(self, method: str, path: str, status: int, body: Any) -> None:
        self.status = status
        self.body: dict[str, Any] = body if isinstance(body, dict) else {}
        super().__init__(f"{method} {path} answered {status}: {body}")

    def refusals(self) -> dict[str, str]:
        """The request's fields that were refused, each with the first reason."""
        errors = self.body.get("details", {}).get("validationErrors", [])
        return {error["property"]: next(iter(error["constraints"].values())) for error in errors}


@dataclass(frozen=True, slots=True)
class Client:
    """One company's way into the API."""

    http: httpx.AsyncClient
    key: str

    async def get(self, path: str, **parameters: str) -> Any:
        """The JSON at `path`. Raises `ApiError`."""
        return (await self._send("GET", path, params=parameters)).json()

    async def get_bytes(self, path: str) -> bytes:
        """The file at `path`. Raises `ApiError`."""
        return (await self._send("GET", path)).content

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """What the API answers to the fields of `body` that are not None. Raises `ApiError`."""
        return (await self._send("POST", path, json=stated(body))).json()

    async def post_xml(self, path: str, content: bytes) -> Any:
        """What the API answers to a file of XML. Raises `ApiError`."""
        return (await self._send("POST", path, content=content, headers={"content-type": "application/xml"})).json()

    async def patch(self, path: str, body: dict[str, Any]) -> Any:
        """What the API answers to `body`. Raises `ApiError`."""
        return (await self._send("PATCH", path, json=body)).json()

    async def put(self, path: str, body: dict[str, Any]) -> Any:
        """What the API answers to `body`. Raises `ApiError`."""
        return (await self._send("PUT", path, json=body)).json()

    async def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            headers = {"x-api-key": self.key, **options.pop("headers", {})}
            answer = await self.http.request(method, f"/api{path}", headers=headers, **options)
        except httpx.HTTPError as fault:
            raise DemoError(f"{method} {path} got no answer: {type(fault).__name__} {fault}".rstrip()) from fault
        if answer.is_success:
            return answer
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        raise ApiError(method, path, answer.status_code, answer.json() if is_json else answer.text)


def stated(body: dict[str, Any]) -> dict[str, Any]:
    """The fields that are not None."""
    return {name: value for name, value in body.items() if value is not None}
