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
    """What to give to each application: a command, the texts of `.cursor/mcp.json` and `.vscode/mcp.json`, and links.

    A link opens the application, which asks whether to add the address.
    """

    address: str
    claude_code: str
    cursor: str
    cursor_link: str
    vs_code: str
    vs_code_link: str


def setups_of(company_name: str, address: str) -> Setups:
    """The set-up of a company's address: the server is called `ledgerbee-` and the company's name (contract 3.5)."""
    name = f"ledgerbee-{short_name(company_name)}"
    config = base64.b64encode(json.dumps({"url": address}).encode()).decode()
    vs_code = json.dumps({"name": name, "type": "http", "url": address}, separators=(",", ":"))
    return Setups(
        address=address,
        claude_code=f"claude mcp add --transport http {name} {address}",
        cursor=json.dumps({"mcpServers": {name: {"url": address}}}, indent=2),
        cursor_link="cursor://anysphere.cursor-deeplink/mcp/install?" + urlencode({"name": name, "config": config}),
        vs_code=json.dumps({"servers": {name: {"type": "http", "url": address}}}, indent=2),
        vs_code_link=f"vscode:mcp/install?{quote(vs_code)}",
    )


def short_name(company_name: str) -> str:
    """A company's name in small letters, digits and hyphens; `company` where none is left."""
    plain = unicodedata.normalize("NFKD", company_name.translate(_WRITTEN_OUT)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:_MAX_NAME].strip("-") or "company"
