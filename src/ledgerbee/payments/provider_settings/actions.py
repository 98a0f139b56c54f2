"""Setting up payment providers, and reaching them."""

import json
from collections.abc import Mapping
from dataclasses import replace

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.core.cells import new_secret
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.payments.provider_settings import rules, store
from ledgerbee.payments.provider_settings.model import (
    CALLBACK_PREFIX,
    PAYMENT_PROVIDER_DISABLED,
    PAYMENT_PROVIDER_NOT_FOUND,
    PROVIDER_CALLBACK,
    ProviderId,
    ProviderSettings,
    WantedSettings,
)
from ledgerbee.payments.provider_settings.wire import event_form
from ledgerbee.payments.providers.model import Access, ProviderName
from ledgerbee.payments.providers.sandbox.model import SECRET
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import Grant, secret_hash
from ledgerbee.platform.secrets import SECRET_UNREADABLE, SecretBox


async def put(context: Context, name: ProviderName, wanted: WantedSettings) -> ProviderSettings:
    """Set up a provider, or change how it is. Keys that aren't named stay. The first enabled one is the default.

    Emits `payment_provider.created` or `.updated`, also of another one that becomes or stops being the default. Raises
    `ACCOUNT_NOT_FOUND`, `ACCOUNT_NOT_BOOKABLE`, `PAYMENT_PROVIDER_ACCOUNT_INVALID` and validation errors.
    """
    present = await store.list_for_update(context)
    before = next((one for one in present if one.name is name), None)
    # What can't be read any more is only replaced by all of what is needed.
    keys = {**(_readable_keys(context, before) if before else {}), **wanted.keys}
    rules.check_default(wanted)
    rules.check_keys(name, wanted, keys, is_sandbox=context.is_sandbox)
    ids = (wanted.clearing_account_id, wanted.fee_account_id, wanted.unidentified_account_id, wanted.bank_account_id)
    named = await accounts.get_many(context, filter(None, ids))
    by_role, of_vat = await accounts.get_by_role(context), await accounts.vat_accounts(context, named)
    rules.check_accounts(wanted, named, by_role, of_vat)
    changed = await _changed(context, name, before, wanted, keys)
    after, moved = rules.with_one_default(changed, [one for one in present if one is not before])
    by_id = {one.id: one for one in present}
    for one in moved:
        if not one.is_default:  # first: there is never more than one
            await _update(context, by_id[one.id], one)
    if before is None:
        await store.insert(context, after)
        context.emit("payment_provider.created", after.id, _event_form(context, after))
    else:
        after = await _update(context, before, after)
    for one in moved:
        if one.is_default:
            await _update(context, by_id[one.id], one)
    return after


async def _changed(
    context: Context,
    name: ProviderName,
    before: ProviderSettings | None,
    wanted: WantedSettings,
    keys: Mapping[str, str],
) -> ProviderSettings:
    """A provider as it is to be, with its address for callbacks."""
    if before is None:
        secret = new_secret(CALLBACK_PREFIX, context.cell)
        before = ProviderSettings(
            id=ProviderId(new_id()),
            name=name,
            is_enabled=False,
            is_default=False,
            keys=_encrypted(context, {}),
            callback_secret=_secrets(context).encrypt(secret.encode()),
            clearing_account_id=None,
            fee_account_id=None,
            unidentified_account_id=None,
            bank_account_id=None,
            created_at=context.now,
            updated_at=context.now,
        )
        await credentials.add(
            context,
            secret_hash=secret_hash(secret),
            kind=PROVIDER_CALLBACK,
            subject_id=before.id,
            grant=Grant(scopes=(), ip_allowlist=(), expires_at=None),
        )
    return replace(
        before,
        is_enabled=wanted.is_enabled,
        is_default=before.is_default if wanted.is_default is None else wanted.is_default,
        keys=_encrypted(context, keys) if wanted.keys else before.keys,
        clearing_account_id=wanted.clearing_account_id,
        fee_account_id=wanted.fee_account_id,
        unidentified_account_id=wanted.unidentified_account_id,
        bank_account_id=wanted.bank_account_id,
    )


async def _update(context: Context, before: ProviderSettings, after: ProviderSettings) -> ProviderSettings:
    if after == before:
        return before
    after = replace(after, updated_at=context.now)
    await store.update(context, after)
    was = _event_form(context, before)
    context.emit("payment_provider.updated", after.id, _event_form(context, after), before=was)
    return after


async def find_enabled(context: Context, name: ProviderName | None) -> ProviderSettings:
    """The named provider, or the default one. Raises `PAYMENT_PROVIDER_NOT_FOUND`, `PAYMENT_PROVIDER_DISABLED`."""
    if name is not None:
        found = await store.get(context, name)
    elif (default := await store.find_default(context)) is not None:
        return default
    else:  # any of those that are set up is switched off
        found = PAYMENT_PROVIDER_NOT_FOUND.unless(next(iter(await store.list_all(context)), None))
    if not found.is_enabled:
        raise PAYMENT_PROVIDER_DISABLED.error(provider=found.name.value)
    return found


def access_of(context: Context, settings: ProviderSettings) -> Access:
    """What the company's account at a provider is reached with. Raises `SECRET_UNREADABLE`.

    The provider that is built in knows the company by the secret of the address for its events.
    """
    keys = _keys_of(context, settings)
    if settings.name is ProviderName.SANDBOX:
        keys = {**keys, SECRET: _secrets(context).decrypt(settings.callback_secret).decode()}
    return Access(keys, str(context.company_id))


def callback_url(context: Context, settings: ProviderSettings) -> str:
    """The address that a provider calls; empty where nobody said how this installation is reached.

    Raises `SECRET_UNREADABLE`.
    """
    if context.public_url is None:
        return ""
    secret = _secrets(context).decrypt(settings.callback_secret).decode()
    return f"{context.public_url}/payment-events/{settings.name}/{secret}"


def without_secret(context: Context, settings: ProviderSettings, body: bytes) -> bytes:
    """What a provider sent, without the secret of the address that it was sent to: QuickPay's callbacks show it.

    Raises `SECRET_UNREADABLE`.
    """
    return body.replace(_secrets(context).decrypt(settings.callback_secret), b"***")


def key_names_of(context: Context, settings: ProviderSettings) -> list[str]:
    """The names of the keys that are set; none where the installation has lost what they are encrypted with."""
    return sorted(_readable_keys(context, settings))


def find_callback_url(context: Context, settings: ProviderSettings) -> str | None:
    """The address that a provider calls; None where there is none, or it can't be read any more."""
    try:
        return callback_url(context, settings) or None
    except LedgerBeeError as fault:
        if fault.error_code is not SECRET_UNREADABLE:
            raise
        return None


def _event_form(context: Context, settings: ProviderSettings) -> dict[str, object]:
    return event_form(settings, key_names_of(context, settings))


def _keys_of(context: Context, settings: ProviderSettings) -> dict[str, str]:
    keys: dict[str, str] = json.loads(_secrets(context).decrypt(settings.keys))
    return keys


def _readable_keys(context: Context, settings: ProviderSettings) -> dict[str, str]:
    try:
        return _keys_of(context, settings)
    except LedgerBeeError as fault:
        if fault.error_code is not SECRET_UNREADABLE:
            raise
        return {}


def _encrypted(context: Context, keys: Mapping[str, str]) -> bytes:
    return _secrets(context).encrypt(json.dumps(dict(keys)).encode())


def _secrets(context: Context) -> SecretBox:
    assert context.secrets is not None, "whoever opens the database says what secrets are encrypted with"
    return context.secrets
