"""Requests of one company's story, over the public API only."""

from dataclasses import dataclass
from typing import Any

from tests.conftest import Api

#: A body as it is sent or answered.
Body = dict[str, Any]


@dataclass
class Client:
    """The API with the company's key; every answer is judged."""

    api: Api

    async def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The answer to a request that must succeed."""
        if body is not None:
            options["json"] = body
        answer = await self.api.request(method, path, **options)
        assert answer.is_success, (path, body, answer.text)
        return answer.json()

    async def refused(self, method: str, path: str, body: Any = None) -> tuple[str, Body]:
        """The code and the details of a refusal."""
        answer = await self.api.request(method, path, **({} if body is None else {"json": body}))
        assert answer.is_client_error, (path, body, answer.text)
        return answer.json()["code"], answer.json()["details"]
