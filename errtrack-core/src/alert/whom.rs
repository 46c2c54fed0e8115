//! Who exactly is told: the owners of an issue where a rule asks for them; and each by an entry of their own, so that an address
//! which does not work keeps nobody else from being told.

use super::{AlertRule, decision::hashed, told::Told};
use crate::{Issue, StoreError, notify::OutboxEntry};
use async_trait::async_trait;

/// The channels that owners are told by: what is known of them is where their mail goes, and which member that is.
const OF_MEMBERS: [&str; 2] = ["email", "push"];
/// Channels that tell each recipient apart from the others; the rest tell one place, whoever reads it.
const BY_ADDRESS: [&str; 3] = ["email", "push", "sms"];

/// Knows who owns an issue.
#[async_trait]
pub(crate) trait Owners: Sync {
    /// The addresses of those who may be told of it; none where nobody owns it.
    async fn told_owners(&self, issue: &Issue) -> Result<Vec<String>, StoreError>;

    /// To whom a new issue is assigned, where its project has that done.
    async fn assignee(&self, issue: &Issue) -> Result<Option<String>, StoreError>;
}

/// Puts the owners into the entries of rules that ask for them, and makes of each entry one for each recipient. What nobody
/// owns goes to those whom the rule names otherwise: better to too many than to nobody.
pub(super) async fn address<'a>(
    told: &mut Told<'_>,
    owners: &dyn Owners,
    rules: impl Iterator<Item = &'a AlertRule>,
    entries: Vec<OutboxEntry>,
) -> Result<Vec<OutboxEntry>, StoreError> {
    let asking: Vec<String> = rules.filter(|rule| rule.owners_only).map(|rule| rule.id.to_string()).collect();
    let mut addressed = Vec::with_capacity(entries.len());
    for mut entry in entries {
        let asks = |id: &String| asking.contains(id);
        let is_of_members = OF_MEMBERS.contains(&entry.channel.as_str());
        if is_of_members && entry.notification.rule.as_ref().is_some_and(|rule| asks(&rule.id)) {
            let owners = match told.issue(&entry).await? {
                Some(issue) => owners.told_owners(issue).await?,
                None => Vec::new(),
            };
            if !owners.is_empty() {
                entry.recipients = owners;
            }
        }
        if !BY_ADDRESS.contains(&entry.channel.as_str()) || entry.recipients.len() < 2 {
            addressed.push(entry);
            continue;
        }
        for recipient in &entry.recipients {
            addressed.push(OutboxEntry {
                key: hashed(&[&entry.key.to_string(), recipient]),
                // One who cannot be reached is tried for hours.
                ordering: format!("{}:{recipient}", entry.ordering),
                recipients: vec![recipient.clone()],
                ..entry.clone()
            });
        }
    }
    Ok(addressed)
}
