"""How applications are told of a company's MCP address: texts to copy, and links that open them. Pure."""

import base64
import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

#: Danish letters that lose nothing by being written out; others lose their accents.
_WRITTEN_OUT: Final = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "Æ": "ae", "Ø": "oe", "Å": "aa", "ß": "ss"})
_MAX_NAME: Final = 30


@dataclass(frozen=True, slots=True)
class Setups:
    """What to give to each application. `name` is what the server is called there, `address` its URL."""

    name: str
    address: str

    @property
    def claude_code(self) -> str:
        """A command."""
        return f"claude mcp add --transport http {self.name} {self.address}"

    @property
    def cursor(self) -> str:
        """For `.cursor/mcp.json`."""
        return json.dumps({"mcpServers": {self.name: {"url": self.address}}}, indent=2)

    @property
    def cursor_link(self) -> str:
        """Opens Cursor, which asks whether to add it."""
        config = base64.b64encode(json.dumps({"url": self.address}).encode()).decode()
        query = urlencode({"name": self.name, "config": config})
        return f"cursor://anysphere.cursor-deeplink/mcp/install?{query}"

    @property
    def vs_code(self) -> str:
        """For `.vscode/mcp.json`."""
        return json.dumps({"servers": {self.name: {"type": "http", "url": self.address}}}, indent=2)

    @property
    def vs_code_link(self) -> str:
        """Opens Visual Studio Code, which asks whether to add it."""
        config = json.dumps({"name": self.name, "type": "http", "url": self.address}, separators=(",", ":"))
        return f"vscode:mcp/install?{quote(config)}"


def setups_of(company_name: str, address: str) -> Setups:
    """The set-up of a company's address: the server is called `ledgerbee-` and the company's name (contract 3.5)."""
    return Setups(f"ledgerbee-{short_name(company_name)}", address)


def short_name(company_name: str) -> str:
    """A company's name in small letters, digits and hyphens; `company` where none is left."""
    plain = unicodedata.normalize("NFKD", company_name.translate(_WRITTEN_OUT)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:_MAX_NAME].strip("-") or "company"
