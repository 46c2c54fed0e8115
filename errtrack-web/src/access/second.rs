//! The second factor in the store: set up, asked for, taken away.

use super::totp::{SecondFactor, Secret};
use crate::{app::App, error::Error};
use errtrack_core::{Member, StoreError, Timestamp};

/// What is kept of the second factor of a member, with the document that says it.
async fn of(app: &App, member: &Member) -> Result<Option<(SecondFactor, String)>, Error> {
    let Some(document) = app.store().second_factor(member.id).await? else { return Ok(None) };
    let factor = serde_json::from_str(&document).map_err(|_| StoreError::corrupt("a second factor cannot be read"))?;
    Ok(Some((factor, document)))
}

/// Recovery codes that a member has left; `None` without a second factor.
pub(crate) async fn codes_left(app: &App, member: &Member) -> Result<Option<usize>, Error> {
    Ok(of(app, member).await?.map(|(factor, _)| factor.codes_left()))
}

/// Sets up a second factor, if the code is right and there is none yet; answers the recovery codes.
pub(crate) async fn set_up(
    app: &App,
    member: &Member,
    secret: &Secret,
    code: &str,
) -> Result<Option<Vec<String>>, Error> {
    let now = Timestamp::now().as_seconds();
    let Some((factor, codes)) = SecondFactor::confirm(secret, code, now)? else { return Ok(None) };
    let document = serde_json::to_string(&factor).map_err(StoreError::other)?;
    let is_set = app.store().swap_second_factor(member.id, None, Some(&document)).await?;
    Ok(is_set.then_some(codes))
}

/// Whether a code is right; it is used up then.
pub(crate) async fn use_code(app: &App, member: &Member, code: &str) -> Result<bool, Error> {
    swap(app, member, code, |left| serde_json::to_string(left).map(Some).map_err(StoreError::other)).await
}

/// Takes the second factor away, if the code is right.
pub(crate) async fn take_away(app: &App, member: &Member, code: &str) -> Result<bool, Error> {
    swap(app, member, code, |_| Ok(None)).await
}

async fn swap(
    app: &App,
    member: &Member,
    code: &str,
    after: impl Fn(&SecondFactor) -> Result<Option<String>, StoreError>,
) -> Result<bool, Error> {
    let Some((factor, before)) = of(app, member).await? else { return Ok(false) };
    let Some(left) = factor.after(code, Timestamp::now().as_seconds()) else { return Ok(false) };
    // Lost to another request: it may have used the same code.
    Ok(app.store().swap_second_factor(member.id, Some(&before), after(&left)?.as_deref()).await?)
}
