import numpy as np
import pyarrow as pa
import pytest

from stackcurate.errors import ConfigError
from stackcurate.licenses.places import NO_PLACE, PLACES, UNDATED, laundered
from stackcurate.licenses.policy import LicenseSettings
from stackcurate.licenses.stage import Header
from stackcurate.schema import fill
from tests.licenses.test_stage import GPL, MIT, batch

CASES = [  # oldest allowed place, oldest refused place, by policy in the order of PLACES
    (5, NO_PLACE, (False, False, False)),
    (5, 9, (False, True, False)),
    (5, 5, (False, True, False)),
    (5, 4, (True, True, False)),
    (5, UNDATED, (False, True, False)),
    (UNDATED, 4, (True, True, False)),
    (UNDATED, UNDATED, (False, True, False)),
    (NO_PLACE, NO_PLACE, (False, False, False)),
    (NO_PLACE, 4, (True, True, False)),
]


def dated(table, pairs):
    """A batch with what `choose` says about all places of its contents."""
    columns = dict(zip(("oldest_allowed", "oldest_refused"), zip(*pairs, strict=True), strict=True))
    return fill(table, pa.table({name: pa.array(v, pa.int64()) for name, v in columns.items()}))


@pytest.mark.parametrize(("allowed", "refused", "expected"), CASES)
def test_policies(allowed, refused, expected):
    table = dated(pa.table({"x": [0]}), [(allowed, refused)])
    assert tuple(laundered(table, policy)[0].as_py() for policy in PLACES) == expected


def test_a_batch_that_knows_no_places():
    table = pa.table({"x": np.zeros(3)})
    assert laundered(table, "strictest").to_pylist() == [False] * 3


def test_the_stage_drops_what_was_laundered_unless_its_header_grants():
    files = [("allowed", "x"), ("allowed", MIT), ("allowed", GPL), ("open", "x"), ("allowed", "x")]
    table = dated(batch(*files), [(5, 4)] * 4 + [(5, 9)])
    for policy, last in (("origin-most", None), ("strictest", "license:laundered")):
        stage = Header.of(LicenseSettings(places=policy))
        judged = stage.judge(fill(table, stage.find(table)))
        assert judged["verdict"].to_pylist() == [
            "license:laundered", None, "header:conflict", "license:laundered", last,
        ]  # fmt: skip
    stage = Header.of(LicenseSettings(places="any-permissive"))
    judged = stage.judge(fill(table, stage.find(table)))
    assert judged["verdict"].to_pylist() == [None, None, "header:conflict", "header:unstated", None]


def test_settings():
    with pytest.raises(ConfigError, match=r"license\.places"):
        LicenseSettings(places="newest")
    digests = {LicenseSettings(places=policy).digest() for policy in PLACES}
    assert len(digests) == 3
