"""S3: how a process reaches the bucket."""

from app.settings import Settings
from app.stores import required
from persistence.objects import Objects


def objects(settings: Settings) -> Objects:
    secret = settings.s3_secret_access_key
    return Objects(
        endpoint_url=required(settings.s3_endpoint_url, "S3_ENDPOINT_URL"),
        access_key_id=settings.s3_access_key_id,
        secret_access_key=None if secret is None else secret.get_secret_value(),
        region=settings.s3_region,
        bucket=settings.s3_bucket,
    )
