"""Pages as a browser without scripts reads them: their text, their links, their forms and the labels of these."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

#: A name that is written from right to left, and would turn around and hide what follows it.
TURNING = "\u05d7\u05e0\u05d5\u05ea\u202e gro.krowten \u2067\u200f"
#: It as a page shows it.
TURNED = "\u2068\u05d7\u05e0\u05d5\u05ea gro.krowten \u200f\u2069"


def reaching(text: str) -> list[str]:
    """The characters of a text that turn around what stands beside them, and aren't isolated from it."""
    outside = re.sub("\u2068[^\u202a-\u202e\u2066-\u2069]*\u2069", "", text)
    return re.findall("[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069]", outside)


@dataclass
class Form:
    """A form: where it goes, and its fields with their values."""

    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """What a page says and offers."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.links: list[str] = []
        self.forms: list[Form] = []
        #: Every element with its attributes, in order.
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.language = ""
        self._open: list[str] = []
        self.feed(content)
        self.close()

    @property
    def text(self) -> str:
        """All that is read, blanks joined."""
        return " ".join(" ".join(self.texts).split())

    def form(self, decision: str) -> Form:
        """The form of a decision."""
        return next(one for one in self.forms if one.fields["decision"] == decision)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        attributes: dict[str, str | None] = dict(attrs)
        self.elements.append((tag, attributes))
        self._open.append(tag)
        if tag == "html":
            self.language = attributes.get("lang") or ""
        elif tag == "a":
            self.links.append(attributes.get("href") or "")
        elif tag == "form":
            self.forms.append(Form(attributes.get("method") or "get", attributes.get("action") or ""))
        elif tag in {"input", "textarea"} and attributes.get("name"):
            self.forms[-1].fields[str(attributes["name"])] = attributes.get("value") or ""

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.texts.append(data)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass
