"""Certificates, for servers that only tests run."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme


@dataclass(frozen=True)
class Authority:
    """An authority that nobody trusts by himself: its file, and a server's side with a certificate for `name`."""

    ca_file: Path
    server: ssl.SSLContext


def issued(directory: Path, name: str) -> Authority:
    authority = trustme.CA()
    ca_file = directory / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(server)
    return Authority(ca_file, server)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A certificate for 127.0.0.1."""
    return issued(tmp_path, "127.0.0.1")
