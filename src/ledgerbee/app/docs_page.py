"""The API reference at `/docs`, with a console to try operations. Its assets ship with the package: no network."""

from importlib.resources import files
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from ledgerbee.http.response_headers import PAGE_SECURITY_POLICY

router = APIRouter(include_in_schema=False)

_ASSETS: Final = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css", "favicon.png": "image/png"}

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>ledgerbee API reference</title>
  <link rel="icon" href="/docs/assets/favicon.png">
  <link rel="stylesheet" href="/docs/assets/swagger-ui.css">
  <style>body { margin: 0 } .swagger-ui .topbar { display: none }</style>
</head>
<body>
  <div id="reference"></div>
  <script src="/docs/assets/swagger-ui-bundle.js"></script>
  <script src="/docs/assets/start.js"></script>
</body>
</html>
"""
_START: Final = """SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  filter: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
});
"""


@router.get("/docs")
async def reference() -> Response:
    """The page."""
    return HTMLResponse(_PAGE, headers=_page_headers())


@router.get("/docs/assets/{name}")
async def asset(name: str) -> Response:
    """One of the page's own files."""
    if name == "start.js":
        return Response(_START, media_type="text/javascript", headers=_page_headers())
    media_type = _ASSETS.get(name)
    if media_type is None:
        return Response(status_code=404)
    content = files("fastapi_offline").joinpath("static", name).read_bytes()
    return Response(content, media_type=media_type, headers={**_page_headers(), "Cache-Control": "max-age=86400"})


def _page_headers() -> dict[str, str]:
    return {"Content-Security-Policy": PAGE_SECURITY_POLICY}
