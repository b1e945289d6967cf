"""A disk that is full, or may not be written: a clear stop, nothing published, and it goes on."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest

from ..driving import assert_same_bytes, code, environment, repository, site

# A file system of our own in a namespace of our own: needs Linux, and root or user namespaces.
NAMESPACE = ["unshare", "--mount", "--map-root-user", "--"]
SCRIPT = """
set -u
mount -t tmpfs -o size=24m none "$DISK"
cp -r "$SITE/." "$DISK"
free=$(df -k --output=avail "$DISK" | tail -1)
dd if=/dev/zero of="$DISK/ballast" bs=1k count=$((free - ROOM)) 2>/dev/null
"$PYTHON" -m stackcurate.cli.main run "$DISK/config.yaml" --workers 2; echo "first: $?"
ls -d "$DISK"/releases/tiny/v* 2>/dev/null
rm -f "$DISK/ballast"
"$PYTHON" -m stackcurate.cli.main run "$DISK/config.yaml" --workers 2; echo "second: $?"
mount -o remount,ro "$DISK"
"$PYTHON" -m stackcurate.cli.main run "$DISK/config.yaml" --workers 2; echo "third: $?"
cp -r "$DISK/releases" "$OUT"
"""


def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    mounted = subprocess.run(
        [*NAMESPACE, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
    )
    return mounted.returncode == 0


@pytest.mark.parametrize("room", [24, 160, 330])
@pytest.mark.skipif(not can_mount(), reason="no mount in a namespace of our own is allowed here")
def test_a_disk_that_fills_up_stops_the_run_and_room_lets_it_go_on(tmp_path, cache, room) -> None:
    """``room`` is what is left at the start, in KiB: enough for some phases of the run, not all."""
    calm = make(tmp_path / "calm", cache)
    made = make(tmp_path / "site", cache)
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        [*NAMESPACE, "sh", "-c", SCRIPT],
        env=environment(
            {
                "ROOM": str(room),
                "DISK": str(disk),
                "SITE": str(made.config.parent),
                "OUT": str(tmp_path / "out"),
                "PYTHON": sys.executable,
            }
        ),
        capture_output=True,
        text=True,
        cwd=sys.prefix,
        timeout=200,
    )
    said = done.stdout + done.stderr
    assert re.search(r"first: 4\n", said), said
    assert "is full" in said and "nothing was published" in said, said
    assert "Traceback" not in said
    assert "second: 0" in said, said
    assert "third: 4" in said and "cannot write below" in said, said
    if room == 160:
        calm.built("--workers", 2)
        assert_same_bytes(calm.release, tmp_path / "out" / "tiny" / "v1.0.0")


def make(folder, cache):
    repository(folder / "git" / "one", {f"{n}.py": code(f"file{n}", 30) for n in range(12)})
    return site(folder, [{"kind": "git", "path": "git"}], cache)
