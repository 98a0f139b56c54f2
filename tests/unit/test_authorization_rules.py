"""What the authorization server decides: redirect URIs, proof keys, scopes, resources, requests, metadata."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.identity.authorization.model import (
    MAX_STATE,
    Access,
    Client,
    ClientRefusedError,
    Registration,
    RequestRefusedError,
)
from ledgerbee.identity.authorization.rules import documents, metadata, redirects, requests, resources, scopes
from ledgerbee.identity.authorization.rules.documents import MetadataRefusedError
from ledgerbee.identity.authorization.rules.proof_keys import challenge_of, is_challenge, proves
from ledgerbee.identity.authorization.rules.successors import is_in_grace, seal, unseal
from ledgerbee.identity.authorization.rules.token_forms import claimed_client
from ledgerbee.identity.users.model import Role
from ledgerbee.identity.users.rules import SCOPES_OF
from ledgerbee.platform.credentials.model import PARTNER_SCOPES, SCOPES
from ledgerbee.tenancy.oauth.model import OAuthRefusal

BASE = "https://books.example.dk"
COMPANY = UUID("018f4e6a-7b1c-7d2e-9f3a-1b2c3d4e5f60")

#: URI -> whether a public client may have it, whether one with a secret may.
REDIRECTS = {
    "https://claude.ai/api/mcp/auth_callback": (True, True),
    "https://host:8443/x?y=z": (True, True),
    "https://[2001:db8::1]/x": (True, True),
    "https://host": (True, True),
    "https://host/@me": (True, True),
    "http://127.0.0.1/callback": (True, True),
    "http://localhost:54545/callback": (True, True),
    "http://[::1]:1/": (True, True),
    "http://localhost": (True, True),
    "http://localhost?x": (True, True),
    "cursor://anysphere.cursor-mcp/oauth/callback": (True, False),
    "vscode://vscode.github-authentication/did-authenticate": (True, False),
    "com.example.app:/oauth": (True, False),
    "vscode-insiders://x/y": (True, False),
    "com.example-1.app://x": (True, False),
    "data+x:text/html,x": (False, False),
    "ms-word:ofe|u|https://evil.dk/x.docm": (False, False),
    "ms-excel:ofe|u|x": (False, False),
    "search-ms:query=x": (False, False),
    "shell:startup": (False, False),
    "steam://run/1": (False, False),
    "com.:x": (False, False),
    "com..app:x": (False, False),
    "com.app+x:y": (False, False),
    "http://localhost.evil.dk/": (False, False),
    "http://127.0.0.1@evil.dk/": (False, False),
    "http://127.0.0.1.evil.dk/": (False, False),
    "http://127.1/": (False, False),
    "http://0.0.0.0/": (False, False),
    "http://LOCALHOST/": (False, False),
    "http://example.com/": (False, False),
    "http://localhost:0/": (False, False),
    "http://localhost:65536/": (False, False),
    "http://localhost:123456/": (False, False),
    "https://user@host/": (False, False),
    "https://user:pass@host/": (False, False),
    "https://host:0/": (False, False),
    "https://host/#x": (False, False),
    "https://host/;script-src": (False, False),
    "https://host/a b": (False, False),
    "https://host\\@evil.dk/": (False, False),
    "https:///path": (False, False),
    "https:host": (False, False),
    " https://host/": (False, False),
    "https://høst.dk/": (False, False),
    "https://host/\n": (False, False),
    "https://host/'": (False, False),
    "https://" + "x" * 2100: (False, False),
    "javascript:alert(1)": (False, False),
    "JavaScript:alert(1)": (False, False),
    "javascript://x/%0aalert(1)": (False, False),
    "data:text/html,x": (False, False),
    "file:///etc/passwd": (False, False),
    "blob:https://host/x": (False, False),
    "vbscript:x": (False, False),
    "cursor:": (False, False),
    "cursor://user@host/x": (False, False),
    "1app://x": (False, False),
    "//host/x": (False, False),
    "/callback": (False, False),
    "": (False, False),
}


@pytest.mark.parametrize(("uri", "allowed"), REDIRECTS.items())
def test_where_answers_may_go(uri: str, allowed: tuple[bool, bool]) -> None:
    assert (redirects.is_redirect(uri, is_public=True), redirects.is_redirect(uri, is_public=False)) == allowed


@pytest.mark.parametrize(
    ("wanted", "registered", "found"),
    [
        ("http://localhost:54545/callback", "http://localhost/callback", True),
        ("http://127.0.0.1:1/callback", "http://127.0.0.1:2/callback", True),
        ("http://[::1]/callback?x", "http://[::1]:2/callback?x", True),
        ("http://localhost:54545/callback", "http://127.0.0.1/callback", False),
        ("http://localhost:54545/callback/", "http://localhost/callback", False),
        ("http://localhost:54545/Callback", "http://localhost/callback", False),
        ("http://localhost:54545/callback", "https://localhost/callback", False),
        ("http://localhost.evil.dk/callback", "http://localhost/callback", False),
        ("http://127.0.0.1@evil.dk/callback", "http://127.0.0.1/callback", False),
        ("https://host:8443/x", "https://host/x", False),
        ("https://host/x", "https://host/x", True),
        ("https://HOST/x", "https://host/x", False),
        ("cursor://a/b", "cursor://a/b", True),
        ("cursor://a/b?c", "cursor://a/b", False),
    ],
)
def test_a_redirect_uri_is_one_of_the_clients(wanted: str, registered: str, found: bool) -> None:
    assert redirects.matches(wanted, ["https://other/", registered]) is found


@given(st.text(max_size=60), st.booleans())
def test_any_text_is_allowed_or_not(text: str, is_public: bool) -> None:
    """What is allowed breaks no header and no policy, and leads a browser nowhere else than we read in it."""
    if redirects.is_redirect(text, is_public=is_public):
        assert text.isascii()
        assert not set(text) & set(" ;\"'<>\\#\r\n,") - {","}
        assert not set(redirects.policy_source(text)) & set(" ;,'")
        assert urlsplit(text).username is None
        assert redirects.matches(text, [text])


def test_what_is_shown_and_allowed_of_a_redirect() -> None:
    for uri, host, source, is_loopback in (
        ("https://claude.ai/x?y", "claude.ai", "https://claude.ai", False),
        ("https://host:8443/x", "host:8443", "https://host:8443", False),
        ("http://localhost:1/x", "localhost:1", "http://localhost:1", True),
        ("http://[::1]:1/x", "[::1]:1", "http:", True),
        ("cursor://anysphere/x", "cursor://anysphere", "cursor:", False),
        ("com.example.app:/x", "com.example.app:", "com.example.app:", False),
    ):
        assert redirects.shown_host(uri) == host
        assert redirects.policy_source(uri) == source
        assert redirects.is_loopback(uri) is is_loopback


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_an_answer_says_what_was_asked(state: str) -> None:
    for uri in ("https://host/x", "https://host/x?y=z"):
        answer = redirects.answer_uri(uri, code="c", state=state, error=None, iss=BASE)
        assert answer.isascii()
        told = dict(parse_qsl(urlsplit(answer).query, keep_blank_values=True, errors="strict"))
        told.pop("y", None)
        assert told == {"code": "c", "state": state, "iss": BASE}


def test_proof_keys() -> None:
    # RFC 7636, appendix B.
    verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert challenge_of(verifier) == challenge
    assert proves(verifier, challenge)
    assert not proves(challenge, challenge)  # "plain" is none
    assert not proves(verifier[:-1], challenge)
    for short in ("", "x" * 42, "x" * 129, "ø" * 43, verifier + "\n"):
        assert not proves(short, base64.urlsafe_b64encode(hashlib.sha256(short.encode()).digest()).decode()[:43])
    for bad in ("", challenge[:-1], challenge + "=", challenge[:-1] + "+"):
        assert not is_challenge(bad)
    assert is_challenge(challenge)


def test_which_scopes_applications_get() -> None:
    assert not set(scopes.OFFERED) & {*PARTNER_SCOPES, *scopes.NEVER}
    assert {"api-keys-write", "oauth-clients-write", "users-write", "companies-write"} <= scopes.NEVER <= set(SCOPES)
    assert scopes.read_scopes(None) == scopes.read_scopes(" ") == ()
    assert scopes.read_scopes("openid invoices-read offline_access") == ("invoices-read",)
    assert scopes.read_scopes("portal-provision users-write") is None
    # Who repeats what the 401 names has no wish of its own: the member decides.
    assert scopes.read_scopes(" ".join(scopes.NAMED_FIRST)) == ()
    assert scopes.read_scopes(" ".join([*scopes.NAMED_FIRST, "invoices-write"])) != ()
    owner = SCOPES_OF[Role.OWNER]
    assert scopes.granted((), owner, Access.FULL) == scopes.OFFERED
    assert scopes.granted(("invoices-write",), owner, Access.READ) == ()
    assert scopes.granted(("invoices-write", "meter-report", "invoices-read"), owner, Access.READ) == ("invoices-read",)


@given(st.sets(st.sampled_from([*SCOPES, *PARTNER_SCOPES, "x"])), st.sampled_from(Role), st.sampled_from(Access))
def test_an_application_never_gets_more_than_both_have(asked: set[str], role: Role, access: Access) -> None:
    known = scopes.read_scopes(" ".join(asked))
    if known is None:
        return
    granted = set(scopes.granted(known, SCOPES_OF[role], access))
    assert granted <= SCOPES_OF[role]
    assert granted <= (asked if known else set(SCOPES))
    assert not granted & {*PARTNER_SCOPES, *scopes.NEVER}
    if access is Access.READ:
        assert all(scope.endswith("-read") for scope in granted)


MCP, OF_COMPANY = "/api/v1/mcp", f"/api/v1/mcp/c/{COMPANY}"


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        (None, MCP),
        (f"{BASE}{MCP}", MCP),
        (f"{BASE}:443{MCP}", MCP),
        (f"HTTPS://BOOKS.example.dk{MCP}", MCP),
        (f"{BASE}{OF_COMPANY}", OF_COMPANY),
        (f"{BASE}/api/v1/mcp/c/{str(COMPANY).upper()}", OF_COMPANY),
        (f"{BASE}{MCP}/", None),
        (f"{BASE}{MCP}/c/", None),
        (f"{BASE}{MCP}/c/x", None),
        (f"{BASE}{OF_COMPANY}/", None),
        (f"{BASE}{MCP}?x", None),
        (f"{BASE}{MCP}#x", None),
        (f"{BASE}/API/v1/mcp", None),
        (BASE, None),
        ("https://evil.dk/api/v1/mcp", None),
        (f"http://books.example.dk{MCP}", None),
        (f"{BASE}:444{MCP}", None),
        (f"{BASE}:x{MCP}", None),
        (f"{BASE}@evil.dk{MCP}", None),
        (f"https://[{MCP}", None),
        ("", None),
        ("ø", None),
    ],
)
def test_which_addresses_tokens_are_for(resource: str | None, path: str | None) -> None:
    assert resources.path_of(resource, BASE) == path
    below = None if resource is None else resource.replace(f"{BASE}/", f"{BASE}/regnskab/")
    if resource is None or resource.startswith(f"{BASE}/"):
        assert resources.path_of(below, f"{BASE}/regnskab") == path
        assert resources.path_of(resource, f"{BASE}/regnskab") == (MCP if resource is None else None)


def test_companies_and_issuers() -> None:
    assert resources.company_of(OF_COMPANY) == COMPANY
    assert resources.company_of(MCP) is None
    assert resources.company_path(COMPANY) == OF_COMPANY
    assert resources.issuer_of(f"{BASE}/regnskab") == BASE
    assert metadata.resource_metadata_address(BASE, MCP) == f"{BASE}/.well-known/oauth-protected-resource{MCP}"
    below = metadata.resource_metadata_address(f"{BASE}/regnskab", MCP)
    assert below == f"{BASE}/.well-known/oauth-protected-resource/regnskab{MCP}"
    assert metadata.resource_metadata(f"{BASE}/regnskab", MCP)["resource"] == f"{BASE}/regnskab{MCP}"
    server = metadata.server_metadata(f"{BASE}/regnskab")
    assert (server["issuer"], server["token_endpoint"]) == (BASE, f"{BASE}/regnskab/api/v1/auth/token")


CLIENT = Client(client_id="x", name="X", redirect_uris=("http://127.0.0.1/callback", "cursor://a/b"))
GOOD = {
    "response_type": "code", "client_id": "x", "redirect_uri": "http://127.0.0.1:5/callback", "state": "s",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
    "resource": f"{BASE}{OF_COMPANY}", "scope": "invoices-read",
}  # fmt: skip


def test_a_request_is_read() -> None:
    pairs = [*GOOD.items(), ("company", "x"), ("response_mode", ""), ("prompt", "none")]
    parameters, twice = requests.read_parameters(pairs)
    assert (parameters, twice) == (GOOD, frozenset())
    assert requests.client_id_of(parameters, twice) == "x"
    asked = requests.read_request(parameters, twice, CLIENT, BASE)
    assert (asked.redirect_uri, asked.state, asked.scopes) == ("http://127.0.0.1:5/callback", "s", ("invoices-read",))
    assert (asked.resource, asked.company_id) == (OF_COMPANY, COMPANY)
    assert requests.state_of(parameters, twice) == "s"
    _, twice = requests.read_parameters([*pairs, ("state", "t"), ("client_id", "y")])
    assert twice == {"state", "client_id"}
    assert requests.state_of(parameters, twice) is None
    with pytest.raises(ClientRefusedError):
        requests.client_id_of(parameters, twice)
    with pytest.raises(ClientRefusedError):
        requests.client_id_of({}, frozenset())


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "x"}, "invalid_request"),
        ({"state": "x" * (MAX_STATE + 1)}, "invalid_request"),
        ({"request": "x"}, "request_not_supported"),
        ({"request_uri": "x"}, "request_uri_not_supported"),
        ({"resource": "x"}, "invalid_target"),
        ({"scope": "x"}, "invalid_scope"),
        ({"redirect_uri": "https://evil.dk"}, None),
        ({"redirect_uri": "http://localhost:5/callback"}, None),
        ({"redirect_uri": "javascript:x"}, None),
    ],
)
def test_a_request_is_refused(changes: dict[str, str], error: str | None) -> None:
    with pytest.raises((ClientRefusedError, RequestRefusedError)) as refused:
        requests.read_request({**GOOD, **changes}, frozenset(), CLIENT, BASE)
    assert getattr(refused.value, "error", None) == error


def test_what_is_there_twice_is_refused() -> None:
    with pytest.raises(RequestRefusedError) as refused:
        requests.read_request(GOOD, frozenset({"scope"}), CLIENT, BASE)
    assert refused.value.error == "invalid_request"
    with pytest.raises(ClientRefusedError):
        requests.read_request(GOOD, frozenset({"redirect_uri"}), CLIENT, BASE)
    own = {**GOOD, "redirect_uri": "cursor://a/b"}
    assert requests.read_request(own, frozenset(), CLIENT, BASE).redirect_uri == "cursor://a/b"
    confidential = Client(client_id="x", name="X", redirect_uris=("cursor://a/b",), is_confidential=True)
    with pytest.raises(ClientRefusedError):
        requests.read_request(own, frozenset(), confidential, BASE)


@pytest.mark.parametrize(
    ("client_id", "is_one"),
    [
        ("https://claude.ai/oauth/claude-code-client-metadata", True),
        ("https://host:8443/x?y", True),
        ("https://host", False),
        ("https://host/", False),
        ("http://host/x", False),
        ("https://host/x#y", False),
        ("https://user@host/x", False),
        ("https://host/../x", False),
        ("https://host/./x", False),
        ("https://host:0/x", False),
        ("https://host:x/x", False),
        ("https:///x", False),
        ("https://host/x y", False),
        ("https://høst/x", False),
        ("https://host/" + "x" * 2100, False),
        ("018f4e6a-7b1c-7d2e-9f3a-1b2c3d4e5f60", False),
    ],
)
def test_ids_that_are_addresses_of_documents(client_id: str, is_one: bool) -> None:
    assert documents.is_document_id(client_id) is is_one
    plain = client_id.replace("https:", "http:")
    assert documents.is_document_id(plain, is_plain_allowed=True) is (is_one or client_id == "http://host/x")


def test_documents_are_read() -> None:
    client_id = "https://claude.ai/oauth/metadata"
    uris = ["http://localhost/callback", "http://127.0.0.1/callback"]

    def read(**changes: Any) -> Client:
        told = {"client_id": client_id, "client_name": "Claude Code", "redirect_uris": uris, **changes}
        return documents.read_document(client_id, json.dumps(told).encode())

    assert read() == Client(client_id=client_id, name="Claude Code", redirect_uris=tuple(uris), host="claude.ai")
    assert read(client_name=7).name == "claude.ai"
    assert read(redirect_uris=[*uris, "http://example.com/", 7]).redirect_uris == tuple(uris)
    bad: tuple[dict[str, Any], ...] = (
        {"client_id": client_id + "/"}, {"client_secret": "x"}, {"token_endpoint_auth_method": "private_key_jwt"},
        {"redirect_uris": []}, {"redirect_uris": "x"}, {"redirect_uris": ["javascript:x"]},
        {"redirect_uris": ["https://host/x"] * 21},
    )  # fmt: skip
    for changes in bad:
        with pytest.raises(MetadataRefusedError):
            read(**changes)
    for content in (b"", b"[]", b"\xff", b"[" * 100_000):
        with pytest.raises(MetadataRefusedError):
            documents.read_document(client_id, content)


def test_registrations_are_read() -> None:
    def read(**told: Any) -> Registration:
        return documents.read_registration(json.dumps({"redirect_uris": ["https://host/x"], **told}).encode())

    assert (read().auth_method, read().grant_types, read().name) == (
        "client_secret_basic",
        ("authorization_code",),
        "?",
    )
    both = read(grant_types=["refresh_token", "authorization_code", "x"], response_types=["code", "token"])
    assert both.grant_types == ("authorization_code", "refresh_token")
    for told in (
        {"token_endpoint_auth_method": "private_key_jwt"}, {"token_endpoint_auth_method": 1}, {"grant_types": "x"},
        {"grant_types": ["refresh_token"]}, {"response_types": ["token"]}, {"response_types": None},
        {"redirect_uris": ["https://host/x", "http://host/x"]}, {"redirect_uris": ["cursor://x/y"]},
        {"client_name": 1}, {"client_name": None}, {"grant_types": ["authorization_code", 1]},
        {"response_types": ["code", None]},
    ):  # fmt: skip
        with pytest.raises(MetadataRefusedError):
            read(**told)
    assert read(redirect_uris=["cursor://x/y"], token_endpoint_auth_method="none").auth_method == "none"


@given(st.one_of(st.text(), st.none(), st.integers()))
def test_names_are_shown_on_one_line(name: object) -> None:
    shown = documents.shown_name(name, "otherwise")
    assert 1 <= len(shown) <= 100
    assert shown.isprintable()
    assert documents.shown_name(shown, "x") == shown


def test_names_that_deceive() -> None:
    for name, shown in {
        "Claude\u202eedoC": "ClaudeedoC", "A\u200bB\u0000C\ufeff": "ABC", " a \n\t b ": "a b", "\u2066\u2069": "x",
        "<b>Bank</b>": "<b>Bank</b>", "\ud800": "x",
    }.items():  # fmt: skip
        assert documents.shown_name(name, "x") == shown
    assert len(documents.shown_name("ab" * 100, "x")) == 100


@given(st.text(st.characters(codec="ascii"), min_size=1), st.text(st.characters(codec="ascii")))
def test_a_successor_is_for_who_has_the_token(token: str, successor: str) -> None:
    sealed = seal(token, successor)
    assert unseal(token, sealed) == successor
    if len(successor) > 8:
        assert successor.encode() not in sealed


def test_the_grace_of_a_token() -> None:
    now = datetime(2026, 3, 16, 12, tzinfo=UTC)
    assert is_in_grace(now - timedelta(seconds=30), now)
    assert not is_in_grace(now - timedelta(seconds=30, microseconds=1), now)


def test_who_sends_a_form() -> None:
    basic = "Basic " + base64.b64encode(b"id:secret").decode()
    assert claimed_client({"client_id": "id"}, None) == ("id", None)
    assert claimed_client({"client_id": "id", "client_secret": "s"}, None) == ("id", "s")
    assert claimed_client({}, basic) == ("id", "secret")
    assert claimed_client({"client_id": "id"}, basic) == ("id", "secret")
    for form, authorization, error in (
        ({}, None, "invalid_client"), ({}, "Basic !", "invalid_client"),
        ({"client_secret": "s"}, basic, "invalid_request"), ({"client_id": "other"}, basic, "invalid_request"),
    ):  # fmt: skip
        with pytest.raises(OAuthRefusal) as refused:
            claimed_client(form, authorization)
        assert refused.value.error == error


@pytest.mark.parametrize(
    ("content_type", "is_json"),
    [
        ("application/json", True),
        ("Application/JSON ; charset=utf-8", True),
        ("application/vnd.example+json", True),
        ("text/html", False),
        ("text/x+json", False),
        ("application/jsonp", False),
        ("", False),
    ],
)
def test_a_document_is_json_by_its_type(content_type: str, is_json: bool) -> None:
    assert documents.is_json_type(content_type) is is_json
