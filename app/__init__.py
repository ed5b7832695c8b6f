"""The composition root and the HTTP edge: everything is built, wired and served here."""

VERSION = "0.1.0"
"""What pyproject.toml says."""
