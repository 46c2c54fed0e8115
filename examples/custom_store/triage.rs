//! What people decide and say about issues.

use crate::{data::Entry, recording::as_tallied, store::MemoryStore};
use async_trait::async_trait;
use errtrack_core::{
    Condition, IssueId, ProjectId, Status, StoreError, Timestamp, release_order,
    store::{Comment, TriageStore},
};
use std::cmp::Ordering;

#[async_trait]
impl TriageStore for MemoryStore {
    async fn set_condition(&self, issues: &[IssueId], condition: &Condition) -> Result<u64, StoreError> {
        let condition = match condition {
            Condition::InRelease(release) => Condition::InRelease(as_tallied(release)),
            Condition::AfterRelease(release) => Condition::AfterRelease(as_tallied(release)),
            until @ Condition::Until { .. } => until.clone(),
        };
        self.edit(issues, |issue| {
            let status = condition.status();
            let resolved = issue.resolved_at.filter(|_| issue.status == Status::Resolved);
            issue.resolved_at = (status == Status::Resolved).then(|| resolved.unwrap_or(issue.updated_at));
            issue.regressed &= status == Status::Unresolved;
            (issue.status, issue.condition) = (status, Some(condition.clone()));
        })
    }

    async fn unignore(&self, now: Timestamp) -> Result<u64, StoreError> {
        let is_due = |entry: &Entry| matches!(entry.issue.condition, Some(Condition::Until { time: Some(time), .. }) if time <= now);
        let due: Vec<IssueId> = self.lock()?.issues().filter(is_due).map(|entry| entry.issue.id).collect();
        self.edit(&due, |issue| (issue.status, issue.condition) = (Status::Unresolved, None))
    }

    async fn latest_release(&self, project: ProjectId) -> Result<Option<String>, StoreError> {
        let data = self.lock()?;
        let mut releases: Vec<_> = data.releases.iter().filter(|((of, _), _)| *of == project).collect();
        releases.sort_by_key(|(_, first_seen)| std::cmp::Reverse(**first_seen));
        let names = releases.into_iter().map(|((_, name), _)| name.clone());
        Ok(names.reduce(
            |best, other| {
                if release_order(&other, &best) == Some(Ordering::Greater) { other } else { best }
            },
        ))
    }

    async fn comments(&self, issue: IssueId) -> Result<Vec<Comment>, StoreError> {
        let data = self.lock()?;
        let name = data.name_of(issue);
        let of_it = data.comments.iter().filter(|(group, _)| data.name_of(*group) == name);
        Ok(of_it.map(|(_, comment)| comment.clone()).collect())
    }

    async fn add_comment(&self, issue: IssueId, author: &str, text: &str) -> Result<Option<Comment>, StoreError> {
        let mut data = self.lock()?;
        let name = data.name_of(issue);
        if !data.groups.contains_key(&name) {
            return Ok(None);
        }
        let id = data.comments.last().map_or(0, |(_, comment)| comment.id) + 1;
        let clean = |text: &str| text.replace('\0', "\u{fffd}");
        let comment = Comment { id, author: clean(author), at: Timestamp::now(), text: clean(text) };
        data.comments.push((name, comment.clone()));
        Ok(Some(comment))
    }
}
