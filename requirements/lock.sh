#!/bin/sh
# Compiles the locks from pyproject.toml: dev.txt is the widest, the others agree with it.
set -eu
cd "$(dirname "$0")/.."
compile() {
    uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --quiet "$@"
}
compile --extra embedded --group dev -o requirements/dev.txt
compile --extra embedded -c requirements/dev.txt -o requirements/run.txt
compile -c requirements/dev.txt -o requirements/production.txt
# Without the project: what the image's bill of materials is made with, and is in no image.
uv pip compile --group pyproject.toml:sbom --universal --python-version 3.11 --generate-hashes --quiet \
    -c requirements/dev.txt -o requirements/sbom.txt
