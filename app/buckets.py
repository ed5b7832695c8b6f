"""S3: how a process reaches the bucket, and whose pages may."""

from urllib.parse import urlsplit

from app.settings import Settings
from app.stores import required
from persistence.objects import Objects


def objects(settings: Settings) -> Objects:
    secret = settings.s3_secret_access_key
    return Objects(
        endpoint_url=required(settings.s3_endpoint_url, "S3_ENDPOINT_URL"),
        public_url=settings.s3_public_url,
        access_key_id=settings.s3_access_key_id,
        secret_access_key=None if secret is None else secret.get_secret_value(),
        region=settings.s3_region,
        bucket=settings.s3_bucket,
    )


def origins(settings: Settings) -> list[str]:
    """Of the pages that may send files to the bucket: ours and those that are set.

    A server on this machine is reached by two names, which browsers take for two origins.
    """
    own = urlsplit(settings.base_url)
    found = [f"{own.scheme}://{own.netloc}", *settings.cors_origins]
    if own.hostname == "127.0.0.1":
        found.insert(1, f"{own.scheme}://localhost:{own.port}")
    return list(dict.fromkeys(found))
