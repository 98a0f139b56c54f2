"""Reading e-invoices back: what an element says, by a path without prefixes."""

import re
from xml.etree import ElementTree as ET

_CAC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"
_CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"


class Ubl:
    """A document, or a part of it."""

    def __init__(self, element: ET.Element) -> None:
        self.element = element

    @classmethod
    def of(cls, xml: bytes) -> "Ubl":
        return cls(ET.fromstring(xml))  # noqa: S314  our own

    @property
    def name(self) -> str:
        return re.sub("{.*}", "", self.element.tag)

    def parts(self, path: str) -> list["Ubl"]:
        """All of an aggregate: `InvoiceLine/Item`."""
        return [Ubl(found) for found in self.element.findall("/".join(_CAC + name for name in path.split("/")))]

    def part(self, path: str) -> "Ubl":
        (found,) = self.parts(path)
        return found

    def texts(self, path: str) -> list[str]:
        """All texts of a basic element: `InvoiceLine/Item/Name`."""
        return [found.text or "" for found in self._basics(path)]

    def text(self, path: str) -> str | None:
        """The text of the one that there is, None where there is none."""
        found = self.texts(path)
        assert len(found) <= 1, found
        return found[0] if found else None

    def attributes(self, path: str) -> dict[str, str]:
        (found,) = self._basics(path)
        return found.attrib

    def schemed(self, path: str) -> tuple[str | None, str]:
        """Scheme and number of an identifier."""
        (found,) = self._basics(path)
        return found.get("schemeID"), found.text or ""

    def _basics(self, path: str) -> list[ET.Element]:
        *aggregates, last = path.split("/")
        return self.element.findall("/".join([*(_CAC + name for name in aggregates), _CBC + last]))
