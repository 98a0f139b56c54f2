"""What is found before its company is known names its cell; what was made without a mark is the default cell's."""

import secrets

from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.cells import DEFAULT_CELL, cell_of_id, cell_of_secret, new_marked_id, new_secret
from ledgerbee.core.ids import new_id
from ledgerbee.platform.credentials.model import KEY_PREFIX, TOKEN_PREFIX

MARKS = st.integers(0, 255).map("{:02x}".format)


@given(MARKS, st.sampled_from([KEY_PREFIX, TOKEN_PREFIX, "lbs_"]))
def test_a_secret_carries_its_cell_and_its_randomness(mark: str, prefix: str) -> None:
    secret = new_secret(prefix, mark)
    assert secret.startswith(prefix)
    assert cell_of_secret(secret) == mark
    assert len(secret) == len(prefix) + len(mark) + 1 + 43  # 256 bits, six a character


@given(MARKS)
def test_an_id_carries_its_cell(mark: str) -> None:
    made = new_marked_id(mark)
    assert made.variant == "specified in RFC 4122"
    assert cell_of_id(str(made)) == cell_of_id(made.hex.upper()) == mark
    assert abs((made.int >> 80) - (new_id().int >> 80)) < 10_000  # milliseconds, as in the other ids: they sort by age
    assert new_marked_id(mark) != made


@given(st.sampled_from(["lb_", "lbt_", "lbs_"]))
def test_an_unmarked_secret_is_the_default_cells(prefix: str) -> None:
    for _ in range(100):
        assert cell_of_secret(prefix + secrets.token_urlsafe(32)) == DEFAULT_CELL
        assert cell_of_id(str(new_id())) == DEFAULT_CELL


@given(st.text())
def test_any_text_names_some_cell(text: str) -> None:
    assert len(cell_of_secret(text)) == len(cell_of_id(text)) == 2
    assert cell_of_secret(f"lb_{text}") == (text[:2] if text[2:3] == "." and _is_mark(text[:2]) else DEFAULT_CELL)


def _is_mark(text: str) -> bool:
    return len(text) == 2 and set(text) <= set("0123456789abcdef")
