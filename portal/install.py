"""Makes `.venv` and installs a lock file into it. Needs nothing but Python itself: `make` runs it with the system's.

    python3 -P portal/install.py requirements.txt

Nothing is done where the lock file has not changed since. What is missing on the machine is named, with the package
that brings it.
"""

import hashlib
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
DEBIAN = "On Debian and Ubuntu: apt-get install"


class CannotInstall(Exception):
    """What is missing, and how to get it."""


def install(lock: Path) -> bool:
    """Bring `.venv` to what the lock file says; False where it is so already."""
    stamp = VENV / f".installed-{lock.stem}"
    wanted = f"{hashlib.sha256(lock.read_bytes()).hexdigest()} {sys.version_info.major}.{sys.version_info.minor}"
    if is_usable() and stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return False
    pip = pip_for_venv()
    print(f"Installing {lock.name} into {VENV.name} (once; it takes a minute)", flush=True)  # noqa: T201
    options = ["--require-hashes", "--no-input", "--disable-pip-version-check", "-qq", "-r", str(lock)]
    if subprocess.run([*pip, "install", *options], check=False).returncode:  # noqa: S603
        raise CannotInstall("pip could not install everything; what it says above tells why. Then run make again.")
    stamp.write_text(wanted, encoding="utf-8")
    return True


def pip_for_venv() -> list[str]:
    """The command that installs into `.venv`, which is made where there is none that works."""
    own, brings_pip = [str(PYTHON), "-m", "pip"], find_spec("ensurepip") is not None
    if not is_usable() or (brings_pip and not runs(*own, "--version")):
        make_venv(with_pip=brings_pip)
    if runs(*own, "--version"):
        return own
    if find_spec("pip") is None:
        raise CannotInstall(f"This Python has neither ensurepip nor pip. {DEBIAN} python3-venv")
    return [sys.executable, "-m", "pip", "--python", str(PYTHON)]


def make_venv(*, with_pip: bool) -> None:
    if find_spec("venv") is None:
        raise CannotInstall(f"This Python has no venv module. {DEBIAN} python3-venv")
    if VENV.exists():
        if not (VENV / "pyvenv.cfg").is_file():
            raise CannotInstall(f"{VENV} is not a virtual environment; move it away.")
        shutil.rmtree(VENV)  # its Python is gone or was replaced
    options = [] if with_pip else ["--without-pip"]
    if subprocess.run([sys.executable, "-m", "venv", *options, str(VENV)], check=False).returncode:  # noqa: S603
        raise CannotInstall(f"The virtual environment could not be made. {DEBIAN} python3-venv")


def is_usable() -> bool:
    """Whether `.venv` has a Python that runs and is of the version that asks."""
    version = sys.version_info[:2]
    return runs(str(PYTHON), "-c", f"import sys; sys.exit(sys.version_info[:2] != {version})")


def runs(*command: str) -> bool:
    try:
        return not subprocess.run(command, check=False, capture_output=True).returncode  # noqa: S603
    except OSError:
        return False


if __name__ == "__main__":
    try:
        install(ROOT / sys.argv[1])
    except CannotInstall as problem:
        sys.exit(str(problem))
