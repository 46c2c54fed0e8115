//! Why a database cannot be opened, in one line that a person can act on.

use super::target::{Target, failure};
use crate::error::{sqlstate, translate};
use errtrack_core::StoreError;
use sqlx::{Error, migrate::MigrateError};

/// The server cannot be reached, or does not let us in.
pub(super) fn connecting(error: Error, target: &Target) -> StoreError {
    let (server, database, role) = (target.server(), target.database(), target.role());
    match (sqlstate(&error).as_deref(), &error) {
        (Some("28P01"), _) => failure(format!("PostgreSQL at {server} refuses the password of {role}")),
        (Some("28000"), _) => {
            let text = translate(error, "").to_string();
            failure(format!("PostgreSQL at {server} does not let {role} in{text}"))
        }
        (Some("3D000"), _) => failure(format!("PostgreSQL at {server} has no database {database}; make it first")),
        (None, Error::Tls(inner)) => {
            let text = format!("no TLS to PostgreSQL at {server}: {}", line(&inner.to_string()));
            StoreError::other(error).context(text)
        }
        (None, _) => {
            let why = match &error {
                Error::Io(inner) => inner.to_string(),
                other => other.to_string(),
            };
            let text = format!("cannot reach PostgreSQL at {server}: {}", line(&why));
            StoreError::unavailable(error).context(text)
        }
        _ => translate(error, &format!("cannot open the database {database} at {server}")),
    }
}

/// The tables cannot be brought up to date.
pub(super) fn migrating(error: MigrateError, target: &Target) -> StoreError {
    let (server, database, role) = (target.server(), target.database(), target.role());
    match error {
        MigrateError::VersionMissing(n) | MigrateError::VersionTooNew(n, _) => {
            failure(format!("the database {database} was written by a newer errtrack (its schema has version {n})"))
        }
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => match sqlstate(&error).as_deref() {
            Some("42501") => failure(format!(
                "{role} may not make tables in the database {database} at {server}; \
                 let it own a schema, and name that: ?schema=NAME"
            )),
            Some("3F000") => failure(format!(
                "the search path of {role} names no schema in the database {database} at {server}; name one: ?schema=NAME"
            )),
            _ => translate(error, &format!("cannot make the tables in the database {database} at {server}")),
        },
        other => {
            let text =
                format!("cannot bring the tables of the database {database} up to date: {}", line(&other.to_string()));
            StoreError::other(other).context(text)
        }
    }
}

pub(super) fn too_old(version: u32, target: &Target) -> StoreError {
    let (major, server) = (version / 10_000, target.server());
    failure(format!("PostgreSQL at {server} is version {major}; errtrack needs 13 or later"))
}

/// A partition cannot be made.
pub(super) fn partitioning(error: Error) -> StoreError {
    translate(error, "cannot make a partition")
}

fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
