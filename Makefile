# make demo   one real debate over the example media, from nothing
# make test   all checks and tests, from nothing
# Both make .venv, download what is missing once, and download nothing when run again.

PYTHON ?= python3
BIN := .venv/bin
EXAMPLE := examples/media/scene.png examples/media/call.wav
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Waiting threads that spin would starve one another; it has to stand before libgomp is loaded.
export OMP_WAIT_POLICY := PASSIVE

.PHONY: help demo test install weights lint types tests bench chat clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile
	@echo "make chat   the chat demo in the browser"
	@echo "make bench  the benchmarks, on the embedded model"

demo: install
	@scripts/system-packages libgomp npm
	@$(BIN)/consilience weights pull qwen2.5-coder-1.5b whisper-base
	-@$(BIN)/consilience weights pull objects-ssd
	@$(BIN)/consilience ask --protocol debate "Where and when does the book club meet?" $(EXAMPLE)

test: install
	@scripts/system-packages libgomp npm chromium voices postgresql
	@$(BIN)/consilience weights pull
	@$(MAKE) --no-print-directory lint types tests

chat: install
	@$(BIN)/consilience chat

bench: install
	@$(BIN)/python benchmarks/debate.py
	@$(BIN)/python benchmarks/scenes.py

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy -p consilience

tests:
	$(BIN)/python -m pytest

install: .venv/installed

# Everything is downloaded once, as wheels: the environment, and the fresh one of the packaging test, come from them.
.wheelhouse/filled: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	@$(PYTHON) -c 'import ensurepip, venv' || scripts/system-packages venv
	@echo "Downloading the packages (about 700 MB, once)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@$(BIN)/python -m pip wheel --quiet --wheel-dir .wheelhouse pip setuptools wheel '.[dev]'
	@rm -rf .wheelhouse/consilience-* build
	@touch $@

.venv/installed: .wheelhouse/filled
	@echo "Installing"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --no-index --find-links .wheelhouse --editable '.[dev]' 2>&1 | grep -v -e BuildBackendWarning -e '^ *$$' -e '!!' -e '\*\*\*' -e 'Please be careful' -e 'name as your package' -e 'with strategy' || true
	@$(BIN)/python -c 'import consilience'
	@touch $@

clean:
	rm -rf .venv .wheelhouse build
