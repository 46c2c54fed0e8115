//! The balances of all processes, carried on while the database is away.

use errtrack_core::{Balance, Project, ProjectId};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// The balances as the database last told them, with what this process had counted by then.
///
/// A counter that fell back to what one process knows would look like a restart to whoever reads it, and its return to the
/// whole like a flood.
#[derive(Debug, Default)]
pub(crate) struct Totals(Mutex<BTreeMap<ProjectId, Known>>);

#[derive(Debug, Clone, Copy, Default)]
struct Known {
    all: Balance,
    own: Balance,
}

impl Totals {
    /// Takes what the database says, or adds to what it last said what this process has counted since.
    pub(super) fn brought_up_to_date(
        &self,
        told: Option<Vec<(ProjectId, Balance)>>,
        projects: &[Project],
        own: impl Fn(ProjectId) -> Balance,
    ) -> BTreeMap<ProjectId, Balance> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(told) = told {
            *known = told.into_iter().map(|(project, all)| (project, Known { all, own: own(project) })).collect();
            return known.iter().map(|(project, known)| (*project, known.all)).collect();
        }
        let ids = projects.iter().map(|project| project.id);
        ids.chain(known.keys().copied())
            .map(|project| {
                let Known { mut all, own: before } = known.get(&project).copied().unwrap_or_default();
                all += own(project).since(&before);
                (project, all)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(captured: u64, stored: u64) -> Balance {
        Balance { captured, stored, ..Balance::default() }
    }

    #[test]
    fn counters_go_on_from_where_the_database_left_them() {
        let totals = Totals::default();
        let alone = totals.brought_up_to_date(None, &[], |_| of(3, 3));
        assert!(alone.is_empty(), "nothing is known of any project");
        let whole = totals.brought_up_to_date(Some(vec![(ProjectId(1), of(100, 99))]), &[], |_| of(3, 2));
        assert_eq!(whole[&ProjectId(1)], of(100, 99));
        let away = totals.brought_up_to_date(None, &[], |_| of(8, 2));
        assert_eq!(away[&ProjectId(1)], of(105, 99), "its own five more, and nobody else's");
        let back = totals.brought_up_to_date(Some(vec![(ProjectId(1), of(120, 120))]), &[], |_| of(8, 8));
        assert_eq!(back[&ProjectId(1)], of(120, 120));
    }
}
