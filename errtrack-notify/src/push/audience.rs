//! Who may be told what: a member who sees a part of the projects hears nothing of the others.

use errtrack_core::{
    Member, MemberStatus, ProjectId, Store, StoreError,
    notify::{Notification, Trigger},
};

/// The projects, to know which ones a notification is about.
pub(super) struct Audience {
    projects: Vec<(String, ProjectId)>,
}

impl Audience {
    pub(super) async fn read(store: &dyn Store) -> Result<Self, StoreError> {
        let projects = store.projects().await?.into_iter().map(|project| (project.slug, project.id));
        Ok(Self { projects: projects.collect() })
    }

    /// What a member may hear of a notification, if anything. What is about no one project is for who sees all of them; of what
    /// was gathered from several, each gets what is theirs.
    pub(super) fn part(&self, member: &Member, told: &Notification) -> Option<Notification> {
        if member.status != MemberStatus::Active {
            return None;
        }
        let own = match &member.projects {
            None => return Some(told.clone()),
            Some(_) if told.trigger == Trigger::Test => return Some(told.clone()),
            Some(own) => own,
        };
        let sees = |slug: &Option<String>| slug.as_deref().is_some_and(|slug| self.is_among(slug, own));
        let mut lines = told.digest.clone();
        lines.retain(|line| sees(&line.project));
        if sees(&told.project) && lines.len() == told.digest.len() {
            return Some(told.clone());
        }
        (!lines.is_empty()).then(|| Notification {
            trigger: told.trigger,
            at: told.at,
            digest_total: lines.len() as u64,
            digest: lines,
            ..Notification::default()
        })
    }

    fn is_among(&self, slug: &str, own: &[ProjectId]) -> bool {
        self.projects.iter().any(|(known, id)| known == slug && own.contains(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use errtrack_core::{Role, notify::DigestLine};

    fn audience() -> Audience {
        Audience { projects: vec![("shop".into(), ProjectId(1)), ("bank".into(), ProjectId(2))] }
    }

    fn limited() -> Member {
        Member { projects: Some(vec![ProjectId(1)]), ..Member::new("ana@example.com", Role::Developer) }
    }

    fn about(project: Option<&str>) -> Notification {
        Notification { project: project.map(str::to_owned), note: Some("secret".into()), ..Notification::default() }
    }

    #[test]
    fn who_is_limited_hears_of_the_own_projects_alone() {
        let all = Member::new("ben@example.com", Role::Viewer);
        for (project, hears) in [(Some("shop"), true), (Some("bank"), false), (Some("gone"), false), (None, false)] {
            let told = about(project);
            assert_eq!(audience().part(&limited(), &told).as_ref(), hears.then_some(&told), "{project:?}");
            assert_eq!(audience().part(&all, &told).as_ref(), Some(&told));
        }
        let test = Notification { trigger: Trigger::Test, ..about(None) };
        assert_eq!(audience().part(&limited(), &test), Some(test), "a test is about nothing");
    }

    #[test]
    fn of_what_was_gathered_each_hears_what_is_theirs() {
        let line = |project: Option<&str>| DigestLine { project: project.map(str::to_owned), ..DigestLine::default() };
        let lines = vec![line(Some("bank")), line(Some("shop")), line(None)];
        let told = Notification { trigger: Trigger::Digest, digest: lines, digest_total: 30, ..about(None) };
        let part = audience().part(&limited(), &told).unwrap();
        assert_eq!((part.digest, part.digest_total, part.note), (vec![line(Some("shop"))], 1, None));
        let foreign = Notification { digest: vec![line(Some("bank"))], ..told };
        assert_eq!(audience().part(&limited(), &foreign), None);
    }

    #[test]
    fn who_is_not_active_hears_nothing() {
        for status in [MemberStatus::Disabled, MemberStatus::Invited] {
            let member = Member { status, ..Member::new("ben@example.com", Role::Owner) };
            assert_eq!(audience().part(&member, &about(Some("shop"))), None);
        }
    }
}
