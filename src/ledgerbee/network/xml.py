"""XML as text: elements with their content escaped, in one place. What is empty is left out, an element without content
as well: an e-invoice may have no empty element."""

import re
from functools import lru_cache
from typing import Final

_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
#: Namespaces of elements that have elements, and of those that have a text.
AGGREGATES: Final = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
BASICS: Final = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
#: Markup, and what XML 1.0 can't hold at all (with the carriage return, which a reader would make a line feed).
_SPECIAL: Final = re.compile('[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[&<>"]')
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def leaf(name: str, value: str | None, **attributes: str | None) -> str:
    """An element with a text; nothing for a text that is blank. Names are ours, values anybody's."""
    text = escaped(value) if value else ""
    if not text:
        return ""
    return f"<cbc:{name}{_written(tuple(attributes.items()))}>{text}</cbc:{name}>"


def kept(name: str, value: str) -> str:
    """An element whose text is another one's name for something: as it is, the blanks at its ends too."""
    return f"<cbc:{name}>{_escaped(value)}</cbc:{name}>"


@lru_cache(maxsize=512)
def _written(attributes: tuple[tuple[str, str | None], ...]) -> str:
    """Attributes: currencies, units and schemes, which are the same all over."""
    return "".join([f' {name}="{escaped(value)}"' for name, value in attributes if value])


def node(name: str, *content: str) -> str:
    """An element of elements; nothing where all of them are left out."""
    inner = "".join(content)
    return f"<cac:{name}>{inner}</cac:{name}>" if inner else ""


def root(name: str, *content: str) -> bytes:
    """The document: UTF-8, with the namespaces of UBL 2."""
    own = f"urn:oasis:names:specification:ubl:schema:xsd:{name}-2"
    opening = f'<{name} xmlns="{own}" xmlns:cac="{AGGREGATES}" xmlns:cbc="{BASICS}">'
    return "".join((_DECLARATION, opening, *content, f"</{name}>\n")).encode()


def escaped(text: str) -> str:
    """The text without blanks at its ends and without what XML can't hold, its markup escaped."""
    return _escaped(text).strip()


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda found: _ENTITIES.get(found[0], ""), text)
