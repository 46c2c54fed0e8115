//! How large the store is.

use super::{Sql, sql};

/// Bytes of a page, pages, free pages: of a file.
#[cfg(feature = "sqlite")]
pub(crate) const PAGES: &str = "SELECT s.page_size, c.page_count, f.freelist_count
FROM pragma_page_size s, pragma_page_count c, pragma_freelist_count f";

/// Gives back pages of a file that hold nothing.
#[cfg(feature = "sqlite")]
pub(crate) const SHRINK: &str = "PRAGMA incremental_vacuum(1000)";

/// Name, rows, bytes with indexes. SQLite reads every page once; a table without rowids keeps rows in its inner pages too.
/// PostgreSQL knows about how many rows there are; partitions count as one table.
pub(crate) const TABLES: Sql = sql!(either(
    "
SELECT t.name,
  SUM(CASE WHEN t.name <> s.name OR d.pagetype = 'overflow' THEN 0
    WHEN d.pagetype = 'leaf' OR t.wr THEN d.ncell ELSE 0 END),
  SUM(d.pgsize)
FROM pragma_table_list t
JOIN sqlite_schema s ON s.tbl_name = t.name AND s.rootpage > 0
JOIN dbstat d ON d.name = s.name
WHERE t.schema = 'main' AND t.type = 'table' AND substr(t.name, 1, 9) = 'errtrack_'
GROUP BY t.name ORDER BY SUM(d.pgsize) DESC, t.name",
    "
SELECT t.name, CAST(SUM(t.rows) AS BIGINT), CAST(SUM(t.bytes) AS BIGINT) FROM (
  SELECT CAST(COALESCE(p.relname, c.relname) AS TEXT) AS name, pg_total_relation_size(c.oid) AS bytes,
    GREATEST(CAST(c.reltuples AS BIGINT), pg_stat_get_live_tuples(c.oid), 0) AS rows
  FROM pg_class c
  LEFT JOIN pg_inherits h ON h.inhrelid = c.oid
  LEFT JOIN pg_class p ON p.oid = h.inhparent
  WHERE c.relkind = 'r' AND c.relname LIKE 'errtrack\\_%'
    AND c.relnamespace = (SELECT e.relnamespace FROM pg_class e WHERE e.oid = to_regclass('errtrack_event'))
) t GROUP BY t.name ORDER BY SUM(t.bytes) DESC, t.name"
));

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[TABLES];
