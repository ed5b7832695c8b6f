"""Buckets: the S3 endpoint, reached, made ready, and lent to clients by signed URLs."""

import base64
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import aioboto3
import aiohttp
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError

_CHUNK = 1 << 18
_RULE = "earful"
_MISSING = {404}
_NOTHING_TO_JOIN = {"NoSuchUpload", "InvalidPart", "MalformedXML", "InvalidRequest"}


class ObjectsUnavailableError(Exception):
    """The S3 endpoint cannot be reached or refuses us."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A request that may be made, exactly so, by whoever has it, until it expires."""

    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Kept:
    """What S3 knows of an object; of its SHA-256 only where it has computed or checked one."""

    size: int
    content_type: str
    sha256: bytes | None


@dataclass(frozen=True, slots=True)
class Listed:
    """An object in a list."""

    key: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Begun:
    """An upload in parts that was neither completed nor given up."""

    key: str
    upload: str
    begun_at: datetime


class Signer:
    """Signs URLs of one bucket: computing only, about a quarter of a millisecond each.

    What is among the signed headers S3 compares with what the client sends, so that another size, type or checksum
    is refused; that the bytes have the checksum S3 finds out by itself.
    """

    def __init__(self, credentials: ReadOnlyCredentials, region: str, bucket_url: str) -> None:
        self._credentials = credentials
        self._region = region
        self._bucket_url = bucket_url

    def put(
        self, key: str, *, size: int, content_type: str, sha256: bytes | None, seconds: int
    ) -> Signed:
        """A PUT of this object and no other; once it is there it cannot be replaced."""
        headers = {
            "Content-Type": content_type,
            "Content-Length": str(size),
            "If-None-Match": "*",
        }
        if sha256 is not None:
            headers["x-amz-checksum-sha256"] = base64.b64encode(sha256).decode()
        return Signed(self._sign("PUT", key, {}, headers, seconds), headers)

    def put_part(self, key: str, upload: str, number: int, *, size: int, seconds: int) -> Signed:
        """A PUT of one part, of this size."""
        headers = {"Content-Length": str(size)}
        query = {"partNumber": str(number), "uploadId": upload}
        return Signed(self._sign("PUT", key, query, headers, seconds), headers)

    def get(self, key: str, *, content_type: str, disposition: str, seconds: int) -> str:
        """The URL of a GET that answers with this type and disposition."""
        query = {
            "response-content-type": content_type,
            "response-content-disposition": disposition,
        }
        return self._sign("GET", key, query, {}, seconds)

    def _sign(
        self,
        method: str,
        key: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        seconds: int,
    ) -> str:
        request = AWSRequest(method, f"{self._bucket_url}/{key}", dict(headers), params=dict(query))
        auth = S3SigV4QueryAuth(self._credentials, "s3", self._region, expires=seconds)
        auth.add_auth(request)
        return str(request.url)


class Objects:
    """One bucket on one S3 endpoint, open for the length of a block: one client, which keeps its connections.

    `public_url` is where clients reach the endpoint, if that is another address than ours. Keys must need no quoting.
    """

    def __init__(
        self,
        *,
        endpoint_url: str,
        public_url: str | None = None,
        access_key_id: str | None,
        secret_access_key: str | None,
        region: str,
        bucket: str,
    ) -> None:
        self._session = aioboto3.Session(
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret_access_key,
            region_name=region,
        )
        self._endpoint_url = endpoint_url
        self._bucket_url = f"{(public_url or endpoint_url).rstrip('/')}/{bucket}"
        self._region = region
        self._bucket = bucket
        self._config = Config(
            signature_version="s3v4",
            connect_timeout=5,
            read_timeout=20,
            retries={"max_attempts": 3},
            max_pool_connections=50,
            s3={"addressing_style": "path"},
            # Other checksums than those asked for are not known to every S3.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        self._stack = AsyncExitStack()
        self._open: Any = None

    async def __aenter__(self) -> Self:
        session: Any = self._session
        client = session.client("s3", endpoint_url=self._endpoint_url, config=self._config)
        self._open = await self._stack.enter_async_context(client)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._open = None
        await self._stack.aclose()

    @property
    def _client(self) -> Any:
        if self._open is None:
            raise RuntimeError("The bucket is used within its block only.")
        return self._open

    # Making ready

    async def create_bucket(self) -> None:
        """Create the bucket where it is missing."""
        with _in_our_words():
            try:
                await self._client.head_bucket(Bucket=self._bucket)
            except ClientError as error:
                if _status(error) not in _MISSING:
                    raise
                await self._client.create_bucket(Bucket=self._bucket)

    async def allow_origins(self, origins: Sequence[str]) -> None:
        """Let pages of these origins send and fetch what is signed for them; the bucket's other rules stay."""
        rule = {
            "ID": _RULE,
            "AllowedOrigins": list(origins),
            "AllowedMethods": ["GET", "HEAD", "PUT"],
            "AllowedHeaders": ["content-type", "if-none-match", "x-amz-checksum-sha256"],
            "ExposeHeaders": ["ETag"],
            "MaxAgeSeconds": 3600,
        }
        with _in_our_words():
            try:
                found = await self._client.get_bucket_cors(Bucket=self._bucket)
                rules = found["CORSRules"]
            except ClientError as error:
                if _status(error) not in _MISSING:
                    raise
                rules = []
            wanted = [*(other for other in rules if other.get("ID") != _RULE), rule]
            if wanted != rules:
                await self._client.put_bucket_cors(
                    Bucket=self._bucket, CORSConfiguration={"CORSRules": wanted}
                )

    async def ping(self) -> None:
        """Raise ObjectsUnavailableError unless the bucket answers."""
        with _in_our_words():
            await self._client.head_bucket(Bucket=self._bucket)

    # For clients

    async def signer(self) -> Signer:
        """What signs URLs, for a moment: credentials may be changed."""
        with _in_our_words():
            session: Any = self._session
            found = await session.get_credentials()
            if found is None:
                raise ObjectsUnavailableError("S3 cannot be used: there are no credentials")
            credentials = await found.get_frozen_credentials()
        return Signer(credentials, self._region, self._bucket_url)

    async def begin_parts(self, key: str, content_type: str) -> str:
        """Begin an upload in parts; answers its id."""
        with _in_our_words():
            begun = await self._client.create_multipart_upload(
                Bucket=self._bucket, Key=key, ContentType=content_type
            )
        return str(begun["UploadId"])

    async def send_part(self, key: str, upload: str, number: int, body: bytes) -> None:
        """Send a part ourselves, from 1 on; all but the last are of 5 MiB at least."""
        with _in_our_words():
            await self._client.upload_part(
                Bucket=self._bucket, Key=key, UploadId=upload, PartNumber=number, Body=body
            )

    async def join_parts(self, key: str, upload: str, *, size: int) -> bool:
        """Make the parts that are there the object, if they are of this size together."""
        parts: list[Any] = []
        with _in_our_words():
            try:
                pages = self._client.get_paginator("list_parts")
                async for page in pages.paginate(Bucket=self._bucket, Key=key, UploadId=upload):
                    parts += page.get("Parts", ())
                if sum(part["Size"] for part in parts) != size:
                    return False
                tags = [{name: part[name] for name in ("PartNumber", "ETag")} for part in parts]
                await self._client.complete_multipart_upload(
                    Bucket=self._bucket,
                    Key=key,
                    UploadId=upload,
                    MultipartUpload={"Parts": tags},
                )
            except ClientError as error:
                # Somebody else has joined them, or given them up; the object tells.
                if error.response["Error"]["Code"] not in _NOTHING_TO_JOIN:
                    raise
                return False
        return True

    async def drop_parts(self, key: str, upload: str) -> None:
        """Give an upload in parts up. Doing it again does nothing."""
        with _in_our_words():
            try:
                await self._client.abort_multipart_upload(
                    Bucket=self._bucket, Key=key, UploadId=upload
                )
            except ClientError as error:
                if _status(error) not in _MISSING:
                    raise

    # Objects

    async def find(self, key: str) -> Kept | None:
        """What is kept there, if anything is."""
        with _in_our_words():
            try:
                head = await self._client.head_object(
                    Bucket=self._bucket, Key=key, ChecksumMode="ENABLED"
                )
            except ClientError as error:
                if _status(error) not in _MISSING:
                    raise
                return None
        checksum = head.get("ChecksumSHA256")
        # Of an object in parts it is that of the parts' checksums.
        is_whole = checksum is not None and "-" not in checksum
        return Kept(
            head["ContentLength"],
            head.get("ContentType", ""),
            base64.b64decode(checksum) if is_whole else None,
        )

    async def chunks(self, key: str) -> AsyncIterator[bytes]:
        """The object's bytes, in pieces of 256 KiB at most."""
        with _in_our_words():
            found = await self._client.get_object(Bucket=self._bucket, Key=key)
            async with found["Body"] as body:
                async for chunk in body.content.iter_chunked(_CHUNK):
                    yield chunk

    async def put(self, key: str, body: bytes, content_type: str) -> None:
        with _in_our_words():
            await self._client.put_object(
                Bucket=self._bucket, Key=key, Body=body, ContentType=content_type
            )

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete up to 1,000 objects. Those that are not there are no error."""
        if not keys:
            return
        with _in_our_words():
            answer = await self._client.delete_objects(
                Bucket=self._bucket,
                Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True},
            )
        if errors := answer.get("Errors"):
            raise ObjectsUnavailableError(f"S3 does not delete: {errors[0].get('Message')}")

    async def listed(self, prefix: str, *, after: str) -> list[Listed]:
        """The next objects after that key, by their keys, 1,000 at most."""
        with _in_our_words():
            found = await self._client.list_objects_v2(
                Bucket=self._bucket, Prefix=prefix, StartAfter=after
            )
        return [Listed(each["Key"], each["LastModified"]) for each in found.get("Contents", ())]

    async def begun(self, prefix: str) -> list[Begun]:
        """Uploads in parts that were begun and have not ended, 1,000 at most."""
        with _in_our_words():
            found = await self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=prefix)
        return [
            Begun(each["Key"], each["UploadId"], each["Initiated"])
            for each in found.get("Uploads", ())
        ]


def _status(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError, aiohttp.ClientError, OSError) as error:
        raise ObjectsUnavailableError(f"S3 cannot be used: {error}") from error
