//! Who owns what, for the API and the page: owners are members who see the project.

use crate::{
    access::{Caller, Deed},
    app::App,
    error::Error,
};
use errtrack_core::{MemberStatus, Project, ownership::Ownership};

/// Reads what somebody wrote: 400 names the line that is wrong.
pub(crate) async fn read(app: &App, project: &Project, text: &str, assigns: bool) -> Result<Ownership, Error> {
    let text = text.replace("\r\n", "\n");
    let ownership = Ownership::parse(&text).map_err(|error| Error::bad_request(format!("text: {error}")))?;
    if app.access().has_members() && !ownership.is_empty() {
        let members = app.store().members().await?;
        let knows = |address: &str| {
            let sees = |projects: &Option<Vec<_>>| projects.as_ref().is_none_or(|list| list.contains(&project.id));
            members.iter().any(|member| {
                member.email == address && member.status != MemberStatus::Disabled && sees(&member.projects)
            })
        };
        for (line, owners) in ownership.lines() {
            if let Some(stranger) = owners.iter().find(|owner| !knows(owner)) {
                let why = "is no member who sees this project";
                return Err(Error::bad_request(format!("text: line {line}: {stranger} {why}")));
            }
        }
    }
    Ok(ownership.assign(assigns))
}

impl Caller {
    /// Sets who owns what in a project that the caller has found.
    pub(crate) async fn set_ownership(&self, app: &App, project: &Project, ownership: &Ownership) -> Result<(), Error> {
        if !app.tracker().set_ownership(project.id, ownership).await? {
            return Err(Error::not_found("project"));
        }
        self.did(app, Deed::new("ownership.change", &project.slug).of(project.id)).await;
        Ok(())
    }
}
