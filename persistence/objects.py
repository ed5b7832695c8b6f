"""Buckets: the S3 endpoint, reached and made ready."""

from typing import Any

import aioboto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


class ObjectsUnavailableError(Exception):
    """The S3 endpoint cannot be reached or refuses us."""


class Objects:
    """One bucket on one S3 endpoint."""

    def __init__(
        self,
        *,
        endpoint_url: str,
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
        self._bucket = bucket
        self._config = Config(
            signature_version="s3v4",
            connect_timeout=5,
            read_timeout=20,
            retries={"max_attempts": 3},
            s3={"addressing_style": "path"},
        )

    def _client(self) -> Any:
        session: Any = self._session
        return session.client("s3", endpoint_url=self._endpoint_url, config=self._config)

    async def create_bucket(self) -> None:
        """Create the bucket where it is missing."""
        try:
            async with self._client() as client:
                try:
                    await client.head_bucket(Bucket=self._bucket)
                except ClientError as error:
                    if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:  # noqa: PLR2004
                        raise
                    await client.create_bucket(Bucket=self._bucket)
        except (ClientError, BotoCoreError, OSError) as error:
            raise ObjectsUnavailableError(f"S3 cannot be used: {error}") from error

    async def ping(self) -> None:
        """Raise ObjectsUnavailableError unless the bucket answers."""
        try:
            async with self._client() as client:
                await client.head_bucket(Bucket=self._bucket)
        except (ClientError, BotoCoreError, OSError) as error:
            raise ObjectsUnavailableError(f"S3 cannot be used: {error}") from error
