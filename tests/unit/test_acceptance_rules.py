"""What is decided of the page on which a buyer answers a quote."""

import unicodedata
from datetime import date
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_presales_rules import quote

from ledgerbee.core.browsers import is_foreign
from ledgerbee.core.ids import new_id
from ledgerbee.sales.quotes.acceptance.model import Decision, Notice, Reply, Standing
from ledgerbee.sales.quotes.acceptance.rules import (
    FORM,
    form_token,
    is_answered_so,
    read_reply,
    refusal_of,
    standing_of,
    tidy,
)
from ledgerbee.sales.quotes.model import QuoteStatus

DAY = date(2026, 3, 16)
HOSTS = frozenset({"books.example"})


@pytest.mark.parametrize(
    ("status", "last_day", "converted", "standing"),
    [
        (QuoteStatus.SENT, None, False, Standing.OPEN),
        (QuoteStatus.SENT, DAY, False, Standing.OPEN),
        (QuoteStatus.SENT, date(2026, 3, 15), False, Standing.EXPIRED),
        (QuoteStatus.SENT, date(2026, 3, 15), True, Standing.CONVERTED),
        (QuoteStatus.ACCEPTED, date(2026, 3, 15), True, Standing.ACCEPTED),
        (QuoteStatus.ACCEPTED, None, False, Standing.ACCEPTED),
        (QuoteStatus.REJECTED, date(2026, 3, 15), False, Standing.REJECTED),
    ],
)
def test_the_page_says_the_buyers_word_first(
    status: QuoteStatus, last_day: date | None, converted: bool, standing: Standing
) -> None:
    made = new_id() if converted else None
    assert standing_of(quote(status, valid_until=last_day, converted_to_invoice_id=made), DAY) is standing


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from([*Decision, "", "convert"]))
def test_a_form_is_read_as_it_was_written(name: str, comment: str, decision: str) -> None:
    """Whatever a browser sends is read without a fault; no text turns what stands around it, names are one line."""
    fields = {"decision": decision, "name": name, "comment": comment, "token": "t"}
    body = urlencode(fields, errors="surrogatepass").encode()
    reply = read_reply(f"{FORM}; charset=utf-8", body)
    if any(unicodedata.category(char) == "Cs" for char in name + comment):
        assert reply == Reply()
        return
    assert reply.decision == (decision if decision in set(Decision) else None)
    assert (" ".join(reply.name.split()), reply.token) == (reply.name, "t")
    assert reply.comment == tidy(comment.strip())
    shown = reply.name + reply.comment
    assert {unicodedata.category(char) for char in shown if char not in "\n\u200c\u200d"} & {"Cc", "Cf", "Cs"} == set()


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"decision=accept"),
        ("", b"decision=accept"),
        (FORM, "decision=accept&name=æ".encode()),
        (FORM, b"decision=accept&name=%ff"),
        (FORM, b"decision=accept&decision=reject"),
        (FORM, b"&".join(b"f%d=" % number for number in range(9))),
        (FORM, b""),
    ],
)
def test_what_cannot_be_read_says_nothing(content_type: str, body: bytes) -> None:
    assert read_reply(content_type, body) == Reply()


@pytest.mark.parametrize(
    ("site", "origin", "foreign"),
    [
        ("same-origin", "null", False),
        ("none", None, False),
        ("same-site", "https://books.example", True),
        ("cross-site", None, True),
        (None, None, False),
        (None, "null", False),
        (None, "https://books.example:8443", False),
        (None, "https://evil.example", True),
        (None, "https://books.example.evil.example", True),
        (None, "", True),
        (None, "https://[", True),
    ],
)
def test_whose_page_sent_a_form(site: str | None, origin: str | None, foreign: bool) -> None:
    assert is_foreign(site, origin, HOSTS) is foreign


@pytest.mark.parametrize(
    ("reply", "foreign", "notice"),
    [
        (Reply(Decision.ACCEPT, "Mette", "", form_token("s")), False, None),
        (Reply(Decision.REJECT, "M" * 200, "c" * 2000, form_token("s")), False, None),
        (Reply(Decision.ACCEPT, "Mette", "", form_token("s")), True, Notice.NOT_FROM_HERE),
        (Reply(Decision.ACCEPT, "Mette", "", form_token("t")), False, Notice.NOT_FROM_HERE),
        (Reply(Decision.ACCEPT, "Mette", "", "æ"), False, Notice.NOT_FROM_HERE),
        (Reply(None, "Mette", "", form_token("s")), False, Notice.NOT_FROM_HERE),
        (Reply(Decision.ACCEPT, "", "", form_token("s")), False, Notice.NAME_MISSING),
        (Reply(Decision.ACCEPT, "M" * 201, "", form_token("s")), False, Notice.TOO_LONG),
        (Reply(Decision.REJECT, "Mette", "c" * 2001, form_token("s")), False, Notice.TOO_LONG),
    ],
)
def test_which_forms_are_taken(reply: Reply, foreign: bool, notice: Notice | None) -> None:
    assert refusal_of(reply, "s", foreign=foreign) is notice


def test_the_second_of_two_clicks_is_the_first_ones() -> None:
    accepted = quote(QuoteStatus.ACCEPTED)
    assert is_answered_so(accepted, Decision.ACCEPT)
    assert not is_answered_so(accepted, Decision.REJECT)
    assert not is_answered_so(accepted, None)
    assert not is_answered_so(quote(QuoteStatus.SENT), Decision.ACCEPT)
