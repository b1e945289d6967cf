# Two commands on a fresh machine: `make run` and `make test`. Only Python 3.10 to 3.13, git and make
# are needed; everything else comes as wheels into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
READY := $(VENV)/.ready
# The tests start hundreds of processes; without bytecode each would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test check lint format clean

run: $(READY)
	$(BIN)/stackcurate run configs/v2.1.yaml

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: lint test

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(READY): pyproject.toml requirements.lock
	$(PYTHON) scripts/python_version.py
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --only-binary :all: -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $(READY)

clean:
	rm -rf $(VENV)
