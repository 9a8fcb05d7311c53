# Every verb starts from nothing but Python, make and git: it makes .venv itself.
PYTHON ?= python3
PORT ?= 8000
PYODIDE ?= cdn
# The exact pin keeps pip from fetching other builds; see README.md for a CPU build.
TORCH = torch==2.13.0
TORCH_OPTIONS ?=
# Without them, pip takes the newest releases: make book CONSTRAINTS=
CONSTRAINTS = -c constraints.txt

BIN = .venv/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check install -qq $(CONSTRAINTS)
LITE_PIP = .venv-lite/bin/python -m pip --disable-pip-version-check install -qq
BENCH_PIP = .venv-bench/bin/python -m pip --disable-pip-version-check install -qq
QUIET = --disable-pip-version-check -qq
BWRAP := $(shell command -v bwrap)
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

CHAPTERS = $(wildcard book/0*.ipynb)
SLIDES = _build/html/slides/.made

.DEFAULT_GOAL := help
.PHONY: help assignments grade gradescope book slides lite serve test conformance notebooks colab binder wasm links lighthouse lint format bench clean

help:  ## list these verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

book: .venv/.course $(SLIDES) $(if $(CHROMIUM),.venv/.browser)  ## build the book into _build/html: pages, PDFs, slides
	@echo "Building the book (a minute when every notebook has to run) ..."
	@mkdir -p _build
	@$(BIN)/jupyter-book build . -W --keep-going -n -q >_build/log 2>&1 || { rm -rf _build/.doctrees; \
	  sed -n '/WARNING: \|ERROR: /p; /^nbclient.*Error: /,/^The above exception/p' _build/log; echo; \
	  echo "The book was not built. The page and the cause are named above, or in full in _build/log."; \
	  echo "Mend it, then: make book"; exit 1; }
	@command -v dot >/dev/null || echo "Graphs are shown as text, for lack of Graphviz: apt install graphviz (or: brew install graphviz), then make book."
	@test -n "$(CHROMIUM)" || echo "No PDFs were printed, for lack of Chromium: apt install chromium (or: brew install --cask chromium), then make book."
	@echo "The book is ready: open _build/html/index.html, or type: make serve"

slides: $(SLIDES)  ## make a deck of slides of each chapter
	@echo "The slides are ready: open _build/html/slides/01_introduction.html; the arrow keys turn them."

lite: .venv/.course .venv-lite/.ready  ## add notebooks that run in the reader's browser (PYODIDE=FOLDER: with Pyodide's wheels)
	@$(BIN)/python lite/publish.py "$(PYODIDE)" || { echo "The notebooks for the browser were not built. The cause is above."; exit 1; }
	@$(MAKE) --no-print-directory book

serve: book  ## read the book at http://localhost:8000 (PORT=… for another)
	@echo "Reading at http://localhost:$(PORT)   (Ctrl-C ends)"
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html >/dev/null 2>&1 || \
	  { echo "Port $(PORT) is taken. Another one: make serve PORT=8001"; exit 1; }

test: .venv/.course $(if $(CHROMIUM),.venv/.browser) $(if $(BWRAP),.venv/.dask)  ## run every test: engine, notebooks, built book
	@$(BIN)/python -m pytest -n auto --dist loadfile

conformance: .venv/.course  ## run PyTorch's own test cases, all of them
	@$(BIN)/python tests/conformance

assignments: .venv/.course  ## write the students' notebooks and the solutions into _build/assignments
	@cd assignments && ../$(BIN)/python -m grader.student ../_build/assignments

grade: .venv/.course $(if $(DASK),.venv/.dask)  ## grade a class: make grade ASSIGNMENT=01_introduction FOLDER=… OUT=…
	@test -n "$(ASSIGNMENT)" -a -n "$(FOLDER)" -a -n "$(OUT)" || { \
	  echo "Say what to grade: make grade ASSIGNMENT=01_introduction FOLDER=submissions OUT=results"; exit 1; }
	@PYTHONPATH=assignments $(BIN)/python -m grader "$(ASSIGNMENT)" "$(FOLDER)" "$(OUT)" \
	  $(if $(DASK),--dask "$(DASK)") $(if $(SEED),--seed "$(SEED)")

gradescope: .venv/.course  ## write Gradescope's bundle: make gradescope ASSIGNMENT=01_introduction
	@test -f "assignments/$(ASSIGNMENT)_tests.py" || { \
	  echo "Say which assignment: make gradescope ASSIGNMENT=01_introduction"; exit 1; }
	@PYTHONPATH=assignments $(BIN)/python -m grader.gradescope "$(ASSIGNMENT)" "_build/gradescope/$(ASSIGNMENT).zip" $(TORCH_OPTIONS)

notebooks: .venv/.course  ## run the notebooks and store their outputs
	@$(BIN)/python tools/notebooks.py || { echo; \
	  echo "A notebook was left as it was. Mend the cell named above, then: make notebooks"; exit 1; }

colab: .venv/.course .venv-colab/.ready  ## run the notebooks as Colab would (3 minutes)
	@$(BIN)/python tests/colab .venv-colab

binder: .venv/.course .venv-binder/.ready  ## run the notebooks in what Binder would install (3 minutes)
	@$(BIN)/python tests/binder .venv-binder

wasm: .venv/.course tests/wasm/node_modules  ## run the notebooks in WebAssembly, under node (2 minutes)
	@$(BIN)/python tests/wasm tests/wasm/node_modules

links: .venv/.course  ## list the book's links to other sites, and check them where there is a network
	@$(BIN)/python tools/links.py

lighthouse: book tools/lighthouse/node_modules  ## measure every page on a slow phone (needs Node.js and Chromium)
	@CHROME_PATH="$(CHROMIUM)" node tools/lighthouse/audit.js _build/html $(PAGES)

lint: .venv/.lint  ## check format, style and types
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy || { echo; \
	  echo "'make format' mends what can be mended by machine; the rest is named above."; exit 1; }

format: .venv/.lint  ## format code and notebooks
	@$(BIN)/ruff check --fix-only --quiet . && $(BIN)/ruff format . || { echo; \
	  echo "The file named above cannot be parsed. Mend it, then: make format"; exit 1; }

bench: .venv-bench/.ready  ## time the engine beside others (15 minutes), into benchmarks/results.*
	@.venv-bench/bin/python benchmarks/bench.py

# Each of the two is made anew when what it imitates has changed.
.venv-colab/.ready: tests/colab/requirements.txt
	@echo "Setting up .venv-colab with Colab's versions of the packages (a minute or two) ..."
	@rm -rf .venv-colab && $(PYTHON) -m venv .venv-colab
	@.venv-colab/bin/python -m pip $(QUIET) install $(TORCH) $(TORCH_OPTIONS) -r tests/colab/requirements.txt && \
	  .venv-colab/bin/python -m pip $(QUIET) download --no-deps -d .venv-colab/wheels "flit_core<4" graphviz==0.21 || { \
	  echo "pip could not install the packages; the cause is above. Once mended, give the same command again."; exit 1; }
	@touch $@

.venv-binder/.ready: .binder/environment.yml | .venv/.course
	@echo "Setting up .venv-binder with what Binder would install (a minute or two) ..."
	@rm -rf .venv-binder && $(PYTHON) -m venv .venv-binder
	@.venv-binder/bin/python -m pip $(QUIET) install $(TORCH) $(TORCH_OPTIONS) ipykernel jupyter-repo2docker \
	  $$($(BIN)/python tests/binder --requirements) || { \
	  echo "pip could not install the packages; the cause is above. Once mended, give the same command again."; exit 1; }
	@touch $@

clean:  ## remove everything that was built, and .venv
	rm -rf _build .venv .venv-bench .venv-binder .venv-colab .venv-lite .pytest_cache .mypy_cache .ruff_cache .hypothesis tools/lighthouse/node_modules tests/wasm/node_modules
	find src tests tools lite book benchmarks assignments -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf

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

$(SLIDES): .venv/.course $(CHAPTERS) _toc.yml tools/slides.py $(wildcard tools/deck/*)
	@$(BIN)/python tools/slides.py && touch $@

.venv/.lint: .venv/.course
	@$(PIP) mypy ruff || { echo "pip could not install mypy and ruff; the cause is above."; exit 1; }
	@touch $@

.venv/.dask: .venv/.course
	@$(PIP) distributed || { echo "pip could not install Dask (distributed); the cause is above."; exit 1; }
	@touch $@

.venv/.browser: .venv/.course
	@$(PIP) playwright axe-playwright-python || { \
	  echo "pip could not install playwright and axe; the cause is above."; exit 1; }
	@touch $@

.venv-lite/.ready: lite/requirements.txt
	@echo "Setting up .venv-lite with JupyterLite (a minute the first time) ..."
	@command -v npm >/dev/null || { echo "npm is missing, which comes with Node.js: apt install npm (or: brew install node)"; exit 1; }
	@test -x .venv-lite/bin/pip || $(PYTHON) -m venv .venv-lite || { rm -rf .venv-lite; \
	  echo "Python could not make .venv-lite. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(LITE_PIP) -r lite/requirements.txt || { \
	  echo "pip could not install the packages; the cause is above. Once mended, give the same command again."; exit 1; }
	@touch $@

.venv-bench/.ready: benchmarks/requirements.txt pyproject.toml
	@echo "Setting up .venv-bench with the engines to compare with (a few minutes the first time) ..."
	@test -x .venv-bench/bin/pip || $(PYTHON) -m venv .venv-bench || { rm -rf .venv-bench; \
	  echo "Python could not make .venv-bench. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(BENCH_PIP) $(TORCH) $(TORCH_OPTIONS) && $(BENCH_PIP) -r benchmarks/requirements.txt -e . || { \
	  echo "pip could not install the packages; the cause is above. Once mended, give the same command again."; exit 1; }
	@command -v clang >/dev/null || echo "tinygrad is left out, for lack of clang: apt install clang"
	@touch $@

%/node_modules: %/package-lock.json
	@npm ci --prefix $* --silent --no-audit --no-fund || { \
	  echo "npm could not install what $*/package.json names. It needs Node.js 20 or newer and the network."; exit 1; }
	@touch $@
