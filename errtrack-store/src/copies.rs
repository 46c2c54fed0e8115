//! What notifications, firings and alert rules hold of issues goes with these, in the transaction that deletes or erases.

use crate::{
    link::{Link, Value},
    sql::{alert, copies as sql},
};
use errtrack_core::alert::{Forgotten, Left};
use sqlx::Error;
use uuid::Uuid;

/// Forgets what is said of the issues with these rows, which must be locked. With `gone`, nobody is told of them any more;
/// else people are told without their text.
pub(crate) async fn forget<C: Link>(connection: &mut C, rows: &str, gone: bool) -> Result<(), Error> {
    let rows = || vec![Value::Text(rows.to_owned())];
    // First: an evaluation that is being committed is waited for, and one that is not yet begins anew.
    connection.run(sql::NEXT_VERSION, Vec::new()).await?;
    connection.run(sql::BLANK_FIRINGS, rows()).await?;
    connection.run(sql::DELETE_PAST_SIGNALS, rows()).await?;
    let names: Vec<[Option<String>; 3]> = connection.texts(sql::NAMES, rows()).await?;
    let names = names.into_iter().filter_map(|[uuid, slug, number]| {
        Some((Uuid::try_parse(&uuid?).ok()?, format!("{}-{}", slug?.to_uppercase(), number?)))
    });
    let forgotten = Forgotten::new(names, gone);
    let uuids = serde_json::Value::from_iter(forgotten.uuids()).to_string();
    let waiting = connection.texts(sql::WAITING, vec![Value::Text(uuids.clone())]).await?;
    for [key, notification] in connection.texts(sql::DIGESTS, Vec::new()).await?.into_iter().chain(waiting) {
        let (Some(key), Some(notification)) = (key, notification) else { continue };
        match forgotten.in_notification(&notification) {
            Left::Same => {}
            Left::Less(less) => connection.run(sql::REPLACE, vec![Value::Text(key), Value::Text(less)]).await?,
            Left::Nothing => connection.run(sql::CANCEL, vec![Value::Text(key)]).await?,
        }
    }
    connection.run(sql::BLANK_DELIVERED, vec![Value::Text(uuids)]).await?;
    for [name, data] in connection.texts(sql::GATHERED, Vec::new()).await? {
        let (Some(name), Some(data)) = (name, data) else { continue };
        match forgotten.in_state(&name, &data) {
            Left::Same => {}
            Left::Less(less) => connection.run(alert::PUT_STATE, vec![Value::Text(name), Value::Text(less)]).await?,
            Left::Nothing => connection.run(alert::DELETE_STATE, vec![Value::Text(name)]).await?,
        }
    }
    Ok(())
}
