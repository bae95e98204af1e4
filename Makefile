# One entry point for people and machines. Everything is made in .venv and .cache, nothing outside the folder.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: usage test check clients editors pictures docs bench lock clean

usage: $(VENV)/ready  ## show your AI usage, with whatever this machine has
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

pictures: $(VENV)/ready editors  ## make the pictures of all READMEs anew
	$(BIN)/python docs/picture.py
	$(BIN)/python -m tests.editors.vscode.pictures
	$(BIN)/python -m tests.editors.neovim.picture

docs: $(VENV)/ready  ## write the generated parts of docs/
	$(BIN)/python docs/generate.py

bench: $(VENV)/ready  ## measure the budgets
	$(BIN)/python -m benchmarks

lock:  ## write requirements-dev.txt anew (needs uv)
	uv export --quiet --no-emit-project --no-header --no-annotate > requirements-dev.txt

$(VENV)/ready: pyproject.toml requirements-dev.txt
	$(PYTHON) -c 'import sys; sys.exit("Quotaline needs Python 3.11 or newer; set PYTHON=...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

clean:
	rm -rf $(VENV) .cache dist build
