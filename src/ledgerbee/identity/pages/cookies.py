"""The cookies of pages: sent to this host alone, not shown to scripts, not sent along by other sites' forms."""

from typing import Final

from fastapi import Request, Response

from ledgerbee.identity.pages.addresses import is_secure

#: The session of a user, what a browser has before it has one, the chosen language, and that of a known browser.
SESSION: Final = "ledgerbee_session"
BEFORE_SESSION: Final = "ledgerbee_form"
LANGUAGE: Final = "ledgerbee_language"
DEVICE: Final = "ledgerbee_device"
#: A sign-in that waits for its second factor.
STEP: Final = "ledgerbee_step"


def read(request: Request, name: str) -> str | None:
    """The value of a cookie of ours; None where there is none."""
    return request.cookies.get(_full_name(request, name)) or None


def write(request: Request, response: Response, name: str, value: str, seconds: int | None = None) -> None:
    """Have the browser keep a cookie for so long, or until it is closed."""
    response.set_cookie(
        _full_name(request, name), value, max_age=seconds, path="/", secure=is_secure(request), httponly=True,
        samesite="lax",
    )  # fmt: skip


def remove(request: Request, response: Response, name: str) -> None:
    """Have the browser forget a cookie."""
    response.delete_cookie(
        _full_name(request, name), path="/", secure=is_secure(request), httponly=True, samesite="lax"
    )


def _full_name(request: Request, name: str) -> str:
    """With `https` no other host, nor a page that was not encrypted, can have set it (RFC 6265bis, 4.1.3.2)."""
    return f"__Host-{name}" if is_secure(request) else name
