"""The stores of attached files, in a folder and in a bucket: the same for whoever uses them."""

import asyncio
import errno
import hashlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from moto.server import ThreadedMotoServer
from pydantic import SecretStr, ValidationError
from tests import patient

from ledgerbee.app.blobs import blob_store
from ledgerbee.app.config import Settings, refusals
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.platform.blobs.store import BlobStore, Folder, name_of

CONTENT = b"%PDF-1.7 \xe6\xf8\xe5"
HASH = hashlib.sha256(CONTENT).digest()
COMPANY = new_id()


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """A service that speaks S3 over HTTP."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def in_bucket(endpoint: str, bucket: str) -> BlobStore:
    settings = Settings(
        attachments_bucket=bucket,
        attachments_bucket_endpoint=endpoint,
        attachments_bucket_region="eu-north-1",
        attachments_bucket_key_id=SecretStr("key"),
        attachments_bucket_secret=SecretStr("secret"),
    )
    return blob_store(settings)


@pytest_asyncio.fixture(params=["folder", "bucket"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BlobStore]:
    if request.param == "folder":
        yield blob_store(Settings(attachments_dir=tmp_path / "some" / "where"))
        return
    endpoint, bucket = request.getfixturevalue("s3"), f"b{new_id().hex}"
    async with patient.async_client() as client:
        made = await client.put(f"{endpoint}/{bucket}", headers={"Authorization": "AWS key:secret"})
        assert made.status_code == 200, made.text
    yield in_bucket(endpoint, bucket)


class TestEveryStore:
    async def test_a_content_comes_back_until_it_is_removed(self, store: BlobStore) -> None:
        assert await store.get(COMPANY, HASH) is None
        for _ in range(2):
            await store.put(COMPANY, HASH, CONTENT)
            assert await store.get(COMPANY, HASH) == CONTENT
        for _ in range(2):
            await store.delete(COMPANY, HASH)
            assert await store.get(COMPANY, HASH) is None

    async def test_companies_share_nothing(self, store: BlobStore) -> None:
        await store.put(COMPANY, HASH, CONTENT)
        other = new_id()
        assert await store.get(other, HASH) is None
        await store.put(other, HASH, CONTENT)
        await store.delete(other, HASH)
        assert await store.get(COMPANY, HASH) == CONTENT

    async def test_many_put_the_same_at_once(self, store: BlobStore) -> None:
        await asyncio.gather(*(store.put(COMPANY, HASH, CONTENT) for _ in range(8)))
        assert await store.get(COMPANY, HASH) == CONTENT

    async def test_what_is_there_is_not_replaced(self, store: BlobStore) -> None:
        await store.put(COMPANY, HASH, CONTENT)
        await store.put(COMPANY, HASH, b"other")
        assert await store.get(COMPANY, HASH) == CONTENT

    async def test_megabytes(self, store: BlobStore) -> None:
        content = os.urandom(11_000_000)
        await store.put(COMPANY, HASH, content)
        assert await store.get(COMPANY, HASH) == content


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


class TestFolder:
    async def test_it_is_this_accounts_alone_and_nothing_lies_beside_it(self, tmp_path: Path) -> None:
        umask = os.umask(0)
        try:
            await Folder(tmp_path / "blobs").put(COMPANY, HASH, CONTENT)
        finally:
            os.umask(umask)
        assert files_in(tmp_path / "blobs") == [name_of(COMPANY, HASH)]
        for path in (tmp_path / "blobs").rglob("*"):
            assert path.stat().st_mode & 0o777 == (0o600 if path.is_file() else 0o700)
        assert (tmp_path / "blobs").stat().st_mode & 0o777 == 0o700

    async def test_what_a_killed_process_left_goes_with_the_content(self, tmp_path: Path) -> None:
        folder = Folder(tmp_path)
        await folder.put(COMPANY, HASH, CONTENT)
        whole = tmp_path / name_of(COMPANY, HASH)
        whole.with_name(f".{whole.name}.0a1b2c3d").write_bytes(b"%PD")
        await folder.delete(COMPANY, HASH)
        assert files_in(tmp_path) == []

    async def test_cancelled_it_comes_to_its_end_first(self, tmp_path: Path) -> None:
        """Whoever cancels removes what was put, and must not come before it."""
        folder = Folder(tmp_path)
        contents = [os.urandom(200_000) for _ in range(20)]
        for content in contents:
            task = asyncio.create_task(folder.put(COMPANY, hashlib.sha256(content).digest(), content))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert len([name for name in files_in(tmp_path) if "/." in name]) == 0
            await folder.delete(COMPANY, hashlib.sha256(content).digest())
        assert files_in(tmp_path) == []

    async def test_a_place_that_is_no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(LedgerBeeError) as caught:
            await Folder(tmp_path / "file").put(COMPANY, HASH, CONTENT)
        assert (caught.value.code, caught.value.status) == ("ATTACHMENT_STORE_UNAVAILABLE", 503)

    async def test_what_root_adds_belongs_to_the_folders_account(self, tmp_path: Path) -> None:
        account = 12345 if os.geteuid() == 0 else os.geteuid()
        os.chown(tmp_path, account, -1)
        await Folder(tmp_path / "blobs").put(COMPANY, HASH, CONTENT)
        path = tmp_path / "blobs" / name_of(COMPANY, HASH)
        assert [made.stat().st_uid for made in (path, *path.parents[:4])] == [account] * 5


class TestBucket:
    async def test_a_service_that_does_not_answer(self) -> None:
        store = in_bucket("http://127.0.0.1:9", "bucket")
        for work in (store.put(COMPANY, HASH, CONTENT), store.get(COMPANY, HASH), store.delete(COMPANY, HASH)):
            with pytest.raises(LedgerBeeError, match="Nothing was changed") as caught:
                await work
            assert caught.value.code == "ATTACHMENT_STORE_UNAVAILABLE"

    async def test_a_bucket_that_is_not_there(self, s3: str) -> None:
        with pytest.raises(LedgerBeeError) as caught:
            await in_bucket(s3, "no-such-bucket").put(COMPANY, HASH, CONTENT)
        assert caught.value.code == "ATTACHMENT_STORE_UNAVAILABLE"

    def test_those_without_a_bucket_do_not_load_its_library(self) -> None:
        script = "import sys, ledgerbee.app.main, ledgerbee.app.worker_process; print('obstore' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout == b"False\n"


@pytest.mark.parametrize(
    ("variables", "refusal"),
    [
        (
            {"BUCKET": "vouchers", "BUCKET_KEY_ID": "k"},
            "KEY_ID and LEDGERBEE_ATTACHMENTS_BUCKET_SECRET go together",
        ),
        ({"BUCKET_ENDPOINT": "minio:9000"}, "must be https://host or http://host:port, without a user"),
        ({"BUCKET_ENDPOINT": "https://key:hemmelig@minio"}, "must be https://host or http://host:port, without a user"),
    ],
)
def test_settings_that_can_not_be_used(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], refusal: str
) -> None:
    for name, text in variables.items():
        monkeypatch.setenv(f"LEDGERBEE_ATTACHMENTS_{name}", text)
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert refusal in refusals(caught.value)[0]
    assert "hemmelig" not in str(caught.value)


#: On a file system of 64 KB of its own, where user namespaces are allowed; else under a limit to the size of a file.
FULL_DISK = """
import asyncio, resource, signal, subprocess, sys
from pathlib import Path
from uuid import UUID
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.platform.blobs.store import Folder

if sys.argv[2] == "mount":
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", sys.argv[1]], check=True)
else:
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))

async def main():
    store, company = Folder(Path(sys.argv[1])), UUID(int=1)
    await store.put(company, bytes(32), b"small")
    try:
        await store.put(company, b"1" * 32, bytes(200_000))
    except LedgerBeeError as fault:
        print(fault.code, fault.status, fault.__cause__.errno)
    print(sum(path.is_file() for path in Path(sys.argv[1]).rglob("*")))
    await store.put(company, b"2" * 32, b"small as well")

asyncio.run(main())
"""


def test_a_full_disk_is_told_and_keeps_no_part(tmp_path: Path) -> None:
    apart = ["unshare", "--user", "--map-root-user", "--mount"]
    can_mount = subprocess.run([*apart, "true"], capture_output=True, check=False).returncode == 0
    how = "mount" if can_mount else "limit"
    done = subprocess.run(
        [*(apart if can_mount else []), sys.executable, "-c", FULL_DISK, str(tmp_path), how],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    number = errno.ENOSPC if can_mount else errno.EFBIG
    assert done.stdout.split() == ["ATTACHMENT_STORE_UNAVAILABLE", "503", str(number), "1"]
