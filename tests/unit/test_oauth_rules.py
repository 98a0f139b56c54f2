"""Form bodies and client authentication of RFC 6749."""

import base64
from collections.abc import Callable
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.tenancy.oauth import rules
from ledgerbee.tenancy.oauth.model import ClientCredentials, OAuthRefusal


def refusal_of(call: Callable[[], object]) -> OAuthRefusal | None:
    try:
        call()
    except OAuthRefusal as refused:
        return refused
    return None


text = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@given(st.dictionaries(text, text, max_size=10))
def test_a_form_is_read_as_it_was_written(form: dict[str, str]) -> None:
    assert rules.read_form(f"{rules.FORM}; charset=utf-8", urlencode(form).encode()) == form


@given(st.dictionaries(text, text, min_size=1, max_size=5), st.data())
def test_a_parameter_twice_is_refused(form: dict[str, str], data: st.DataObject) -> None:
    twice = data.draw(st.sampled_from(sorted(form)))
    body = urlencode([*form.items(), (twice, data.draw(text))]).encode()
    with pytest.raises(OAuthRefusal) as refused:
        rules.read_form(rules.FORM, body)
    assert (refused.value.error, refused.value.status) == ("invalid_request", 400)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    refusal = refusal_of(lambda: rules.read_form(rules.FORM, body))
    assert refusal is None or refusal.error == "invalid_request"


@given(text, text)
def test_http_basic_is_read_as_it_was_written(client_id: str, secret: str) -> None:
    encoded = base64.b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()
    shown = ClientCredentials(client_id, secret)
    assert rules.client_credentials({}, f"Basic {encoded}") == shown
    assert rules.client_credentials({"client_id": client_id, "client_secret": secret}, None) == shown


@given(st.text(max_size=60))
def test_any_header_is_read_or_refused(authorization: str) -> None:
    refusal = refusal_of(lambda: rules.client_credentials({}, authorization))
    assert refusal is None or (refusal.error, refusal.status) == ("invalid_client", 401)


@pytest.mark.parametrize("content_type", ["", "application/json", "multipart/form-data", "text/plain"])
def test_another_media_type_is_refused(content_type: str) -> None:
    with pytest.raises(OAuthRefusal, match="body must be"):
        rules.read_form(content_type, b"a=b")


@pytest.mark.parametrize(
    "form", [{"client_secret": "s"}, {"client_id": "other"}, {"client_id": "id", "client_secret": "secret"}]
)
def test_one_way_of_authentication_is_enough(form: dict[str, str]) -> None:
    basic = f"Basic {base64.b64encode(b'id:secret').decode()}"
    refusal = refusal_of(lambda: rules.client_credentials(form, basic))
    assert refusal is not None
    assert refusal.error == "invalid_request"
    assert rules.client_credentials({"client_id": "id"}, basic) == ClientCredentials("id", "secret")


@pytest.mark.parametrize("form", [{}, {"client_id": "id"}, {"client_secret": "s"}])
def test_none_is_too_little(form: dict[str, str]) -> None:
    refusal = refusal_of(lambda: rules.client_credentials(form, None))
    assert refusal is not None
    assert (refusal.error, refusal.status) == ("invalid_client", 401)


def test_which_grants_there_are() -> None:
    for name in rules.GRANT_TYPES:
        assert rules.grant_type_of({"grant_type": name}) == name
    refusals = [refusal_of(lambda form=form: rules.grant_type_of(form)) for form in ({}, {"grant_type": "password"})]  # type: ignore[misc]
    assert [refusal and refusal.error for refusal in refusals] == ["invalid_request", "unsupported_grant_type"]


def test_a_revocation_names_its_token() -> None:
    assert rules.token_to_revoke({"token": "t"}) == "t"
    refusal = refusal_of(lambda: rules.token_to_revoke({}))
    assert refusal is not None
    assert refusal.error == "invalid_request"
