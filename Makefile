# `make demo` runs the main job on embedded data, `make test` passes the tests: each does all the set-up it needs.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
UV := 0.13.9

GATED := method=bicubic,realesrgan,turbovsr data=sample metrics=[psnr,ssim,lpips-alex] store=null
DEMO := results/runs/demo

.PHONY: demo test test-fast lint format check golden docs setup requirements clean

demo: $(VENV)/installed .assets/fetched
	$(PY) -m bench run method=bicubic,realesrgan,basicvsr,turbovsr data=sample timing.budget_s=5 out=$(DEMO)
	$(PY) -m bench run method=bicubic,realesrgan,turbovsr,turbovsr_real data=sample_real timing.budget_s=2 out=$(DEMO)
	@printf '%s\n' '' 'Next, a page to look at the frames, and a sweep over the sampling steps:' \
		'  source $(VENV)/bin/activate' \
		'  python -m bench report $(DEMO)' \
		'  python -m bench run method=turbovsr method.steps=1,2,4 method.use_latent=true data=sample'

# Tests in several processes, of two threads each: threads that spin while they wait for others take those others' time.
test test-fast: export OMP_WAIT_POLICY = PASSIVE

test: $(VENV)/installed-dev .assets/fetched-test
	$(PY) -m pytest -n auto

# What an edit breaks first, in under a minute: everything but tests that train, render, build or run for long.
test-fast: $(VENV)/installed-dev .assets/fetched-test
	$(PY) -m pytest -n auto -m "not slow"

lint: $(VENV)/installed-dev
	$(PY) -m ruff format --check --quiet .
	$(PY) -m ruff check --quiet .
	$(PY) -m mypy

format: $(VENV)/installed-dev
	$(PY) -m ruff check --fix --quiet . || true
	$(PY) -m ruff format --quiet .

# The gate: what the golden run had must not be worse. `make golden` after a change that is meant to move numbers.
check: $(VENV)/installed .assets/fetched
	$(PY) -m bench run $(GATED) out=results/runs/check
	$(PY) -m bench check results/runs/check --against results/golden/sample --reference realesrgan --margin speed=1.5
	$(PY) -m bench paper --check results/paper

golden: $(VENV)/installed .assets/fetched
	rm -rf results/golden/sample
	$(PY) -m bench run $(GATED) out=results/golden/sample
	rm -f results/golden/sample/plot.* results/golden/sample/table.*
	$(PY) -m bench paper

# The documentation as a site in build/docs; a broken link or docstring fails it.
docs: $(VENV)/installed-dev
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet

setup: $(VENV)/installed .assets/fetched

# Two environments in one folder: what running needs, and on top of it what tests, lint and docs need. Compiled at once:
# uv leaves that to the first import, and where Python may not write bytecode every process takes seconds longer to begin.
$(VENV)/installed: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check uv==$(UV)
	$(VENV)/bin/uv pip install --quiet --compile-bytecode --require-hashes --python $(PY) -r requirements.txt
	touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	$(VENV)/bin/uv pip install --quiet --compile-bytecode --require-hashes --python $(PY) -r requirements-dev.txt
	touch $@

.assets/fetched: conf/assets/files.yaml conf/assets/packages.txt $(VENV)/installed
	$(PY) -m bench data fetch
	touch $@

.assets/fetched-test: conf/assets/files.yaml conf/assets/packages.txt $(VENV)/installed
	$(PY) -m bench data fetch test
	touch $@

# After a change of the dependencies in pyproject.toml or conf/assets/packages.in (needs uv).
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header
requirements:
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) pyproject.toml --extra dev --extra docs -c requirements.txt -o requirements-dev.txt
	$(COMPILE) --no-annotate --no-deps conf/assets/packages.in -o conf/assets/packages.txt

clean:
	rm -rf $(VENV) .assets build *.egg-info
