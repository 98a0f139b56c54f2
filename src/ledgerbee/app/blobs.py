"""Which blob store the settings name."""

from pathlib import Path

from ledgerbee.app.cell_settings import CellSettings
from ledgerbee.app.config import Settings
from ledgerbee.platform.blobs.store import BlobStore, Folder


def blob_store(settings: Settings, data_dir: Path | None = None, *, cell: CellSettings | None = None) -> BlobStore:
    """The bucket, the folder, or the one in the data folder (`data_dir`: that of the embedded database in use).

    `cell` is another cell that has a folder of its own; a bucket is all cells'.
    """
    if cell is not None and cell.attachments_dir is not None:
        return Folder(cell.attachments_dir)
    if settings.attachments_bucket is None:
        return Folder(blob_folder(settings, data_dir))
    from ledgerbee.platform.blobs.bucket import Bucket  # noqa: PLC0415  those without a bucket need not load it

    key, secret = settings.attachments_bucket_key_id, settings.attachments_bucket_secret
    return Bucket(
        settings.attachments_bucket,
        endpoint=settings.attachments_bucket_endpoint,
        region=settings.attachments_bucket_region,
        access_key_id=key.get_secret_value() if key else None,
        secret_access_key=secret.get_secret_value() if secret else None,
    )


def blob_folder(settings: Settings, data_dir: Path | None = None) -> Path:
    """The folder of attached files, where there is no bucket."""
    if settings.attachments_dir is not None:
        return settings.attachments_dir.expanduser().absolute()
    from ledgerbee.embedded import default_data_dir  # noqa: PLC0415  not loaded where the folder is set

    return (data_dir or settings.data_dir or default_data_dir()).expanduser().absolute() / "attachments"
