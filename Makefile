# One command does what CI does. `make help` lists them.
PYTHON ?= python3
VENV ?= .venv
# The packages' versions: tested (constraints.txt), newest or lowest that pyproject.toml allows.
VERSIONS ?= tested
# The processes that the tests run in; each takes some 2 GB.
PROCESSES ?= 2
# They share the processors: more threads would only get in each other's way.
THREADS ?= $(shell $(PYTHON) -c "import os; print(max(1, (os.cpu_count() or 1) // $(PROCESSES)))")
ifeq ($(OS),Windows_NT)
  BIN = $(VENV)/Scripts
else
  BIN = $(VENV)/bin
endif
READY := $(VENV)/.ready
RUN = $(BIN)/python -m
PIP = $(RUN) pip install --quiet --disable-pip-version-check
INSTALL_tested = $(PIP) -c constraints.txt
INSTALL_newest = $(PIP)
INSTALL_lowest = $(PIP) uv && $(RUN) uv pip install --quiet --resolution lowest-direct
INSTALL = $(INSTALL_$(VERSIONS))

.DEFAULT_GOAL := help
.PHONY: help demo lab test test-core test-browser test-long test-machines constraints bench notebooks html wheel web gallery film lint clean

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1#/' | awk -F '#' '{printf "  make %-13s %s\n", $$1, $$2}'

demo: $(READY) ## turn a photograph into a stylised picture in results/
	@mkdir -p results
	$(RUN) nst_tutorial stylize images/chelsea.png images/swirls.jpg -o results/chelsea-swirls.png --size 448

lab: $(READY) ## open JupyterLab on the lessons
	$(RUN) jupyterlab notebooks --ServerApp.ip=127.0.0.1

test: export TF_NUM_INTRAOP_THREADS ?= $(THREADS)
test: $(READY) ## lint, check the types, and run all tests and lessons but the long campaigns
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy nst_tutorial
	@# Whole files go to the processes, in this order: the longest, and the one that mostly waits, first.
	$(RUN) pytest -m "not long" --nbval --nbval-current-env --nbval-kernel-startup-timeout 600 \
	  --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder tests/browser notebooks $(wildcard tests/test_*.py)

test-core: $(READY) ## the core's tests; KERAS_BACKEND=jax (or torch) make test-core runs them there
ifneq ($(filter jax torch,$(KERAS_BACKEND)),)
	$(INSTALL) -e ".[$(KERAS_BACKEND)]"
endif
	$(RUN) pytest -m "not long" $(foreach module,images extractors losses objective transfer tiles lbfgs optimizers scales config colors regions training,$(wildcard tests/test_$(module).py))

bench: $(READY) ## measure speed and memory against others' recipes: benchmarks/RESULTS.md
	$(BIN)/python benchmarks/speed.py

test-browser: $(READY) ## drive the playground and the page in a real browser: any Chromium or Chrome
	$(RUN) pytest -m "browser and not long"

test-long: $(READY) ## the longer campaigns
	$(RUN) pytest -m long

test-machines: ## run the tests as other machines would: MACHINES="avx2 busy", TARGET=test-core
	$(PYTHON) tests/machines.py --target $(or $(TARGET),test) $(MACHINES)

constraints: VENV := .venv-uv
constraints: ## write constraints.txt anew: the newest versions, one for every system
	$(PYTHON) -m venv $(VENV)
	$(PIP) uv
	@# Left alone, it takes the newest h5py, and for its sake an older TensorFlow.
	printf "tensorflow>=2.21\ntensorflow-cpu>=2.21\n" | $(RUN) uv pip compile --quiet --constraints - \
	  --upgrade --universal --python-version 3.11 --fork-strategy fewest --no-annotate --custom-compile-command "make constraints" \
	  $(foreach extra,cpu jax torch lab cluster web dev,--extra $(extra)) pyproject.toml -o constraints.txt

notebooks: $(READY) ## execute all lessons and write their outputs back
	$(RUN) ruff format notebooks
	$(RUN) ruff check notebooks
	$(BIN)/python notebooks/execute.py

html: $(READY) ## the lessons as linked pages to read or print, in results/handout/
	$(BIN)/python notebooks/handout.py

wheel: $(READY) ## build the package as a wheel, and try it without the clone: results/wheel/
	rm -rf results/wheel
	$(PIP) build
	$(RUN) build --wheel --outdir results/wheel .
	$(BIN)/python tests/wheel.py results/wheel/*.whl

web: $(READY) ## build the page that paints in a browser, in results/web/; needs npm
	$(BIN)/python web/build.py

gallery: $(READY) ## draw the style pictures and paint the README's and the lessons' pictures again
	$(BIN)/python images/make_styles.py
	$(BIN)/python images/make_gallery.py
	$(BIN)/python images/make_lessons.py

film: $(READY) ## film the playground for the README, in a real browser
	$(RUN) pytest -m browser tests/browser/film.py

lint: $(READY) ## tidy the code
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

clean: ## remove what was made; the virtual environment too
	rm -rf .venv .venv-* results notebooks/results build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Made once, refreshed when the dependencies change.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and 'Python 3.11, 3.12 or 3.13 is needed; name one: make PYTHON=python3.12 ...')"
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -e ".[cpu,lab,cluster,web,dev]"
	@touch $(READY)
