//! Alert rules, as the API and the pages change and show them. Who sees all projects sees all rules; others those of their own.

use crate::{
    access::{Caller, Deed},
    app::App,
    error::Error,
    integrations,
};
use errtrack_core::{
    Timestamp,
    alert::{
        AlertRule, Checked, FilterKey, Firing, InvalidAlertRule, RuleState, When,
        preview::{Preview, PreviewError},
    },
    store::{FiringQuery, OutboxItem, OutboxQuery},
};
use http::StatusCode;
use std::{collections::BTreeMap, time::Duration};
use uuid::Uuid;

/// Rules that there may be.
const MOST: usize = 500;
/// Channels of which the outcome of a firing is shown.
const CHANNELS: u32 = 50;

impl From<InvalidAlertRule> for Error {
    fn from(invalid: InvalidAlertRule) -> Self {
        Self::bad_request(invalid.to_string())
    }
}

impl Caller {
    fn sees_rule(&self, rule: &AlertRule) -> bool {
        rule.project.map_or_else(|| self.project_ids().is_none(), |project| self.sees(project))
    }

    /// The alert rules that the caller may see, the oldest first, each with how it stands.
    pub(crate) async fn alert_rules(&self, app: &App) -> Result<Vec<(AlertRule, RuleState)>, Error> {
        let rules = app.store().alert_rules().await?;
        let mut states = RuleState::of_rules(&app.store().alert_state().await?);
        let rules = rules.into_iter().filter(|rule| self.sees_rule(rule));
        Ok(rules.map(|rule| (states.remove(&rule.id).unwrap_or_default(), rule)).map(|(s, r)| (r, s)).collect())
    }

    /// The alert rule that a path names.
    pub(crate) async fn find_alert_rule(&self, app: &App, id: &str) -> Result<(AlertRule, RuleState), Error> {
        let id: Uuid = id.parse().map_err(|_| Error::bad_request("id: must be the UUID of a rule"))?;
        let rule = self.alert_rules(app).await?.into_iter().find(|(rule, _)| rule.id == id);
        rule.ok_or_else(|| Error::not_found("alert rule"))
    }

    /// Checks a rule that the caller wants to keep or to try.
    async fn check_alert_rule(&self, app: &App, rule: &AlertRule) -> Result<Checked, Error> {
        let checked = rule.check()?;
        if rule.project.is_none() && self.project_ids().is_some() {
            return Err(Error::bad_request("project: is needed, as you do not see all projects"));
        }
        if let When::Condition { condition, .. } = &checked.when
            && let Some(slug) = condition.filter(FilterKey::Project)
            && self.project_by_slug(app, slug).await?.is_none()
        {
            return Err(Error::bad_request(format!("condition: there is no project {slug}")));
        }
        Ok(checked)
    }

    /// Keeps a new rule, or one that was changed.
    pub(crate) async fn put_alert_rule(&self, app: &App, mut rule: AlertRule) -> Result<AlertRule, Error> {
        self.check_alert_rule(app, &rule).await?;
        integrations::tickets::check_channels(app, "notifications", &rule.notifications).await?;
        let is_new = rule.id.is_nil();
        if is_new {
            if app.store().alert_rules().await?.len() >= MOST {
                let message = format!("there are {MOST} rules already; delete one first");
                return Err(Error::new(StatusCode::CONFLICT, message));
            }
            (rule.id, rule.created_at) = (Uuid::new_v4(), Timestamp::now());
        }
        rule.name = rule.name.trim().to_owned();
        rule.updated_at = Timestamp::now();
        if !app.store().put_alert_rule(&rule).await? {
            return Err(Error::bad_request("project: is gone"));
        }
        let deed = Deed::new(if is_new { "alert_rule.create" } else { "alert_rule.change" }, &rule.name);
        self.did(app, rule.project.into_iter().fold(deed, Deed::of)).await;
        Ok(rule)
    }

    /// Deletes a rule.
    pub(crate) async fn delete_alert_rule(&self, app: &App, rule: &AlertRule) -> Result<(), Error> {
        // One that is gone already is what was asked for.
        app.store().delete_alert_rule(rule.id).await?;
        let deed = Deed::new("alert_rule.delete", &rule.name);
        self.did(app, rule.project.into_iter().fold(deed, Deed::of)).await;
        Ok(())
    }

    /// What a rule would have said in the last days.
    pub(crate) async fn preview_alert_rule(&self, app: &App, rule: &AlertRule) -> Result<Preview, Error> {
        self.check_alert_rule(app, rule).await?;
        let preview = errtrack_core::alert::preview::preview(app.store(), rule, Timestamp::now()).await;
        preview.map_err(|error| match error {
            PreviewError::Invalid(invalid) => invalid.into(),
            PreviewError::Store(error) => error.into(),
        })
    }
}

/// What was said by a rule, the newest first, each with the outcome of its channels.
pub(crate) async fn history(app: &App, query: &FiringQuery) -> Result<Vec<(Firing, Vec<OutboxItem>)>, Error> {
    let mut history = Vec::new();
    for firing in app.store().firings(query).await? {
        let of = OutboxQuery { firing: Some(firing.id), limit: CHANNELS, ..OutboxQuery::default() };
        let told = app.store().outbox(&of).await?;
        history.push((firing, told));
    }
    Ok(history)
}

/// What a preview says in a sentence.
pub(crate) fn says(preview: &Preview) -> String {
    let days = errtrack_core::alert::preview::DAYS;
    let whole = Timestamp::now().minus(Duration::from_secs(days.unsigned_abs() * 86_400 - 3_600));
    let when = if preview.since <= whole {
        format!("in the last {days} days")
    } else {
        preview.since.strftime("since %Y-%m-%d %H:%M UTC; what it needs is not kept from before")
    };
    let says = match preview.firings.as_ref().map(Vec::len) {
        None => "What is stored does not tell how often it would have fired.".into(),
        Some(0) => format!("It would not have fired {when}."),
        Some(1) => format!("It would have fired once {when}."),
        Some(times) => format!("It would have fired {times} times {when}."),
    };
    preview.note.map_or(says.clone(), |note| format!("{says} {note}"))
}

/// The short names of issues, by their ids; of those that are gone there is none.
pub(crate) async fn issue_names(
    app: &App,
    firings: impl Iterator<Item = &Firing>,
) -> Result<BTreeMap<i64, String>, Error> {
    let mut names = BTreeMap::new();
    for id in firings.filter_map(|firing| firing.issue) {
        if let std::collections::btree_map::Entry::Vacant(place) = names.entry(id.0)
            && let Some(issue) = app.store().issue(&errtrack_core::IssueRef::Id(id)).await?
        {
            place.insert(issue.short_id());
        }
    }
    Ok(names)
}
