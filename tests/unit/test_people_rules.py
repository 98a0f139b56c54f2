"""What is decided of people, their roles and their pages."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.identity.pages import rules as pages
from ledgerbee.identity.sign_in import codes
from ledgerbee.identity.users import rules
from ledgerbee.identity.users.model import Invitation, InvitationId, Membership, MembershipId, Role, UserId
from ledgerbee.identity.users.passwords import fault_of
from ledgerbee.platform.credentials.model import PARTNER_SCOPES, SCOPES

NOW = datetime(2026, 3, 16, 12, tzinfo=UTC)


def member(role: Role) -> Membership:
    return Membership(
        id=MembershipId(new_id()), user_id=UserId(new_id()), role=role, created_at=NOW, updated_at=NOW
    )  # fmt: skip


def test_each_role_has_known_scopes_within_the_owners() -> None:
    for scopes in rules.SCOPES_OF.values():
        assert scopes <= set(SCOPES)
        assert not scopes & set(PARTNER_SCOPES)
    others = [rules.SCOPES_OF[role] for role in (Role.ACCOUNTANT, Role.SALES, Role.READ_ONLY)]
    assert all("users-write" not in scopes and "api-keys-write" not in scopes for scopes in others)
    assert {scope for scope in rules.SCOPES_OF[Role.READ_ONLY] if scope.endswith("-write")} == {"connections-write"}


@pytest.mark.parametrize(
    ("roles", "held", "refused"),
    [
        ([Role.OWNER], None, False),
        ([Role.OWNER], SCOPES, False),
        ([Role.OWNER], [scope for scope in SCOPES if scope != "bank-read"], True),
        ([Role.SALES, Role.OWNER], rules.SCOPES_OF[Role.SALES], True),
        ([Role.SALES], rules.SCOPES_OF[Role.SALES], False),
        ([], [], False),
    ],
)
def test_nobody_gives_more_than_the_own(roles: list[Role], held: Any, refused: bool) -> None:
    if refused:
        with pytest.raises(LedgerBeeError, match="scopes"):
            rules.check_may_give(roles, held)
    else:
        rules.check_may_give(roles, held)


def test_a_company_has_an_owner() -> None:
    owner, other, clerk = member(Role.OWNER), member(Role.OWNER), member(Role.SALES)
    for role in (None, Role.SALES):
        with pytest.raises(LedgerBeeError):
            rules.check_owner_stays([owner, clerk], owner.user_id, role)
        rules.check_owner_stays([owner, other], owner.user_id, role)
        rules.check_owner_stays([owner, clerk], clerk.user_id, role)
    rules.check_owner_stays([owner], owner.user_id, Role.OWNER)
    rules.check_owner_stays([clerk], clerk.user_id, None)


@pytest.mark.parametrize(
    ("changes", "now", "status"),
    [
        ({}, NOW, "pending"),
        ({}, NOW + timedelta(days=7), "expired"),
        ({"accepted_at": NOW}, NOW + timedelta(days=8), "accepted"),
        ({"revoked_at": NOW}, NOW, "revoked"),
    ],
)
def test_what_becomes_of_an_invitation(changes: dict[str, Any], now: datetime, status: str) -> None:
    invitation = Invitation(
        id=InvitationId(new_id()), email="a@b.dk", role=Role.SALES, language="da", invited_by="operator:cli",
        created_at=NOW, expires_at=NOW + timedelta(days=7), **changes,
    )  # fmt: skip
    assert rules.status_of(invitation, now) == status


@pytest.mark.parametrize(
    ("text", "email"),
    [
        (" Mette@Example.COM ", "mette@example.com"), ("ib@blåbær.example.com", "ib@xn--blbr-roah.example.com"),
        ("å@example.com", None), ("x", None), ("", None), ("a@b@c.dk", None), ("a\0@example.com", None),
    ],
)  # fmt: skip
def test_addresses_of_accounts(text: str, email: str | None) -> None:
    assert rules.account_email(text) == email


def test_names_are_one_line_of_what_shows() -> None:
    assert rules.tidy_name("  Åse\n\u202eHolm\u200b\0 ") == "Åse Holm"
    assert rules.tidy_name("A\u030a" * 300) == "Å" * 200


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("korrekt hest batteri", None), ("kort", "password_short"), ("x" * 257, "password_long"),
        ("Mette.Holm@Example.com", "password_is_email"), ("mette.holm  ", "password_is_email"),
        ("Password 1234", "password_common"), ("aaaaaaaaaaaaaaaa", "password_common"),
        ("12121212121212", "password_common"),
    ],
)  # fmt: skip
def test_which_passwords_are_taken(password: str, fault: str | None) -> None:
    assert fault_of(password, "mette.holm@example.com") == fault


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("/account", True), ("/oauth/authorize?client_id=https%3A%2F%2Fa.dk&x=%2f", True), ("/a//b", True),
        ("/.//b", True),
        ("//evil.dk", False), ("/\\evil.dk", False), ("https://evil.dk", False), ("", False), ("account", False),
        ("/a\\b", False), ("/a b", False), ("/a\r\nSet-Cookie: x", False), ("/æ", False), ("/" + "a" * 4_000, False),
    ],
)  # fmt: skip
def test_where_a_page_leads_on_to(text: str, kept: bool) -> None:
    assert pages.path_within(text) == (text if kept else None)


def test_paths_below_a_proxys() -> None:
    assert pages.base_path_of("https://books.example") == ""
    assert pages.base_path_of("https://books.example/a/b/") == "/a/b"


@pytest.mark.parametrize(
    ("kind", "body", "fields"),
    [
        (pages.FORM, b"a=1&b=", {"a": "1", "b": ""}), (f"{pages.FORM}; charset=utf-8", b"a=%C3%A6", {"a": "æ"}),
        ("text/plain", b"a=1", {}), (pages.FORM, b"a=1&a=2", {}), (pages.FORM, b"a=%FF", {}),
        (pages.FORM, b"a=%00", {}),
        (pages.FORM, "a=æ".encode(), {}), (pages.FORM, b"&".join(b"%d=" % n for n in range(50)), {}),
    ],
)  # fmt: skip
def test_forms(kind: str, body: bytes, fields: dict[str, str]) -> None:
    assert pages.read_fields(kind, body) == fields


def test_forms_have_the_token_of_their_page() -> None:
    token = pages.form_token("a")
    assert pages.is_own({"token": token}, token)
    assert not any(pages.is_own(fields, token) for fields in ({}, {"token": ""}, {"token": pages.form_token("b")}))
    assert not pages.is_own({"token": "æ"}, token)


@pytest.mark.parametrize(
    ("asked", "chosen", "accepted", "language"),
    [
        ("da", "en", "en", "da"), ("xx", "da", "en", "da"), (None, None, "da-DK,da;q=0.9,en;q=0.8", "da"),
        (None, None, "de, en;q=0.5, da;q=0.7", "da"), (None, None, "", "en"), (None, None, "da;q=0", "en"),
        (None, None, "da;q=x, en", "en"), (None, "", "*", "en"),
    ],
)  # fmt: skip
def test_the_language_of_a_page(asked: str | None, chosen: str | None, accepted: str, language: str) -> None:
    assert pages.language_of(asked, chosen, accepted) == language


def test_the_same_page_in_another_language() -> None:
    assert pages.address_in("da", "/sign-in", "next=%2Fa&language=en") == "/sign-in?next=%2Fa&language=da"


def test_one_time_passwords_by_the_published_example() -> None:
    """RFC 6238, appendix B: the SHA-1 secret, and the last six of its eight digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    at = datetime.fromtimestamp(1111111109, UTC)
    period = 1111111109 // 30
    assert codes.period_of(secret, "081 804", at) == period
    assert codes.period_of(secret, "081804", at + timedelta(seconds=30)) == period
    assert codes.period_of(secret, "081804", at - timedelta(seconds=30)) == period
    assert codes.period_of(secret, "081804", at + timedelta(seconds=61)) is None
    for wrong in ("", "81804", "0818041", "٠٨١٨٠٤", "abcdef"):
        assert codes.period_of(secret, wrong, at) is None


def test_recovery_codes() -> None:
    made = codes.new_recovery_codes()
    assert len(set(made)) == 10
    first = made[0]
    assert codes.recovery_hash(first) == codes.recovery_hash(first.lower().replace("-", " ")) is not None
    assert codes.recovery_hash("123456") is None
    assert codes.is_totp_secret(codes.new_totp_secret())
    assert not codes.is_totp_secret("GEZD")
