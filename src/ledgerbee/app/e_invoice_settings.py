"""What settings of e-invoices must be."""

from importlib.util import find_spec
from urllib.parse import urlsplit

from ledgerbee.core.addresses import address_of


def check_token(token: str, url: str | None) -> None:
    """Whether a bearer token may go to an address: over TLS, or to this machine.

    Raises `ValueError` with what the setting must be; the token isn't in it.
    """
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise ValueError("must be printable ASCII without spaces")
    server = urlsplit(url or "")
    address = address_of(server.hostname)
    if server.scheme != "https" and not (address is not None and address.is_loopback):
        raise ValueError("goes with an address that is https, or on this machine: http://127.0.0.1:port")


def check_as4(url: str | None) -> None:
    """Whether e-invoices can go by AS4: there is an address, and the package. Raises `ValueError`."""
    if url is None:
        raise ValueError("goes with LEDGERBEE_EINVOICE_URL, which is not set")
    if find_spec("as4") is None:
        raise ValueError("needs a package that isn't installed: pip install 'ledgerbee[as4]'")
