# One entry point for people and machines (`make help`). Nothing is made outside this folder.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: usage test check clients editors pictures docs bench lock clean help

usage:  ## show your AI usage, with whatever this machine has
	@$(PYTHON) -m tests.environment usage

test:  ## set up and run the tests
	@$(PYTHON) -m tests

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

# `usable` is what the product needs, `ready` what its developers need on top. Python decides whether there is anything to do.
.PHONY: $(VENV)/usable $(VENV)/ready
$(VENV)/usable $(VENV)/ready:
	@$(PYTHON) -m tests.environment $(@F)
