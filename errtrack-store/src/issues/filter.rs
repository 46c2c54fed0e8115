//! From a query for issues to SQL.

use crate::{
    pool::Dialect,
    sql::issue::COLUMNS,
    tag::{stored, tag_key, tag_number, tag_value},
};
use errtrack_core::{
    Issue, Level, Status,
    store::{Cursor, IssueQuery, Sort},
    user_hash,
};
use sqlx::{Database, Encode, QueryBuilder, Type};

/// What can be bound in every database.
pub(super) trait Binds: Database<Arguments: Send> + Dialect
where
    i64: for<'q> Encode<'q, Self> + Type<Self>,
    String: for<'q> Encode<'q, Self> + Type<Self>,
{
}

#[cfg(feature = "sqlite")]
impl Binds for sqlx::Sqlite {}
#[cfg(feature = "postgres")]
impl Binds for sqlx::Postgres {}

/// The page asked for, and one issue more if there are more.
pub(super) fn page<Db: Binds>(query: &IssueQuery) -> QueryBuilder<Db>
where
    i64: for<'q> Encode<'q, Db> + Type<Db>,
    String: for<'q> Encode<'q, Db> + Type<Db>,
{
    let mut sql = QueryBuilder::new(Db::text(COLUMNS));
    matching(&mut sql, query, true);
    let key = column(query.sort);
    if let Some(cursor) = query.cursor {
        sql.push(format_args!(" AND (i.{key}, i.id) < ("))
            .push_bind(cursor.key)
            .push(", ")
            .push_bind(cursor.id)
            .push(")");
    }
    sql.push(format_args!(" ORDER BY i.{key} DESC, i.id DESC LIMIT ")).push_bind(i64::from(query.limit) + 1);
    if query.cursor.is_none() && query.offset > 0 {
        sql.push(" OFFSET ").push_bind(i64::from(query.offset));
    }
    sql
}

/// How many match.
pub(super) fn total<Db: Binds>(query: &IssueQuery) -> QueryBuilder<Db>
where
    i64: for<'q> Encode<'q, Db> + Type<Db>,
    String: for<'q> Encode<'q, Db> + Type<Db>,
{
    let mut sql = QueryBuilder::new("SELECT COUNT(*) FROM errtrack_issue i");
    matching(&mut sql, query, true);
    sql
}

/// How many match in each status.
pub(super) fn statuses<Db: Binds>(query: &IssueQuery) -> QueryBuilder<Db>
where
    i64: for<'q> Encode<'q, Db> + Type<Db>,
    String: for<'q> Encode<'q, Db> + Type<Db>,
{
    let mut sql = QueryBuilder::new("SELECT i.status, i.regressed, COUNT(*) FROM errtrack_issue i");
    matching(&mut sql, query, false);
    sql.push(" GROUP BY i.status, i.regressed");
    sql
}

/// The place after an issue.
pub(super) fn cursor(sort: Sort, last: &Issue) -> Cursor {
    let key = match sort {
        Sort::LastSeen => last.last_seen.as_micros(),
        Sort::FirstSeen => last.first_seen.as_micros(),
        Sort::Count => last.count,
        Sort::Users => last.user_count,
    };
    Cursor { key, id: last.id.0 }
}

const fn column(sort: Sort) -> &'static str {
    match sort {
        Sort::LastSeen => "last_seen",
        Sort::FirstSeen => "first_seen",
        Sort::Count => "count",
        Sort::Users => "user_count",
    }
}

fn matching<Db: Binds>(sql: &mut QueryBuilder<Db>, query: &IssueQuery, with_status: bool)
where
    i64: for<'q> Encode<'q, Db> + Type<Db>,
    String: for<'q> Encode<'q, Db> + Type<Db>,
{
    // Groups of merged issues are not shown.
    sql.push(" WHERE i.merged_into IS NULL");
    if let Some(projects) = &query.projects {
        list(sql, "i.project_id", projects.iter().map(|p| p.0));
    }
    if with_status {
        if let Some(status) = query.status {
            sql.push(" AND i.status = ").push_bind(status.to_number());
        }
        if query.regressed {
            sql.push(" AND i.regressed AND i.status = ").push_bind(Status::Unresolved.to_number());
        }
    }
    if !query.levels.is_empty() {
        list(sql, "i.level", query.levels.iter().map(|level| level.to_number()));
    }
    if let Some(source) = &query.source {
        sql.push(" AND i.source = ").push_bind(stored(source));
    }
    for word in query.words.iter().filter(|word| !word.is_empty()) {
        let pattern = pattern(word);
        for (opening, column) in [(" AND (", "type"), (" OR ", "value"), (" OR ", "culprit")] {
            sql.push(format_args!("{opening}lower(i.{column}) LIKE lower("));
            sql.push_bind(pattern.clone()).push(") ESCAPE '!'");
        }
        sql.push(")");
    }
    for (key, value) in &query.tags {
        tag(sql, key, value);
    }
    if let Some(since) = query.since {
        sql.push(" AND i.last_seen >= ").push_bind(since.as_micros());
    }
    if let Some(until) = query.until {
        sql.push(" AND i.first_seen <= ").push_bind(until.as_micros());
    }
}

/// The issue has that tag, that level or that user: the last two are kept elsewhere (but any tag may be named `user`).
fn tag<Db: Binds>(sql: &mut QueryBuilder<Db>, key: &str, value: &str)
where
    i64: for<'q> Encode<'q, Db> + Type<Db>,
    String: for<'q> Encode<'q, Db> + Type<Db>,
{
    if key == "level" {
        match value.parse::<Level>() {
            Ok(level) => sql.push(" AND i.level = ").push_bind(level.to_number()),
            Err(_) => sql.push(" AND FALSE"),
        };
        return;
    }
    let user = (key == "user").then(|| user_hash(value));
    let (key, value) = (tag_key(key), tag_value(value));
    sql.push(" AND (EXISTS (SELECT 1 FROM errtrack_issue_tag t WHERE t.project_id = i.project_id");
    sql.push(" AND t.issue_id = i.id AND t.tag = ");
    sql.push_bind(tag_number(&key, &value)).push(" AND t.key = ").push_bind(key.into_owned());
    sql.push(" AND t.value = ").push_bind(value.into_owned()).push(")");
    if let Some(user) = user {
        sql.push(" OR EXISTS (SELECT 1 FROM errtrack_issue_user u WHERE u.project_id = i.project_id");
        sql.push(" AND u.issue_id = i.id AND u.user_hash = ");
        sql.push_bind(user).push(")");
    }
    sql.push(")");
}

/// `column` is one of `values`; a single one is compared with `=`, so that an index that begins with it also sorts.
fn list<Db: Binds>(sql: &mut QueryBuilder<Db>, column: &str, values: impl ExactSizeIterator<Item = i64>)
where
    i64: for<'q> Encode<'q, Db> + Type<Db>,
    String: for<'q> Encode<'q, Db> + Type<Db>,
{
    if values.len() == 0 {
        sql.push(" AND FALSE");
        return;
    }
    let (open, close) = if values.len() == 1 { (" = ", "") } else { (" IN (", ")") };
    sql.push(format_args!(" AND {column}{open}"));
    let mut separated = sql.separated(", ");
    for value in values {
        separated.push_bind(value);
    }
    sql.push(close);
}

/// A word anywhere in a text.
fn pattern(word: &str) -> String {
    let mut pattern = String::from("%");
    for c in stored(word).chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
