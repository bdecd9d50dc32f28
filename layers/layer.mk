# How every layer is built, by `sam build` in this folder: no Docker, and wheels for Lambda whatever machine this is.
# LAYER_PYTHON and LAYER_PLATFORM build for another interpreter, such as an emulator's on this machine: the sandbox does, without SAM.

# uv trusts what the machine trusts.
export UV_SYSTEM_CERTS = true

LAYER_PYTHON ?= 3.13
LAYER_PLATFORM ?= aarch64-manylinux2014
LAYER_UV ?= $(abspath ../../.venv/bin/uv)

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

# /opt is read-only there, so without bytecode every cold start would compile everything. Only the same minor version of
# Python writes bytecode that the runtime accepts; this looks where one usually is, or takes it from LAYER_COMPILER.
LAYER_COMPILER ?= $(firstword $(foreach python,\
	python$(LAYER_PYTHON) \
	$(wildcard $(HOME)/.pyenv/versions/$(LAYER_PYTHON).*/bin/python3) \
	$(shell $(LAYER_UV) python find --managed-python --no-python-downloads $(LAYER_PYTHON) 2>/dev/null),\
	$(if $(filter $(LAYER_PYTHON),$(shell $(python) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)),$(python))))

# Dates change when files are zipped, hence the hashes, which nobody checks as nobody can change the files.
define compile
	@if [ -n "$(LAYER_COMPILER)" ]; then \
		$(LAYER_COMPILER) -m compileall -q -j 0 --invalidation-mode unchecked-hash \
			-s "$(ARTIFACTS_DIR)" -p /opt "$(ARTIFACTS_DIR)/python"; \
	else \
		echo "WARNING: no Python $(LAYER_PYTHON) here: $@ has no bytecode, and cold starts take two to three times as long." >&2; \
		echo "         Install one (uv python install $(LAYER_PYTHON)), or name one with LAYER_COMPILER=." >&2; \
	fi
endef

# A lock's hashes make what is in the cache as good as what the index has: only what was never fetched needs the network.
define install
	@install() { \
		$(LAYER_UV) pip install --quiet --no-config --target "$(ARTIFACTS_DIR)/python" --python-version $(LAYER_PYTHON) \
			--python-platform $(LAYER_PLATFORM) --only-binary :all: --link-mode copy --require-hashes --no-deps \
			--requirement requirements.lock "$$@"; \
	}; install --offline 2>/dev/null || install
	rm -rf "$(ARTIFACTS_DIR)/python/bin" "$(ARTIFACTS_DIR)/python/.lock"
endef
