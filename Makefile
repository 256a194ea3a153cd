# make demo: environment, real data, training, evaluation, recommendations, on a CPU.
# make test: all tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := runs/demo

.PHONY: demo test check clean

demo: $(VENV)/demo
	$(BIN)/intertask train recipes/movielens_100k.toml --run $(RUN)
	$(BIN)/intertask recommend $(RUN) --sample 5 --k 5
	$(BIN)/intertask evaluate $(RUN)

test: $(VENV)/dev
	$(BIN)/python -m pytest

check: $(VENV)/dev
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports

$(VENV)/demo: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[baselines,plots]'
	touch $@

$(VENV)/dev: $(VENV)/demo
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) $(RUN)
