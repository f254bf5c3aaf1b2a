# make train   install into .venv, then run the experiment on MNIST
# make test    install with the test extra, then run the tests without the thorough ones
# make test-all  all tests, as CI does; of large cross products of parameters, cases that have all
#              pairs of values
# make test-every  all tests with every case, 11,000 more: the time of make test-all and about 70 s
#              of one core (pytest --cases=other on a Zen 5, November 2026)
# make debug   install a build that checks the contracts of the C code into .venv-debug, then run
#              the tests of make test on it
# make bench   install with the bench extra, then time fastnet beside its peers (minutes)
# make growth  time per example against each size: bench/growth/ (minutes)
# make peers   install scikit-learn and JAX for make bench (PyTorch: see bench/README.md)
# make counts  instructions per mini-batch beside the recorded ones (needs valgrind)
# make lint    ruff, mypy, and the C compiler's warnings as errors
# make wheel   dist/*.tar.gz and dist/*.whl
# make clean   remove what these made
#
# ARGS goes to the command: make train ARGS="--hidden 100", make test ARGS="-k idx".

VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# With the folders themselves, which are older than a file that was added or removed.
SOURCES := setup.py pyproject.toml MANIFEST.in README.md LICENSE \
    $(shell find csrc fastnet -not -name '*.so' -not -path '*/__pycache__*')

.PHONY: train test test-all test-every debug bench growth peers counts lint wheel clean

train: $(VENV)/installed
	$(BIN)/fastnet train $(ARGS)

# On all cores; an option in ARGS comes after these, and so instead of them.
test: $(VENV)/installed-test
	$(BIN)/pytest -n auto --dist worksteal -m "not thorough" $(ARGS)

# A file at a time, since what its tests share (a browser, a cluster, trained networks) is made once
# in each process.
test-all: $(VENV)/installed-test
	FASTNET_TEST_SEEDS=10 $(BIN)/pytest -n auto --dist loadfile $(ARGS)

test-every:
	$(MAKE) test-all ARGS="--cases=every $(ARGS)"

# make test in an environment of its own, on a build that stops where a contract is broken.
debug:
	FASTNET_DEBUG=1 $(MAKE) VENV=.venv-debug test

bench: $(VENV)/installed-bench
	$(BIN)/python bench/run.py $(VENV)/bench $(ARGS)
	$(BIN)/python bench/table.py $(VENV)/bench/*.json

growth: $(VENV)/installed-bench
	$(BIN)/python bench/growth.py $(ARGS)

peers: $(VENV)/installed-bench $(VENV)/installed-bench-peers

counts: $(VENV)/installed-dev
	$(BIN)/python bench/counts.py $(ARGS)

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	CFLAGS=-Werror $(BIN)/python setup.py -q build_clib --force --build-temp=$(VENV)/lint --build-clib=$(VENV)/lint

wheel: $(VENV)/installed-dev
	$(BIN)/python -m build

$(BIN)/python:
	@echo "making the environment $(VENV)"
	@python=$$(PYTHON="$(PYTHON)" sh tools/find_python.sh) && "$$python" -m venv $(VENV)

INSTALL = sh tools/install.sh $(BIN)/pip "$(1)" && touch $@ || \
    { echo "make: installing failed, see above; building needs a package index (PyPI) within reach" >&2; exit 1; }

# Made again when a source has changed, and without the modules that are gone.
$(VENV)/installed: $(BIN)/python $(SOURCES)
	@rm -rf build/lib* build/debug/lib*
	@echo "installing fastnet into $(VENV), about a minute"
	@$(call INSTALL,.)

# What an extra adds to the package that is installed; the version keeps pip from
# the package index, where the name belongs to another project.
VERSION = $(shell $(BIN)/python -P -c 'from importlib.metadata import version; print(version("fastnet"))')

$(VENV)/installed-%: $(VENV)/installed
	@echo "installing the extra $*"
	@$(call INSTALL,fastnet[$*]==$(VERSION))

clean:
	rm -rf $(VENV) .venv-debug build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache \
	    .benchmarks .hypothesis
