"""What is decided of the pages of people: where they lead, in which language they are, whose forms are taken. Pure."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from ledgerbee.identity.pages.model import LANGUAGES

FORM: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 40
_LONGEST_PATH: Final = 4_000
#: A path of this site: one slash, then nothing that a browser takes for a host (`//`, `/\`) or leaves out (controls).
_PATH: Final = re.compile(r"/(?![/\\])[!-\[\]-~]*")


def path_within(text: str) -> str | None:
    """Where a page leads on to, as its address said it: a path of this site with its query; None for anything else."""
    return text if len(text) <= _LONGEST_PATH and _PATH.fullmatch(text) else None


def base_path_of(base_url: str) -> str:
    """What a proxy has put before the paths of this site: empty, or a path without a slash at its end."""
    return urlsplit(base_url).path.rstrip("/")


def form_token(secret: str) -> str:
    """What the forms of a page send along: only a page that was opened with the cookie `secret` can have it."""
    return hmac.new(secret.encode(), b"form of a page", hashlib.sha256).hexdigest()


def read_fields(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a form. What can't be read, or says something twice, is a form without anything in it."""
    if content_type.partition(";")[0].strip().lower() != FORM:
        return {}
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:  # not ASCII, not UTF-8 behind its percent signs, too many fields
        return {}
    fields = dict(pairs)
    return {} if len(fields) < len(pairs) or any("\0" in text for text in fields.values()) else fields


def is_own(fields: Mapping[str, str], token: str) -> bool:
    """Whether a form has the token of the page that it has to be sent from."""
    return hmac.compare_digest(fields.get("token", "").encode(), token.encode())


def language_of(asked: str | None, chosen: str | None, accepted: str) -> str:
    """The language of a page: what its address asks for, else what the person chose, else what the browser takes.

    `accepted` is the header `Accept-Language` (RFC 9110, 12.5.4).
    """
    for one in (asked, chosen):
        if one in LANGUAGES:
            return str(one)
    wanted = []
    for part in accepted[:500].split(","):
        tag, _, weight = part.strip().partition(";")
        quality = weight.strip().removeprefix("q=")
        try:
            wanted.append((-(float(quality) if quality else 1.0), tag.strip().lower().partition("-")[0]))
        except ValueError:
            continue
    for negative, tag in sorted(wanted, key=lambda one: one[0]):
        if negative < 0 and tag in LANGUAGES:
            return tag
    return LANGUAGES[0]


def address_in(language: str, path: str, query: str) -> str:
    """The address of a page in another language."""
    kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "language"]
    return f"{path}?{urlencode([*kept, ('language', language)])}"
