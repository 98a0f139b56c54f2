"""Who sends a form to the token endpoint or the one for revocation (RFC 6749 2.3.1, 3.2.1). Pure."""

from collections.abc import Mapping

from ledgerbee.tenancy.oauth.model import invalid_client, invalid_request
from ledgerbee.tenancy.oauth.rules import basic_credentials


def claimed_client(form: Mapping[str, str], authorization: str | None) -> tuple[str, str | None]:
    """The id that a form is sent under and the secret that is shown for it, by HTTP Basic or in the form.

    Raises `invalid_request` when both are used, `invalid_client` where there is no id.
    """
    if authorization is not None:
        shown = basic_credentials(authorization)
        if "client_secret" in form or form.get("client_id", shown.client_id) != shown.client_id:
            raise invalid_request("Use one way of client authentication only")
        return shown.client_id, shown.client_secret
    if "client_id" not in form:
        raise invalid_client()
    return form["client_id"], form.get("client_secret")
