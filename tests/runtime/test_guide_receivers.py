"""The receivers of webhooks that the guide shows, at work."""

import shutil
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from tests.guide_receivers import judge, programs

from ledgerbee.core.dates import system_clock
from ledgerbee.core.ids import new_id
from ledgerbee.webhooks.signing import SignatureType, new_secret, public_key, signed_headers

#: Node is no part of a machine that tests run on. Where there is none, `make webhooks-node` says so.
INTERPRETERS = {"receiver.py": sys.executable, "receiver.mjs": shutil.which("node")}


@pytest.mark.parametrize("name", [name for name, interpreter in INTERPRETERS.items() if interpreter])
def test_a_receiver_takes_what_is_genuine_once(name: str, tmp_path: Path) -> None:
    program, *_ = programs("python" if name.endswith(".py") else "js")
    (tmp_path / name).write_text(program)
    judge([INTERPRETERS[name] or "", name], tmp_path)


def test_an_asymmetric_signature_is_verified_with_the_public_key_alone() -> None:
    *_, program = programs("python")
    found: dict[str, object] = {}
    exec(compile(program, "docs/guides/webhooks.md", "exec"), found)  # noqa: S102  the guide's
    verify = found["verify"]
    assert callable(verify)
    secret, event_id = new_secret(SignatureType.ASYMMETRIC), new_id()
    headers = signed_headers(event_id, system_clock(), b'{"id":"1"}', [secret])
    verify(b'{"id":"1"}', headers, public_key(secret))
    with pytest.raises(InvalidSignature):
        verify(b'{"id":"2"}', headers, public_key(secret))
    with pytest.raises(InvalidSignature):
        verify(b'{"id":"1"}', headers, public_key(new_secret(SignatureType.ASYMMETRIC)))
