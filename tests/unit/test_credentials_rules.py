"""From which addresses a credential may be used, and which scopes can be given."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.cells import DEFAULT_CELL, new_secret
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.platform.credentials.model import PARTNER_SCOPES, SCOPES, secret_hash
from ledgerbee.platform.credentials.rules import check_allowlist, check_grant, check_scopes, is_address_allowed

addresses = st.ip_addresses()
networks = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.integers(0, 32)), st.tuples(st.ip_addresses(v=6), st.integers(0, 128))
).map(lambda pair: f"{pair[0]}/{pair[1]}")


@given(addresses, st.lists(networks, min_size=1, max_size=4))
def test_an_address_is_allowed_when_one_of_the_networks_has_it(
    address: IPv4Address | IPv6Address, allowlist: list[str]
) -> None:
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    expected = any(address in ip_network(entry, strict=False) for entry in allowlist)
    assert is_address_allowed(str(address), allowlist) is expected


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_a_mapped_address_is_the_ipv4_address_it_is(address: IPv4Address, bits: int) -> None:
    allowlist = [f"{address}/{bits}"]
    assert is_address_allowed(str(address), allowlist)
    assert is_address_allowed(f"::ffff:{address}", allowlist)


@pytest.mark.parametrize("host", [None, "", "localhost", "203.0.113.7:80", "unix:"])
def test_what_is_no_address_is_allowed_only_without_a_list(host: str | None) -> None:
    assert is_address_allowed(host, [])
    assert not is_address_allowed(host, ["0.0.0.0/0", "::/0"])


@given(networks)
def test_every_network_can_be_on_a_list(network: str) -> None:
    check_allowlist([network, network.split("/", maxsplit=1)[0]])


@pytest.mark.parametrize("entry", ["", "host", "1.2.3", "1.2.3.4/33", "::/129", "1.2.3.4-5", "*"])
def test_other_text_can_not(entry: str) -> None:
    with pytest.raises(LedgerBeeError) as refused:
        check_allowlist(["10.0.0.1", entry])
    assert refused.value.details["validationErrors"][0]["property"] == "ipWhitelist.1"


@given(st.sets(st.sampled_from(SCOPES)), st.sets(st.sampled_from(SCOPES)))
def test_only_what_is_held_can_be_given(wanted: set[str], held: set[str]) -> None:
    check_scopes(sorted(wanted))
    if wanted <= held:
        check_grant(wanted, held)
    else:
        with pytest.raises(LedgerBeeError) as refused:
            check_grant(wanted, held)
        assert refused.value.code == "INSUFFICIENT_PERMISSIONS"
        assert refused.value.details == {"requiredScopes": sorted(wanted - held)}


def test_partner_scopes_are_never_ordinary_ones() -> None:
    assert not set(PARTNER_SCOPES) & set(SCOPES)
    assert list(SCOPES) == sorted(set(SCOPES))
    for scope in PARTNER_SCOPES:
        with pytest.raises(LedgerBeeError, match="Partner SSO"):
            check_scopes([scope])


def test_secrets_are_long_and_never_the_same() -> None:
    secrets = {new_secret("lb_", DEFAULT_CELL) for _ in range(100)}
    assert len({secret_hash(secret) for secret in secrets}) == 100
    assert all(len(secret) == len("lb_00.") + 43 for secret in secrets)
