"""UBL that others wrote: read without anything that XML can be attacked by.

Expat reads it, which knows UTF-8, UTF-16, ISO-8859-1 and the one-byte encodings of Python. A document type declaration
is refused where it begins: without it there are no entities to expand and nothing to fetch. Depth and number of
elements are bounded, and so is the size, by whoever takes the bytes.
"""

from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from ledgerbee.network.xml import AGGREGATES, BASICS

#: Elements within each other: an e-invoice has about ten.
MAX_DEPTH: Final = 50
#: Elements of a document: 5,000 lines of an e-invoice have a quarter of that.
MAX_ELEMENTS: Final = 500_000
#: Between the namespace and the name, as expat joins them: it stands in neither.
_SEPARATOR: Final = " "


class UnreadableXmlError(ValueError):
    """What is no XML, or XML that is not read. The text says why."""


@dataclass(slots=True)
class Element:
    """An element of UBL: an aggregate, which has elements, or a basic one, which has a text. Each kind has a namespace,
    and what has another one is never found: extensions may hold elements of the same names.
    """

    name: str
    namespace: str
    attributes: dict[str, str]
    children: list["Element"] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def all(self, path: str) -> list["Element"]:
        """All aggregates at a path of names: `InvoiceLine/Item`."""
        found = [self]
        for name in path.split("/"):
            found = [child for one in found for child in one.children if child.is_named(name, AGGREGATES)]
        return found

    def first(self, path: str) -> "Element | None":
        """The first aggregate at a path, None where there is none."""
        found = self.all(path)
        return found[0] if found else None

    def leaves(self, path: str) -> list["Element"]:
        """All basic elements at a path: aggregates, but for the last name."""
        above, _, name = path.rpartition("/")
        parents = self.all(above) if above else [self]
        return [child for one in parents for child in one.children if child.is_named(name, BASICS)]

    def leaf(self, path: str) -> "Element | None":
        """The first basic element at a path, None where there is none."""
        found = self.leaves(path)
        return found[0] if found else None

    def text(self, path: str) -> str | None:
        """The text of the first basic element at a path, without blanks at its ends; None where there is none."""
        found = self.leaf(path)
        return None if found is None else found.own_text

    def is_named(self, name: str, namespace: str) -> bool:
        """Whether it has this name of this namespace."""
        return self.name == name and self.namespace == namespace

    @property
    def own_text(self) -> str | None:
        """The element's text without blanks at its ends; None where that is nothing."""
        return "".join(self.texts).strip() or None


def parse(raw: bytes, max_elements: int = MAX_ELEMENTS, max_depth: int = MAX_DEPTH) -> Element:
    """The root of a document. Raises `UnreadableXmlError`."""
    builder = _Builder(max_elements, max_depth)
    try:
        builder.parser.Parse(raw, True)
    except expat.ExpatError as fault:
        raise UnreadableXmlError(f"it is no well-formed XML: {fault}") from None
    except (LookupError, ValueError) as fault:  # an encoding that Python doesn't know, or of several bytes
        if isinstance(fault, UnreadableXmlError):
            raise
        raise UnreadableXmlError("its encoding is not read: use UTF-8, UTF-16 or ISO-8859-1") from None
    assert builder.root is not None, "a well-formed document has a root"
    return builder.root


class _Builder:
    """Makes elements of what expat finds."""

    def __init__(self, max_elements: int, max_depth: int) -> None:
        self.root: Element | None = None
        self._max_elements = max_elements
        self._max_depth = max_depth
        self._open: list[Element] = []
        self._count = 0
        self.parser = parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = _refuse_doctype

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= self._max_depth or self._count > self._max_elements:
            raise UnreadableXmlError(
                "it has too many elements, or lies too deep: more than"
                f" {self._max_elements}, or {self._max_depth} in each other"
            )
        namespace, _, local = name.rpartition(_SEPARATOR)
        element = Element(local, namespace, attributes)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        self._open[-1].texts.append(text)


def _refuse_doctype(*_: object) -> None:
    raise UnreadableXmlError("it has a document type declaration, which no e-invoice has")
