"""Which way e-invoices leave, by the settings."""

from pathlib import Path

from ledgerbee.app.config import Settings
from ledgerbee.network.transport.access_point import AccessPoint
from ledgerbee.network.transport.as4 import As4Transport
from ledgerbee.network.transport.folder import FolderTransport
from ledgerbee.network.transport.model import Transport


def transport_of(settings: Settings) -> Transport:
    """The access point, by AS4 where there are keys for it, else the folder."""
    if settings.einvoice_url is not None and settings.einvoice_as4_dir is not None:
        return As4Transport(settings.einvoice_url, settings.einvoice_as4_dir)
    if settings.einvoice_url is not None:
        token = settings.einvoice_token
        return AccessPoint(settings.einvoice_url, token.get_secret_value() if token else None)
    return FolderTransport(e_invoice_folder(settings))


def e_invoice_folder(settings: Settings, data_dir: Path | None = None) -> Path:
    """The folder of e-invoices that wait to be taken to the network.

    `data_dir` is that of the embedded database in use.
    """
    if settings.einvoice_dir is not None:
        return settings.einvoice_dir.expanduser().absolute()
    from ledgerbee.embedded import default_data_dir  # noqa: PLC0415  not loaded where the folder is set

    return (data_dir or settings.data_dir or default_data_dir()).expanduser().absolute() / "e-invoices"
