# One entry point for people and machines (`make help`). Nothing is made outside this folder.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: usage test check clients editors pictures docs bench lock clean help

usage: $(VENV)/usable  ## show your AI usage, with whatever this machine has
	@$(BIN)/quotaline usage || true

test: $(VENV)/ready  ## set up and run the tests
	@$(BIN)/pytest

check: $(VENV)/ready  ## linters and type checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

clients:  ## the clients' own linters, unit tests and packages (Node, cargo)
	clients/neovim/check
	clients/vscode/check
	clients/zed/check

editors:  ## fetch the editors that the clients are tested in
	tests/editors/get-neovim
	tests/editors/get-helix
	tests/editors/vscode/get-code-server

pictures: $(VENV)/ready editors  ## make the pictures of all READMEs again
	$(BIN)/python docs/picture.py
	$(BIN)/python -m tests.editors.vscode.pictures
	$(BIN)/python -m tests.editors.neovim.picture

docs: $(VENV)/ready  ## write the generated parts of docs/
	$(BIN)/python docs/generate.py

bench: $(VENV)/ready  ## measure the budgets
	$(BIN)/python -m benchmarks

lock:  ## write requirements.txt and requirements-dev.txt again (needs uv)
	uv export --quiet --no-dev --no-emit-project --no-header --no-annotate > requirements.txt
	uv export --quiet --no-emit-project --no-header --no-annotate > requirements-dev.txt

clean:  ## remove everything that these targets and their tools have made
	rm -rf $(VENV) .cache build dist node_modules target *.egg-info uv.lock
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf clients/*/node_modules clients/neovim/doc/tags clients/zed/target clients/zed/test/component
	rm -rf clients/vscode/dist clients/vscode/out clients/vscode/server clients/vscode/*.vsix
	find . -name .git -prune -o -name __pycache__ -prune -exec rm -rf {} +

help:  ## list these targets
	@awk -F ':.*  ## ' '/^[a-z]+:.*  ## / { printf "make %-10s%s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# What the product needs, and on top of it, once the tests or another tool are run, what its developers need.
$(VENV)/usable: pyproject.toml requirements.txt
	@echo "Setting up $(VENV); this happens once."
	@$(PYTHON) -c 'import sys; sys.exit("Quotaline needs Python 3.11 or newer; set PYTHON=...") if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/ready: $(VENV)/usable requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
