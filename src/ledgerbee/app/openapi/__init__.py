"""The OpenAPI document: the product's face (contract 1, and the shape of the reference's pages).

What an operation or a model says of itself stands beside it. Here is what the document adds: order, security, headers,
examples, and texts of what many models share.
"""

from ledgerbee.app.openapi.document import describe

__all__ = ["describe"]
