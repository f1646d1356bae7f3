# Saring: `make` lists what there is to do. Everything lives in ./.venv, ./build and ./var; nothing needs root.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
# Your own configuration where there is one, else the sample regency's.
CONFIG ?= $(or $(SARING_CONFIG),$(wildcard saring.toml),examples/muba/saring.toml)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -q
CHECKED := saring admin_api resolver querylog snapshots policy blocklists dnswire

INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
COMPILED := $(VENV)/.compiled
STAY_INTERPRETED := build/interpreted

# Any of these may hold a hot module or its .pxd. setup.py compares digests, so a needless look costs a quarter second.
HOT_SOURCES := setup.py saring/hot_modules.py $(shell find dnswire policy blocklists snapshots querylog resolver \
	-name '*.py' -o -name '*.pxd')

.PHONY: help run test lint format bench fuzz faults sanitize compiled interpreted install install-dev lock clean FORCE

help: ## this list
	@printf 'Saring, a content-filtering DNS resolver. Targets:\n\n'
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22
	@printf '\nVariables: PYTHON=python3.11 (which Python makes .venv), B=resolver (a part of make bench), '
	@printf 'CONFIG=file.toml (for make run),\nT=tests/unit (a part of make test), SARING_INTERPRETED=1 (leave compiled modules aside).\n'

run: install $(COMPILED) ## start with the sample regency: DNS 127.0.0.1:5335, API 127.0.0.1:8080, state in ./var; Ctrl-C stops
	@exec $(BIN)/saring --config $(CONFIG) serve

test: install-dev $(COMPILED) lint ## lint, types, import rules and all tests (T=path for some of them)
	@$(BIN)/python -m pytest -n 2 $(T)

lint: install-dev ## ruff, mypy --strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: install-dev ## put the sources into ruff's format
	@$(BIN)/ruff check --fix-only -q .
	@$(BIN)/ruff format .

bench: install-dev $(COMPILED) ## measure against other servers: table and var/bench/results.json (B=part, BENCH_FULL=1 for long)
	@$(BIN)/python -m bench $(B)

fuzz: install-dev $(COMPILED) ## hostile bytes, bounded, seeded (SARING_FUZZ_FACTOR=20 for twenty times as many)
	@SARING_FUZZ_FACTOR=$${SARING_FUZZ_FACTOR:-10} $(BIN)/python -m pytest -n 2 tests/fuzz

faults: install-dev $(COMPILED) ## a running Saring under faults, the long form: 50 kills, a million mutated packets, 10 upgrades
	@SARING_REQUIRE_ALL=1 SARING_FAULT_FACTOR=$${SARING_FAULT_FACTOR:-5} SARING_KILLS=$${SARING_KILLS:-50} \
		SARING_FAULT_PACKETS=$${SARING_FAULT_PACKETS:-1000000} SARING_UPGRADES=$${SARING_UPGRADES:-10} \
		$(BIN)/python -m pytest -s tests/e2e/test_faults.py tests/e2e/test_upgrade.py

sanitize: install-dev ## the hot modules with ASan and UBSan, in a copy of the tree, under hostile bytes
	@PYTHON=$(BIN)/python tests/sanitize

compiled: install ## compile the hot modules (fails where it cannot)
	@rm -f $(STAY_INTERPRETED)
	@SARING_REQUIRE_COMPILED=1 $(BIN)/python setup.py -q build_ext --inplace
	@touch $(COMPILED)

interpreted: install ## remove the compiled modules; they stay away until make compiled
	@$(BIN)/python setup.py -q remove_compiled
	@mkdir -p build && touch $(STAY_INTERPRETED)

install: $(INSTALLED)

install-dev: $(INSTALLED_DEV)

lock: ## write constraints.txt anew from a clean install of the newest allowed versions
	@rm -rf build/lock && $(PYTHON) -m venv build/lock
	@build/lock/bin/python -m pip --disable-pip-version-check -q install 'setuptools>=80' 'cython>=3.2'
	@SARING_INTERPRETED=1 build/lock/bin/python -m pip --disable-pip-version-check -q install --no-build-isolation -e '.[dev]'
	@{ printf '# Every version in the virtual environment, tested together. Written by `make lock`.\n'; \
	   build/lock/bin/python -m pip freeze --all --exclude-editable | grep -v -i '^pip==' | sort -f; } > constraints.txt.tmp
	@mv constraints.txt.tmp constraints.txt
	@rm -rf build/lock && git --no-pager diff --stat -- constraints.txt

clean: ## remove .venv, build and caches; ./var (state, query log) stays
	@find $(CHECKED) -name '*.so' -delete
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +
	@if [ -d var ]; then echo 'Left in place: ./var (state and query log).'; fi

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo 'Saring needs Python 3.11 or newer: apt-get install python3 python3-venv' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Saring needs Python 3.11 or newer; $$($(PYTHON) -V) found. Another one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo 'This Python cannot make virtual environments. On Debian: apt-get install python3-venv' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# Without build isolation: setuptools and Cython are pinned like everything else, and fetched once.
# The modules are compiled by the $(COMPILED) rule, which knows what changed; the editable install itself compiles nothing.
$(INSTALLED): pyproject.toml constraints.txt setup.py | $(VENV)/bin/python
	@echo 'Installing into $(VENV) (the first time takes about a minute) ...'
	@$(PIP) install -c constraints.txt setuptools cython
	@SARING_INTERPRETED=1 $(PIP) install -c constraints.txt --no-build-isolation -e .
	@touch $@

$(INSTALLED_DEV): $(INSTALLED)
	@echo 'Installing the tools for development ...'
	@SARING_INTERPRETED=1 $(PIP) install -c constraints.txt --no-build-isolation -e '.[dev]'
	@touch $@

$(COMPILED): $(INSTALLED) $(HOT_SOURCES)
	@if [ "$${SARING_INTERPRETED:-}" = 1 ]; then exit 0; fi; \
	if [ -e $(STAY_INTERPRETED) ] && [ "$${SARING_REQUIRE_COMPILED:-}" != 1 ]; then \
		echo 'saring: hot modules run interpreted, as `make interpreted` asked (`make compiled` undoes it)'; \
	else $(BIN)/python setup.py -q build_ext --inplace; fi; \
	touch $@

# Where compiled modules are required, a stamp left by a run without a compiler must not count.
ifeq ($(SARING_REQUIRE_COMPILED),1)
$(COMPILED): FORCE
endif

FORCE:
