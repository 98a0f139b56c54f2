"""The document as the API answers it, at `/api/openapi.json`.

It is the committed one, which a test holds equal to the code: building it takes seconds, in which a process answers
nobody, and every process would do it.
"""

from functools import cache
from hashlib import sha256

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from ledgerbee.app.shipped import shipped

router = APIRouter(include_in_schema=False)


@router.get("/api/openapi.json")
async def document(request: Request) -> Response:
    """The document, or 304 for who shows the ETag of it. It is the same until the next release: ask before each use."""
    content, etag = _document()
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if etag in known or known == ["*"]:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="application/json", headers=headers)


@cache
def _document() -> tuple[bytes, str]:
    """The document without the white space that its reviewers read, and its ETag: some milliseconds, once a process."""
    content = msgspec.json.format(shipped("ledgerbee.app.openapi", "docs", "openapi.json"), indent=-1)
    return content, f'"{sha256(content).hexdigest()[:32]}"'
