"""Installing on a machine that has little: what is missing is named, and nothing of somebody else's is removed."""

import hashlib
import sys

import pytest

from portal import install
from portal.install import CannotInstall

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def venv(monkeypatch, tmp_path):
    monkeypatch.setattr(install, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(install, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    return tmp_path / ".venv"


@pytest.fixture
def lacking(monkeypatch):
    """Modules that this Python shall not have."""
    names = set()
    monkeypatch.setattr(install, "find_spec", lambda name: None if name in names else name)
    return names


@pytest.fixture
def lock(tmp_path):
    file = tmp_path / "requirements.txt"
    file.write_text("nothing==1.0 --hash=sha256:00\n")
    return file


def test_without_ensurepip_the_pip_of_the_system_installs(venv, lacking):
    lacking.add("ensurepip")
    assert install.pip_for_venv() == [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python")]
    assert install.is_usable()
    assert not list(venv.glob("lib/python*/site-packages/pip"))


def test_without_ensurepip_and_pip_the_package_is_named(venv, lacking):
    lacking |= {"ensurepip", "pip"}
    with pytest.raises(CannotInstall, match=r"neither ensurepip nor pip.*apt-get install python3-venv"):
        install.pip_for_venv()


def test_without_venv_the_package_is_named(venv, lacking):
    lacking.add("venv")
    with pytest.raises(CannotInstall, match=r"no venv module.*apt-get install python3-venv"):
        install.pip_for_venv()


def test_what_is_not_a_virtual_environment_is_left_alone(venv):
    venv.mkdir()
    (venv / "file").write_text("precious")
    with pytest.raises(CannotInstall, match="is not a virtual environment"):
        install.pip_for_venv()
    assert (venv / "file").exists()


def test_one_whose_python_is_gone_is_made_anew(venv, lacking):
    lacking.add("ensurepip")
    install.make_venv(with_pip=False)
    (venv / "bin" / "python").unlink()
    (venv / "bin" / "python").symlink_to("/nowhere/python")
    install.pip_for_venv()
    assert install.is_usable()


def test_nothing_is_done_where_the_lock_file_has_not_changed(venv, lock, lacking):
    install.make_venv(with_pip=False)
    stamp = venv / ".installed-requirements"
    stamp.write_text(f"{hashlib.sha256(lock.read_bytes()).hexdigest()} {VERSION}")
    assert install.install(lock) is False


def test_what_cannot_be_installed_is_not_taken_for_installed(venv, lock, lacking, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    lacking.add("ensurepip")
    with pytest.raises(CannotInstall, match="pip could not install everything"):
        install.install(lock)
    assert not (venv / ".installed-requirements").exists()
