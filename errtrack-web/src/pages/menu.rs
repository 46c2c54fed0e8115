//! The menus at the head of every page.

use super::shell::Shell;

/// A line of the main menu or of the settings' menu.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Which pages it stands for.
    pub(super) area: &'static str,
    pub(super) label: &'static str,
    pub(super) url: String,
}

/// The main menu.
pub(super) fn main(shell: &Shell) -> Vec<Entry> {
    let entries = [
        ("overview", "Overview", "/overview"),
        ("issues", "Issues", "/issues"),
        ("incidents", "Incidents", "/incidents"),
        ("performance", "Performance", "/performance"),
        ("alerts", "Alerts", "/alerts"),
        ("monitoring", "Monitoring", "/monitoring"),
        ("start", "Connect", "/start"),
    ];
    entries.map(|entry| link(shell, entry)).into()
}

/// The pages below settings, as far as the caller may see them.
pub(super) fn settings(shell: &Shell) -> Vec<Entry> {
    let (admin, of_all) = (shell.may_admin(), shell.may_admin_all());
    let with_members = of_all && shell.has_members;
    let entries = [
        (true, ("rules", "Rules", "/settings/rules")),
        (admin, ("privacy", "Privacy", "/settings/privacy")),
        (admin, ("projects", "Projects", "/settings/projects")),
        (of_all, ("integrations", "Integrations", "/settings/integrations")),
        (with_members, ("team", "Team", "/settings/team")),
        (with_members, ("keys", "API keys", "/settings/keys")),
        (of_all, ("audit", "Audit", "/settings/audit")),
        (true, ("system", "System", "/settings/system")),
    ];
    entries.into_iter().filter(|(may, _)| *may).map(|(_, entry)| link(shell, entry)).collect()
}

fn link(shell: &Shell, (area, label, path): (&'static str, &'static str, &str)) -> Entry {
    Entry { area, label, url: shell.links.path(path) }
}
