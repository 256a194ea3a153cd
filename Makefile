# make demo: environment, real data, training, evaluation, recommendations, on a CPU.
# make test: all tests.
# make docs: the documentation as a site, in site/.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := runs/demo

.PHONY: demo test check docs clean

demo: $(VENV)/demo
	$(BIN)/intertask train recipes/movielens_100k.toml --run $(RUN)
	$(BIN)/intertask recommend $(RUN) --sample 5 --k 5
	$(BIN)/intertask evaluate $(RUN)

test: $(VENV)/dev
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

check: $(VENV)/dev
	$(BIN)/ruff check src tests benchmarks docs
	$(BIN)/ruff format --check src tests benchmarks docs
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/docs
	$(BIN)/python docs/programs/write.py
	$(BIN)/sphinx-build --fresh-env --fail-on-warning --keep-going --quiet docs site

$(VENV)/demo: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[baselines,plots]'
	touch $@

$(VENV)/dev: $(VENV)/demo
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

$(VENV)/docs: $(VENV)/demo
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	touch $@

clean:
	rm -rf $(VENV) $(RUN) site
