"""Keyed digests of findings: on request, in the run folder, for the holder of the key alone."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ..driving import Site, assert_same_bytes, call, code, repository, site, write_yaml

KEY = "a key of the test, long enough"
MAIL = "m.keller@uni-weimar.de"


@pytest.fixture
def made(tmp_path: Path, cache: Path) -> Site:
    for name in ("one", "two"):
        text = code(name) + f"# ask {MAIL} or {name}.frey@uni-weimar.de, {MAIL}\n"
        repository(tmp_path / "git" / name, {f"{name}.py": text})
    return site(tmp_path, [{"kind": "git", "path": "git"}], cache)


def with_key(made: Site, where: str, folder: str) -> Site:
    """The same config in the same place but for the key; its runs and releases are elsewhere."""
    elsewhere = {"runs": f"{folder}-runs", "releases": folder}
    written = {**made.written, "redact": {"digest_key": where}, **elsewhere}
    return Site(write_yaml(made.config.with_name(f"{folder}.yaml"), written))


def digest(kind: str, value: str) -> bytes:
    return hmac.new(KEY.encode(), f"{kind}\0{value}".encode(), hashlib.sha256).digest()


def test_equal_values_of_two_files_have_one_digest(made: Site, monkeypatch) -> None:
    monkeypatch.setenv("DIGEST_KEY", KEY)
    keyed = with_key(made, "env:DIGEST_KEY", "keyed")
    assert call("run", keyed.config).code == 0
    path = keyed.run_folder / "digests.parquet"
    assert path.stat().st_mode & 0o077 == 0
    rows = pq.read_table(path).to_pylist()
    by_file: dict[str, list[tuple[int, bytes]]] = {}
    for row in rows:
        assert row["kind"] == "email"
        by_file.setdefault(row["content_id"], []).append((row["number"], row["hmac_sha256"]))
    assert len(by_file) == 2
    others = set()
    for found in by_file.values():
        assert found[0] == (1, digest("email", MAIL))
        ((number, other),) = found[1:]
        assert number == 2
        others.add(other)
    assert others == {digest("email", f"{name}.frey@uni-weimar.de") for name in ("one", "two")}


def test_nothing_of_it_ships(made: Site, monkeypatch) -> None:
    monkeypatch.setenv("DIGEST_KEY", KEY)
    keyed = with_key(made, "env:DIGEST_KEY", "keyed")
    assert call("run", made.config).code == 0
    assert call("run", keyed.config).code == 0
    assert_same_bytes(made.release, keyed.release)
    for path in keyed.config.parent.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path


def test_a_key_that_is_not_there_stops_before_any_work(made: Site, tmp_path: Path) -> None:
    short = tmp_path / "short.key"
    short.write_text("short\n")
    for where in ("env:NO_SUCH_KEY_HERE", f"file:{short}", f"file:{tmp_path / 'none'}"):
        said = call("run", with_key(made, where, "keyed").config)
        assert said.code == 2 and "redact.digest_key" in said.err
    assert not list(tmp_path.glob("keyed-runs/**/winners"))


def test_a_key_in_the_config_itself_is_refused_and_not_repeated(made: Site) -> None:
    said = call("run", with_key(made, KEY, "keyed").config)
    assert said.code == 2 and "digest_key" in said.err and KEY not in said.err
