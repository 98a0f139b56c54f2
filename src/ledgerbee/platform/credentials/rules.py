"""Pure rules of credentials: which scopes may be given, by whom, and from which addresses one may call."""

from collections.abc import Collection, Sequence
from ipaddress import IPv6Address, ip_address, ip_network

from ledgerbee.core.errors import invalid
from ledgerbee.platform.credentials.model import (
    API_KEY_SCOPE_NOT_ASSIGNABLE,
    INSUFFICIENT_PERMISSIONS,
    PARTNER_SCOPES,
    SCOPES,
)


def check_scopes(scopes: Sequence[str]) -> None:
    """Refuse unknown scopes and those that only Partner SSO keys carry (contract 1.2).

    Raises `API_KEY_SCOPE_NOT_ASSIGNABLE` and a validation error.
    """
    for index, scope in enumerate(scopes):
        if scope in PARTNER_SCOPES:
            raise API_KEY_SCOPE_NOT_ASSIGNABLE.error(scope=scope)
        if scope not in SCOPES:
            raise invalid((f"scopes.{index}", "isIn", f"scopes.{index} must be a known scope"))


def check_grant(scopes: Collection[str], held: Collection[str]) -> None:
    """Refuse to give away what the giver doesn't have. Raises `INSUFFICIENT_PERMISSIONS` naming what is missing."""
    missing = sorted(set(scopes) - set(held))
    if missing:
        raise INSUFFICIENT_PERMISSIONS.error(
            "A credential can only give scopes that it carries itself", requiredScopes=missing
        )


def check_allowlist(entries: Sequence[str]) -> None:
    """Refuse what is neither an IP address nor a network in CIDR notation. Raises a validation error."""
    for index, entry in enumerate(entries):
        try:
            ip_network(entry, strict=False)
        except ValueError:
            text = f"ipWhitelist.{index} must be an IP address or a network"
            raise invalid((f"ipWhitelist.{index}", "isIp", text)) from None


def is_address_allowed(host: str | None, allowlist: Sequence[str]) -> bool:
    """True when the address `host` lies in the list, or the list is empty: then any address will do.

    An IPv4 address that a dual-stack socket shows as IPv6 (`::ffff:192.0.2.1`) counts as the IPv4 address it is.
    """
    if not allowlist:
        return True
    try:
        address = ip_address(host or "")
    except ValueError:  # a Unix socket, or a proxy that hides its client
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in ip_network(entry, strict=False) for entry in allowlist)
