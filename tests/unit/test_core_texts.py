"""What other programs say, made into texts that can be read and kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.texts import isolated, isolated_value, readable, readable_id, readable_reply

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


#: Characters whose direction reaches beyond them, but for those that our own isolates are made of.
_REACHING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067"


@given(
    st.lists(
        st.sampled_from([*_REACHING, "\u2068", "\u2069", "\u200f", "\u05d0", "\u0628", "a", "1", " "]), max_size=12
    )
)
def test_nothing_of_a_text_reaches_beyond_it(parts: list[str]) -> None:
    text = "".join(parts)
    shown = isolated(text)
    assert isolated(shown) == shown
    assert isolated(f"Faktura fra {shown}, 1.000") == f"Faktura fra {shown}, 1.000"
    depth = 0
    for one in shown:
        depth += {"\u2068": 1, "\u2069": -1}.get(one, 0)
        assert depth in {0, 1}
        assert one not in _REACHING
        assert depth or one in "a1 \u2069"
    assert depth == 0
    kept = [one for one in text if one not in f"{_REACHING}\u2068\u2069"]
    assert [one for one in shown if one not in "\u2068\u2069"] == kept


def test_most_texts_stay_as_they_are() -> None:
    for text in ("", "Blåbær & søn", "\u6771\u4eac \U0001f600", "\u2068\u05d0\u2069 ApS"):
        assert isolated(text) == text
    assert isolated_value(7) == 7
    assert isolated_value("\u05d0") == "\u2068\u05d0\u2069"
