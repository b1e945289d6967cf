"""Why a file came, went, moved or changed: read from what both releases publish.

Certain where a ledger names the verdict or the bytes themselves differ; otherwise the cause is what
differs between the two manifests and could have done it, the most particular first. The state of an
origin is its root directory (else its revision, else its container's digest): where that is the
same in both releases, its files are, and a decision made the difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from stackcurate.licenses.policy import CLASSES
from stackcurate.releases.versions import changes, policy


def settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> pa.Table:
    """One row of what both configs allow and which parts of the releases differ, for the SQL."""
    found = changes(old, new)
    row: dict[str, Any] = {
        "optout_differs": found.optout,
        "sources_differ": found.sources,
        "detectors_differ": bool(found.detectors),
    }
    for section in ("license", "filter", "redact"):
        row[f"{section}_differs"] = section in found.policies
    row["config_differs"] = bool(found.policies)
    for side, manifest in (("old", old), ("new", new)):
        license, language, fetch = (policy(manifest, n) for n in ("license", "language", "fetch"))
        # options of another version of the tool: nothing can be said, so everything is allowed
        row[f"{side}_classes"] = sorted(getattr(license, "allowed", CLASSES))
        row[f"{side}_languages"] = sorted(getattr(language, "keep", ()))
        row[f"{side}_unwanted"] = sorted(getattr(language, "drop", ()))
        row[f"{side}_bytes"] = getattr(fetch, "max_bytes", 2**62)
    words = pa.list_(pa.string())
    schema = [(k, words if isinstance(v, list) else pa.scalar(v).type) for k, v in row.items()]
    return pa.Table.from_pylist([row], schema=pa.schema(schema))


_SIDE = """
CREATE TABLE SIDE_ledger AS
SELECT row_key, any_value(outcome ORDER BY outcome) AS outcome,
    split_part(any_value(outcome ORDER BY outcome), ':', 1) AS stage,
    any_value(content_id ORDER BY outcome) AS content_id,
    any_value(kept_row_key ORDER BY outcome) AS kept_row_key
FROM SIDE_ledger_rows WHERE row_key IS NOT NULL GROUP BY row_key;

CREATE TABLE SIDE_containers AS
SELECT container, string_agg(digest, ' ' ORDER BY digest) AS digest
FROM SIDE_inputs GROUP BY container;

CREATE TABLE SIDE_origins AS
SELECT origin, first(outcome ORDER BY outcome <> 'kept', outcome) AS outcome,
    split_part(first(outcome ORDER BY outcome <> 'kept', outcome), ':', 1) AS stage,
    first(container ORDER BY outcome <> 'kept', outcome, container) AS container,
    first(coalesce(directory_id, revision_id, digest)
        ORDER BY outcome <> 'kept', outcome, container) AS state
FROM SIDE_heads LEFT JOIN SIDE_containers USING (container) GROUP BY origin;
"""

_FIELDS = (
    "content_id",
    "origin",
    "repo_name",
    "path",
    "language",
    "license_expression",
    "license_class",
    "text_bytes",
    "length_bytes",
)
_MARKS = ("content", "text", "license", "language", "redactions")
_PAIR = ", ".join(f"o.{name} AS old_{name}, n.{name} AS new_{name}" for name in _FIELDS)
_DIFFERS = " OR ".join(f"o.h_{mark} <> n.h_{mark}" for mark in _MARKS)
_DETAIL = ", ".join(f"CASE WHEN o.h_{mark} <> n.h_{mark} THEN '{mark}' END" for mark in _MARKS)

_PAIRED = f"""
CREATE TABLE paired AS
SELECT coalesce(o.row_key, n.row_key) AS row_key, o.row_key IS NOT NULL AS had,
    n.row_key IS NOT NULL AS has, {_PAIR},
    CASE WHEN o.row_key IS NOT NULL AND n.row_key IS NOT NULL
         THEN concat_ws(', ', {_DETAIL}) END AS what
FROM old_rows o FULL JOIN new_rows n ON o.row_key = n.row_key
WHERE o.row_key IS NULL OR n.row_key IS NULL OR {_DIFFERS};
"""

# A content is unique in a release; the least key keeps this true of a damaged one.
_MOVES = """
CREATE TABLE moves AS
SELECT gone.row_key AS old_key, came.row_key AS new_key
FROM (SELECT old_content_id AS content_id, min(row_key) AS row_key FROM paired
      WHERE NOT has AND old_content_id IS NOT NULL GROUP BY 1) gone
JOIN (SELECT new_content_id AS content_id, min(row_key) AS row_key FROM paired
      WHERE NOT had AND new_content_id IS NOT NULL GROUP BY 1) came USING (content_id);
"""


def _decision(side: str, language: str, bytes_: str, class_: str) -> str:
    """What the policies of ``side`` refuse about a file that the other release holds."""
    return f"""
    WHEN {bytes_} > {side}_bytes THEN 'config fetch:too_large'
    WHEN (len({side}_languages) > 0 AND NOT coalesce({language} IN {side}_languages, false))
        OR coalesce({language} IN {side}_unwanted, false) THEN 'config language:unwanted'
    WHEN NOT coalesce({class_} IN {side}_classes, true) THEN 'license license:refused'"""


# "cause detail" of every row; the first that fits.
_CAUSES = f"""
CREATE TABLE causes AS
SELECT p.row_key, l.kept_row_key, CASE
    WHEN w.row_key IS NOT NULL THEN 'optout '
    WHEN l.outcome LIKE 'dedup:earlier%' THEN 'config ' || l.outcome
    WHEN l.stage IN ('choose', 'dedup') THEN 'survivor ' || l.outcome
    WHEN l.stage = 'filter' AND l.content_id <> p.old_content_id
        THEN 'upstream ' || l.outcome
    WHEN l.stage = 'filter' AND filter_differs THEN 'config ' || l.outcome
    WHEN l.outcome IS NOT NULL THEN 'detector ' || l.outcome
    WHEN n.origin IS NULL AND c.container IS NULL THEN 'upstream '
    WHEN n.origin IS NULL AND optout_differs THEN 'optout '
    WHEN n.origin IS NULL AND c.digest = d.digest AND sources_differ THEN 'config '
    WHEN n.origin IS NULL THEN 'upstream '
    WHEN n.stage = 'choose' THEN 'survivor ' || n.outcome
    WHEN n.state IS DISTINCT FROM o.state THEN 'upstream '
    {_decision("new", "p.old_language", "p.old_length_bytes", "p.old_license_class")}
    WHEN optout_differs THEN 'optout '
    WHEN license_differs THEN 'license '
    WHEN config_differs THEN 'config '
    WHEN detectors_differ THEN 'detector '
    ELSE 'upstream ' END AS cause
FROM paired p LEFT JOIN withdrawn_now w ON w.row_key = p.row_key
LEFT JOIN new_ledger l ON l.row_key = p.row_key
LEFT JOIN old_origins o ON o.origin = p.old_origin
LEFT JOIN new_origins n ON n.origin = p.old_origin
LEFT JOIN new_containers c ON c.container = o.container
LEFT JOIN old_containers d ON d.container = o.container, settings
WHERE NOT has
UNION ALL
SELECT p.row_key, NULL, CASE
    WHEN l.outcome LIKE 'dedup:earlier%' THEN 'config ' || l.outcome
    WHEN l.stage IN ('choose', 'dedup') THEN 'survivor ' || l.outcome
    WHEN l.stage = 'filter' AND l.content_id <> p.new_content_id
        THEN 'upstream ' || l.outcome
    WHEN l.stage = 'filter' AND filter_differs THEN 'config ' || l.outcome
    WHEN l.outcome IS NOT NULL THEN 'detector ' || l.outcome
    WHEN o.origin IS NULL AND c.digest = d.digest AND optout_differs THEN 'optout '
    WHEN o.origin IS NULL AND c.digest = d.digest AND sources_differ THEN 'config '
    WHEN o.origin IS NULL THEN 'upstream '
    WHEN o.stage = 'choose' THEN 'survivor ' || o.outcome
    WHEN o.state IS DISTINCT FROM n.state THEN 'upstream '
    {_decision("old", "p.new_language", "p.new_length_bytes", "p.new_license_class")}
    WHEN license_differs THEN 'license '
    WHEN config_differs THEN 'config '
    WHEN optout_differs THEN 'optout '
    WHEN detectors_differ THEN 'detector '
    ELSE 'upstream ' END
FROM paired p LEFT JOIN old_ledger l ON l.row_key = p.row_key
LEFT JOIN new_origins n ON n.origin = p.new_origin
LEFT JOIN old_origins o ON o.origin = p.new_origin
LEFT JOIN old_containers c ON c.container = n.container
LEFT JOIN new_containers d ON d.container = n.container, settings
WHERE NOT had
UNION ALL
SELECT p.row_key, NULL, CASE
    WHEN what LIKE 'content%' THEN 'upstream '
    WHEN what LIKE 'text%' OR what = 'redactions'
        THEN if(redact_differs, 'config ', 'detector ')
    WHEN what LIKE '%license%' THEN 'license '
    ELSE 'detector ' END || what
FROM paired p, settings WHERE had AND has;
"""

# Rows that an opt-out took away keep their counts and lose their names.
_DIFFERENCES = """
CREATE TABLE differences AS
SELECT CASE WHEN m.new_key IS NOT NULL THEN 'moved' WHEN NOT p.had THEN 'added'
            WHEN NOT p.has THEN 'removed' ELSE 'changed' END AS kind,
    split_part(c.cause, ' ', 1) AS cause,
    c.cause[strpos(c.cause, ' ') + 1 :] AS detail,
    split_part(c.cause, ' ', 1) = 'optout' AND NOT p.has AS hidden,
    CASE WHEN m.new_key IS NOT NULL THEN m.new_key WHEN hidden THEN NULL
         ELSE p.row_key END AS row_key,
    CASE WHEN m.new_key IS NOT NULL AND NOT hidden THEN p.row_key END AS row_key_before,
    coalesce(q.new_origin, p.new_origin) AS origin,
    CASE WHEN NOT hidden THEN p.old_origin END AS origin_before,
    coalesce(q.new_repo_name, p.new_repo_name,
        CASE WHEN NOT hidden THEN p.old_repo_name END) AS repo_name,
    coalesce(q.new_path, p.new_path) AS path,
    CASE WHEN NOT hidden THEN p.old_path END AS path_before,
    coalesce(q.new_content_id, p.new_content_id) AS content_id,
    CASE WHEN NOT hidden THEN p.old_content_id END AS content_id_before,
    coalesce(q.new_language, p.new_language) AS language, p.old_language AS language_before,
    coalesce(q.new_license_expression, p.new_license_expression) AS license,
    p.old_license_expression AS license_before,
    coalesce(q.new_text_bytes, p.new_text_bytes) AS bytes, p.old_text_bytes AS bytes_before,
    CASE WHEN NOT hidden THEN c.kept_row_key END AS kept_row_key
FROM paired p JOIN causes c ON c.row_key = p.row_key
LEFT JOIN moves m ON m.old_key = p.row_key AND NOT p.has
LEFT JOIN paired q ON q.row_key = m.new_key
WHERE p.has AND p.had OR NOT p.has
   OR p.row_key NOT IN (SELECT new_key FROM moves);
"""

# Files before, files now, files no longer at their place, changed ones, wholly equal ones. Rows
# with one digest (64 bits over all columns) are taken for the same; only these counts rest on it.
_SUMS = """
SELECT (SELECT count(*) FROM old_files), (SELECT count(*) FROM new_files),
    (SELECT count(*) FROM paired WHERE NOT has), (SELECT count(*) FROM paired WHERE had AND has),
    (SELECT count(*) FROM (SELECT h_all FROM old_rows) SEMI JOIN (SELECT h_all FROM new_rows)
     USING (h_all))
"""

SQL = {
    "side": _SIDE,
    "paired": _PAIRED,
    "moves": _MOVES,
    "causes": _CAUSES,
    "differences": _DIFFERENCES,
    "sums": _SUMS,
}
