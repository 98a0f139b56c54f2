"""Answers to e-invoices as others write them, for tests."""

_NAMESPACES = (
    'xmlns="urn:oasis:names:specification:ubl:schema:xsd:ApplicationResponse-2"'
    ' xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"'
    ' xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"'
)
OIOUBL = "OIOUBL-2.02"
INVOICE_RESPONSE = "urn:fdc:peppol.eu:poacc:trns:invoice_response:3"
MESSAGE_LEVEL_RESPONSE = "urn:fdc:peppol.eu:poacc:trns:mlr:3"
MESSAGE_LEVEL_STATUS = "urn:peppol:edec:mls:1.0"


def answer(
    reference: str,
    code: str,
    *,
    customization: str = OIOUBL,
    text: str = "",
    kind: str = "",
    uuid: str = "",
    answer_id: str = "A-1",
    line: str = "",
    receiver: str = "",
) -> str:
    """An ApplicationResponse; what is empty is left out."""
    told = f"<cbc:Description>{text}</cbc:Description>" if text else ""
    own = f"<cbc:UUID>{uuid}</cbc:UUID>" if uuid else ""
    type_code = f"<cbc:DocumentTypeCode>{kind}</cbc:DocumentTypeCode>" if kind else ""
    party = f'<cac:ReceiverParty><cbc:EndpointID schemeID="DK:CVR">{receiver}</cbc:EndpointID></cac:ReceiverParty>'
    issue = (
        "<cac:LineResponse><cac:LineReference><cbc:LineID>NA</cbc:LineID></cac:LineReference>"
        f"<cac:Response><cbc:Description>{line}</cbc:Description></cac:Response></cac:LineResponse>"
        if line
        else ""
    )
    return (
        f"<ApplicationResponse {_NAMESPACES}><cbc:CustomizationID>{customization}</cbc:CustomizationID>"
        f"<cbc:ID>{answer_id}</cbc:ID><cbc:IssueDate>2026-03-17</cbc:IssueDate>{party if receiver else ''}"
        f"<cac:DocumentResponse><cac:Response><cbc:ResponseCode>{code}</cbc:ResponseCode>{told}</cac:Response>"
        f"<cac:DocumentReference><cbc:ID>{reference}</cbc:ID>{own}{type_code}</cac:DocumentReference>{issue}"
        "</cac:DocumentResponse></ApplicationResponse>"
    )
