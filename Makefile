# One definition of each task; continuous integration calls the same.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: run test check faults mutations settings operations rules diagrams bench wheel lock install clean

run: $(INSTALLED)  ## train and evaluate the sample data by executing the template
	@$(BIN)/ml-a2 run

test: $(INSTALLED)  ## run all tests
	@$(BIN)/python -m pytest -q

check: $(INSTALLED)  ## format, lint, types, layers, and the template against CloudFormation's schemas
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@CDK_OUTDIR=cdk.out $(BIN)/python app.py
	@# W3005: the CDK writes out dependencies that references imply already.
	@$(BIN)/cfn-lint --ignore-checks W3005 -- cdk.out/*.template.json

faults: $(INSTALLED)  ## execute every way to fail, print the table and write docs/failures.md
	@$(BIN)/python -m tests.failures.matrix

mutations: $(INSTALLED)  ## examine changed templates, print what catches each change and write docs/mutations.md
	@$(BIN)/python -m tests.failures.mutations

operations: $(INSTALLED)  ## write the tables of emulated operations and of the States Language's rules into docs/fidelity.md
	@$(BIN)/python -m tests.operations_table
	@$(BIN)/python -m tests.states_language_table

rules: $(INSTALLED)  ## write the table of what services refuse beyond their models into docs/fidelity.md
	@$(BIN)/python -m tests.rules_table

diagrams: $(INSTALLED)  ## draw the architecture from the template, and film two executions of it
	@$(BIN)/ml-a2 diagrams

settings: $(INSTALLED)  ## write the table of all settings into docs/settings.md
	@$(BIN)/python -m tests.settings_table

bench: $(INSTALLED)  ## measure beside a plain script and Metaflow, print medians and ratios, write docs/performance.md
	@$(BIN)/python -m bench

wheel: $(INSTALLED)  ## build dist/ml_a2-VERSION-py3-none-any.whl, which works without the clone
	@rm -rf build dist  # setuptools would pack what lies there from before
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	@ls dist/*.whl

install: $(INSTALLED)  ## make .venv and install what running and testing need

$(INSTALLED): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; name one: make PYTHON=python3.11 ...")'
	@echo "installing into $(VENV): a few minutes and 1.5 GB, once"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

lock:  ## renew requirements.txt from pyproject.toml (needs uv)
	uv pip compile --universal --python-version 3.11 --extra dev --no-header --quiet pyproject.toml -o requirements.txt
	printf '\n# This project itself.\n-e .\n' >> requirements.txt

clean:  ## remove what was made, but for the runs
	rm -rf $(VENV) .bench .ml-a2 cdk.out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
