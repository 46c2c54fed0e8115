//! What notifications and firings hold of issues.

use super::{Sql, sql};

/// An evaluation of alert rules that is under way begins anew.
pub(crate) const NEXT_VERSION: Sql = sql!(
    "
INSERT INTO errtrack_alert_state (name, data) VALUES ('version', '1')
ON CONFLICT (name) DO UPDATE SET data = CAST(CAST(errtrack_alert_state.data AS BIGINT) + 1 AS TEXT)"
);

/// Of the rows `$1`: UUID in hexadecimal digits, slug and number of the name.
pub(crate) const NAMES: Sql = sql!(
    "SELECT ",
    either("hex(i.uuid)", "encode(i.uuid, 'hex')"),
    ", p.slug, CAST(i.number AS TEXT) FROM errtrack_issue i JOIN errtrack_project p ON p.id = i.project_id WHERE i.id ",
    in_ids(1)
);

/// Firings about the issues `$1` lose their text. In PostgreSQL by a pattern, as its functions refuse an escaped NUL.
pub(crate) const BLANK_FIRINGS: Sql = sql!(
    "UPDATE errtrack_alert_firing SET data = ",
    either(
        "json_set(data, '$.title', '')",
        "regexp_replace(data, '\"title\":\"([^\"\\\\]|\\\\.)*\"', '\"title\":\"\"')"
    ),
    " WHERE issue_id ",
    in_ids(1)
);

pub(crate) const DELETE_PAST_SIGNALS: Sql = sql!("DELETE FROM errtrack_past_signal WHERE issue_id ", in_ids(1));

/// After a column: it is in the JSON list of texts that is `$1`.
macro_rules! of_issues {
    ($before:literal, $after:literal) => {
        sql!(
            $before,
            either("json_extract(notification, '$.issue.id') IN (SELECT value FROM json_each($1))", "substring(notification from '\"issue\":[{]\"id\":\"([0-9a-f-]{36})\"') = ANY(ARRAY(SELECT json_array_elements_text(CAST($1 AS JSON))))"),
            $after
        )
    };
}
/// What has arrived about the issues with the UUIDs `$1` loses its text.
pub(crate) const BLANK_DELIVERED: Sql =
    of_issues!("UPDATE errtrack_outbox SET notification = '{}' WHERE ", " AND state = 1");
/// What has not arrived about them.
pub(crate) const WAITING: Sql = of_issues!("SELECT key, notification FROM errtrack_outbox WHERE ", " AND state <> 1");
/// Digests that have not arrived, and what else no rule has fired for.
pub(crate) const DIGESTS: Sql = sql!(
    "
SELECT key, notification FROM errtrack_outbox
WHERE state <> 1 AND firing IS NULL AND notification LIKE '{\"trigger\":\"digest\"%'"
);
/// `$1` the key, `$2` what is left of it.
pub(crate) const REPLACE: Sql = sql!("UPDATE errtrack_outbox SET notification = $2 WHERE key = $1 AND state <> 1");
/// `$1` the key.
pub(crate) const CANCEL: Sql = sql!("DELETE FROM errtrack_outbox WHERE key = $1 AND state <> 1");
/// What is gathered to be told later.
pub(crate) const GATHERED: Sql = sql!("SELECT name, data FROM errtrack_alert_state WHERE name LIKE 'gathered:%'");

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[
    NEXT_VERSION,
    NAMES,
    BLANK_FIRINGS,
    DELETE_PAST_SIGNALS,
    BLANK_DELIVERED,
    WAITING,
    DIGESTS,
    REPLACE,
    CANCEL,
    GATHERED,
];
