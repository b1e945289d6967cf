"""What a crash of the system may have taken is forgotten, what the disk has stays."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from stackcurate.storage import durable, partitions
from stackcurate.storage.durable import Durable


@pytest.fixture
def reboot(monkeypatch):
    """Call it with the name of a boot."""

    def to(name: str) -> None:
        monkeypatch.setattr(durable, "boot", lambda: name)

    to("first")
    return to


def output(folder: Path, name: str) -> Path:
    place = folder / "work" / name
    place.mkdir(parents=True)
    (place / "rows").write_text(name)
    return place


def test_outputs_of_this_boot_stay_noted_or_not(tmp_path, reboot) -> None:
    with Durable(tmp_path) as run:
        one = output(tmp_path, "list/a")
        run.made(one)
    with Durable(tmp_path):
        assert (one / "rows").read_text() == "list/a"


def test_after_another_boot_only_noted_outputs_stay(tmp_path, reboot) -> None:
    with Durable(tmp_path, every=0) as run:
        noted = output(tmp_path, "list/a")
        run.made(noted)
    with Durable(tmp_path) as run:
        lost = output(tmp_path, "list/b")
        run.made(lost)
        kept = output(tmp_path, "roots/c")
        run.settle([kept, tmp_path / "work" / "roots" / "cleaned"])
    reboot("second")
    with Durable(tmp_path):
        assert noted.is_dir() and kept.is_dir() and not lost.exists()
        again = output(tmp_path, "list/b")
    with Durable(tmp_path):
        assert again.is_dir()


def test_a_line_that_was_cut_says_nothing(tmp_path, reboot) -> None:
    with Durable(tmp_path) as run:
        one = output(tmp_path, "list/a")
        run.settle([one])
    log = tmp_path / "durable.jsonl"
    log.write_text(log.read_text()[:-4])
    reboot("second")
    with Durable(tmp_path):
        assert not one.exists()


def test_where_boots_have_no_names_nothing_is_forgotten(tmp_path, reboot) -> None:
    reboot("")
    with Durable(tmp_path, every=0) as run:
        one = output(tmp_path, "list/a")
        run.made(one)
        run.settle([one])
    with Durable(tmp_path):
        assert one.is_dir() and not (tmp_path / "durable.jsonl").exists()


def test_a_disk_that_fails_is_told(tmp_path, reboot, monkeypatch) -> None:
    def fails(path: Path) -> None:
        raise OSError(errno.EIO, "a bad block")

    with Durable(tmp_path, every=0) as run:
        monkeypatch.setattr(durable, "sync", fails)
        one = output(tmp_path, "list/a")
        with pytest.raises(OSError, match="a bad block"):
            run.settle([one])


def test_folders_wait_for_the_disk_when_asked_or_without_boots(tmp_path, monkeypatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(partitions, "sync", lambda path: synced.append(path.name))

    def make(name: str, **more: bool) -> list[str]:
        synced.clear()
        with partitions.whole_folder(tmp_path / name, **more) as part:
            partitions.write_json(part / "meta.json", 1)
        return list(synced)

    monkeypatch.setattr(partitions, "boot", lambda: "first")
    assert make("a") == []
    assert make("b", synced=True) == ["meta.json", tmp_path.name]
    monkeypatch.setattr(partitions, "boot", lambda: "")
    assert make("c") == ["meta.json", tmp_path.name]
    synced.clear()
    partitions.write_json(tmp_path / "alone.json", 1)
    assert len(synced) == 2
