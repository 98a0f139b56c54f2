"""Attachments of posted entries on the wire (contract 2.8)."""

from uuid import UUID

from pydantic import Field

from ledgerbee.core.fields import fields_of
from ledgerbee.http.wire import IdText, Moment, ResponseModel
from ledgerbee.ledger.attachments.model import Attachment


class AttachmentResponse(ResponseModel):
    """A file attached to a posted entry."""

    id: IdText
    file_name: str = Field(examples=["faktura-1001.pdf"])
    content_type: str = Field(examples=["application/pdf"])
    size: int = Field(description="In bytes", examples=[48213])
    sha256: str = Field(description="The content's hash (hexadecimal)")
    created_at: Moment
    url: str = Field(description="Where the file itself is, with the same credential", examples=["/api/v1/…"])


def render(entry_id: UUID, attachment: Attachment) -> AttachmentResponse:
    return AttachmentResponse(
        **fields_of(attachment),
        sha256=attachment.hash.hex(),
        url=f"/api/v1/journal-entries/{entry_id}/attachments/{attachment.id}",
    )
