"""The audit of a company's books: `verify` recomputes the ledger from its rows and names the first fault."""

from ledgerbee.ledger.verify.actions import verify
from ledgerbee.ledger.verify.model import Fault, Progress, Verification

__all__ = ["Fault", "Progress", "Verification", "verify"]
