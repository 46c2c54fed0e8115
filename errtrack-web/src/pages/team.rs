//! Members: invited, changed, removed.

use super::{
    failure::Failure,
    keys::project_names,
    page::Page,
    shell::{self, AdminOfAll, Layout, Shell},
    text,
    time::When,
};
use crate::{
    access::{Invitation, Invited},
    app::App,
    error::Error,
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use errtrack_core::{Member, MemberChange, MemberStatus, Project, ProjectId, Role, Timestamp};

/// The page.
#[derive(Debug, Template)]
#[template(path = "team.html")]
pub(super) struct TeamPage {
    layout: Layout,
    invite_url: String,
    members: Vec<MemberView>,
    /// A link that was just made, for the only time, and what it is for.
    link: Option<(String, String)>,
    problem: Option<String>,
    email: String,
    name: String,
    roles: Vec<(&'static str, &'static str, bool)>,
    projects: Vec<(ProjectId, String, bool)>,
}

/// A member, ready to be shown.
#[derive(Debug)]
struct MemberView {
    id: String,
    name: String,
    email: String,
    role: &'static str,
    status: &'static str,
    is_active: bool,
    is_disabled: bool,
    two_factor: bool,
    sees: String,
    active: Option<When>,
    /// Whether the caller may change it: owners are changed by owners alone.
    can_change: bool,
    roles: Vec<(&'static str, &'static str, bool)>,
    projects: Vec<(ProjectId, String, bool)>,
    url: String,
}

/// `GET /settings/team`
pub(super) async fn show(State(app): State<App>, AdminOfAll(shell): AdminOfAll) -> Result<Page<TeamPage>, Failure> {
    Ok(Page::new(TeamPage::read(&app, &shell, &[]).await?))
}

/// `POST /settings/team/invite`: `email`, `name`, `role`, `project` several times.
pub(super) async fn invite(
    State(app): State<App>,
    AdminOfAll(shell): AdminOfAll,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let of = |name: &str| values(&fields, name).next().unwrap_or_default().to_owned();
    let invited = async {
        let role = of("role").parse().map_err(|error| Error::bad_request(format!("role: is {error}")))?;
        let projects = chosen_projects(&app, &shell, &fields).await?;
        let invitation = Invitation { email: of("email"), name: of("name"), role, projects };
        shell.caller().invite(&app, &shell.links, invitation).await
    };
    let outcome = invited.await.map(|invited| Some(invitation(invited)));
    answer(&app, &shell, outcome, &fields).await
}

/// What is said of an invitation, and its link.
fn invitation(invited: Invited) -> (String, String) {
    let mail = match invited.mailed {
        Some(true) => " (it was mailed to them)",
        Some(false) => " (the mail did not arrive)",
        None => "",
    };
    (format!("The invitation of {}{mail}", invited.member.email), invited.url)
}

/// `POST /settings/team/{id}`: `name`, `role`, `project` several times.
pub(super) async fn change(
    State(app): State<App>,
    AdminOfAll(shell): AdminOfAll,
    Path(id): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let of = |name: &str| values(&fields, name).next();
    let changed = async {
        let member = shell.caller().find_member(&app, &id).await?;
        let role = of("role").map(str::parse).transpose();
        let change = MemberChange {
            name: of("name").map(|name| name.trim().to_owned()),
            role: role.map_err(|error| Error::bad_request(format!("role: is {error}")))?,
            projects: Some(chosen_projects(&app, &shell, &fields).await?),
            ..MemberChange::default()
        };
        shell.caller().change_member(&app, &member, &change).await.map(|_| None)
    };
    answer(&app, &shell, changed.await, &[]).await
}

/// `POST /settings/team/{id}/{step}`: `disable`, `enable`, `remove`, `reset`, `invite`, `drop-factor`.
pub(super) async fn step(
    State(app): State<App>,
    AdminOfAll(shell): AdminOfAll,
    Path((id, step)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let caller = shell.caller();
    let status = |status| MemberChange { status: Some(status), ..MemberChange::default() };
    let done = async {
        let member = caller.find_member(&app, &id).await?;
        match step.as_str() {
            "disable" => caller.change_member(&app, &member, &status(MemberStatus::Disabled)).await.map(|_| None),
            "enable" => caller.change_member(&app, &member, &status(MemberStatus::Active)).await.map(|_| None),
            "remove" => caller.remove_member(&app, &member).await.map(|()| None),
            "drop-factor" => caller.drop_second_factor(&app, &member).await.map(|()| None),
            "reset" => {
                let url = caller.reset_link(&app, &shell.links, &member).await?;
                Ok(Some((format!("The link to a new password for {}", member.email), url)))
            }
            "invite" => {
                let Member { email, name, role, projects, .. } = member;
                let invitation = Invitation { email, name, role, projects };
                Ok(Some(self::invitation(caller.invite(&app, &shell.links, invitation).await?)))
            }
            _ => Err(Error::not_found("page")),
        }
    };
    answer(&app, &shell, done.await, &[]).await
}

/// Shows the list again, with a link to hand on or with what was wrong.
async fn answer(
    app: &App,
    shell: &Shell,
    outcome: Result<Option<(String, String)>, Error>,
    fields: &[(String, String)],
) -> Result<Response, Failure> {
    match outcome {
        Ok(None) => Ok(Redirect::to(&shell.links.path("/settings/team")).into_response()),
        Ok(Some((what, url))) => {
            let mut page = TeamPage::read(app, shell, &[]).await?;
            page.link = Some((text::line(&what, 300), url));
            Ok(Page::with_status(StatusCode::CREATED, page).into_response())
        }
        Err(Error { status, message, .. }) if status.is_client_error() && status != StatusCode::NOT_FOUND => {
            let mut page = TeamPage::read(app, shell, fields).await?;
            page.problem = Some(text::line(&text::sentence(&message), 300));
            Ok(Page::with_status(status, page).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// The values of a field of a form.
pub(super) fn values<'a>(fields: &'a [(String, String)], name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let name = name.to_owned();
    fields.iter().filter(move |(field, _)| *field == name).map(|(_, value)| value.as_str())
}

/// The projects that are ticked in a form; none of them means all.
pub(super) async fn chosen_projects(
    app: &App,
    shell: &Shell,
    fields: &[(String, String)],
) -> Result<Option<Vec<ProjectId>>, Error> {
    let mut projects = Vec::new();
    for id in values(fields, "project") {
        projects.push(shell.caller().find_project(app, id).await?.id);
    }
    Ok((!projects.is_empty()).then_some(projects))
}

/// Projects to tick: number, name, whether it is; none where there is only one.
pub(super) fn project_choices(projects: &[Project], ticked: &[ProjectId]) -> Vec<(ProjectId, String, bool)> {
    if projects.len() < 2 {
        return Vec::new();
    }
    projects.iter().map(|project| (project.id, shell::name(project), ticked.contains(&project.id))).collect()
}

/// Roles to choose from; owner only for those who may make one.
fn roles(shell: &Shell, chosen: Role) -> Vec<(&'static str, &'static str, bool)> {
    let is_owner = shell.caller().role == Some(Role::Owner);
    [
        (Role::Viewer, "sees"),
        (Role::Developer, "sees and changes issues and rules"),
        (Role::Admin, "also changes settings"),
        (Role::Owner, "also changes owners"),
    ]
    .into_iter()
    .filter(|(role, _)| is_owner || *role != Role::Owner)
    .map(|(role, what)| (role.as_str(), what, role == chosen))
    .collect()
}

impl TeamPage {
    async fn read(app: &App, shell: &Shell, fields: &[(String, String)]) -> Result<Self, Failure> {
        let (members, projects) = (shell.caller().members(app).await?, shell.caller().projects(app).await?);
        Ok(Self::new(shell, &members, &projects, fields, Timestamp::now()))
    }

    fn new(
        shell: &Shell,
        members: &[Member],
        projects: &[Project],
        fields: &[(String, String)],
        now: Timestamp,
    ) -> Self {
        let mut layout = shell.layout("Team");
        layout.area = "team";
        let of = |name: &str| text::line(values(fields, name).next().unwrap_or_default(), 254);
        let ticked: Vec<ProjectId> =
            values(fields, "project").filter_map(|id| id.parse().ok()).map(ProjectId).collect();
        Self {
            layout,
            invite_url: shell.links.path("/settings/team/invite"),
            members: members.iter().map(|member| MemberView::new(shell, member, projects, now)).collect(),
            link: None,
            problem: None,
            email: of("email"),
            name: of("name"),
            roles: roles(shell, of("role").parse().unwrap_or(Role::Developer)),
            projects: project_choices(projects, &ticked),
        }
    }

    #[cfg(test)]
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        use super::samples;
        let now = samples::now();
        let projects = [samples::project("checkout-api", 1), samples::project("ledger-worker", 2)];
        let member = |email: &str, role, status| Member {
            name: email.into(),
            status,
            created_at: now,
            last_active: Some(now),
            has_second_factor: role == Role::Owner,
            projects: (role == Role::Viewer).then(|| vec![ProjectId(1)]),
            ..Member::new(email, role)
        };
        let members = [
            member("ana.maric@example.com", Role::Owner, MemberStatus::Active),
            member("jun@example.com", Role::Viewer, MemberStatus::Disabled),
            Member { last_active: None, ..member(samples::HOSTILE, Role::Developer, MemberStatus::Invited) },
        ];
        let mut linked = Self::new(shell, &members, &projects, &[], now);
        linked.link =
            Some((text::line(samples::HOSTILE, 300), "https://shop.example.com/errors/invitation/0a1b".into()));
        let fields = [("email".to_owned(), samples::HOSTILE.to_owned()), ("project".into(), "2".into())];
        let mut wrong = Self::new(shell, &members[..1], &projects[..1], &fields, now);
        wrong.problem = Some(text::line(samples::HOSTILE, 300));
        vec![linked, wrong]
    }
}

impl MemberView {
    fn new(shell: &Shell, member: &Member, projects: &[Project], now: Timestamp) -> Self {
        Self {
            id: member.id.to_string(),
            name: text::line(&member.name, 100),
            email: text::line(&member.email, 254),
            role: member.role.as_str(),
            status: member.status.as_str(),
            is_active: member.status == MemberStatus::Active,
            is_disabled: member.status == MemberStatus::Disabled,
            two_factor: member.has_second_factor,
            sees: project_names(member.projects.as_deref(), projects),
            active: member.last_active.map(|at| When::new(at, now)),
            can_change: member.role != Role::Owner || shell.caller().role == Some(Role::Owner),
            roles: roles(shell, member.role),
            projects: project_choices(projects, member.projects.as_deref().unwrap_or_default()),
            url: shell.links.path(format!("/settings/team/{}", member.id)),
        }
    }
}
