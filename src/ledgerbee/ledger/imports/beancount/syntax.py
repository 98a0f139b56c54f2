"""Reading Beancount: text into directives, line by line. Pure but for the files that are included."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from ledgerbee.ledger.imports.beancount.model import (
    Amount,
    Balance,
    CostSpec,
    Open,
    Pad,
    Posting,
    Price,
    Problem,
    Source,
    Transaction,
    Where,
)

#: Gives the text of an included file, by the name that the including one (second argument) uses; and its own name.
Include = Callable[[str, str], Iterator[tuple[str, str]]]

_ACCOUNT: Final = r"[^\W\d_][\w-]*(?::[\w-]+)+"
_CURRENCY: Final = r"[A-Z](?:[A-Z0-9'._-]{0,22}[A-Z0-9])?"
_TOKEN: Final = re.compile(
    rf"""\s*(?:
    (?P<string>"(?:[^"\\]|\\.)*")
  | (?P<date>\d{{4}}[-/]\d{{2}}[-/]\d{{2}}(?![\d]))
  | (?P<number>\d[\d,]*(?:\.\d*)?|\.\d+)
  | (?P<account>{_ACCOUNT})
  | (?P<currency>{_CURRENCY}(?![\w]))
  | (?P<tag>\#[\w/.-]+)
  | (?P<link>\^[\w/.-]+)
  | (?P<word>[a-z][\w-]*:?)
  | (?P<mark>\{{\{{|\}}\}}|@@|[{{}}@~,()+\-*/|!&?%\#])
  | (?P<comment>;.*)
    )""",
    re.VERBOSE | re.DOTALL,
)
_HEAD: Final = re.compile(r"(\d{4})[-/](\d{2})[-/](\d{2})\s+(\S+)\s*(.*)", re.DOTALL)
#: A posting as most are: an account, a number, a currency.
_POSTING: Final = re.compile(rf"\s+({_ACCOUNT})(?:\s+(-?\d[\d,]*(?:\.\d*)?)\s+({_CURRENCY}))?\s*")
_META: Final = re.compile(r"\s+[a-z][\w-]*:(?:\s|$)")
_FLAG: Final = re.compile(r"[!*&#?%A-Z]\s")
_SKIPPED: Final = frozenset({"commodity", "note", "document", "event", "query", "custom"})
#: Lines that a string may go over: a quote that is never closed must not swallow the file.
_MAX_STRING_LINES: Final = 64
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}


class SyntaxProblemError(Exception):
    """A line that can't be read."""


class Tokens:
    """The tokens of a line, one after the other."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        place, end = 0, len(text.rstrip())
        while place < end:
            found = _TOKEN.match(text, place)
            if found is None or found.lastgroup is None:
                raise SyntaxProblemError(f"unexpected {text[place:].strip()[:20]!r}")
            if found.lastgroup == "comment":
                break
            self._tokens.append((found.lastgroup, found.group(found.lastgroup)))
            place = found.end()
        self._next = 0

    def peek(self) -> tuple[str, str]:
        """Kind and text of the next token; empty at the end."""
        return self._tokens[self._next] if self._next < len(self._tokens) else ("", "")

    def take(self, kind: str) -> str | None:
        """The next token if it is of the kind."""
        found, text = self.peek()
        if found != kind:
            return None
        self._next += 1
        return text

    def mark(self, *texts: str) -> str | None:
        """The next token if it is one of these signs."""
        kind, text = self.peek()
        if kind != "mark" or text not in texts:
            return None
        self._next += 1
        return text

    def need(self, kind: str) -> str:
        """The next token, which has to be of the kind."""
        text = self.take(kind)
        if text is None:
            raise SyntaxProblemError(f"{kind} expected, found {self.peek()[1] or 'the end of the line'!r}")
        return text

    def finish(self) -> None:
        """Nothing may be left."""
        if self.peek()[0]:
            raise SyntaxProblemError(f"unexpected {self.peek()[1]!r}")

    def string(self) -> str | None:
        """The next token's text if it is a string."""
        text = self.take("string")
        return _unquoted(text) if text is not None else None

    def expression(self) -> Decimal:
        """A number, or arithmetic of numbers."""
        value = self._product()
        while sign := self.mark("+", "-"):
            other = self._product()
            value = value + other if sign == "+" else value - other
        return value

    def _product(self) -> Decimal:
        value = self._factor()
        while sign := self.mark("*", "/"):
            other = self._factor()
            if sign == "/" and other == 0:
                raise SyntaxProblemError("division by zero")
            value = value * other if sign == "*" else value / other
        return value

    def _factor(self) -> Decimal:
        if sign := self.mark("+", "-"):
            value = self._factor()
            return -value if sign == "-" else value
        if self.mark("("):
            value = self.expression()
            if not self.mark(")"):
                raise SyntaxProblemError("a bracket is not closed")
            return value
        return _number(self.need("number"))

    def starts_expression(self) -> bool:
        """Whether a number comes next."""
        kind, text = self.peek()
        return kind == "number" or (kind == "mark" and text in {"(", "+", "-"})


def parse(text: str, include: Include, name: str = "") -> Source:
    """Read books with all that they include; what can't be read becomes problems, and reading goes on."""
    source = Source()
    _File(source, include, name).read(text)
    return source


class _File:
    """One file of the books."""

    def __init__(self, source: Source, include: Include, name: str) -> None:
        self._source = source
        self._include = include
        self._name = name
        self._pushed: list[str] = []
        #: What indented lines belong to: a transaction, or something of which they are passed over.
        self._open: Transaction | bool = False
        self._spoilt = False

    def read(self, text: str) -> None:
        lines = text.removeprefix("\ufeff").splitlines()
        place = 0
        while place < len(lines):
            span = _span(lines, place)
            try:
                self._line(place + 1, "\n".join(lines[place : place + span]))
            except (SyntaxProblemError, InvalidOperation, ValueError) as fault:
                self._refuse(place + 1, str(fault))
                span = 1  # a string that goes over lines may be a quote too many: the next line may be good
            place += span
        self._end()
        if self._pushed:
            self._refuse(len(lines), f"tags are never popped: {', '.join(self._pushed)}")

    def _refuse(self, line: int, message: str) -> None:
        self._source.problems.append(Problem(Where(self._name, line), message))
        if isinstance(self._open, Transaction) and line > self._open.where.line:
            self._spoilt = True  # half a transaction is none

    def _end(self) -> None:
        """What came before is complete."""
        if isinstance(self._open, Transaction) and not self._spoilt:
            self._source.directives.append(self._open)
        self._open, self._spoilt = False, False

    def _line(self, number: int, line: str) -> None:
        first = line[:1]
        if not first:
            return
        if first in " \t":
            self._indented(number, line)
            return
        self._end()
        if first.isdigit():
            self._open = True
            self._dated(number, line)
        elif first.isalpha():
            self._undated(number, line)
        elif first not in "*#:!&?%;":
            raise SyntaxProblemError(f"unexpected {line[:20]!r}")

    def _indented(self, number: int, line: str) -> None:
        if line.lstrip()[:1] in {"", ";"}:
            return
        if self._open is True or _META.match(line):
            return  # metadata says nothing about what is booked
        if not isinstance(self._open, Transaction):
            raise SyntaxProblemError("an indented line that belongs to nothing")
        found = _POSTING.fullmatch(line)
        if found is not None:
            account, amount, currency = found.groups()
            units = Amount(_number(amount), currency) if amount else None
            self._open.postings.append(Posting(number, account, units))
            return
        text = line.strip()
        if text[0] in "#^" and not _FLAG.match(text):
            tokens = Tokens(text)
            more = _tags(tokens)
            tokens.finish()
            if self._open.postings:
                raise SyntaxProblemError("tags and links come before the first posting")
            self._open.tags = tuple(dict.fromkeys((*self._open.tags, *more)))
            return
        self._open.postings.append(_posting(number, text[2:] if _FLAG.match(text) else text))

    def _dated(self, number: int, line: str) -> None:
        found = _HEAD.fullmatch(line)
        if found is None:
            raise SyntaxProblemError("a directive expected after the date")
        day = date(int(found[1]), int(found[2]), int(found[3]))
        kind, tokens = found[4], None
        where = Where(self._name, number)
        if kind in _SKIPPED:
            self._source.skipped[kind] += 1
            return
        tokens = Tokens(found[5])
        match kind:
            case "open":
                account = tokens.need("account")
                while tokens.take("currency"):
                    tokens.mark(",")
                self._source.directives.append(Open(where, day, account, tokens.string()))
            case "close":
                tokens.need("account")
                self._source.skipped[kind] += 1
            case "balance":
                account, amount = tokens.need("account"), tokens.expression()
                tolerance = tokens.expression() if tokens.mark("~") else None
                self._source.directives.append(Balance(where, day, account, amount, tokens.need("currency"), tolerance))
            case "pad":
                self._source.directives.append(Pad(where, day, tokens.need("account"), tokens.need("account")))
            case "price":
                currency, amount = tokens.need("currency"), tokens.expression()
                self._source.directives.append(Price(where, day, currency, amount, tokens.need("currency")))
                self._source.skipped[kind] += 1
            case _ if kind == "txn" or (len(kind) == 1 and _FLAG.match(f"{kind} ")):
                self._transaction(where, day, tokens)
            case _:
                raise SyntaxProblemError(f"no such directive: {kind[:20]!r}")
        tokens.finish()

    def _transaction(self, where: Where, day: date, tokens: Tokens) -> None:
        first = tokens.string()
        tokens.mark("|")
        second = tokens.string()
        payee, narration = (first, second) if second is not None else (None, first)
        tags = tuple(dict.fromkeys((*self._pushed, *_tags(tokens))))
        tokens.finish()
        self._open = Transaction(where, day, payee, narration, tags)

    def _undated(self, number: int, line: str) -> None:
        word, _, rest = line.partition(" ")
        match word:
            case "option":
                tokens = Tokens(rest)
                name, value = tokens.string(), tokens.string()
                if name is None or value is None:
                    raise SyntaxProblemError("an option has a name and a value")
                self._source.options.setdefault(name, []).append(value)
            case "include":
                wanted = Tokens(rest).string()
                if wanted is None:
                    raise SyntaxProblemError("the name of a file expected")
                for name, text in self._include(wanted, self._name):
                    _File(self._source, self._include, name).read(text)
            case "pushtag":
                self._pushed.append(Tokens(rest).need("tag")[1:])
            case "poptag":
                tag = Tokens(rest).need("tag")[1:]
                if tag not in self._pushed:
                    raise SyntaxProblemError(f"the tag {tag} was not pushed")
                self._pushed.remove(tag)
            case "plugin" | "pushmeta" | "popmeta":
                self._source.skipped[word] += 1
            case _:
                raise SyntaxProblemError(f"no such directive: {word[:20]!r} (line {number})")


def _tags(tokens: Tokens) -> list[str]:
    """Tags by their names, links with their sign before it."""
    found = []
    while True:
        if (tag := tokens.take("tag")) is not None:
            found.append(tag[1:])
        elif (link := tokens.take("link")) is not None:
            found.append(link)
        else:
            return found


def _posting(number: int, text: str) -> Posting:
    """A posting in all its forms: account, units, cost in braces, price after `@`."""
    tokens = Tokens(text)
    account = tokens.need("account")
    units = _amount(tokens)
    cost = _cost(tokens)
    sign = tokens.mark("@", "@@")
    price = (_amount(tokens) or Amount(None, None)) if sign else None
    tokens.finish()
    if units is None and (cost is not None or price is not None):
        units = Amount(None, None)
    return Posting(number, account, units, cost, price, sign == "@@")


def _amount(tokens: Tokens) -> Amount | None:
    number = tokens.expression() if tokens.starts_expression() else None
    currency = tokens.take("currency")
    return None if number is None and currency is None else Amount(number, currency)


def _cost(tokens: Tokens) -> CostSpec | None:
    opening = tokens.mark("{", "{{")
    if opening is None:
        return None
    closing = "}}" if opening == "{{" else "}"
    per_unit = total = day = None
    currency = label = None
    while not tokens.mark(closing):
        if tokens.starts_expression():
            amount = tokens.expression()
            if opening == "{{":
                total = amount
            else:
                per_unit = amount
        elif tokens.mark("#"):
            total = tokens.expression() if tokens.starts_expression() else total
        elif (text := tokens.take("date")) is not None:
            day = date.fromisoformat(text.replace("/", "-"))
        elif (text := tokens.take("currency")) is not None:
            currency = text
        elif (text := tokens.string()) is not None:
            label = text
        elif not tokens.mark(","):
            raise SyntaxProblemError(f"unexpected {tokens.peek()[1] or 'end of the line'!r} in a cost")
    return CostSpec(per_unit, total, currency, day, label)


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), text[1:-1], flags=re.DOTALL)


def _span(lines: Sequence[str], place: int) -> int:
    """How many lines belong together from a place on: a string may go over their ends."""
    line, span = lines[place], 1
    while '"' in line and span < _MAX_STRING_LINES and place + span < len(lines) and _is_open(line):
        line += "\n" + lines[place + span]
        span += 1
    return span


_STRING_OR_COMMENT: Final = re.compile(r'"(?:[^"\\]|\\.)*(?P<closed>"?)|;[^\n]*', re.DOTALL)


def _is_open(line: str) -> bool:
    """Whether the line ends within a string."""
    if line[:1] in "*#:!&?%;":  # a heading or a comment
        return False
    return any(found[0][0] == '"' and not found["closed"] for found in _STRING_OR_COMMENT.finditer(line))
