"""Creating, changing, deleting and testing webhook endpoints, and rolling their secrets."""

from uuid import UUID

from ledgerbee.core.errors import LedgerBeeError, invalid
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.platform.secrets import SECRET_UNREADABLE, SecretBox
from ledgerbee.webhooks import targets
from ledgerbee.webhooks.endpoints import rules, store
from ledgerbee.webhooks.endpoints.model import (
    MAX_ENDPOINTS,
    WEBHOOK_ENDPOINT_INVALID_STATE,
    WEBHOOK_ENDPOINT_LIMIT_REACHED,
    EndpointState,
    StoredStatus,
    WebhookEndpoint,
    WebhookEndpointId,
)
from ledgerbee.webhooks.endpoints.wire import render
from ledgerbee.webhooks.signing import SignatureType, new_secret, public_key


async def check_url(url: str) -> None:
    """Raises a validation error for an address that nothing may be sent to.

    Asks for the addresses of its host, which takes a while: never within a transaction.
    """
    try:
        await targets.check_target(url)
    except targets.TargetRefusedError as refusal:
        raise invalid(("url", "isPublicUrl", f"url {refusal}")) from None


async def create(context: Context, wanted: EndpointState) -> tuple[WebhookEndpoint, str]:
    """Create an endpoint; its secret is in the answer and, encrypted, in its row. Emits `webhook_endpoint.created`.

    It is told of what happens from now on. Raises `WEBHOOK_ENDPOINT_LIMIT_REACHED`.
    """
    await store.set_due(context, context.now)
    told_up_to = await store.listen(context)
    if await store.number_of(context) >= MAX_ENDPOINTS:
        raise WEBHOOK_ENDPOINT_LIMIT_REACHED.error(limit=MAX_ENDPOINTS)
    kind = wanted.signature_type or SignatureType.SYMMETRIC
    secret = new_secret(kind)
    endpoint = WebhookEndpoint(
        id=WebhookEndpointId(new_id()),
        url=wanted.url,
        description=wanted.description,
        topics=wanted.topics,
        signature_type=kind,
        secret=_secrets(context).encrypt(secret.encode()),
        previous_secret=None,
        previous_expires_at=None,
        status=StoredStatus.ENABLED,
        status_reason=None,
        status_changed_at=context.now,
        told_up_to=told_up_to,
        failing_since=None,
        last_failure=None,
        last_success_at=None,
        next_attempt_at=None,
        created_at=context.now,
        updated_at=context.now,
    )
    await store.insert(context, endpoint)
    context.emit("webhook_endpoint.created", endpoint.id, event_form(context, endpoint))
    return endpoint, secret


async def update(context: Context, endpoint_id: WebhookEndpointId, wanted: EndpointState) -> WebhookEndpoint:
    """Make an endpoint what is wanted. What waits for one that is disabled is `skipped`.

    Emits `webhook_endpoint.updated` if anything became different. Raises `WEBHOOK_ENDPOINT_NOT_FOUND` and a validation
    error for another type of signature.
    """
    before = await store.get_for_update(context, endpoint_id)
    after = rules.changed(before, wanted, context.now)
    if after == before:
        return before
    await store.update(context, after)
    if before.is_enabled and not after.is_enabled:
        await store.skip_pending(context, [endpoint_id])
    await store.set_due(context, context.now)
    was = event_form(context, before)
    context.emit("webhook_endpoint.updated", endpoint_id, event_form(context, after), before=was)
    return after


async def delete(context: Context, endpoint_id: WebhookEndpointId) -> None:
    """Delete an endpoint with its secrets. Its log stays as long as logs are kept, but nobody can read it.

    Emits `webhook_endpoint.deleted`. Raises `WEBHOOK_ENDPOINT_NOT_FOUND`.
    """
    endpoint = await store.get_for_update(context, endpoint_id)
    await store.update(context, rules.deleted(endpoint, context.now))
    await store.skip_pending(context, [endpoint_id])
    await store.set_due(context, context.now)
    was = event_form(context, endpoint)
    context.emit("webhook_endpoint.deleted", endpoint_id, was, before=was)


async def roll_secret(context: Context, endpoint_id: WebhookEndpointId) -> tuple[WebhookEndpoint, str]:
    """Give an endpoint another secret, which is in the answer; the present one signs too for a day.

    Emits `webhook_endpoint.secret_rolled`. Raises `WEBHOOK_ENDPOINT_NOT_FOUND`.
    """
    before = await store.get_for_update(context, endpoint_id)
    secret = new_secret(before.signature_type)
    after = rules.rolled(before, _secrets(context).encrypt(secret.encode()), context.now)
    await store.update(context, after)
    was = event_form(context, before)
    context.emit("webhook_endpoint.secret_rolled", endpoint_id, event_form(context, after), before=was)
    return after, secret


async def send_test(context: Context, endpoint_id: WebhookEndpointId) -> UUID:
    """Have an event sent to the endpoint, and to no other; the event's id. Emits `ping`.

    Raises `WEBHOOK_ENDPOINT_NOT_FOUND` and `WEBHOOK_ENDPOINT_INVALID_STATE`.
    """
    endpoint = await store.get_for_update(context, endpoint_id)
    check_enabled(endpoint)
    return context.emit("ping", endpoint_id, event_form(context, endpoint))


def check_enabled(endpoint: WebhookEndpoint) -> None:
    """Raises `WEBHOOK_ENDPOINT_INVALID_STATE` where nothing is sent to the endpoint."""
    if not endpoint.is_enabled:
        raise WEBHOOK_ENDPOINT_INVALID_STATE.in_state(endpoint.shown_status)


def public_key_of(context: Context, endpoint: WebhookEndpoint) -> str | None:
    """What receivers verify with; None where they have the secret, or where the installation has lost its key."""
    if endpoint.signature_type is SignatureType.SYMMETRIC:
        return None
    try:
        return public_key(_secrets(context).decrypt(endpoint.secret).decode())
    except LedgerBeeError as fault:
        if fault.error_code is not SECRET_UNREADABLE:
            raise
        return None


def event_form(context: Context, endpoint: WebhookEndpoint) -> dict[str, object]:
    """An endpoint as events have it: without secrets, and without counts."""
    return render(endpoint, public_key_of(context, endpoint)).as_event()


def _secrets(context: Context) -> SecretBox:
    assert context.secrets is not None, "whoever opens the database says what secrets are encrypted with"
    return context.secrets
