"""Files in requests: base64 inside the JSON body (decisions "Ledger")."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from ledgerbee.http.wire import Line, RequestModel
from ledgerbee.ledger.uploads.model import MAX_ATTACHMENTS, MAX_FILE_NAME
from ledgerbee.ledger.uploads.rules import FILE_NAME, is_file_name


def _check_name(name: str) -> str:
    if not is_file_name(name):
        raise PydanticCustomError("isFileName", FILE_NAME)
    return name


class AttachmentFile(RequestModel):
    """A file to attach. What its content must be is told by the rules, when it is decoded."""

    file_name: Annotated[Line, AfterValidator(_check_name)] = Field(
        max_length=MAX_FILE_NAME, description="Without folders; at most 255 characters", examples=["faktura-1001.pdf"]
    )
    content_type: Line = Field(
        description="PDF, PNG, JPEG, TIFF, XML, CSV, plain text, or an office file; the content must be of this type",
        examples=["application/pdf"],
    )
    content: Annotated[str, Field(strict=True)] = Field(
        description="The file, as base64. The whole body has 15 MB at most.",
        examples=["JVBERi0xLjcK"],
        json_schema_extra={"contentEncoding": "base64", "maxLength": 15 * 2**20},
    )


#: The files of one entry, in the order in which they are listed afterwards.
AttachmentFiles = Annotated[tuple[AttachmentFile, ...], Field(max_length=MAX_ATTACHMENTS)]
