"""Values of HTTP headers."""

from typing import Literal
from urllib.parse import quote


def content_disposition(file_name: str, kind: Literal["attachment", "inline"] = "attachment") -> str:
    """The header that has a browser save a file (or show it: `inline`) under its name, whatever its letters.

    RFC 6266 with the encoding of RFC 5987.
    """
    plain = "".join(char if char.isascii() and char not in '"\\%' else "_" for char in file_name)
    header = f'{kind}; filename="{plain}"'
    return header if plain == file_name else f"{header}; filename*=UTF-8''{quote(file_name, safe='')}"
