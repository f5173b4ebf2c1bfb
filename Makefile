# Each target makes .venv by itself, and anew when what it is made of has changed.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
PATHS := dateflicks tests benchmarks examples

.PHONY: help demo test check lint types unit test-long bench-sync bench-messages bench-chat-faults bench-faults \
	bench-tui bench-videos bench-providers bench-isolation bench-load bench-syncplay-load bench-recommendations \
	bench-recommenders bench-recommender-runs bench-attacks fuzz soak bench-drain help-tree bench-startup pictures \
	format clean
.DEFAULT_GOAL := test

.venv/.made: pyproject.toml constraints.txt
	@echo "Installing into .venv; this takes a while the first time." >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --upgrade pip
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[als,keyring,local,redis,web]' --group dev
	@touch $@

help:  ## this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-22s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.made  ## two players watch one film in step on this machine; ARGS are passed on
	@$(BIN)/dateflicks demo $(ARGS)

# Types are looked at beside the tests: neither keeps two cores busy all the time.
test: .venv/.made  ## everything that must hold before a commit
	@$(MAKE) --no-print-directory -j 2 lint types unit

check: test  ## what CI runs

lint: .venv/.made  ## layout, lint, spelling, and who may import whom
	$(BIN)/ruff format --check $(PATHS)
	$(BIN)/ruff check $(PATHS)
	$(BIN)/codespell
	$(BIN)/lint-imports --no-logo

types: .venv/.made  ## the types, strictly
	$(BIN)/mypy

# With what was compiled kept, for six workers and hundreds of processes import the same. Six on two cores, for tests of
# players, servers and screens wait more than they work.
unit test-long: export PYTHONDONTWRITEBYTECODE =
unit: .venv/.made  ## the tests; ARGS are passed on
	$(BIN)/python -m pytest -q -n 6 --dist worksteal -m "not long" $(ARGS)

test-long: .venv/.made  ## what is too long for every run: sabotaged demos, many films, more deaths of services
	$(BIN)/python -m pytest -q -n 2 -m long $(ARGS)

bench-sync: .venv/.made  ## how well two real players are held in step; ARGS are passed on
	$(BIN)/python -m benchmarks.sync $(ARGS)

bench-messages: .venv/.made  ## what pages and messages of the talk cost beside the bare database; ARGS are passed on
	$(BIN)/python -m benchmarks.messages $(ARGS)

bench-chat-faults: .venv/.made  ## the talk under kills, restarts and cut lines, ten times over; ARGS are passed on
	$(BIN)/python -m benchmarks.chat_faults --runs 10 $(ARGS)

bench-faults: .venv/.made  ## what kills of workers, the database and Redis cost, and who disagrees; ARGS are passed on
	$(BIN)/python -m benchmarks.faults $(ARGS)

bench-tui: .venv/.made  ## what the terminal client costs, beside an app that does nothing; ARGS are passed on
	$(BIN)/python -m benchmarks.tui $(ARGS)

bench-videos: .venv/.made  ## what looking for a film costs, beside reading one by its id; ARGS are passed on
	$(BIN)/python -m benchmarks.videos $(ARGS)

bench-providers: .venv/.made  ## what filling the collection costs, beside the bare database; ARGS are passed on
	$(BIN)/python -m benchmarks.providers $(ARGS)

bench-isolation: .venv/.made  ## what people feel of a source that misbehaves in every way; ARGS are passed on
	$(BIN)/python -m benchmarks.isolation $(ARGS)

bench-load: .venv/.made  ## what many pairs cost a server, beside relays that do nothing else and Syncplay's; ARGS are passed on
	$(BIN)/python -m benchmarks.load $(ARGS)

bench-syncplay-load: .venv/.made  ## Syncplay's server and ours with the same people; ARGS are passed on
	$(BIN)/python -m benchmarks.syncplay_load $(ARGS)

bench-recommendations: .venv/.made  ## what telling people what to watch costs, beside one document by its id; ARGS are passed on
	$(BIN)/python -m benchmarks.recommendations $(ARGS)

bench-recommenders: .venv/.made  ## what fitting recommenders and making lists costs, beside a product of matrices; ARGS are passed on
	$(BIN)/python -m benchmarks.recommenders $(ARGS)

bench-recommender-runs: .venv/.made  ## what whole runs of recommenders cost, with their writes; ARGS are passed on
	$(BIN)/python -m benchmarks.recommender_runs $(ARGS)

bench-attacks: .venv/.made  ## what each attack of one client costs the others; ARGS are passed on
	$(BIN)/python -m benchmarks.attacks $(ARGS)

# Kept beside what tests need, not among it; without it inputs are made up blindly.
.venv/fuzzers: .venv/.made
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $@ atheris==3.0.0
	@mkdir -p $@

fuzz: .venv/fuzzers  ## what strangers could send, made up for half an hour; ARGS=--minutes=5 for less
	PYTHONPATH=.venv/fuzzers $(BIN)/python -m tests.strangers.fuzzing $(ARGS)

soak: .venv/.made  ## many pairs at the pace of people for two hours; ARGS="--minutes 20" for less
	$(BIN)/python -m benchmarks.soak $(ARGS)

bench-drain: .venv/.made  ## how long a stop takes, and whether everybody is told; ARGS are passed on
	$(BIN)/python -m benchmarks.drain $(ARGS)

help-tree: .venv/.made  ## the help in one file, and docs/cli.md, as the commands are now
	@$(BIN)/python -m tests.cli.help_tree

bench-startup: .venv/.made  ## how long the help takes, beside a bare program of Typer and Rich; ARGS are passed on
	$(BIN)/python -m benchmarks.startup $(ARGS)

pictures: .venv/.made  ## those of the README, as the terminal client looks now
	$(BIN)/python -m tests.tui.pictures

format: .venv/.made  ## the layout, and what the linter can mend
	$(BIN)/ruff format $(PATHS)
	$(BIN)/ruff check --fix $(PATHS)

clean:  ## take away what these targets have made, but not what `make fuzz` has found
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
