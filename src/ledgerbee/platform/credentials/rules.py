"""Pure rules of credentials: which scopes may be given, by whom, and from which addresses one may call."""

from collections.abc import Collection, Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

from ledgerbee.core.addresses import address_of
from ledgerbee.core.errors import invalid, refuse
from ledgerbee.platform.credentials.model import (
    API_KEY_SCOPE_NOT_ASSIGNABLE,
    INSUFFICIENT_PERMISSIONS,
    PARTNER_SCOPES,
    SCOPES,
    Grant,
)


def check_scopes(scopes: Sequence[str]) -> None:
    """Refuse unknown scopes and those that only Partner SSO keys carry (contract 1.2).

    Raises `API_KEY_SCOPE_NOT_ASSIGNABLE` and a validation error.
    """
    problems = []
    for index, scope in enumerate(scopes):
        if scope in PARTNER_SCOPES:
            raise API_KEY_SCOPE_NOT_ASSIGNABLE.error(scope=scope)
        if scope not in SCOPES:
            problems.append((f"scopes.{index}", "isIn", f"scopes.{index} must be a known scope"))
    refuse(problems)


def check_grant(scopes: Collection[str], held: Collection[str]) -> None:
    """Refuse to give away what the giver doesn't have. Raises `INSUFFICIENT_PERMISSIONS` naming what is missing."""
    missing = sorted(set(scopes) - set(held))
    if missing:
        raise INSUFFICIENT_PERMISSIONS.error(
            "A credential can only give scopes that it carries itself", requiredScopes=missing
        )


def check_allowlist(entries: Sequence[str]) -> None:
    """Refuse what is neither an IP address nor a network in CIDR notation. Raises a validation error."""
    problems = []
    for index, entry in enumerate(entries):
        try:
            ip_network(entry, strict=False)
        except ValueError:
            text = f"ipWhitelist.{index} must be an IP address or a network"
            problems.append((f"ipWhitelist.{index}", "isIp", text))
    refuse(problems)


def granted(wanted: Grant, held: Grant) -> Grant:
    """What a credential gets that another one makes, which holds `held`: never more than that one has.

    Without addresses of its own it gets the maker's, without an expiry the maker's too. Raises
    `INSUFFICIENT_PERMISSIONS` for a scope that isn't held, and validation errors for an address or an expiry outside.
    """
    check_grant(wanted.scopes, held.scopes)
    problems = [
        (
            f"ipWhitelist.{index}",
            "isWithin",
            f"ipWhitelist.{index} must lie within the addresses of the credential used",
        )
        for index, entry in enumerate(wanted.ip_allowlist)
        if not _are_within([entry], held.ip_allowlist)
    ]
    latest = held.expires_at
    if latest is not None and wanted.expires_at is not None and wanted.expires_at > latest:
        problems.append(("expiresAt", "maxDate", "expiresAt must not be after that of the credential used"))
    refuse(problems)
    return Grant(wanted.scopes, wanted.ip_allowlist or held.ip_allowlist, wanted.expires_at or latest)


def check_addresses(wanted: Sequence[str], held: Sequence[str]) -> None:
    """Refuse addresses outside of `held`; no addresses are all there are. Raises a validation error."""
    if not _are_within(wanted, held):
        text = "ipWhitelist must lie within the addresses of the credential used and of the one that made it"
        raise invalid(("ipWhitelist", "isWithin", text))


def fits(grant: Grant, held: Grant) -> bool:
    """Whether a credential with `grant` is valid nowhere and never where one with `held` isn't."""
    return (
        set(grant.scopes) <= set(held.scopes)
        and _are_within(grant.ip_allowlist, held.ip_allowlist)
        and (held.expires_at is None or (grant.expires_at is not None and grant.expires_at <= held.expires_at))
    )


def _are_within(entries: Sequence[str], held: Sequence[str]) -> bool:
    """Whether all addresses that `entries` let in are let in by `held`; no entries let in any address."""
    if not held or not entries:
        return not held
    networks = [ip_network(entry, strict=False) for entry in held]
    v4 = list(collapse_addresses(network for network in networks if isinstance(network, IPv4Network)))
    v6 = list(collapse_addresses(network for network in networks if isinstance(network, IPv6Network)))
    return all(_is_within(ip_network(entry, strict=False), v4, v6) for entry in entries)


def _is_within(network: IPv4Network | IPv6Network, v4: Iterable[IPv4Network], v6: Iterable[IPv6Network]) -> bool:
    if isinstance(network, IPv4Network):
        return any(network.subnet_of(one) for one in v4)
    return any(network.subnet_of(one) for one in v6)


def is_address_allowed(host: str | None, allowlist: Sequence[str]) -> bool:
    """True when the address `host` lies in the list, or the list is empty: then any address will do."""
    if not allowlist:
        return True
    address = address_of(host)
    return address is not None and any(address in ip_network(entry, strict=False) for entry in allowlist)
