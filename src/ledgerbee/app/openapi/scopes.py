"""What each scope allows, for the document and for `docs/reference/scopes.md`."""

from ledgerbee.platform.credentials.model import PARTNER_SCOPES, SCOPES
from ledgerbee.platform.credentials.texts import text_of


def assignable() -> dict[str, str]:
    """Every scope that an API key or OAuth client can have, with its text."""
    return {scope: text_of(scope) for scope in SCOPES}


def partner() -> dict[str, str]:
    """The scopes of Partner SSO keys, with their texts (contract 1.2)."""
    return {scope: text_of(scope) for scope in PARTNER_SCOPES}
