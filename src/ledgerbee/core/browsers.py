"""What a browser says of where a form was sent from."""

from urllib.parse import urlsplit


def is_foreign(site: str | None, origin: str | None, hosts: frozenset[str]) -> bool:
    """Whether a form was sent by a page of somebody else's, as far as the browser says it.

    `site` is `Sec-Fetch-Site`, which browsers have sent since 2023; `origin` is for older ones, and `null` from our
    page, which has a referrer policy of `no-referrer` (Fetch, 3.2); `hosts` are our own names.
    """
    if site is not None:
        return site not in {"same-origin", "none"}
    if origin in {None, "null"}:
        return False
    try:
        return (urlsplit(origin or "").hostname or "") not in hosts
    except ValueError:  # no address at all
        return True
