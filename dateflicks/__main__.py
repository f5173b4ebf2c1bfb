"""`python -m dateflicks`: the same program as `dateflicks`."""

from dateflicks.cli.main import run

if __name__ == "__main__":
    run()
