"""What one credential may give to another: never more than it has; and who counts as one caller."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.addresses import network_of
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.platform.credentials.model import Grant
from ledgerbee.platform.credentials.rules import check_addresses, check_scopes, fits, granted

END = datetime(2027, 1, 1, tzinfo=UTC)
OFFICE = ("10.0.0.0/9", "10.128.0.0/9", "2001:db8::/32")
HELD = Grant(("accounts-read", "company-read"), OFFICE, END)
FREE = Grant(HELD.scopes, (), None)


def refused(wanted: Grant, held: Grant = HELD) -> list[str]:
    with pytest.raises(LedgerBeeError) as refusal:
        granted(wanted, held)
    details = refusal.value.details
    return details.get("requiredScopes") or [error["property"] for error in details["validationErrors"]]


def test_what_is_left_out_is_the_givers() -> None:
    assert granted(Grant(("company-read",), (), None), HELD) == Grant(("company-read",), OFFICE, END)
    assert granted(Grant(("company-read",), (), None), FREE) == Grant(("company-read",), (), None)


def test_less_can_be_given() -> None:
    less = Grant(("company-read",), ("10.20.0.0/16", "2001:db8:1::/48"), END - timedelta(days=1))
    assert granted(less, HELD) == granted(less, FREE) == less


def test_more_can_not() -> None:
    assert refused(replace(HELD, scopes=("company-write", "bank-read"))) == ["bank-read", "company-write"]
    assert refused(replace(HELD, ip_allowlist=("10.1.2.3", "11.0.0.0/8", "::/0"))) == ["ipWhitelist.1", "ipWhitelist.2"]
    late = replace(HELD, expires_at=END + timedelta(seconds=1), ip_allowlist=("192.0.2.1",))
    assert refused(late) == ["ipWhitelist.0", "expiresAt"]


def test_two_halves_hold_the_whole() -> None:
    assert granted(replace(HELD, ip_allowlist=("10.0.0.0/8",)), HELD).ip_allowlist == ("10.0.0.0/8",)


def test_a_credential_fits_where_the_other_is_valid() -> None:
    assert fits(HELD, HELD)
    assert fits(HELD, FREE)
    assert fits(FREE, FREE)
    assert not fits(replace(HELD, expires_at=None), HELD)
    assert not fits(replace(HELD, ip_allowlist=()), HELD)
    assert not fits(replace(HELD, scopes=("bank-read",)), HELD)


def test_no_addresses_are_all_there_are() -> None:
    check_addresses(["192.0.2.1"], [])
    check_addresses([], [])
    check_addresses(["10.1.2.3"], OFFICE)
    for outside in ([], ["192.0.2.1"], ["2001:db9::1"]):
        with pytest.raises(LedgerBeeError):
            check_addresses(outside, OFFICE)


def test_scopes_that_nobody_gives() -> None:
    with pytest.raises(LedgerBeeError) as unknown:
        check_scopes(["company-read", "everything"])
    assert unknown.value.details["validationErrors"][0]["property"] == "scopes.1"
    with pytest.raises(LedgerBeeError) as partners:
        check_scopes(["portal-sso-mint"])
    assert (partners.value.code, partners.value.details) == (
        "API_KEY_SCOPE_NOT_ASSIGNABLE", {"scope": "portal-sso-mint"},
    )  # fmt: skip


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_a_caller_and_its_mapped_form_the_same_one(address: IPv4Address) -> None:
    assert network_of(str(address)) == network_of(f"::ffff:{address}") == str(address)


def test_of_ipv6_the_64_is_a_caller_and_what_is_no_address_stands_for_itself() -> None:
    assert network_of("2001:db8:0:1::7") == network_of("2001:db8:0:1:ffff::1") == "2001:db8:0:1::/64"
    assert (network_of("unix"), network_of(None)) == ("unix", "")
