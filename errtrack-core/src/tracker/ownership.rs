//! Who owns what, as people edit it: kept in the store, read by every process. New issues are assigned by it when alert rules
//! are asked about them, whoever wrote them.

use super::{Engine, Tracker};
use crate::{Issue, MemberStatus, ProjectId, StoreError, alert::Owners, ownership::Ownership};
use async_trait::async_trait;
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

/// The setting that holds it.
const OWNERSHIP: &str = "ownership";

/// The ownership of projects, as it was last read; nothing before it was read.
#[derive(Debug, Default)]
pub(crate) struct OwnershipAtHand {
    known: RwLock<Option<HashMap<ProjectId, Arc<Ownership>>>>,
    /// One reads at a time, so that what was read first does not replace what was read later.
    reading: tokio::sync::Mutex<()>,
}

impl OwnershipAtHand {
    fn of(&self, project: ProjectId) -> Option<Arc<Ownership>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().and_then(|known| known.get(&project).cloned())
    }

    fn was_read(&self) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

impl Engine {
    pub(super) async fn read_ownership(&self) -> Result<(), StoreError> {
        let _turn = self.ownership.reading.lock().await;
        let read = self.store.settings(OWNERSHIP).await?;
        // What cannot be read was written by a later version; it says nothing here.
        let read = read.into_iter().filter_map(|(id, json)| Some((id, Arc::new(Ownership::from_json(&json)?))));
        let known = read.filter(|(_, ownership)| !ownership.is_empty()).collect();
        *self.ownership.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(())
    }

    async fn owners(&self, issue: &Issue) -> Result<Vec<String>, StoreError> {
        let Some(ownership) = self.ownership.of(issue.project) else { return Ok(Vec::new()) };
        let newest = self.store.events(issue.id, None, 1).await?.events.pop();
        Ok(newest.map(|stored| ownership.owners(&stored.event).to_vec()).unwrap_or_default())
    }
}

#[async_trait]
impl Owners for Engine {
    async fn told_owners(&self, issue: &Issue) -> Result<Vec<String>, StoreError> {
        let mut told = match &issue.assigned_to {
            Some(member) if member.contains('@') => vec![member.to_lowercase()],
            _ => self.owners(issue).await?,
        };
        if told.is_empty() {
            return Ok(told);
        }
        let members = self.store.members().await?;
        let may_know = |address: &String| {
            let sees = |projects: &Option<Vec<ProjectId>>| projects.as_ref().is_none_or(|p| p.contains(&issue.project));
            members.iter().any(|member| {
                member.email == *address && member.status == MemberStatus::Active && sees(&member.projects)
            })
        };
        // Where the host's own accounts are used, nobody here knows them.
        told.retain(|address| members.is_empty() || may_know(address));
        Ok(told)
    }

    async fn assignee(&self, issue: &Issue) -> Result<Option<String>, StoreError> {
        if !self.ownership.was_read() {
            // The store did not answer when the process began: what came then is not to stay nobody's.
            self.read_ownership().await?;
        }
        if !self.ownership.of(issue.project).is_some_and(|ownership| ownership.assigns()) {
            return Ok(None);
        }
        Ok(self.owners(issue).await?.into_iter().next())
    }
}

impl Tracker {
    /// Who owns what in a project.
    ///
    /// # Errors
    /// The store cannot be read, or was written by a later version.
    pub async fn ownership(&self, project: ProjectId) -> Result<Ownership, StoreError> {
        let all = self.store().settings(OWNERSHIP).await?;
        let json = all.into_iter().find(|(id, _)| *id == project).map(|(_, json)| json);
        let read = json.map_or_else(|| Some(Ownership::default()), |json| Ownership::from_json(&json));
        read.ok_or_else(|| StoreError::corrupt("the ownership was written by a later version"))
    }

    /// Replaces it; `false` if there is no such project. It holds in this process when it returns, in others as soon as these
    /// hear of it. Issues that are there stay whose they are, but for those of the last seconds.
    ///
    /// # Errors
    /// The store fails.
    pub async fn set_ownership(&self, project: ProjectId, ownership: &Ownership) -> Result<bool, StoreError> {
        let json = ownership.to_json();
        let is_nothing = ownership.is_empty() && ownership.text().trim().is_empty();
        let value = (!is_nothing).then_some(json.as_str());
        let is_set = self.store().put_setting(project, OWNERSHIP, value).await?;
        self.shared.engine.read_ownership().await?;
        Ok(is_set)
    }

    /// The addresses of the owners of an issue by the ownership of its project, for its newest event; none if no line applies.
    /// Costs a query where the project has an ownership. Who the issue is assigned to
    /// ([`Issue::assigned_to`]) may be somebody else.
    ///
    /// # Errors
    /// The store fails.
    pub async fn owners(&self, issue: &Issue) -> Result<Vec<String>, StoreError> {
        self.shared.engine.owners(issue).await
    }

    /// Who is to be told of an issue where owners alone are told: whoever it is assigned to, if that is an address; else its
    /// [owners](Self::owners). Where there are members, only those who may still sign in and see its project.
    ///
    /// # Errors
    /// The store fails.
    pub async fn told_owners(&self, issue: &Issue) -> Result<Vec<String>, StoreError> {
        self.shared.engine.told_owners(issue).await
    }
}
