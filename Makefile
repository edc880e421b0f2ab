# `make demo` runs the main job on embedded data, `make test` passes the tests: each does all the set-up it needs.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
UV := 0.13.9

GATED := method=bicubic,realesrgan,turbovsr data=sample metrics=[psnr,ssim,lpips-alex] store=null

.PHONY: demo test check golden docs setup requirements clean

demo: $(VENV)/installed .assets/fetched
	$(PY) -m bench run method=bicubic,realesrgan,basicvsr,turbovsr data=sample timing.budget_s=5 out=results/runs/demo

test: $(VENV)/installed .assets/fetched-test
	$(PY) -m pytest

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
docs: $(VENV)/installed
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet

setup: $(VENV)/installed .assets/fetched

$(VENV)/installed: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check uv==$(UV)
	$(VENV)/bin/uv pip install --quiet --require-hashes --python $(PY) -r requirements.txt
	touch $@

.assets/fetched: conf/assets/files.yaml conf/assets/packages.txt $(VENV)/installed
	$(PY) -m bench data fetch
	touch $@

.assets/fetched-test: conf/assets/files.yaml conf/assets/packages.txt $(VENV)/installed
	$(PY) -m bench data fetch test
	touch $@

# After a change of requirements.in or conf/assets/packages.in (needs uv).
requirements:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements.in -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-deps \
		conf/assets/packages.in -o conf/assets/packages.txt

clean:
	rm -rf $(VENV) .assets build *.egg-info
