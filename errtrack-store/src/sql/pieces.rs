//! What the databases do not spell alike.

/// A statement of literals and pieces, put together for each database when this is compiled.
macro_rules! sql {
    ($($piece:tt $(($($arg:tt)*))?),+ $(,)?) => {
        $crate::sql::Sql {
            #[cfg(feature = "sqlite")]
            sqlite: concat!($($crate::sql::pieces::piece!(sqlite $piece $($($arg)*)?)),+),
            #[cfg(feature = "postgres")]
            postgres: concat!($($crate::sql::pieces::piece!(postgres $piece $($($arg)*)?)),+),
        }
    };
}

/// A piece, in the words of the database that is named first.
macro_rules! piece {
    // The one for SQLite, the other for PostgreSQL.
    (sqlite either $sqlite:literal, $postgres:literal) => {
        $sqlite
    };
    (postgres either $sqlite:literal, $postgres:literal) => {
        $postgres
    };
    // After a column: it is in the JSON list that is that parameter.
    (sqlite in_ids $n:literal) => {
        concat!("IN (SELECT value FROM json_each($", $n, "))")
    };
    (postgres in_ids $n:literal) => {
        concat!("= ANY(ARRAY(SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($", $n, " AS JSON))))")
    };
    // A JSON list of numbers as a table with the columns `key`, counted from 0, and `value`.
    (sqlite numbers $n:literal) => {
        concat!("json_each($", $n, ")")
    };
    (postgres numbers $n:literal) => {
        concat!(
            "(SELECT ordinality - 1 AS key, CAST(value AS BIGINT) AS value
  FROM json_array_elements_text(CAST($",
            $n,
            " AS JSON)) WITH ORDINALITY)"
        )
    };
    // A join whose left side is gone through first.
    (sqlite then_join) => {
        "CROSS JOIN"
    };
    (postgres then_join) => {
        "JOIN"
    };
    // The present by the clock of the database, in microseconds.
    (sqlite now) => {
        "CAST(unixepoch('subsec') * 1000000 AS BIGINT)"
    };
    (postgres now) => {
        "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
    };
    // Constants that several statements begin with.
    ($db:ident issue_columns) => {
        $crate::sql::issue::columns!()
    };
    ($db:ident member_columns) => {
        $crate::sql::account::columns!()
    };
    ($db:ident incident_columns) => {
        $crate::sql::incident::columns!()
    };
    ($db:ident event_columns) => {
        $crate::sql::event::columns!($db)
    };
    ($db:ident $text:literal) => {
        $text
    };
}

pub(crate) use {piece, sql};
