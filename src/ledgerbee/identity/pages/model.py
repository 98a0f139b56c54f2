"""What the pages of people share: who looks at one, and how its texts are kept."""

from collections.abc import Mapping
from typing import Final, Protocol

#: The languages that pages are in; the first is that of who asks for none of them.
LANGUAGES: Final = ("en", "da")

#: Texts of pages by name, each in Danish and in English.
Texts = Mapping[str, tuple[str, str]]


class Viewer(Protocol):
    """Whoever has signed in and looks at a page."""

    @property
    def name(self) -> str:
        """Shown in the page's head."""

    @property
    def language(self) -> str:
        """The language that the person has chosen: `da` or `en`."""

    @property
    def form_token(self) -> str:
        """What the forms of the pages send along."""
