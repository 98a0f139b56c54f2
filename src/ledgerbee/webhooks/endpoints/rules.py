"""What becomes of an endpoint: pure decisions (contract 2.17, decisions "Webhooks")."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from ledgerbee.core.errors import invalid
from ledgerbee.webhooks.endpoints.model import OVERLAP, EndpointState, StoredStatus, WebhookEndpoint
from ledgerbee.webhooks.signing import SignatureType

#: Why an endpoint that a caller has disabled is disabled.
BY_CALLER: Final = "Disabled over the API"


def changed(endpoint: WebhookEndpoint, wanted: EndpointState, now: datetime) -> WebhookEndpoint:
    """The endpoint as it is wanted. `now` is aware UTC.

    An endpoint that is enabled begins anew: nothing is held against it. One that is disabled stays so by whom it was.
    Raises a validation error for another type of signature.
    """
    check_signature_type(endpoint.signature_type, wanted.signature_type)
    after = replace(endpoint, url=wanted.url, topics=wanted.topics, description=wanted.description)
    if wanted.is_enabled is not None and wanted.is_enabled != endpoint.is_enabled:
        status = StoredStatus.ENABLED if wanted.is_enabled else StoredStatus.DISABLED_BY_USER
        reason = None if wanted.is_enabled else BY_CALLER
        after = replace(after, status=status, status_reason=reason, status_changed_at=now, next_attempt_at=None)
        if wanted.is_enabled:
            after = replace(after, failing_since=None, last_failure=None)
    return after if after == endpoint else replace(after, updated_at=now)


def check_signature_type(present: SignatureType, wanted: SignatureType | None) -> None:
    """Raises a validation error for another type than the endpoint was made with; None names none."""
    if wanted is not None and wanted is not present:
        raise invalid(
            ("signatureType", "isUnchanged", "signatureType must be that of the endpoint: create another endpoint")
        )


def rolled(endpoint: WebhookEndpoint, secret: bytes, now: datetime) -> WebhookEndpoint:
    """The endpoint with a new secret (encrypted); the present one signs too for `OVERLAP`, an older one no more."""
    return replace(
        endpoint,
        secret=secret,
        previous_secret=endpoint.secret,
        previous_expires_at=now + OVERLAP,
        updated_at=now,
    )


def deleted(endpoint: WebhookEndpoint, now: datetime) -> WebhookEndpoint:
    """What is left of a deleted endpoint, for its log: no secret is."""
    return replace(
        endpoint,
        status=StoredStatus.DELETED,
        status_reason=None,
        status_changed_at=now,
        secret=b"",
        previous_secret=None,
        previous_expires_at=None,
        next_attempt_at=None,
        updated_at=now,
    )
