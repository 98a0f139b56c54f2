"""Addresses of pages that providers answer: browsers of customers are sent there."""

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

#: Names that are of this machine, or of nobody (RFC 6761).
_TEST_NAMES: Final = (".localhost", ".test")


def is_page_address(url: str) -> bool:
    """Whether a browser may be sent to it: `https`, or `http` at loopback addresses and names for tests."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and _is_for_tests(host)))


def page_address(url: str | None) -> str | None:
    """An address that a browser may be sent to; None for any other: as if there was none."""
    return url if url is not None and is_page_address(url) else None


def _is_for_tests(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return f".{host}".endswith(_TEST_NAMES)
