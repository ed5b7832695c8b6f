# Everything a contributor needs. `make run` and `make test` do all the set-up themselves.
PYTHON ?= python3
TO ?= documents.json
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.PHONY: help run web web-test web-e2e test check format schema documents bench lock clean topology sbom

help: ## Show what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | while IFS="$$(printf '\t')" read -r name text; do printf '  make %-9s %s\n' "$$name" "$$text"; done

run: $(VENV)/run.stamp ## Start everything and serve on http://127.0.0.1:8000 (HOST, PORT, DATA_DIR)
	@web/dashboard/make.sh
	@exec $(BIN)/python -m app run --exit-with-parent

test: $(VENV)/dev.stamp ## Run every test, on a real Postgres, Valkey and S3 (ARGS="-k words")
	@exec $(BIN)/python -m pytest -n auto --maxprocesses 4 $(ARGS)

check: $(VENV)/dev.stamp ## All that CI runs of Python: format, lint, imports, types, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy .
	@$(MAKE) --no-print-directory test

web: ## Build the dashboard, if npm is there and something has changed
	@web/dashboard/make.sh

web/dashboard/node_modules/.package-lock.json: web/dashboard/package-lock.json
	@cd web/dashboard && npm ci --ignore-scripts --no-audit --no-fund --fetch-retries=1 --fetch-timeout=30000

web-test: web/dashboard/node_modules/.package-lock.json ## Check the dashboard: format, lint, types, tests, size (needs npm)
	@cd web/dashboard && npm run check

web-e2e: $(VENV)/dev.stamp ## Try the dashboard in Chromium against `make run` in another terminal (PORT, DATA_DIR, WORDS=inbox)
	@node web/e2e/run.mjs "http://127.0.0.1:$${PORT:-8000}" "$$(command -v chromium || command -v google-chrome)" "$${DATA_DIR:-.earful}" $(WORDS)

format: $(VENV)/dev.stamp ## Put the code into its format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schema: $(VENV)/run.stamp ## Write schema.graphql from the code
	$(BIN)/python -m app schema > schema.graphql

documents: $(VENV)/run.stamp ## Write a manifest of trusted documents (FROM=a folder of .graphql files, TO=documents.json)
	@test -n "$(FROM)" || { echo 'Say where the .graphql files are: make documents FROM=folder'; exit 2; }
	$(BIN)/python -m app documents "$(FROM)" > "$(TO).new" && mv "$(TO).new" "$(TO)"

bench: $(VENV)/dev.stamp ## Measure; README.md in bench/ says what
	$(BIN)/python -m bench $(ARGS)

topology: $(VENV)/dev.stamp ## Run compose.yaml's topology by hand, kill all of it while it is used (nginx, pgbouncer, prometheus)
	$(BIN)/python -m pytest tests/deploy/whole_topology.py -p no:randomly $(ARGS)

sbom: $(VENV)/dev.stamp ## Write sbom.json, the bill of materials of the image's Python packages (CycloneDX)
	$(BIN)/cyclonedx-py requirements requirements/production.txt --output-format JSON --output-file sbom.json

lock: $(VENV)/dev.stamp ## Pin every dependency anew, with hashes and without registry addresses
	UV_CUSTOM_COMPILE_COMMAND="make lock" PATH="$(CURDIR)/$(BIN):$$PATH" requirements/lock.sh

clean: ## Remove the virtual environment and caches (not the data in .earful)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Earful needs Python 3.11 or newer; set PYTHON=python3.x")'
	@echo "  Making the virtual environment"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/run.txt $(VENV)/bin/python
	@echo "  Installing what Earful needs (once)"
	@$(PIP) install --quiet --no-deps --require-hashes -r requirements/run.txt
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/bin/python
	@echo "  Installing what Earful and its tests need (once)"
	@$(PIP) install --quiet --no-deps --require-hashes -r requirements/dev.txt
	@touch $@ $(VENV)/run.stamp
