"""The page of the development mailbox: what was mailed, as whoever gets it would see it, and nothing of it runs.

A mail is written by anybody: its texts are escaped; its HTML is shown in a frame without rights (`sandbox`), under a
policy that loads nothing; its files are downloads. The page answers to the names of this machine only, so that no
website can have a browser read it under a name of its own (DNS rebinding).
"""

from collections.abc import Sequence
from html import escape
from typing import Final, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from ledgerbee.app.inbox.mails import Inbox, KeptMail, texts_of
from ledgerbee.http.headers import content_disposition

T = TypeVar("T")

_HOSTS: Final = ["127.0.0.1", "localhost"]
_COMMON: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
_PAGE_POLICY: Final = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
#: Of a mail's own HTML, wherever it is opened: no script, no form, nothing from anywhere; its own styles and pictures.
_MAIL_POLICY: Final = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .35rem 1rem .35rem 0; border-bottom: 1px solid #ddd }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f6f6f6; padding: 1rem }
iframe { width: 100%; height: 24rem; border: 1px solid #ddd; background: #fff }
"""


def inbox_page(inbox: Inbox) -> Starlette:
    """The page over a mailbox."""

    async def show_list(_: Request) -> Response:
        return _page("Mailbox", _list(inbox.kept()))

    async def show_mail(request: Request) -> Response:
        mail = _found(inbox, request)
        return _page(texts_of(mail).subject, _mail(mail))

    async def show_html(request: Request) -> Response:
        html = texts_of(_found(inbox, request)).html
        return HTMLResponse(_there(html), headers={**_COMMON, "Content-Security-Policy": _MAIL_POLICY})

    async def show_source(request: Request) -> Response:
        return PlainTextResponse(_found(inbox, request).content, headers=_COMMON)

    async def download(request: Request) -> Response:
        files = texts_of(_found(inbox, request)).files
        place: int = request.path_params["place"]
        name, content = _there(files[place - 1] if 1 <= place <= len(files) else None)
        headers = {**_COMMON, "Content-Disposition": content_disposition(name)}
        return Response(content, media_type="application/octet-stream", headers=headers)

    async def style(_: Request) -> Response:
        return Response(_STYLE, media_type="text/css", headers=_COMMON)

    return Starlette(
        routes=[
            Route("/", show_list),
            Route("/style.css", style),
            Route("/mails/{number:int}", show_mail),
            Route("/mails/{number:int}/html", show_html),
            Route("/mails/{number:int}/source", show_source),
            Route("/mails/{number:int}/files/{place:int}", download),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS, www_redirect=False)],
    )


def _found(inbox: Inbox, request: Request) -> KeptMail:
    return _there(inbox.find(request.path_params["number"]))


def _there(found: T | None) -> T:
    if found is None:
        raise HTTPException(404)
    return found


def _page(title: str, content: str) -> Response:
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<link rel="stylesheet" href="/style.css"></head><body>{content}</body></html>'
    )
    return HTMLResponse(text, headers={**_COMMON, "Content-Security-Policy": _PAGE_POLICY})


def _list(mails: Sequence[KeptMail]) -> str:
    if not mails:
        return "<h1>Mailbox</h1><p>Nothing was mailed yet.</p>"
    rows = "".join(
        f"<tr><td>{mail.number}</td>"
        f'<td><a href="/mails/{mail.number}">{escape(texts.subject) or "(no subject)"}</a></td>'
        f"<td>{escape(texts.sender)}</td><td>{escape(', '.join(mail.recipients))}</td><td>{escape(texts.date)}</td>"
        f"<td>{len(texts.files)}</td></tr>"
        for mail in mails
        for texts in [texts_of(mail)]
    )
    head = "".join(f"<th>{name}</th>" for name in ("", "Subject", "From", "To", "Date", "Files"))
    return f"<h1>Mailbox</h1><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _mail(mail: KeptMail) -> str:
    texts = texts_of(mail)
    facts = {"From": texts.sender, "To": ", ".join(mail.recipients), "Date": texts.date, "Comes back to": mail.sender}
    rows = "".join(f"<tr><th>{name}</th><td>{escape(value)}</td></tr>" for name, value in facts.items())
    files = "".join(
        f'<li><a href="/mails/{mail.number}/files/{place}" download>{escape(name)}</a> ({len(content):,} bytes)</li>'
        for place, (name, content) in enumerate(texts.files, 1)
    )
    parts = [
        '<p><a href="/">All mails</a></p>',
        f"<h1>{escape(texts.subject)}</h1><table>{rows}</table>",
        f"<h2>Files</h2><ul>{files}</ul>" if files else "",
        f'<h2>HTML</h2><iframe sandbox src="/mails/{mail.number}/html" title="HTML of the mail"></iframe>'
        if texts.html is not None
        else "",
        f"<h2>Text</h2><pre>{escape(texts.plain)}</pre>" if texts.plain is not None else "",
        f'<p><a href="/mails/{mail.number}/source">Source</a></p>',
    ]
    return "".join(parts)
