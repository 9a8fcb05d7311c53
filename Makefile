# Every verb starts from nothing but Python, make and git: it makes .venv itself.
PYTHON ?= python3
PORT ?= 8000
# The exact pin keeps pip from fetching other builds; see README.md for a CPU build.
TORCH = torch==2.13.0
TORCH_OPTIONS ?=

BIN = .venv/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check install -qq -c constraints.txt
BENCH_PIP = .venv-bench/bin/python -m pip --disable-pip-version-check install -qq
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.DEFAULT_GOAL := help
.PHONY: help assignments grade book serve test conformance links notebooks lint format bench clean

help:  ## list these verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

book: .venv/.course  ## build the book into _build/html
	@echo "Building the book (a minute when every notebook has to run) ..."
	@mkdir -p _build
	@$(BIN)/jupyter-book build . -W --keep-going -n -q >_build/log 2>&1 || { rm -rf _build/.doctrees; \
	  sed -n '/WARNING: \|ERROR: /p; /^nbclient.*Error: /,/^The above exception/p' _build/log; echo; \
	  echo "The book was not built. The page and the cause are named above, or in full in _build/log."; \
	  echo "Mend it, then: make book"; exit 1; }
	@command -v dot >/dev/null || echo "Graphs are shown as text, for lack of Graphviz: apt install graphviz (or: brew install graphviz), then make book."
	@echo "The book is ready: open _build/html/index.html, or type: make serve"

serve: book  ## read the book at http://localhost:8000 (PORT=… for another)
	@echo "Reading at http://localhost:$(PORT)   (Ctrl-C ends)"
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html >/dev/null 2>&1 || \
	  { echo "Port $(PORT) is taken. Another one: make serve PORT=8001"; exit 1; }

test: .venv/.course $(if $(CHROMIUM),.venv/.browser)  ## run every test: engine, notebooks, built book
	@$(BIN)/python -m pytest

conformance: .venv/.course  ## run PyTorch's own test cases, all of them
	@$(BIN)/python tests/conformance

links: .venv/.course  ## list the book's links to other sites, and check them where there is a network
	@$(BIN)/python tools/links.py

assignments: .venv/.course  ## write the students' notebooks and the solutions into _build/assignments
	@cd assignments && ../$(BIN)/python -m grader.student ../_build/assignments

grade: .venv/.course  ## grade a class: make grade ASSIGNMENT=01_introduction FOLDER=… OUT=…
	@test -n "$(ASSIGNMENT)" -a -n "$(FOLDER)" -a -n "$(OUT)" || { \
	  echo "Say what to grade: make grade ASSIGNMENT=01_introduction FOLDER=submissions OUT=results"; exit 1; }
	@PYTHONPATH=assignments $(BIN)/python -m grader "$(ASSIGNMENT)" "$(FOLDER)" "$(OUT)"

notebooks: .venv/.course  ## run the notebooks and store their outputs
	@$(BIN)/python tools/notebooks.py || { echo; \
	  echo "A notebook was left as it was. Mend the cell named above, then: make notebooks"; exit 1; }

lint: .venv/.lint  ## check format, style and types
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy || { echo; \
	  echo "'make format' mends what can be mended by machine; the rest is named above."; exit 1; }

format: .venv/.lint  ## format code and notebooks
	@$(BIN)/ruff check --fix-only --quiet . && $(BIN)/ruff format . || { echo; \
	  echo "The file named above cannot be parsed. Mend it, then: make format"; exit 1; }

bench: .venv-bench/.ready  ## time the engine beside others (15 minutes), into benchmarks/results.*
	@.venv-bench/bin/python benchmarks/bench.py

clean:  ## remove everything that was built, and .venv
	rm -rf _build .venv .venv-bench .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests tools book benchmarks assignments -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf

.venv/.course: requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "The course needs Python 3.11 or newer; '$(PYTHON) --version' says: $$($(PYTHON) --version 2>&1)"; \
	  echo "Install one and name it, for instance: make $(firstword $(MAKECMDGOALS)) PYTHON=python3.13"; exit 1; }
	@echo "Setting up .venv (the first time takes a minute or two) ..."
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv || { rm -rf .venv; \
	  echo "Python could not make .venv. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(PIP) $(TORCH) $(TORCH_OPTIONS) && $(PIP) -r requirements.txt || { \
	  echo "pip could not install the packages; the cause is above. Once mended (network, disk), give the same command again."; exit 1; }
	@mkdir -p .venv/etc/ipython
	@echo 'c.IPKernelApp.log_level = 40  # one line about TCP for every kernel, otherwise' > .venv/etc/ipython/ipython_kernel_config.py
	@touch $@

.venv/.lint: .venv/.course
	@$(PIP) mypy ruff || { echo "pip could not install mypy and ruff; the cause is above."; exit 1; }
	@touch $@

.venv/.browser: .venv/.course
	@$(PIP) playwright axe-playwright-python || { \
	  echo "pip could not install playwright and axe; the cause is above."; exit 1; }
	@touch $@

.venv-bench/.ready: benchmarks/requirements.txt pyproject.toml
	@echo "Setting up .venv-bench with the engines to compare with (a few minutes the first time) ..."
	@test -x .venv-bench/bin/pip || $(PYTHON) -m venv .venv-bench || { rm -rf .venv-bench; \
	  echo "Python could not make .venv-bench. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(BENCH_PIP) $(TORCH) $(TORCH_OPTIONS) && $(BENCH_PIP) -r benchmarks/requirements.txt -e . || { \
	  echo "pip could not install the packages; the cause is above. Once mended, give the same command again."; exit 1; }
	@command -v clang >/dev/null || echo "tinygrad is left out, for lack of clang: apt install clang"
	@touch $@
