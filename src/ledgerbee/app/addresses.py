"""Which addresses are of this machine alone."""

from ipaddress import ip_network


def is_loopback(host: str) -> bool:
    """Whether an address, or a network, is of this machine alone."""
    try:
        return ip_network(host.strip("[]"), strict=False).is_loopback
    except ValueError:
        return host == "localhost"
