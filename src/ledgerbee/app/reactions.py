"""Which jobs follow which events: news that travels up goes through the outbox, never by a call."""

from typing import Final

from ledgerbee.platform.outbox import Reactions

REACTIONS: Final[Reactions] = {}
