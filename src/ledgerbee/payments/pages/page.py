"""Pages for customers as HTML: every text escaped and isolated, no script, one style sheet, which is in the page.

It is allowed by its hash: nothing is fetched, from here or from elsewhere.
"""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, StrictUndefined, Template

from ledgerbee.core.texts import isolated_value

_STYLE: Final = files("ledgerbee.payments.pages").joinpath("page.css").read_text("utf-8")
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

#: What a page is answered with.
PAGE_HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

#: Title and text, in Danish and English: who has no link that is good may be anybody.
Message = tuple[tuple[str, str], tuple[str, str]]


@cache
def _template(package: str, name: str) -> Template:
    environment = Environment(
        autoescape=True, finalize=isolated_value, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["style"] = _STYLE
    return environment.from_string(files(package).joinpath(name).read_text("utf-8"))


def page_of(package: str, name: str, values: Mapping[str, Any]) -> str:
    """The page that the template `name` of a package makes of values."""
    return _template(package, name).render(values)


def message_page(message: Message) -> str:
    """A page that has nothing of anybody's in it."""
    danish, english = message
    return page_of("ledgerbee.payments.pages", "message.html", {"danish": danish, "english": english})
