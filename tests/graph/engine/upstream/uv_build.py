"""Stands in for graphql-core's build backend, so that pip can download its source without building it.

pip wants a distribution's name and version before it stores it; they are in PKG-INFO already.
"""

from email import message_from_string
from pathlib import Path


def prepare_metadata_for_build_wheel(
    metadata_directory: str, config_settings: object = None
) -> str:
    known = Path("PKG-INFO").read_text(encoding="utf-8")
    headers = message_from_string(known)
    folder = f"{headers['Name'].replace('-', '_')}-{headers['Version']}.dist-info"
    (Path(metadata_directory) / folder).mkdir()
    (Path(metadata_directory) / folder / "METADATA").write_text(known, encoding="utf-8")
    return folder
