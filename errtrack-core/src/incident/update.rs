//! What the channels of an incident are told: that it was opened, and each status that it gets.

use super::{EntryKind, Incident, IncidentEntry};
use crate::notify::{IncidentFacts, Notification, OutboxEntry, Trigger};
use uuid::Uuid;

impl Incident {
    /// What the channels of the incident are told of an entry of its timeline, in its order: nothing, unless that says that
    /// somebody opened it or changed its status. A store writes it in the transaction that writes the entry. `project` is the
    /// slug of its project.
    ///
    /// What a rule does is not told here: the firing or the recovery that did it tells it, or the same would be told twice.
    #[must_use]
    pub fn updates(&self, entry: &IncidentEntry, project: Option<&str>) -> Vec<OutboxEntry> {
        if !matches!(entry.kind, EntryKind::Opened | EntryKind::Status) {
            return Vec::new();
        }
        let note = Some(&entry.text).filter(|note| !note.is_empty()).or(Some(&self.description));
        let notification = Notification {
            trigger: Trigger::Incident,
            at: entry.at,
            project: project.map(str::to_owned),
            incident: Some(IncidentFacts {
                id: self.id.to_string(),
                title: self.title.clone(),
                severity: self.severity.to_string(),
                status: self.status.to_string(),
                note: note.filter(|note| !note.is_empty()).cloned(),
                by: Some(entry.by.clone()),
                path: format!("/incidents/{}", self.id),
            }),
            ..Notification::default()
        };
        let to = |channel: &String| OutboxEntry {
            key: Uuid::now_v7(),
            channel: channel.clone(),
            recipients: Vec::new(),
            ordering: format!("incident {}", self.id),
            firing: None,
            due_at: entry.at,
            notification: notification.clone(),
        };
        self.channels.iter().map(to).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::NewIncident;
    use super::*;

    #[test]
    fn a_status_is_told_to_each_channel_in_order_and_nothing_else_is() {
        let new = NewIncident { channels: vec!["slack".into(), "email".into()], ..NewIncident::new("slow", "ann") };
        let incident = new.incident();
        let told = incident.updates(&new.entry(), Some("shop"));
        let channels: Vec<_> = told.iter().map(|entry| entry.channel.as_str()).collect();
        assert_eq!(channels, ["slack", "email"]);
        assert!(told[0].key != told[1].key && told[0].ordering == told[1].ordering);
        let facts = told[0].notification.incident.clone().unwrap();
        assert_eq!((facts.status.as_str(), facts.path), ("investigating", format!("/incidents/{}", incident.id)));
        assert_eq!(told[0].notification.project.as_deref(), Some("shop"));
        let comment = IncidentEntry::new(EntryKind::Comment, "ann", new.at);
        assert!(incident.updates(&comment, None).is_empty());
    }
}
