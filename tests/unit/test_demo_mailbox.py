"""The demo's mail server: it keeps what it is given on every Python, and a fault in it is told at the start."""

import asyncio
import inspect
from dataclasses import dataclass
from typing import Any

import aiosmtplib
import pytest

from ledgerbee.app.demo.mailbox import Mailbox, mail_socket, receiving


@dataclass
class UnreadableMailbox(Mailbox):
    """A member that can't be read, as `__weakref__` is on a dataclass with slots before Python 3.11.3."""

    @property
    def auth_unreadable(self) -> Any:
        raise TypeError("descriptor doesn't apply")


def test_it_keeps_mails_in_the_order_in_which_they_came() -> None:
    mailbox = Mailbox()

    async def send() -> None:
        listener = mail_socket()
        async with (
            receiving(listener, mailbox),
            aiosmtplib.SMTP(hostname="127.0.0.1", port=listener.getsockname()[1], timeout=10) as client,
        ):
            for subject in ("first", "second"):
                await client.sendmail("a@example.com", ["b@example.com"], f"Subject: {subject}\r\n\r\nHello\r\n")

    asyncio.run(send())
    assert [(mail.subject, mail.recipients) for mail in mailbox.mails] == [
        ("first", ("b@example.com",)),
        ("second", ("b@example.com",)),
    ]


def test_every_member_of_the_mailbox_can_be_read() -> None:
    """By name, on the class too: whether a slot's leftovers can be read depends on the Python."""
    assert "__slots__" not in vars(Mailbox)
    assert "mails" in dict(inspect.getmembers(Mailbox()))


def test_a_mail_server_that_serves_nobody_does_not_start() -> None:
    async def start() -> None:
        with mail_socket() as listener:
            async with receiving(listener, UnreadableMailbox()):
                pass

    with pytest.raises(TypeError, match="doesn't apply"):
        asyncio.run(start())
