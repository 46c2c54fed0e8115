//! How large the tables of the database are.

use crate::{
    pages::{text, time::When},
    status::Measure,
};
use errtrack_core::{Timestamp, store::TableSize};

/// Tables that are shown at once; the rest is folded.
const SHOWN: usize = 6;

/// The section.
#[derive(Debug)]
pub(in crate::pages) struct Tables {
    pub(in crate::pages) measured: When,
    pub(in crate::pages) large: Vec<Table>,
    pub(in crate::pages) small: Vec<Table>,
    /// `12 smaller tables, 48 kB`.
    pub(in crate::pages) rest: String,
}

/// A table of the database.
#[derive(Debug)]
pub(in crate::pages) struct Table {
    pub(in crate::pages) name: String,
    pub(in crate::pages) rows: String,
    pub(in crate::pages) bytes: String,
    /// Its share of the largest.
    pub(in crate::pages) width: String,
}

impl Tables {
    pub(super) fn new(measure: &Measure, now: Timestamp) -> Self {
        let mut tables = measure.storage.tables.clone();
        tables.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
        let largest = tables.first().map_or(1, |table| table.bytes.max(1));
        let table = |table: &TableSize| Table {
            name: text::line(&table.name, 80),
            rows: table.rows.map_or_else(|| "–".into(), text::count),
            bytes: text::bytes(table.bytes),
            width: format!("{}%", (u128::from(table.bytes) * 100 / u128::from(largest)).max(1)),
        };
        // One table is not worth a fold.
        let shown = if tables.len() <= SHOWN + 1 { tables.len() } else { SHOWN };
        let (large, small) = tables.split_at(shown);
        let bytes = small.iter().map(|table| table.bytes).sum();
        Self {
            measured: When::new(measure.at, now),
            rest: format!("{} smaller tables, {}", small.len(), text::bytes(bytes)),
            large: large.iter().map(table).collect(),
            small: small.iter().map(table).collect(),
        }
    }
}
