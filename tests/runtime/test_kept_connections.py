"""Many requests on one connection: each is judged by itself, whatever came before it, and however it is cut."""

import json
import threading
from dataclasses import dataclass
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.runtime.processes import Served
from tests.runtime.wire import chunk, connected, head, read_answers

_JSON: Final = "application/json"
_PATH: Final = "/api/v1/dimensions"
#: Bytes; around the limit of a header, around what is read at once, and up to the limit of a body.
_SIZES: Final = st.one_of(
    st.integers(0, 2_000),
    st.sampled_from((60_000, 65_535, 65_536, 66_000, 262_144, 300_000)),
    st.integers(2_000, 900_000),
)


@dataclass(frozen=True)
class _Post:
    """A request with a name of `size` bytes, which is too long or has a field too many."""

    size: int
    is_chunked: bool
    piece: int

    def bytes_of(self, key: str) -> bytes:
        body = json.dumps({"name": "a" * self.size, "isUnique": True, "extra": 1}).encode()
        if not self.is_chunked:
            return head("POST", _PATH, content_type=_JSON, x_api_key=key, content_length=str(len(body))) + body
        start = head("POST", _PATH, content_type=_JSON, x_api_key=key, transfer_encoding="chunked")
        pieces = (body[at : at + self.piece] for at in range(0, len(body), self.piece))
        return start + b"".join(chunk(piece) for piece in pieces) + b"0\r\n\r\n"


_POSTS: Final = st.builds(_Post, _SIZES, st.booleans(), st.sampled_from((1_000, 65_536, 200_000)))


def _check(served: Served, posts: list[_Post], *, at_once: bool) -> None:
    """Send the requests on one connection, all at once or each after the answer before it."""
    assert served.key is not None
    requests = [post.bytes_of(served.key) for post in posts]
    with connected(served.address) as connection:
        answers = read_answers(connection)
        sender = threading.Thread(target=connection.sendall, args=(b"".join(requests),)) if at_once else None
        if sender is not None:
            sender.start()
        for request in requests:
            if sender is None:
                connection.sendall(request)
            answer = next(answers)
            assert (answer.status, answer.json["code"]) == (400, "SHARED_VALIDATION_FAILED")
            assert answer.headers.get("connection") != "close"
        if sender is not None:
            sender.join()


@pytest.mark.parametrize("size", [1_000, 66_000, 200_000, 900_000])
@pytest.mark.parametrize("at_once", [False, True])
def test_the_same_body_is_taken_again_and_again(served: Served, size: int, at_once: bool) -> None:
    _check(served, [_Post(size, is_chunked=False, piece=1_000)] * 6, at_once=at_once)


@settings(max_examples=25)
@given(posts=st.lists(_POSTS, min_size=2, max_size=6), at_once=st.booleans())
def test_a_request_is_judged_by_itself(served: Served, posts: list[_Post], at_once: bool) -> None:
    _check(served, posts, at_once=at_once)
