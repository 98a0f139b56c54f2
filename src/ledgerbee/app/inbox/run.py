"""Running the development mailbox: a mail server and its page, both on the loopback and nowhere else."""

import asyncio
import socket
from collections.abc import Callable

import uvicorn
from aiosmtpd.smtp import SMTP

from ledgerbee.app.inbox.mails import Inbox
from ledgerbee.app.inbox.page import inbox_page


def run_inbox(mail_listener: socket.socket, page_listener: socket.socket, announce: Callable[[], None]) -> None:
    """Take mails and show them until SIGTERM or SIGINT; `announce` is called once both answer."""
    asyncio.run(_run(mail_listener, page_listener, announce))


async def _run(mail_listener: socket.socket, page_listener: socket.socket, announce: Callable[[], None]) -> None:
    inbox, loop = Inbox(), asyncio.get_running_loop()

    def conversation() -> SMTP:
        return SMTP(inbox, hostname="localhost", enable_SMTPUTF8=True, loop=loop)

    conversation()  # what fails here would close each connection without a word
    server = await loop.create_server(conversation, sock=mail_listener)
    page = uvicorn.Server(uvicorn.Config(inbox_page(inbox), log_level="warning", lifespan="off", access_log=False))
    announce()
    try:
        await page.serve(sockets=[page_listener])
    finally:
        server.close()
