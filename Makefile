# Everything one does with this repository, one command each. `make` lists them.
# .venv is made at first use, and again when a requirements file changes.
# FANFARE_PORT and FANFARE_DATA_DIR reach `make run` from the environment or the command line.

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
STAMP := .venv/.installed
REQUIREMENTS := requirements/base.txt requirements/embedded.txt requirements/dev.txt
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-config --no-emit-index-url --no-emit-find-links --no-header
# One more than there are processors: tests in a browser keep one busy, and mostly wait.
WORKERS := $(shell $(PYTHON) -c 'import os; print(1 + (os.cpu_count() or 1))')
# The SDK's part needs Node 18 or newer. Elsewhere it is left out, and said so; .ci/run sees to it that there is one.
NPM := $(shell command -v npm)
SDK_STAMP := $(if $(NPM),sdk/node_modules/.installed)
sdk = $(if $(NPM),npm --prefix sdk run --silent $(1),@echo "There is no npm here: the SDK's part is left out.")

.DEFAULT_GOAL := help
.PHONY: help run test lint format bench messages install requirements clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(STAMP) ## start everything on this machine; Ctrl-C stops it
	@$(BIN)/python -m fanfare.stack.machine

test: $(STAMP) $(SDK_STAMP) ## run the tests with servers of their own; ARGS="tests/api -k queue"
	@$(BIN)/python -m fanfare.stack -- $(BIN)/pytest -n $(WORKERS) $(ARGS)
	$(if $(ARGS),,$(call sdk,test))

# Both mypy and Django read the settings, which insist on a key. Comparing models with migrations
# needs no database; Django warns when it finds none.
lint: export FANFARE_SECRET_KEY := for-checks-only-never-signs-anything
lint: export FANFARE_DB_POOL := 0
lint: $(STAMP) $(SDK_STAMP) ## formatting, lints, types, import contracts, missing migrations, the SDK's size
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(call sdk,check)

format: $(STAMP) ## let ruff format and fix what it can
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(STAMP) ## measure the speeds that we promise; ARGS pass through
	@$(BIN)/python -m bench $(ARGS)

messages: export FANFARE_SECRET_KEY := for-checks-only-never-signs-anything
messages: export FANFARE_DB_POOL := 0
messages: $(STAMP) ## compile the translations of the hosted pages; say what is missing in them
	@$(BIN)/python manage.py messages

install: $(STAMP) ## make .venv, or bring it up to date

requirements: ## compile requirements/*.in into *.txt, with hashes (needs uv)
	cd requirements && for name in base embedded dev; do \
		$(COMPILE) $$name.in --output-file $$name.txt || exit 1; done

clean: ## remove .venv and caches; .data stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -rf sdk/node_modules sdk/*/dist

$(STAMP): $(REQUIREMENTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Fanfare needs Python 3.11 or newer; name one: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "This Python cannot make virtual environments. On Debian or Ubuntu: apt install python3-venv"; exit 1; }
	@echo "Installing into .venv (about a minute, once) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes $(REQUIREMENTS:%=-r %)
	@touch $@

sdk/node_modules/.installed: sdk/package-lock.json
	@echo "Installing the SDK's tools into sdk/node_modules …"
	@cd sdk && npm ci --ignore-scripts --silent
	@touch $@
