"""Make or mend the environment: ``prepare.py ROOT VENV LOCK``. Standard library only, Python 3.11 or newer.

The lock's packages are installed by hash, then the lock's copy is left in the environment as the stamp that
``environment.sh`` compares at every start. The stamp goes first and comes back last, and a marker says that
work is under way, so a start that was cut short is found and made anew by the next.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCKS = ("requirements.txt", "requirements-dev.txt")
MARKER = "unfinished"


class Refused(Exception):
    """Nothing could be made; the text says why and what to do."""


def main(root: Path, venv: Path, lock: str) -> None:
    """Leave ``venv`` ready for ``lock``, whatever state it was in and whoever else is at it."""
    try:
        with alone(venv) as held:
            if not stamped(root, venv, lock):
                build(root, venv, lock, held)
    except PermissionError as error:
        raise Refused(
            f"cannot write {error.filename}: clone to a folder of your own, or name one: OPTCONSOLE_VENV=…"
        ) from None
    except OSError as error:
        raise Refused(f"cannot make {venv}: {error.strerror}: {error.filename}") from None


@contextmanager
def alone(venv: Path) -> Iterator[int]:
    """Hold the lock beside ``venv``. The kernel frees it when its last holder dies, so it is never stale."""
    venv.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(f"{venv}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another start is making the environment; waiting for it")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def stamped(root: Path, venv: Path, lock: str) -> bool:
    """Whether the environment works and holds this lock and this project file."""
    stamp = venv / lock
    return (
        stamp.is_file()
        and works(venv)
        and stamp.read_bytes() == (root / lock).read_bytes()
        and stamp.stat().st_mtime_ns >= (root / "pyproject.toml").stat().st_mtime_ns
    )


def works(venv: Path) -> bool:
    """Whether its interpreter runs, is recent enough and no earlier work on it was cut short."""
    python = venv / "bin" / "python"
    if (venv / MARKER).exists() or not python.exists():
        return False
    check = "import sys; sys.exit(sys.version_info < (3, 11) or sys.prefix == sys.base_prefix)"
    return subprocess.run([python, "-I", "-c", check], check=False, capture_output=True).returncode == 0


def build(root: Path, venv: Path, lock: str, held: int) -> None:
    """Create or mend the environment, install the lock, link the project, stamp."""
    wanted = (root / lock).read_bytes()
    if not works(venv):
        clear(venv)
        create(venv, held)
    installed = (venv / lock).exists() and (venv / lock).read_bytes() == wanted
    for stamp in LOCKS:
        (venv / stamp).unlink(missing_ok=True)
    (venv / MARKER).touch()
    if not installed:  # else only the project file is newer
        install(root, venv, lock, held)
    link(root, venv)
    project_ns = (root / "pyproject.toml").stat().st_mtime_ns
    stamp_now(venv, lock, wanted, project_ns)
    if lock != LOCKS[0]:  # the development lock holds all that the program needs
        stamp_now(venv, LOCKS[0], (root / LOCKS[0]).read_bytes(), project_ns)
    (venv / MARKER).unlink()


def clear(venv: Path) -> None:
    """Remove an environment that does not work; never a folder that is something else."""
    if not venv.exists():
        return
    if any(venv.iterdir()) and not ((venv / MARKER).exists() or (venv / "pyvenv.cfg").exists()):
        raise Refused(f"{venv} is not a virtual environment: move it away, then start again")
    shutil.rmtree(venv)


def create(venv: Path, held: int) -> None:
    """An empty environment, with its own pip where this Python can give it one."""
    venv.mkdir(parents=True)
    (venv / MARKER).touch()
    tries = [[sys.executable, "-m", "venv", str(venv)]]
    if importlib.util.find_spec("pip"):
        # Debian without python3-venv has no ensurepip, but its pip can install from outside
        tries.append([sys.executable, "-m", "venv", "--without-pip", str(venv)])
    if importlib.util.find_spec("virtualenv"):
        tries.append([sys.executable, "-m", "virtualenv", "--quiet", str(venv)])
    if command := shutil.which("virtualenv"):
        tries.append([command, "--quiet", "--python", sys.executable, str(venv)])
    for attempt in tries:
        done = subprocess.run(attempt, check=False, capture_output=True, env=clean_environ(), pass_fds=(held,))
        if done.returncode == 0:
            return
    raise Refused(
        f"{sys.executable} cannot make virtual environments: on Debian or Ubuntu run "
        "`apt install python3-venv`, elsewhere install a complete Python, then start again"
    )


def install(root: Path, venv: Path, lock: str, held: int) -> None:
    """Install the lock with pip: wheels only and by hash, so that nothing is built or comes in beside it."""
    pip = [str(venv / "bin" / "python"), "-m", "pip"]
    if not list((venv / "lib").glob("python*/site-packages/pip/__main__.py")):
        pip = [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python")]
    options = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-compile", "--no-input"]
    command = [*pip, "install", *options, "--requirement", str(root / lock)]
    total = len(re.findall(r"^[a-z0-9].*==", (root / lock).read_text(encoding="utf-8"), re.MULTILINE))
    output: list[str] = []
    # the child holds the lock too: if this process is killed, no other start may touch what pip still writes
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=clean_environ(),
        pass_fds=(held,),
    ) as child:
        fetched = 0
        for line in child.stdout or ():
            output.append(line)
            if line.startswith("Collecting "):
                if not fetched:
                    say(f"fetching up to {total} packages; only the first start does this")
                fetched += 1
                progress(f"{fetched:>3}  {line.split('==')[0]}")
            elif line.startswith("Installing "):
                progress(f"     Installing {fetched}")
    progress("")
    if child.returncode != 0:
        fail(venv, output)


def fail(venv: Path, output: list[str]) -> None:
    """Say what pip said last, and keep the environment when pip left it whole."""
    log = Path(f"{venv}.log")
    log.write_text("".join(output), encoding="utf-8")
    whole = all((info / "RECORD").exists() for info in (venv / "lib").glob("python*/site-packages/*.dist-info"))
    if whole:  # it failed while fetching: nothing was changed
        (venv / MARKER).unlink()
    errors = [line.strip() for line in output if line.startswith("ERROR")] or ["no reason given"]
    raise Refused(
        f"pip could not install the packages ({errors[-1]}): check the network and pip's own settings, "
        f"then start again; all it said is in {log}"
    )


def link(root: Path, venv: Path) -> None:
    """Make this checkout importable there, and its entry points known to importlib.metadata."""
    site = next((venv / "lib").glob("python*/site-packages"))
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    source = (root / "src" / "optconsole" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', source, re.MULTILINE)
    version = found.group(1) if found else "0"
    inside = venv.is_relative_to(root)  # then a moved or copied checkout still finds its own source
    (site / "optconsole.pth").write_text(
        (os.path.relpath(root / "src", site) if inside else str(root / "src")) + "\n", encoding="utf-8"
    )
    for old in site.glob("optconsole-*.dist-info"):
        shutil.rmtree(old)
    info = site / f"optconsole-{version}.dist-info"
    info.mkdir()
    needs = "".join(f"Requires-Dist: {need}\n" for need in project["dependencies"])
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: optconsole\nVersion: {version}\n{needs}", encoding="utf-8"
    )
    groups = {"console_scripts": project["scripts"], **project.get("entry-points", {})}
    (info / "entry_points.txt").write_text(
        "".join(
            f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in entries.items()) + "\n"
            for group, entries in groups.items()
        ),
        encoding="utf-8",
    )
    (info / "RECORD").write_text("", encoding="utf-8")
    command = venv / "bin" / "optconsole"
    command.unlink(missing_ok=True)
    script = root / "optconsole"
    command.symlink_to(os.path.relpath(script, command.parent) if inside else script)


def stamp_now(venv: Path, lock: str, content: bytes, at_least_ns: int) -> None:
    """Leave the lock's copy as the stamp, never older than the project file, even one from the future."""
    fresh = venv / f"{lock}.new"
    fresh.write_bytes(content)
    moment = max(fresh.stat().st_mtime_ns, at_least_ns)
    os.utime(fresh, ns=(moment, moment))
    fresh.replace(venv / lock)


def clean_environ() -> dict[str, str]:
    """The user's variables, pip's network settings among them, without those that would install elsewhere."""
    elsewhere = {
        "PYTHONPATH",
        "PYTHONHOME",
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_ROOT",
        "PIP_PYTHON",
        "PIP_CONSTRAINT",
    }
    kept = {name: value for name, value in os.environ.items() if name not in elsewhere}
    return kept | {
        "PIP_USER": "0",
        "PIP_REQUIRE_VIRTUALENV": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PYTHONUNBUFFERED": "1",
    }


def progress(text: str) -> None:
    """One line that is written over, on a terminal only."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


def say(text: str) -> None:
    """A line for the person waiting; standard output belongs to the program that starts next."""
    print(f"optconsole: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]), sys.argv[3])
    except Refused as refusal:
        say(str(refusal))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
