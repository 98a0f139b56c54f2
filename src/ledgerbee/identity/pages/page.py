"""Pages for people as HTML: one frame, every text escaped and by itself, one style sheet, allowed by its hash.

A package with pages has its templates beside its code; each begins with
`{% extends "ledgerbee.identity.pages/base.html" %}`. What goes back to us as it is (values of forms) is escaped by name
(`| e`), and so not isolated. A script is in the page too, and allowed by its hash, where a page
needs one.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FunctionLoader, StrictUndefined

from ledgerbee.core.texts import isolated_value
from ledgerbee.identity.pages import cookies
from ledgerbee.identity.pages.addresses import path_of
from ledgerbee.identity.pages.model import Texts, Viewer
from ledgerbee.identity.pages.rules import address_in, language_of
from ledgerbee.identity.pages.texts import TEXTS

_HERE: Final = "ledgerbee.identity.pages"
#: How long a browser remembers the language that somebody chose on a page.
_LANGUAGE_S: Final = 365 * 86_400


def read_file(package: str, name: str) -> str:
    """A file that lies in a package of ours."""
    return files(package).joinpath(name).read_text("utf-8")


def _hash_of(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


_STYLE: Final = read_file(_HERE, "page.css")


@cache
def _environment() -> Environment:
    def load(name: str) -> str:
        package, _, file = name.rpartition("/")
        return read_file(package, file)

    environment = Environment(
        loader=FunctionLoader(load),
        autoescape=True,
        finalize=isolated_value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["style"] = _STYLE
    return environment


def page_headers(form_targets: str = "", script: str | None = None) -> dict[str, str]:
    """What a page is answered with. `form_targets` are sources beside our own that its forms may lead to (CSP)."""
    policy = [
        "default-src 'none'",
        f"style-src {_hash_of(_STYLE)}",
        f"form-action 'self' {form_targets}".rstrip(),
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
    if script is not None:
        policy += [f"script-src {_hash_of(script)}", "connect-src 'self'"]
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex, nofollow",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def page_language(request: Request, viewer: Viewer | None = None) -> str:
    """The language of a page for this request: `?language=`, the person's own, the cookie's, the browser's."""
    asked = request.query_params.get("language")
    chosen = cookies.read(request, cookies.LANGUAGE) or (viewer.language if viewer else None)
    return language_of(asked, chosen, request.headers.get("accept-language", ""))


def translator(texts: Texts, language: str) -> Callable[..., str]:
    """Gives a text by its name, in a language, with values in its places, each by itself (`isolated`)."""
    place = 0 if language == "da" else 1

    def text(name: str, /, **values: Any) -> str:
        found = (texts[name] if name in texts else TEXTS[name])[place]
        return found.format(**{key: isolated_value(value) for key, value in values.items()}) if values else found

    return text


def render_page(  # noqa: PLR0913  each is one independent fact of the page
    request: Request,
    template: str,
    texts: Texts,
    values: Mapping[str, Any],
    *,
    viewer: Viewer | None = None,
    status: int = 200,
    language: str | None = None,
    form_targets: str = "",
    script: str | None = None,
) -> HTMLResponse:
    """A page by its template (`package/file`), in which `t` gives its `texts` by name and `link` the address of a path.

    `viewer` is who has signed in, `language` one that goes before that of the request, `script` a script that the page
    carries.
    """
    asked = request.query_params.get("language")
    language = language if language and not asked else page_language(request, viewer)
    other = "en" if language == "da" else "da"
    content = (
        _environment()
        .get_template(template)
        .render(
            values,
            t=translator(texts, language),
            link=lambda path: path_of(request, path),
            language=language,
            other_language=other,
            other_address=address_in(other, path_of(request, request.url.path), request.url.query),
            viewer=viewer,
            script=script,
        )
    )
    response = HTMLResponse(content, status, page_headers(form_targets, script))
    if asked in {"da", "en"}:
        cookies.write(request, response, cookies.LANGUAGE, asked, _LANGUAGE_S)
    return response


def message_page(
    request: Request, title: str, text: str, *, texts: Texts = TEXTS, status: int = 200, viewer: Viewer | None = None
) -> HTMLResponse:
    """A page that says one thing: names of two texts."""
    values = {"title": title, "text": text}
    return render_page(request, f"{_HERE}/message.html", texts, values, viewer=viewer, status=status)
