"""One content in several places: whose license counts.

The same bytes may lie under the GPL in one repository and under the MIT license in another, where
somebody copied them to. Three policies:

- ``origin-most`` (the default): the oldest place counts. A file whose content lies in an older
  repository under a license that the policy refuses is dropped as ``license:laundered``.
- ``strictest``: one refused place anywhere is enough.
- ``any-permissive``: one allowed place is enough; what The Stack v2 does.

Only identical contents are compared, and folder licenses only: a file whose own header grants a
license keeps it wherever it lies. Places where nothing is stated, or nothing that can be read, say
nothing. Empty files, texts of licenses and manifests are of no origin.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

PLACES = ("origin-most", "strictest", "any-permissive")

# Classes that are somebody's stated wish, as far as the policy refuses them.
CLOSED = (
    "weak_copyleft", "copyleft", "network_copyleft", "source_available", "proprietary", "no_ai",
)  # fmt: skip

# Dates are nanoseconds since 1970. A place without a date is younger than all that have one, for it
# cannot claim to be first; no place at all comes after that.
NO_PLACE = np.iinfo(np.int64).max
UNDATED = NO_PLACE - 1


def laundered(batch: pa.Table, policy: str) -> pa.Array:
    """Which rows are allowed here only because somebody changed what another place says: boolean.

    Reads ``oldest_allowed`` and ``oldest_refused``, which `choose` folded over all places; a batch
    without them knows of no other places.
    """
    if policy == "any-permissive" or "oldest_refused" not in batch.column_names:
        return pa.array(np.zeros(batch.num_rows, bool))
    refused = batch["oldest_refused"].combine_chunks()
    if policy == "strictest":
        return pc.fill_null(pc.less(refused, NO_PLACE), False)
    allowed = batch["oldest_allowed"].combine_chunks()
    return pc.fill_null(pc.less(refused, allowed), False)
