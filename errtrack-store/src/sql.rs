//! The texts of SQL, grouped by what they are about. `$1` and dull types, so that one text serves every database; what they
//! do not spell alike is a piece of the text that has a name ([`pieces`]).

pub(crate) mod account;
pub(crate) mod alert;
pub(crate) mod analytics;
pub(crate) mod audit;
#[cfg(feature = "sqlite")]
pub(crate) mod bulk;
#[cfg(feature = "sqlite")]
mod cells;
pub(crate) mod copies;
pub(crate) mod erase;
pub(crate) mod event;
pub(crate) mod incident;
pub(crate) mod integration;
pub(crate) mod issue;
pub(crate) mod key;
pub(crate) mod merge;
pub(crate) mod node;
pub(crate) mod outbox;
mod pieces;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
pub(crate) mod preview;
pub(crate) mod project;
pub(crate) mod push;
pub(crate) mod retain;
pub(crate) mod set_aside;
pub(crate) mod setting;
pub(crate) mod storage;
#[cfg(test)]
mod tests;
pub(crate) mod ticket;
pub(crate) mod triage;
pub(crate) mod upkeep;
#[cfg(feature = "sqlite")]
pub(crate) mod write;

pub(crate) use pieces::sql;

/// A statement, as each database spells it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sql {
    /// In SQLite's words.
    #[cfg(feature = "sqlite")]
    pub(crate) sqlite: &'static str,
    /// In PostgreSQL's.
    #[cfg(feature = "postgres")]
    pub(crate) postgres: &'static str,
}
