//! What a PostgreSQL URL names.

use errtrack_core::StoreError;
use sqlx::{ConnectOptions, postgres::PgConnectOptions};
use std::str::FromStr;

/// A database, and where in it the tables stand.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) options: PgConnectOptions,
    /// `None` leaves it to the role's search path.
    pub(super) schema: Option<String>,
}

impl Target {
    /// Reads a URL; our own parameter is taken out of it.
    pub(super) fn parse(location: &str) -> Result<Self, StoreError> {
        let (before, query) = location.split_once('?').unwrap_or((location, ""));
        let (mut schema, mut rest) = (None, Vec::new());
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.strip_prefix("schema=") {
                Some(name) => schema = Some(name.to_owned()),
                None => rest.push(parameter),
            }
        }
        if let Some(name) = schema.as_ref().filter(|name| !is_name(name)) {
            return Err(failure(format!("?schema={name} is no name of a schema: letters, digits and _, at most 63")));
        }
        let url = if rest.is_empty() { before.to_owned() } else { format!("{before}?{}", rest.join("&")) };
        // The error of the driver tells what is wrong with a URL, and not the URL.
        let options = PgConnectOptions::from_str(&url).map_err(|error| {
            failure(format!("this is no URL of PostgreSQL ({error}): postgres://user:password@host/database"))
        })?;
        let options = match options.get_application_name() {
            None => options.application_name("errtrack"),
            Some(_) => options,
        };
        // Poolers refuse the parameter, and we read no floats.
        Ok(Self { options: options.extra_float_digits(None).disable_statement_logging(), schema })
    }

    /// Where the server is.
    pub(super) fn server(&self) -> String {
        match self.options.get_socket() {
            Some(path) => path.display().to_string(),
            None if self.options.get_host().starts_with('/') => self.options.get_host().to_owned(),
            None => format!("{}:{}", self.options.get_host(), self.options.get_port()),
        }
    }

    /// The name of the database.
    pub(super) fn database(&self) -> &str {
        self.options.get_database().unwrap_or(self.role())
    }

    /// Who signs in.
    pub(super) fn role(&self) -> &str {
        self.options.get_username()
    }
}

fn is_name(text: &str) -> bool {
    let right = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=63).contains(&text.len()) && text.chars().all(right) && !text.starts_with(|c: char| c.is_ascii_digit())
}

pub(super) fn failure(message: String) -> StoreError {
    StoreError::other(message.clone()).context(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_taken_out_of_the_url() {
        for (url, schema) in [
            ("postgres://u:p@db:5433/app", None),
            ("postgres://u:p@db:5433/app?schema=errors", Some("errors")),
            ("postgresql://u:p@db:5433/app?sslmode=disable&schema=Errors_2&application_name=x", Some("Errors_2")),
        ] {
            let target = Target::parse(url).unwrap();
            assert_eq!(target.schema.as_deref(), schema);
            assert_eq!((target.server().as_str(), target.database(), target.role()), ("db:5433", "app", "u"));
        }
        let socket = Target::parse("postgres://u@localhost/app?host=/run/postgresql").unwrap();
        assert_eq!(socket.server(), "/run/postgresql");
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for url in [
            "postgres://u:hunter2@db/app?schema=a-b",
            "postgres://u:hunter2@db/app?schema=",
            "postgres://u:hunter2@db/app?schema=1a",
            "postgres://u:hunter2@db:port/app",
            "postgres://u:hunter2@db/app?sslmode=perhaps",
        ] {
            let error = Target::parse(url).unwrap_err().to_string();
            assert!(!error.contains("hunter2") && error.lines().count() == 1, "{error}");
        }
    }
}
