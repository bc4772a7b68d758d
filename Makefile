# seatswitch: everything a newcomer needs is one of these. `make` alone lists them.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help run test demo bench bench-long compiled fuzz interop lint clean system-packages

help:
	@echo 'make run        start the switch with config/demo.toml in the foreground'
	@echo 'make demo       one minute of simulated phones and callers with a live board'
	@echo 'make test       install what is missing and run every test that CI runs'
	@echo 'make lint       ruff, mypy --strict, import contracts'
	@echo 'make fuzz       search for inputs that break the parsers, a minute for each; FOR=600 takes longer'
	@echo 'make interop    real phones against the switch, with a table'
	@echo 'make bench      benchmarks, short, with a table at the end: about three minutes'
	@echo 'make bench-long all of them at full length: about twelve minutes'
	@echo 'make compiled   a quicker switch in build/compiled, its core as machine code: about five minutes'

# The locked packages, then the project itself; re-made when either list changes.
$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'seatswitch needs Python 3.11 or newer: make PYTHON=/path/to/python3.11'; exit 1; }
	@echo 'installing into $(VENV): a minute or so, once'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

run: $(VENV)/.installed
	$(BIN)/seatswitch run -c config/demo.toml

demo: $(VENV)/.installed
	$(BIN)/python -m benchmarks.demo

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Among them SIPp and baresip, phones that nobody here wrote: without them the wire tests cannot say anything.
system-packages:
	@PYTHON=$(PYTHON) bash tests/install_system.sh

# What runs in virtual time fills the cores. The tests on the wire wait more than they compute: one more at a time than
# there are cores, and nothing beside them, because they listen to real phones. Both run, whatever fails. Bytecode is
# kept, even where the environment says not to: a switch is started hundreds of times.
test: export PYTHONDONTWRITEBYTECODE =
test: system-packages $(VENV)/.installed lint
	@failed=0; cores=$$(nproc); \
	$(BIN)/python -m pytest --ignore tests/wire -n logical --maxprocesses 4 --dist worksteal || failed=$$?; \
	$(BIN)/python -m pytest tests/wire -n $$((cores < 4 ? cores + 1 : 4)) --dist worksteal || failed=$$?; \
	exit $$failed

bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks

bench-long: $(VENV)/.installed
	$(BIN)/python -m benchmarks --long

# Needs a C compiler and Python's headers (Debian: gcc, python3-dev).
compiled: $(VENV)/.installed
	@$(BIN)/python -c 'import setuptools' 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check 'setuptools>=65,<90'
	$(BIN)/python compile_floors.py

# Where atheris does not exist for this Python, a mutation loop of our own searches instead.
FOR ?= 60
fuzz: $(VENV)/.installed
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check 'atheris>=2.3,<4' || true
	$(BIN)/python -m tests.fuzz --seconds $(FOR)

# Phones that cannot be installed are named, and left out of the table.
interop: $(VENV)/.installed
	@bash tests/interop/install.sh
	$(BIN)/python -m tests.interop

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
