"""What other programs say, made into texts that can be read and kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.texts import readable, readable_id, readable_reply

#: Any character, surrogates without their other half among them.
_ANY = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)


@given(_ANY, st.integers(1, 40))
def test_whatever_is_said_can_be_seen_stored_and_is_bounded(said: str, longest: int) -> None:
    found = readable(said, longest)
    assert found.isprintable()
    assert len(found) <= longest
    assert found.encode("utf-8").decode("utf-8") == found == readable(found, longest)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("550 5.1.1  No such\r\n user", "550 5.1.1 No such user"),
        ("Blåbær \U0001f600", "Blåbær \U0001f600"),
        (b"Bl\xc3\xa5b\xe6r".decode("ascii", "surrogateescape"), "Blåb\ufffdr"),
        ("a\0b\x1b[31m\u202e\u2066c", "a b [31m c"),
        ("a\ud800b\udfff", "a\ufffdb\ufffd"),
        ("\0\u200b ", ""),
    ],
)
def test_what_is_left_of_it(said: str, found: str) -> None:
    assert readable(said, 100) == found


def test_a_reply_and_an_id_are_bounded() -> None:
    assert readable_reply(f"250 {'a' * 5000}").startswith("250 aaa")
    assert len(readable_reply("a" * 5000)) < 5000
    assert readable_id("\0 <a@b>") == "<a@b>"
    assert readable_id("\u200b") is None
    assert readable_id(None) is None
