//! How large the store is, in SQLite's words.

/// Bytes of a page, pages, free pages.
pub(crate) const PAGES: &str = "SELECT s.page_size, c.page_count, f.freelist_count FROM pragma_page_size s, pragma_page_count c, pragma_freelist_count f";

/// Name, rows, bytes with indexes. Reads every page once. A table without rowids keeps rows in its inner pages too.
pub(crate) const TABLES: &str = "
SELECT t.name,
  SUM(CASE WHEN t.name <> s.name OR d.pagetype = 'overflow' THEN 0
    WHEN d.pagetype = 'leaf' OR t.wr THEN d.ncell ELSE 0 END),
  SUM(d.pgsize)
FROM pragma_table_list t
JOIN sqlite_schema s ON s.tbl_name = t.name AND s.rootpage > 0
JOIN dbstat d ON d.name = s.name
WHERE t.schema = 'main' AND t.type = 'table' AND substr(t.name, 1, 9) = 'errtrack_'
GROUP BY t.name ORDER BY SUM(d.pgsize) DESC, t.name";

#[cfg(test)]
pub(crate) const EVERY: &[&str] = &[PAGES, TABLES];
