"""The compose file and the Containerfile: every command in them exists, and nobody in them has rights without need."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.main import app
from dateflicks.settings.loader import SERVICES, load

ROOT = Path(__file__).parents[2]
VARIABLE = re.compile(r"\$\{(\w+)(?::?[-?]([^}]*))?\}")
OURS = ("services", "jobs")


def compose() -> dict[str, Any]:
    """The file with its variables filled in."""
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    given = {"DATEFLICKS_DOMAIN": "films.example.org"}
    found: dict[str, Any] = yaml.safe_load(VARIABLE.sub(lambda one: given.get(one[1]) or one[2] or "", text))
    return found


def instructions() -> list[tuple[str, str]]:
    """Those of the Containerfile, each in one line."""
    text = (ROOT / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, " ".join(rest.split())) for word, _, rest in (line.partition(" ") for line in lines)]


def help_of(words: list[str], tmp_path: Path) -> str:
    environment = CliEnvironment(environ={"DATEFLICKS_HOME": str(tmp_path)})
    result = CliRunner().invoke(app, [*words, "--help"], obj=environment, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


SERVICE_NAMES = list(compose()["services"])


@pytest.mark.parametrize("name", SERVICE_NAMES)
def test_each_service_is_bounded_confined_watched_and_of_a_known_version(name: str) -> None:
    service = compose()["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert set(service.get("cap_add", [])) <= {"NET_BIND_SERVICE"}
    assert service["mem_limit"]
    assert service["cpus"]
    assert service["pids_limit"]
    assert service["healthcheck"]
    assert service["restart"] == "unless-stopped"
    image, _, version = service["image"].partition(":")
    assert image
    assert version
    assert version != "latest"
    assert "ports" not in service or name == "proxy"
    assert not service.get("privileged")


def test_whatever_is_named_is_there() -> None:
    found = compose()
    for service in found["services"].values():
        assert set(service["networks"]) <= set(found["networks"])
        assert set(service.get("secrets", [])) <= set(found["secrets"])
        assert {one["source"] for one in service.get("configs", [])} <= set(found["configs"])
        mounted = {one.partition(":")[0]: one for one in service.get("volumes", [])}
        assert {name for name in mounted if not name.startswith("./")} <= set(found["volumes"])
        assert all(one.endswith(":ro") for name, one in mounted.items() if name.startswith("./"))
        for other, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert not found["services"][other]["healthcheck"].get("disable")
    assert found["networks"]["store"]["internal"]
    assert found["networks"]["front"]["internal"]
    assert "outside" not in found["services"]["mongo"]["networks"]


@pytest.mark.parametrize("name", OURS)
def test_our_commands_exist_with_all_their_flags(name: str, tmp_path: Path) -> None:
    command = compose()["services"][name]["command"]
    words = [word for word in command if not word.startswith("-")][:2]
    shown = help_of(words, tmp_path)
    assert all(flag in shown for flag in command if flag.startswith("--"))


@pytest.mark.parametrize("name", OURS)
def test_our_settings_are_settings(name: str) -> None:
    environ = {key: str(value) for key, value in compose()["services"][name]["environment"].items()}
    settings: Any = load("all", SERVICES["all"], environ=environ).settings
    assert settings.mongo.uri == "mongodb://mongo:27017/?replicaSet=rs0"
    assert settings.bus.uri.startswith("redis://valkey:")
    assert settings.server.workers == 2
    assert settings.server.public_url == "https://films.example.org"
    assert settings.server.proxies == [compose()["networks"]["front"]["ipam"]["config"][0]["subnet"]]
    assert settings.auth.key_file == "/run/secrets/signing-key"


def test_the_proxy_is_set_up_as_the_page_on_hosting_shows() -> None:
    page = (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
    shown = re.search(r"```caddy\n(.*?)```", page, re.DOTALL)
    assert shown is not None
    ours = compose()["configs"]["caddyfile"]["content"].replace("services:8700", "127.0.0.1:8700")
    assert ours.split() == shown[1].split()


def test_health_is_asked_by_the_same_words_everywhere() -> None:
    (check,) = [rest for word, rest in instructions() if word == "HEALTHCHECK"]
    words = yaml.safe_load(check.partition("CMD ")[2])
    assert compose()["services"]["services"]["healthcheck"]["test"] == ["CMD", *words]
    compile(words[-1], "healthcheck", "exec")


def test_the_image_is_made_in_two_steps_runs_as_nobody_and_starts_what_there_is(tmp_path: Path) -> None:
    found = instructions()
    bases = [rest for word, rest in found if word == "FROM"]
    assert len(bases) == 2
    assert all(":" in base and ":latest" not in base for base in bases)
    python = re.match(r"python:(\d+\.\d+)-", bases[0])
    assert python is not None
    known = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"Programming Language :: Python :: {python[1]}" in known["classifiers"]
    last = dict(found)
    assert last["USER"].split(":")[0].isdigit()
    command = yaml.safe_load(last["CMD"])
    assert yaml.safe_load(last["ENTRYPOINT"]) == ["dateflicks"]
    assert command == compose()["services"]["services"]["command"]
    help_of([word for word in command if not word.startswith("-")][:2], tmp_path)
    extras = re.search(r"\[([a-z,]+)\]\"", " ".join(rest for word, rest in found if word == "RUN"))
    assert extras is not None
    assert set(extras[1].split(",")) <= set(known["optional-dependencies"])


def test_the_image_has_all_that_the_package_is_built_of() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    kept = {line[1:] for line in lines if line.startswith("!")}
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = {path.partition("/")[0] for path in build["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]}
    needed |= {"dateflicks", "pyproject.toml", build["project"]["readme"], *build["project"]["license-files"]}
    assert needed <= kept


def test_what_the_build_runs_is_what_a_shell_reads() -> None:
    for word, rest in instructions():
        if word == "RUN":
            assert shlex.split(rest)
