"""Builds a corpus of what packages say about their licenses: many packages, few bytes of each.

    python benchmarks/license_corpus.py OUT

A few applications are named below; npm and pip bring everything these depend on, which makes some
two thousand packages that nobody picked for their licenses. Nothing of them is run. OUT gets

    npm/, pip/              what the clients downloaded
    parquet/part-*.parquet  content, path, repo_name: license files and manifests

Debian's part is /usr/share/doc of any Debian system; give it to ``licenses.py`` beside OUT/parquet.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from corpus import PYTHON, Package, Parts, _beside, texts

from stackcurate.licenses import names

NPM = ["react-scripts@5.0.1", "@angular/cli@17.3.8", "mocha@10.4.0", "gulp@4.0.2"]
PIP = ["jupyterlab==4.2.0", "sphinx==7.2.6", "ansible-core==2.16.6", "mkdocs-material==9.5.20",
       "poetry==1.8.2", "streamlit==1.34.0", "scikit-image==0.23.2"]  # fmt: skip


def download(out: Path) -> None:
    """What is missing of the packages; a failed application is named and left out."""
    npm, pip = out / "npm", out / "pip"
    if not (npm / "node_modules").is_dir():
        npm.mkdir(parents=True, exist_ok=True)
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-bin-links"]
        subprocess.run(["npm", "install", *options, "--prefix", str(npm), *NPM], check=True)
    if not pip.is_dir():
        pip.mkdir(parents=True)
        platforms = ("any", "manylinux2014_x86_64", "manylinux_2_17_x86_64")
        options = ["--only-binary=:all:", f"--python-version={PYTHON}", "--quiet", "-d", str(pip)]
        options += [f"--platform={name}" for name in platforms]
        for spec in PIP:
            done = subprocess.run([sys.executable, "-m", "pip", "download", *options, spec])
            if done.returncode:
                print(f"left out: {spec}", file=sys.stderr)


def npm_packages(root: Path) -> Iterator[tuple[str, Path]]:
    """Every installed package with its folder, those inside others too."""
    for manifest in sorted(root.glob("**/package.json")):
        inside = manifest.relative_to(root).parts
        above = inside[:-2]  # of the package's own folder
        scoped = above[-1:] and above[-1].startswith("@")
        if (above[-2:-1] if scoped else above[-1:]) != ("node_modules",):
            continue
        try:
            facts = json.loads(manifest.read_bytes())
            yield f"npm/{facts['name']}-{facts['version']}", manifest.parent
        except (ValueError, KeyError, TypeError):
            continue


def npm_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """(path, bytes) of a package's own control files, without those of packages inside it."""
    found = []
    for place, folders, files_here in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != "node_modules")
        found += [Path(place, name).relative_to(folder).as_posix() for name in sorted(files_here)]
    for path in _control(found):
        yield path, (folder / path).read_bytes()


def _control(paths: list[str]) -> list[str]:
    """Those of ``paths`` that are license evidence by name."""
    kinds = names.control_files(pa.array([f"/{path}" for path in paths], pa.string()))
    return [path for path, kind in zip(paths, kinds.to_pylist(), strict=True) if kind]


def files(out: Path) -> Iterator[tuple[str, str, bytes]]:
    """(package, path, bytes) of every control file of every package."""
    for label, folder in npm_packages(out / "npm"):
        for path, data in npm_files(folder):
            yield label, path, data
    for wheel in sorted((out / "pip").glob("*.whl")):
        name, version = wheel.name.split("-")[:2]
        package = Package("pip", name, version)
        place = out / "pip" / f".{wheel.stem}"
        place.mkdir(exist_ok=True)
        link = place / wheel.name
        if not link.exists():
            link.symlink_to(wheel.resolve())
        inside = dict(texts(package, place))
        for path in _control(list(inside)):
            yield package.label, path, inside[path]


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("out", type=Path)
    out = words.parse_args().out
    download(out)
    with _beside(out / "parquet") as folder:
        parts = Parts(folder)
        for package, path, data in files(out):
            if b"\0" not in data:
                parts.add(package, path, data)
        parts.close()
    print(json.dumps(parts.facts()))


if __name__ == "__main__":
    main()
