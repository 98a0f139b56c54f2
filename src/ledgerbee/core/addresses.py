"""IP addresses of clients and servers, as sockets show them."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


def address_of(host: str | None) -> IPv4Address | IPv6Address | None:
    """The address that `host` says; None where it says none (a Unix socket, or a proxy that hides its client).

    An IPv4 address that a dual-stack socket shows as IPv6 (`::ffff:192.0.2.1`) counts as the IPv4 address it is.
    """
    try:
        address = ip_address((host or "").partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def network_of(host: str | None) -> str:
    """What counts as one client: an IPv4 address; of IPv6 the /64, which is one customer's at the least."""
    address = address_of(host)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return str(address or host or "")
