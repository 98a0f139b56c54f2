"""Passkeys (WebAuthn): what a browser is asked for, and whether what it answers is right.

The library is loaded by those who use passkeys: it takes a while.
"""

import hashlib
import json
from ipaddress import ip_address
from typing import Any, Final

from fastapi import Request

from ledgerbee.identity.pages.addresses import base_url_of, host_of
from ledgerbee.identity.sign_in.model import NewPasskey, UserSession

_TIMEOUT_MS: Final = 300_000


class PasskeyRefusedError(Exception):
    """What a browser showed is no answer to what it was asked for."""


def are_possible(request: Request) -> bool:
    """Whether browsers have passkeys for where this installation is reached: a name, by https or on this machine."""
    host = host_of(request)
    try:
        ip_address(host)
    except ValueError:
        return base_url_of(request).startswith("https:") or host == "localhost" or host.endswith(".localhost")
    return False


def challenge_hash(challenge: bytes) -> bytes:
    """What the database keeps of a challenge."""
    return hashlib.sha256(challenge).digest()


def sign_in_options(request: Request, challenge: bytes) -> str:
    """What a browser is asked for that signs in: any passkey that it has for us, opened by its owner."""
    from webauthn import generate_authentication_options, options_to_json  # noqa: PLC0415
    from webauthn.helpers.structs import UserVerificationRequirement  # noqa: PLC0415

    options = generate_authentication_options(
        rp_id=host_of(request),
        challenge=challenge,
        timeout=_TIMEOUT_MS,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def new_passkey_options(request: Request, session: UserSession, challenge: bytes, known: list[bytes]) -> str:
    """What a browser is asked to make: a passkey that it can name by itself, opened by its owner."""
    from webauthn import generate_registration_options, options_to_json  # noqa: PLC0415
    from webauthn.helpers.structs import (  # noqa: PLC0415
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = generate_registration_options(
        rp_id=host_of(request),
        rp_name="ledgerbee",
        user_id=session.user_id.bytes,
        user_name=session.email,
        user_display_name=session.name or session.email,
        challenge=challenge,
        timeout=_TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
    )
    return options_to_json(options)


def read_answer(text: str) -> tuple[dict[str, Any], bytes, bytes]:
    """What a browser answered, its passkey's id, and the challenge that it says it answers.

    Raises `PasskeyRefusedError`.
    """
    from webauthn.helpers import base64url_to_bytes  # noqa: PLC0415

    try:
        answer = json.loads(text)
        told = json.loads(base64url_to_bytes(answer["response"]["clientDataJSON"]))
        return answer, base64url_to_bytes(answer["rawId"]), base64url_to_bytes(told["challenge"])
    except (ValueError, TypeError, LookupError, RecursionError) as fault:
        raise PasskeyRefusedError from fault


def check_sign_in(
    request: Request, answer: dict[str, Any], challenge: bytes, public_key: bytes, sign_count: int
) -> int:
    """The count of signatures behind a right answer. Raises `PasskeyRefusedError`."""
    from webauthn import verify_authentication_response  # noqa: PLC0415
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415

    try:
        found = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=host_of(request),
            expected_origin=_origin(request),
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, LookupError) as fault:
        raise PasskeyRefusedError from fault
    return found.new_sign_count


def check_new(request: Request, answer: dict[str, Any], challenge: bytes) -> NewPasskey:
    """The passkey that a browser made. Raises `PasskeyRefusedError`."""
    from webauthn import verify_registration_response  # noqa: PLC0415
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415

    try:
        found = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=host_of(request),
            expected_origin=_origin(request),
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, LookupError) as fault:
        raise PasskeyRefusedError from fault
    return NewPasskey(found.credential_id, found.credential_public_key, found.sign_count)


def _origin(request: Request) -> str:
    scheme, _, rest = base_url_of(request).partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"
