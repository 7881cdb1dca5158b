# `make run` and `make test` need Python 3.11+ and nothing else: the first call of either installs into .venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help run test unit lint format check-js pictures bench faults fuzz secrets sbom audit clean

help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

run: $(INSTALLED)  ## Start everything on this machine with demo factories; Ctrl-C stops it
	@$(BIN)/vision-events up --demo

JOBS ?= 2
test: lint  ## Lint, type check and run every test, in JOBS (2) processes with a stack each
	@$(BIN)/python -m pytest -n $(JOBS)

unit: $(INSTALLED)  ## Run the tests that need no service
	@$(BIN)/python -m pytest tests/unit

lint: $(INSTALLED)  ## Check style, formatting and types
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format -q --check .
	@$(BIN)/mypy --no-error-summary

format: $(INSTALLED)  ## Mend style and formatting
	@$(BIN)/ruff check -q --fix . ; $(BIN)/ruff format -q .

check-js:  ## Check the types of the dashboard (needs Node; nothing else does)
	@cd tests/browser && npm install --no-package-lock --no-audit --no-fund --silent && npx tsc -p tsconfig.json

pictures: $(INSTALLED)  ## Take pictures of all pages, of the demo, in build/pictures; renew those in docs/ (needs Chromium)
	@$(BIN)/python -m tests.browser.pictures build/pictures

bench: $(INSTALLED)  ## Measure throughput, latency, memory, reads and images (an hour; see docs/performance.md)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[embedded,bench]'
	@$(BIN)/vision-events bench install quixstreams arroyo
	@$(BIN)/vision-events bench all

faults: $(INSTALLED)  ## Inject every fault and check that nothing is lost or doubled (see docs/reliability.md)
	@$(BIN)/python -m tests.faults $(if $(SEED),--seed $(SEED)) --out docs/reliability

SECONDS ?= 600
fuzz: $(INSTALLED)  ## Fuzz whatever reads bytes from outside, for SECONDS (600)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[embedded,dev,fuzz]'
	@$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

secrets:  ## Make the random secrets that docker-compose.yml reads from ./secrets; those that are there stay
	@$(PYTHON) -m deploy.compose.secrets secrets

sbom: $(INSTALLED)  ## Write build/sbom.json: what the container image installs (CycloneDX)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[embedded,dev,audit]'
	@mkdir -p build && rm -rf build/runtime && $(PYTHON) -m venv build/runtime
	@build/runtime/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt '.[tracing]'
	@$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --of JSON -o build/sbom.json build/runtime

audit: $(INSTALLED)  ## Look for known vulnerabilities of the pinned dependencies (needs the network of pip-audit)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[embedded,dev,audit]'
	@$(BIN)/pip-audit -r constraints.txt --no-deps --disable-pip

clean:  ## Remove the virtual environment and caches (never data)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=..." >&2; exit 1; }
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[embedded,dev]'
	@touch $@
