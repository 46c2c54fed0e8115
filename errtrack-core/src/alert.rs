//! Alerts: rules that say when somebody is to be told, and how that is decided.
//!
//! ```text
//! batch ──▶ Signal ─┐                        ┌─▶ Firing (history)
//! rollups ─────────▶├─ rules, in one process ┼─▶ outbox ─▶ channels
//! state ───────────▶┘                        └─▶ state for the next time
//! ```
//! No rule is looked at while events are written: a batch leaves signals, and what rules measure is counted anyway. What an
//! evaluation came to is written in one transaction ([`AlertStore::fire`](crate::store::AlertStore::fire)), so nothing is told
//! twice or lost, wherever a process dies.

mod condition;
mod decision;
mod evaluate;
mod forgotten;
mod measure;
pub mod preview;
mod quiet;
mod rule;
mod signal;
pub mod spike;
mod state;
mod told;
mod users;
mod watch;
mod whom;

pub use condition::{
    Bound, Condition, Filter, FilterKey, InvalidCondition, Metric, Operator, Window, WindowChoice, parse_window,
};
pub(crate) use evaluate::{AlertSettings, Evaluated, Scope, evaluate};
pub use forgotten::{Forgotten, Left};
pub use quiet::{InvalidTimeOfDay, QuietHours, TimeOfDay};
pub use rule::{AlertRule, Checked, InvalidAlertRule, OpenIncident, When};
pub use signal::{Firing, Signal};
pub use state::RuleState;
pub(crate) use users::Users;
pub(crate) use watch::{Counts, Watch, Watched};
pub(crate) use whom::Owners;
