"""What a tool of the MCP server is."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from fastapi import FastAPI

from ledgerbee.http.caller import Caller


class Effect(Enum):
    """What a call of a tool does to the company's rows; its hints follow from it."""

    #: Nothing: no row changes.
    READS = "reads"
    #: It keeps a preview for a while, or changes what can be changed again: nothing is booked, sent or cancelled.
    PREPARES = "prepares"
    #: It books, sends, reverses or cancels what can't be taken back.
    COMMITS = "commits"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool: who calls, and with what. Numbers of the arguments are `int` and `Decimal`."""

    app: FastAPI
    caller: Caller
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool: what a model reads of it, what it takes and gives (JSON schemas), and what runs it.

    It is listed for connections with all its `scopes`. `run` gives the result as JSON values. It raises
    `LedgerBeeError`, which the caller sees as an error of the tool.
    """

    name: str
    title: str
    description: str
    scopes: frozenset[str]
    effect: Effect
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
    run: Callable[[Call], Awaitable[dict[str, Any]]]
