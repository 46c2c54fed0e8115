//! A program whose database does not take anything, and that ends by a panic or by a signal: `ends FOLDER HOW`, where HOW is
//! `panic`, `double` (a panic in a destructor while another one unwinds), `boundary` (one that would leave an `extern "C"`
//! function) or `wait`, and `hanging` after that for a database that does not even say no. The tests look at what it leaves in
//! the spool; built with `--profile abort` too.
#![expect(clippy::panic, clippy::print_stdout, reason = "a program that ends badly, and says when it is ready to")]

use async_trait::async_trait;
use errtrack_core::{
    ApiKey, AuditEntry, Balance, Condition, Event, Exception, Fingerprint, Issue, IssueId, IssueRef, Member,
    MemberChange, MemberChanged, Occurrence, Project, ProjectId, Status, StoreError, Timestamp, Token, TokenHash,
    TokenKind, Tracker,
    alert::{AlertRule, Firing, Signal},
    incident::{Incident, IncidentChange, IncidentEntry, NewIncident},
    notify::{OutboxEntry, Trigger},
    store::*,
};
use std::{error::Error, time::Duration};
use uuid::Uuid;

/// What comes before the end.
const EVENTS: usize = 10;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("which folder?")?;
    let how = arguments.next().ok_or("panic or wait?")?;
    let store = Away { hanging: arguments.next().is_some() };
    let tracker = Tracker::builder().store(store).spool(folder, 1 << 20).build().await?;
    tracker.install_panic_hook();
    #[cfg(unix)]
    tracker.install_sigterm_hook()?;
    for _ in 0..EVENTS {
        let mut event = Event::new();
        event.exceptions.push(Exception::new("Last", "before the end"));
        tracker.capture(event);
    }
    match how.as_str() {
        "panic" => panic!("the end"),
        "double" => {
            let _last = LastWords;
            panic!("the end");
        }
        "boundary" => boundary(),
        _ => {}
    }
    println!("ready");
    std::future::pending::<()>().await;
    Ok(())
}

/// Panics when it is dropped.
struct LastWords;

impl Drop for LastWords {
    fn drop(&mut self) {
        panic!("and in a destructor");
    }
}

/// A function that no panic may leave.
extern "C" fn boundary() {
    panic!("the end");
}

/// A database that is away.
struct Away {
    hanging: bool,
}

impl Away {
    async fn fails<T>(&self) -> Result<T, StoreError> {
        if self.hanging {
            std::future::pending::<()>().await;
        }
        Err(StoreError::unavailable("away"))
    }
}

#[async_trait]
impl ProjectStore for Away {
    async fn ensure_project(&self, slug: &str) -> Result<Project, StoreError> {
        let (slug, name) = (slug.to_owned(), slug.to_owned());
        Ok(Project { id: ProjectId(1), slug, name, platform: None, public_keys: Vec::new() })
    }

    async fn projects(&self) -> Result<Vec<Project>, StoreError> {
        self.fails().await
    }

    async fn create_project(&self, _: &NewProject) -> Result<ProjectChange, StoreError> {
        self.fails().await
    }

    async fn update_project(&self, _: &Project) -> Result<ProjectChange, StoreError> {
        self.fails().await
    }

    async fn remove_public_key(&self, _: ProjectId, _: &str) -> Result<bool, StoreError> {
        self.fails().await
    }

    async fn add_public_key(&self, _: ProjectId, _: &str) -> Result<bool, StoreError> {
        self.fails().await
    }

    async fn delete_project(&self, _: ProjectId) -> Result<bool, StoreError> {
        self.fails().await
    }
}

impl Feed for Away {
    fn changes(&self) -> Changes {
        LocalFeed::default().listen()
    }
}

macro_rules! away {
    ($trait:ident { $(fn $name:ident(&self $(, $arg:ty)*) -> $out:ty;)* } $($nothing:ident)?) => {
        #[async_trait]
        impl $trait for Away {
            $(async fn $name(&self $(, _: $arg)*) -> Result<$out, StoreError> { self.fails().await })*
            $(async fn $nothing(&self) {})?
        }
    };
}

away!(Recorder {
    fn record(&self, &Batch) -> Vec<Recorded>;
    fn set_aside(&self, &Occurrence, &str) -> ();
});
away!(GroupStore {
    fn groups(&self, IssueId) -> Vec<Issue>;
    fn merge(&self, ProjectId, IssueId, &[IssueId]) -> Regrouped;
    fn unmerge(&self, IssueId, &[Fingerprint]) -> Regrouped;
});
away!(TriageStore {
    fn set_condition(&self, &[IssueId], &Condition) -> u64;
    fn unignore(&self, Timestamp) -> u64;
    fn latest_release(&self, ProjectId) -> Option<String>;
    fn comments(&self, IssueId) -> Vec<Comment>;
    fn add_comment(&self, IssueId, &str, &str) -> Option<Comment>;
});
away!(IncidentStore {
    fn open_incident(&self, &NewIncident) -> Option<OpenedIncident>;
    fn incidents(&self, &IncidentQuery) -> Vec<Incident>;
    fn incident(&self, Uuid) -> Option<Incident>;
    fn change_incident(&self, Uuid, &IncidentChange, &str, Timestamp) -> IncidentChanged;
    fn recover_incident(&self, Uuid, &Recovery, Timestamp) -> Option<Uuid>;
    fn delete_incident(&self, Uuid) -> bool;
    fn incident_timeline(&self, Uuid, Option<i64>, u32) -> Vec<IncidentEntry>;
    fn link_issues(&self, Uuid, &[IssueId], &str, Timestamp) -> Option<u64>;
    fn unlink_issue(&self, Uuid, IssueId, &str, Timestamp) -> bool;
    fn incident_issues(&self, Uuid) -> Vec<Issue>;
});
away!(SettingStore {
    fn settings(&self, &str) -> Vec<(ProjectId, String)>;
    fn put_setting(&self, ProjectId, &str, Option<&str>) -> bool;
});
away!(BalanceStore {
    fn add_balances(&self, &[(ProjectId, Balance)]) -> ();
    fn balances(&self) -> Vec<(ProjectId, Balance)>;
});
away!(LeaseStore {
    fn lease(&self, &str, Uuid, Duration) -> bool;
    fn release(&self, &str, Uuid) -> ();
});
away!(PushStore {
    fn push_key(&self) -> Option<String>;
    fn ensure_push_key(&self, &str) -> String;
    fn push_subscriptions(&self, Uuid) -> Vec<PushSubscription>;
    fn push_members(&self) -> Vec<Uuid>;
    fn put_push_subscription(&self, &PushSubscription, u32) -> Option<PushSubscription>;
    fn remove_push_subscription(&self, Uuid, Uuid) -> bool;
    fn note_pushes(&self, &[(Uuid, Timestamp, Option<String>)]) -> ();
});
away!(TicketStore {
    fn tickets(&self, IssueId) -> Vec<Ticket>;
    fn add_ticket(&self, IssueId, &Ticket, Duration) -> TicketAdded;
    fn finish_ticket(&self, &Ticket) -> bool;
    fn delete_ticket(&self, IssueId, Uuid) -> bool;
});
away!(IntegrationStore {
    fn integrations(&self) -> Vec<Integration>;
    fn put_integration(&self, &str, Option<&str>) -> bool;
    fn note_test(&self, &str, Timestamp, Option<&str>) -> ();
});
away!(OutboxStore {
    fn put_outbox(&self, &[OutboxEntry]) -> u64;
    fn due_channels(&self, Timestamp) -> Vec<String>;
    fn lease_outbox(&self, Uuid, &str, Timestamp, u32, Duration) -> Vec<OutboxItem>;
    fn settle_outbox(&self, Uuid, Uuid, &Settlement, Timestamp) -> bool;
    fn outbox(&self, &OutboxQuery) -> Vec<OutboxItem>;
    fn outbox_counts(&self) -> Vec<OutboxCount>;
    fn retry_outbox(&self, Uuid, Timestamp) -> bool;
    fn drop_outbox(&self, Timestamp) -> u64;
});
away!(IssueStore {
    fn issues(&self, &IssueQuery) -> IssuePage;
    fn status_counts(&self, &IssueQuery) -> StatusCounts;
    fn issue(&self, &IssueRef) -> Option<Issue>;
    fn set_status(&self, &[IssueId], Status) -> u64;
    fn assign(&self, IssueId, Option<&str>) -> bool;
    fn delete_issues(&self, &[IssueId]) -> u64;
    fn histograms(&self, &[IssueId], Timestamp, u32, u32) -> Vec<Vec<i64>>;
    fn tag_tallies(&self, IssueId, u32) -> Vec<TagTally>;
    fn tag_values(&self, &[ProjectId], &str, u32) -> Vec<String>;
});
away!(EventStore {
    fn event(&self, Option<&[ProjectId]>, Uuid) -> Option<StoredEvent>;
    fn events(&self, IssueId, Option<&Cursor>, u32) -> EventPage;
    fn position(&self, &StoredEvent) -> EventPosition;
    fn pin(&self, &StoredEvent, bool) -> bool;
    fn user_events(&self, Option<&[ProjectId]>, &str, Option<&Cursor>, u32) -> EventPage;
    fn erase_user(&self, Option<&[ProjectId]>, &str) -> u64;
});
away!(AnalyticsStore {
    fn figures_version(&self, &FigureScope) -> FigureVersion;
    fn rollups(&self, &FigureScope, RollupWidth, Timestamp, Timestamp) -> Vec<Rollup>;
    fn environments(&self, &FigureScope, Timestamp) -> Vec<EnvironmentCount>;
    fn top_issues(&self, &FigureScope, Timestamp, u32) -> Vec<(Issue, i64)>;
});
away!(SeriesStore {
    fn put_points(&self, &[SeriesPoint]) -> ();
    fn points(&self, &SeriesQuery) -> Vec<SeriesPoint>;
    fn drop_points(&self, Series, i64, i64) -> u64;
});
away!(AlertStore {
    fn alert_rules(&self) -> Vec<AlertRule>;
    fn put_alert_rule(&self, &AlertRule) -> bool;
    fn delete_alert_rule(&self, Uuid) -> bool;
    fn firings(&self, &FiringQuery) -> Vec<Firing>;
    fn last_firings(&self, &[IssueId], Timestamp) -> Vec<(Uuid, IssueId, Timestamp)>;
    fn signals(&self, u32) -> Vec<Signal>;
    fn past_signals(&self, Trigger, Option<&[ProjectId]>, Timestamp, u32) -> (Timestamp, Vec<Signal>);
    fn alert_state(&self) -> AlertState;
    fn fire(&self, &Evaluation) -> bool;
    fn tallies(&self, &TallyQuery) -> Vec<Tally>;
});
away!(AccountStore {
    fn member_by_email(&self, &str) -> Option<Member>;
    fn member(&self, Uuid) -> Option<Member>;
    fn members(&self) -> Vec<Member>;
    fn member_count(&self) -> i64;
    fn put_member(&self, &Member) -> Member;
    fn add_member(&self, &Member) -> bool;
    fn change_member(&self, Uuid, &MemberChange) -> MemberChanged;
    fn delete_member(&self, Uuid) -> MemberChanged;
    fn note_activity(&self, &[(Uuid, Timestamp)]) -> ();
    fn put_token(&self, &Token) -> ();
    fn token_member(&self, TokenKind, TokenHash) -> Option<Member>;
    fn take_token(&self, TokenKind, TokenHash) -> bool;
    fn tokens(&self, TokenKind, Uuid) -> Vec<Token>;
    fn end_tokens(&self, TokenKind, Uuid, Option<TokenHash>) -> u64;
    fn second_factor(&self, Uuid) -> Option<String>;
    fn swap_second_factor(&self, Uuid, Option<&str>, Option<&str>) -> bool;
});
away!(KeyStore {
    fn api_keys(&self) -> Vec<ApiKey>;
    fn add_api_key(&self, &ApiKey) -> ();
    fn delete_api_key(&self, Uuid) -> bool;
    fn note_use(&self, &[(Uuid, Timestamp)]) -> ();
});
away!(AuditStore {
    fn audit(&self, &AuditEntry) -> ();
    fn audit_log(&self, Option<i64>, u32) -> Vec<AuditEntry>;
});
away!(Upkeep {
    fn ping(&self) -> Duration;
    fn trim_events(&self, u32) -> u64;
    fn retain(&self, &Retention) -> RetentionReport;
    fn preview_retention(&self, &Retention) -> RetentionReport;
    fn last_retention(&self) -> Option<RetentionReport>;
    fn storage(&self) -> Storage;
    fn set_aside_events(&self, u32) -> Vec<SetAside>;
} close);
