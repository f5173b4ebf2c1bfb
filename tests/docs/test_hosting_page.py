"""docs/hosting.md, block by block: services, units, containers, certificates and renewals, with this folder in place of
the machine. Where systemd, root or an engine would act there are programs that look at what they are told."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml

from dateflicks import __version__
from tests.authorities import make_pair
from tests.conftest import require
from tests.docs.pages import REPOSITORY, Block, blocks_of
from tests.docs.stage import Stage, free_port, staged
from tests.hosting.test_deploy_files import ROOT, compose, instructions
from tests.journeys.deployment import running_server

pytestmark = pytest.mark.timeout(600)

PAGE: Final = REPOSITORY / "docs" / "hosting.md"
BLOCKS: Final = [block for block in blocks_of(PAGE) if block.language == "sh"]

# Root: whoever the tests run as; an account that is not here is given nothing.
SUDO: Final = """#!/bin/bash
words=()
while [ $# -gt 0 ]; do
    case "$1" in -o|-g) shift;; *) words+=("$1");; esac
    shift
done
exec "${words[@]}"
"""
# A unit has to be there, and what is reloaded has to say how.
SYSTEMCTL: Final = """#!/bin/bash
verb=$1; shift
[ "$verb" = daemon-reload ] && exit 0
for name in "$@"; do
    case "$name" in --*) continue;; *.*) ;; *) name=$name.service;; esac
    grep -q '^\\[Unit\\]' "{units}/$name" || exit 5
    [ "$verb" != reload ] || grep -q '^ExecReload=' "{units}/$name" || exit 6
done
case "$verb" in enable|start|reload|restart) ;; *) exit 7;; esac
"""
SYSTEMD_RUN: Final = """#!/bin/bash
while [ $# -gt 0 ]; do
    case "$1" in -p) shift;; -E) export "$2"; shift;; --quiet|--pipe|--wait|--collect) ;; *) break;; esac
    shift
done
exec "$@"
"""
# What is run inside of a container is run here.
DOCKER: Final = """#!/bin/bash
[ "$1" = compose ] || exit 5
verb=$2; shift 2
while [ $# -gt 0 ]; do
    case "$1" in -s) shift;; -*) ;; *) break;; esac
    shift
done
if [ $# -gt 0 ]; then
    case " {services} " in *" $1 "*) shift;; *) exit 6;; esac
fi
case "$verb" in up|kill) ;; exec) exec "$@";; *) exit 7;; esac
"""


def _block(beginning: str) -> Block:
    (found,) = [block for block in BLOCKS if block.text.startswith(beginning)]
    return found


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("hosting"), is_served=False) as found:
        found.variables = {**found.variables, "DATEFLICKS_ALL_PORT": str(free_port())}
        yield found


def test_every_block_of_the_page_has_its_test_below() -> None:
    ours = re.findall(r'_block\("([a-z].+?)"\)', Path(__file__).read_text(encoding="utf-8"))
    blocks = [block for block in BLOCKS if not block.not_run]
    assert len(blocks) == len(ours) >= 7
    assert {_block(beginning.replace("\\n", "\n")).line for beginning in ours} == {block.line for block in blocks}


@pytest.mark.long
def test_the_services_start_and_tell_how_they_are(stage: Stage) -> None:
    port = stage.variables["DATEFLICKS_ALL_PORT"]
    stage.variables = {**stage.variables, "DATEFLICKS_CLIENT_SERVER": f"http://127.0.0.1:{port}"}
    stage.run(_block("dateflicks serve all\n"))


@pytest.mark.long
def test_logs_are_followed_chosen_and_searched(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    with staged(folder, is_served=False) as stage, running_server(folder / "data") as server:
        variables = {**stage.variables, "DATEFLICKS_CLIENT_SERVER": server.url}
        for password in ("wrong", "wrong again"):
            subprocess.run(
                [sys.executable, "-m", "dateflicks", "login", "ana", "--password-stdin"],
                input=password, env=variables, cwd=folder, text=True, capture_output=True, check=False, timeout=60,
            )  # fmt: skip
        stage.words["--level warning"] = "--level info"  # nothing has gone wrong here
        stage.run(_block("dateflicks serve logs -f --level"))


@pytest.mark.long
def test_the_server_has_tls_by_itself(stage: Stage) -> None:
    require("openssl")
    pair = make_pair(stage.folder)
    pair.certificate.rename(stage.folder / "fullchain.pem")
    pair.key.rename(stage.folder / "privkey.pem")
    changes = {"--host 0.0.0.0": "--host 127.0.0.1", "--port 443": f"--port {free_port()}"}
    stage.words |= changes
    try:
        stage.run(_block("dateflicks serve all --host 0.0.0.0"))
    finally:
        for made_up in changes:
            del stage.words[made_up]


@pytest.mark.long
def test_a_machine_with_systemd_is_set_up_looked_into_and_renewed(stage: Stage) -> None:
    places = {name: stage.folder / name.strip("/") for name in ("/opt", "/etc/systemd/system", "/var/lib/dateflicks")}
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    wheel = _wheel(stage.folder)
    old = stage.words
    stage.words = {
        "/opt/dateflicks": str(places["/opt"] / "dateflicks"), "/etc/dateflicks": str(stage.folder / "etc/dateflicks"),
        "/etc/systemd/system": str(places["/etc/systemd/system"]), "sudo python3": f"sudo {sys.executable}",
        "/var/lib/dateflicks": str(places["/var/lib/dateflicks"]),
        **{f"dateflicks-{version}-py3-none-any.whl": wheel.name for version in (__version__, "0.2.0")},
    }  # fmt: skip
    stage.put("sudo", SUDO)
    stage.put("systemctl", SYSTEMCTL.replace("{units}", str(places["/etc/systemd/system"])))
    stage.put("systemd-run", SYSTEMD_RUN)
    # What the wheel needs is there already, and no index is asked for it.
    variables = stage.variables
    pip = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    stage.variables = {**variables, **pip, "PYTHONPATH": sysconfig.get_path("purelib")}
    try:
        stage.run(_block("sudo python3 -m venv /opt/dateflicks/"))
        stage.run(_block("sudo systemd-run --quiet"))
        stage.run(_block("sudo systemctl start dateflicks-backup"))
    finally:
        stage.words, stage.variables = old, variables
    assert (places["/opt"] / "dateflicks" / "current").readlink() == Path("2026-12")


def _wheel(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run(
        [*command, "--disable-pip-version-check", "--wheel-dir", str(folder), str(REPOSITORY)],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    (found,) = folder.glob("dateflicks-*.whl")
    return found


@pytest.mark.long
def test_containers_are_told_what_there_is_and_what_they_run_works(tmp_path: Path) -> None:
    require("openssl")
    folder = tmp_path / "containers"
    folder.mkdir()
    with staged(folder, is_served=False) as stage, running_server(folder / "data"):
        shutil.copy(REPOSITORY / "compose.yaml", folder)
        services = yaml.safe_load((folder / "compose.yaml").read_text(encoding="utf-8"))["services"]
        stage.put("sudo", SUDO)
        stage.put("docker", DOCKER.replace("{services}", " ".join(services)))
        stage.run(_block("mkdir -p secrets"))
        key = folder / "secrets" / "signing-key"
        assert (len(key.read_text().strip()), key.stat().st_mode & 0o777) == (64, 0o600)
        assert (folder / ".env").read_text() == "DATEFLICKS_DOMAIN=films.example.org\n"
        assert (folder / "films.dfb").stat().st_size > 0


INSTALL: Final = SUDO.replace('exec "${words[@]}"', 'exec /usr/bin/install "${words[@]}"')


@pytest.mark.long
def test_what_the_image_is_made_by_makes_a_program_that_runs(tmp_path: Path) -> None:
    source, target, data = tmp_path / "src", tmp_path / "opt" / "dateflicks", tmp_path / "data"
    for place in (source, target.parent, tmp_path / "bin"):
        place.mkdir()
    _wheel(source)
    steps = [rest for word, rest in instructions() if word == "RUN"]
    assert len(steps) == 2
    pip = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PYTHONPATH": sysconfig.get_path("purelib")}
    variables = {**pip, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    words = {"/src": str(source), "/opt/dateflicks": str(target), "/data": str(data), "/etc/": f"{tmp_path}/etc/"}
    stage = Stage(tmp_path, variables, words)
    stage.put("install", INSTALL)
    stage.put("useradd", "#!/bin/sh\ncase $* in *--uid\\ 10001*\\ dateflicks) ;; *) exit 5;; esac\n")
    stage.put("python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    for step in steps:
        stage.run(Block(ROOT / "Containerfile", 1, "sh", step))
    command = [str(target / "bin" / "dateflicks"), "--version"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=variables, timeout=60)
    assert told.stdout == f"dateflicks {__version__}\n"
    assert data.stat().st_mode & 0o777 == 0o700


@pytest.mark.long
def test_containers_find_out_how_the_services_are(tmp_path: Path) -> None:
    _, _, *words = compose()["services"]["services"]["healthcheck"]["test"]
    with running_server(tmp_path / "data") as server:
        here = [word.replace("http://127.0.0.1:8700", server.url) for word in words]
        assert server.url in here[-1]
        assert subprocess.run([sys.executable, *here], check=False, capture_output=True).returncode == 0
    assert subprocess.run([sys.executable, *here], check=False, capture_output=True).returncode == 1
