# make demo   set up and do the main job on the track that ships with the project
# make test   set up, with what the tests need, and run all checks
# make test-slow  run the checks that take longer (soaking, long fuzzing); make test-slow-short: those of under a minute
# make docs  build the documentation into site/; a warning is an error
# make wheel-check  the built wheel in fresh environments of Python 3.11 to 3.13, core and all extras (needs an index)
# make bench  speed and memory of whole commands, the first sound, the network, explanations; under ten minutes
# make bench BESIDE=WHEEL  the same with another release (its wheel, or an interpreter that has it) turn by turn, as ratios
# make bench-long  what takes longer: an hour's render, whole tracks, 50,000 samples of plain LIME, stability, growth
# make bench-live  forty minutes of playing over JACK under load: drop-outs and latency, measured in the recording

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo model test test-slow test-slow-short docs check types wheel-check bench bench-long bench-live system setup clean

demo: $(VENV)/.installed
	$(BIN)/moodfader demo

test: $(VENV)/.installed-test system check types
	$(BIN)/pytest $(WORKERS)

# two processes, each with the tests of one file after the other
WORKERS := -n 2 --dist loadfile --no-loadscope-reorder

test-slow: $(VENV)/.installed-test system
	$(BIN)/pytest -m slow

test-slow-short: $(VENV)/.installed-test system
	$(BIN)/pytest $(WORKERS) -m "slow and not soak"

check: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

docs: $(VENV)/.installed-docs
	@mkdir -p .typecheck && ln -sfn "$(CURDIR)" .typecheck/moodfader
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# mypy checks the package under the name it is installed by
types: $(VENV)/.installed-test
	@mkdir -p .typecheck && ln -sfn "$(CURDIR)" .typecheck/moodfader
	MYPYPATH=.typecheck $(BIN)/mypy -m moodfader -p moodfader.models -p moodfader.engine -p moodfader.control

bench: $(VENV)/.installed-test system
	$(BIN)/python tests/benchmarks/bench_side_by_side.py $(BIN)/python $(BESIDE)
	$(BIN)/python tests/benchmarks/bench_start.py $(BIN)/python $(BESIDE) --rounds 8
	$(BIN)/python tests/benchmarks/bench_network.py
	$(BIN)/python tests/benchmarks/bench_explain.py --only times --rounds 1

# PYTHONS: some interpreters instead of all that are found
wheel-check: $(VENV)/.installed-test
	$(BIN)/python tests/benchmarks/wheel_check.py $(PYTHONS)

# about two hours, most of it for plain LIME with 50,000 samples, by lime itself and by ours
bench-long: $(VENV)/.installed-test
	$(BIN)/python tests/benchmarks/bench_render.py
	$(BIN)/python tests/benchmarks/bench_explain.py
	$(BIN)/python tests/benchmarks/bench_scale.py build/scale.json --longest 1800 --plot build/scale.png
	$(BIN)/python tests/benchmarks/bench_explain_long.py --keep
	$(BIN)/python tests/benchmarks/bench_stability.py --lime 200 600

bench-live: $(VENV)/.installed-test system
	$(BIN)/python tests/benchmarks/bench_live.py --minutes 30 --blocks 512
	$(BIN)/python tests/benchmarks/bench_live.py --minutes 5 --blocks 256 1024
	$(BIN)/python tests/benchmarks/bench_live.py --minutes 2 --blocks 512 --no-load
	$(BIN)/python tests/benchmarks/bench_start.py $(BIN)/python $(BESIDE) --rounds 20

# Debian's names; elsewhere, or without the right to install, the tests that need them say so and are skipped
PACKAGES := fluidsynth fluid-soundfont-gm ffmpeg sox jackd2 liblo-tools libasound2 tmux
system:
	@missing=; for p in fluidsynth ffmpeg sox jackd oscsend tmux; do command -v $$p >/dev/null || missing=1; done; \
	if [ -z "$$missing" ] && ls /usr/share/sounds/sf2/*.sf2 >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(PACKAGES) >/dev/null \
	  || echo "could not install $(PACKAGES): the tests that need them are skipped"; \
	else echo "not all of $(PACKAGES) are installed: the tests that need them are skipped"; fi
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	  || echo "no Chromium is installed (Debian's package chromium): the tests of the web page are skipped"

setup: $(VENV)/.installed

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install -q -e ".[plot]"
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/pip install -q -e ".[test]"
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(BIN)/pip install -q -e ".[all,docs]"
	@touch $@

clean:
	rm -rf $(VENV) .typecheck build dist site *.egg-info demo-output

# the default model anew: needs the data folder, FluidSynth and the sound font FluidR3; goes on where it was stopped
model: $(VENV)/.installed
	$(BIN)/python -m moodfader.control.experiments.default_model --work build/model
