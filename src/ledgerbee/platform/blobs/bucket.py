"""A store in a bucket of any service that speaks S3. Imported only where one is configured."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import UUID

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.platform.blobs.store import ATTACHMENT_STORE_UNAVAILABLE, name_of, to_the_end

if TYPE_CHECKING:
    from obstore.store import S3Config

T = TypeVar("T")

#: How long a call may take, and how long it is tried again: callers wait for it.
_TIMEOUT: Final = timedelta(seconds=30)
_PATIENCE: Final = timedelta(seconds=15)
_RETRIES: Final = 3


class Bucket:
    """A store in a bucket. Without a key, it is looked for where that service's own programs do (`AWS_…`)."""

    def __init__(
        self,
        bucket: str,
        *,
        endpoint: str | None = None,
        region: str | None = None,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
    ) -> None:
        config: S3Config = {"virtual_hosted_style_request": endpoint is None}
        if endpoint is not None:
            config["endpoint"] = endpoint
        if region is not None:
            config["region"] = region
        if access_key_id is not None and secret_access_key is not None:
            config |= {"access_key_id": access_key_id, "secret_access_key": secret_access_key}
        self._store = S3Store(
            bucket,
            config=config,
            client_options={"allow_http": True, "timeout": _TIMEOUT},
            retry_config={"max_retries": _RETRIES, "retry_timeout": _PATIENCE},
        )

    async def put(self, company_id: UUID, content_hash: bytes, content: bytes) -> None:
        name = name_of(company_id, content_hash)
        if await _unless_missing(obstore.head_async(self._store, name)) is None:
            await _call(obstore.put_async(self._store, name, content, use_multipart=False))

    async def get(self, company_id: UUID, content_hash: bytes) -> bytes | None:
        found = await _unless_missing(obstore.get_async(self._store, name_of(company_id, content_hash)))
        return None if found is None else bytes(await _call(found.bytes_async()))

    async def delete(self, company_id: UUID, content_hash: bytes) -> None:
        await _call(obstore.delete_async(self._store, name_of(company_id, content_hash)))


async def _call(work: Awaitable[T]) -> T:
    try:
        return await to_the_end(work)
    except (BaseError, OSError) as fault:
        raise ATTACHMENT_STORE_UNAVAILABLE.error() from fault


async def _unless_missing(work: Awaitable[T]) -> T | None:
    try:
        return await _call(work)
    except LedgerBeeError as fault:
        if isinstance(fault.__cause__, FileNotFoundError):
            return None
        raise
