//! What is stored. A database would have a table for each of these collections.

use crate::{alerts::Alerts, figures::Figures, incidents::Case, tickets};
use errtrack_core::{
    ApiKey, AuditEntry, Balance, EventId, Fingerprint, Issue, IssueId, Member, Project, ProjectId, Timestamp, Token,
    store::{Comment, Integration, OutboxItem, PushSubscription, RetentionReport, SetAside, StoredEvent},
};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use uuid::Uuid;

/// All of it. To copy it is to see what something would do without doing it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Data {
    pub(crate) closed: bool,
    pub(crate) projects: BTreeMap<ProjectId, Shelf>,
    /// By the number that each has, or had before it was merged: what is counted is counted apart for ever.
    pub(crate) groups: BTreeMap<IssueId, Entry>,
    /// Which group a fingerprint has.
    pub(crate) groupings: HashMap<(ProjectId, Fingerprint), IssueId>,
    /// The last number of each writer.
    pub(crate) writers: HashMap<Uuid, i64>,
    pub(crate) set_aside: Vec<Aside>,
    pub(crate) balances: BTreeMap<ProjectId, Balance>,
    /// By name and project.
    pub(crate) settings: BTreeMap<(String, ProjectId), String>,
    /// Who has a lease, and until when.
    pub(crate) leases: HashMap<String, (Uuid, Timestamp)>,
    /// By name.
    pub(crate) integrations: BTreeMap<String, Integration>,
    /// In the order in which they were written.
    pub(crate) outbox: Vec<Outgoing>,
    pub(crate) members: Vec<Member>,
    pub(crate) tokens: Vec<Token>,
    /// What is kept of the second factor of each member.
    pub(crate) second_factors: HashMap<Uuid, String>,
    pub(crate) push_key: Option<String>,
    /// Browsers that members let be notified.
    pub(crate) browsers: Vec<PushSubscription>,
    pub(crate) keys: Vec<ApiKey>,
    pub(crate) audit: VecDeque<AuditEntry>,
    pub(crate) last_entry: i64,
    pub(crate) figures: Figures,
    pub(crate) alerts: Alerts,
    pub(crate) last_retention: Option<RetentionReport>,
    /// Ids are never given twice, whatever is deleted.
    pub(crate) last_project: i64,
    pub(crate) last_issue: i64,
    pub(crate) last_row: i64,
    /// Since when there are events of a release.
    pub(crate) releases: BTreeMap<(ProjectId, String), Timestamp>,
    /// By the group that each stands under.
    pub(crate) comments: Vec<(IssueId, Comment)>,
    pub(crate) tickets: Vec<tickets::Kept>,
    /// In the order in which they were opened.
    pub(crate) incidents: Vec<Case>,
    pub(crate) last_incident: i64,
    pub(crate) last_incident_entry: i64,
}

/// A notification on its way, and who has it until when.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) item: OutboxItem,
    pub(crate) lease: Option<(Uuid, Timestamp)>,
}

/// A project, and how many issues it ever had.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    pub(crate) project: Project,
    pub(crate) numbers: i64,
}

/// An issue with what is counted and kept of it; or one of the groups of a merged issue, as the issue that it would be.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) issue: Issue,
    /// The group whose name the merged issue has; `None` for that one itself.
    pub(crate) merged_into: Option<IssueId>,
    /// In the order of time.
    pub(crate) events: Vec<Kept>,
    /// How often it happened in each hour since 1970.
    pub(crate) hours: BTreeMap<i64, i64>,
    /// How often each value of each tag was seen.
    pub(crate) tags: BTreeMap<String, BTreeMap<String, i64>>,
    /// The hashes of its users.
    pub(crate) users: BTreeSet<i64>,
}

/// An event that is kept whole.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) stored: StoredEvent,
    /// The hash of its user.
    pub(crate) user: Option<i64>,
}

/// An event that could not be written.
#[derive(Debug, Clone)]
pub(crate) struct Aside {
    pub(crate) id: Uuid,
    pub(crate) user: Option<i64>,
    pub(crate) event: SetAside,
}

impl Entry {
    /// Brings what the issue says of its events and users in line with what is kept.
    pub(crate) fn settle(&mut self) {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.issue.stored_count = count(self.events.len());
        self.issue.user_count = count(self.users.len());
        self.issue.last_event = self.events.last().map_or(EventId::default(), |kept| kept.stored.event.event_id);
    }

    /// Lets go of the events for which `gone` says so; answers how many there were. What was counted stays.
    pub(crate) fn let_go(&mut self, gone: impl Fn(&Kept) -> bool) -> u64 {
        let before = self.events.len();
        self.events.retain(|kept| !gone(kept));
        self.settle();
        (before - self.events.len()) as u64
    }
}

impl Kept {
    /// Where it stands among the events of its issue.
    pub(crate) fn place(&self) -> (Timestamp, i64) {
        (self.stored.event.timestamp, self.stored.row)
    }
}

impl Data {
    /// The groups of some projects (all, if `None`).
    pub(crate) fn groups_of<'a>(
        &'a mut self,
        projects: Option<&'a [ProjectId]>,
    ) -> impl Iterator<Item = &'a mut Entry> {
        self.groups.values_mut().filter(move |entry| is_among(entry.issue.project, projects))
    }

    /// Every event that is kept whole.
    pub(crate) fn events(&self) -> impl Iterator<Item = &StoredEvent> {
        self.groups.values().flat_map(|entry| &entry.events).map(|kept| &kept.stored)
    }

    /// The event for which `is_it` says so. A database asks an index.
    pub(crate) fn event(&self, is_it: impl Fn(&StoredEvent) -> bool) -> Option<&StoredEvent> {
        self.events().find(|stored| is_it(stored))
    }

    /// Deletes the issues for which `gone` says so, with all that belongs to them; answers their projects and ids.
    pub(crate) fn delete_issues(&mut self, gone: impl Fn(&Issue) -> bool) -> Vec<(ProjectId, IssueId)> {
        let deleted = self.issues().filter(|entry| gone(&entry.issue));
        let deleted: Vec<_> = deleted.map(|entry| (entry.issue.project, entry.issue.id)).collect();
        let is_in = |id: IssueId| deleted.iter().any(|(_, issue)| *issue == id);
        let groups = self.groups.values().filter(|e| is_in(e.merged_into.unwrap_or(e.issue.id)));
        let names: Vec<(IssueId, Uuid, String)> =
            groups.map(|e| (e.issue.id, e.issue.uuid, e.issue.short_id())).collect();
        self.forget(&names, true);
        self.groups.retain(|id, entry| !is_in(entry.merged_into.unwrap_or(*id)));
        self.groupings.retain(|_, id| self.groups.contains_key(id));
        self.comments.retain(|(id, _)| self.groups.contains_key(id));
        self.tickets.retain(|kept| self.groups.contains_key(&kept.group));
        for case in &mut self.incidents {
            case.issues.retain(|id| self.groups.contains_key(id));
        }
        self.figures.edits += 1;
        deleted
    }
}

pub(crate) fn is_among(project: ProjectId, projects: Option<&[ProjectId]>) -> bool {
    projects.is_none_or(|projects| projects.contains(&project))
}
