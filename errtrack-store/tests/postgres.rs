//! What is particular to PostgreSQL: many processes on one server, connections that break, schemas, partitions.

#![cfg(feature = "postgres")]

mod server;

use errtrack_core::{
    Event, EventId, Exception, Formula, IssueRef, Occurrence, Preparer, ProjectId, StoreError, Timestamp,
    store::{
        AnalyticsStore, Batch, BatchKey, Change, EventStore, Feed, GroupStore, IssueEvent, IssueQuery, IssueStore,
        Outcome, ProjectStore, Recorder, Retention, RollupWidth, Upkeep,
    },
};
use errtrack_store::PostgresStore;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use std::time::Duration;
use uuid::Uuid;

fn occurrence(project: ProjectId, ty: &str) -> Occurrence {
    let mut event = Event::new();
    event.exceptions.push(Exception::new(ty, "it broke"));
    Preparer::default().prepare(project, event, Formula::Ours)
}

/// An event that a client sends under an id.
fn sent(project: ProjectId, ty: &str, id: Uuid) -> Occurrence {
    let mut event = Event { event_id: EventId::from(id), ..Event::new() };
    event.exceptions.push(Exception::new(ty, "it broke"));
    Preparer::default().prepare(project, event, Formula::Ours)
}

/// The server, and the schema that a URL names.
fn parts(url: &str) -> (String, String) {
    let (server, schema) = url.rsplit_once("schema=").unwrap_or((url, ""));
    (server.trim_end_matches(['?', '&']).to_owned(), schema.to_owned())
}

/// A connection that sees the tables of a URL.
async fn connection(url: &str) -> Result<PgConnection, sqlx::Error> {
    let (server, schema) = parts(url);
    let mut connection = PgConnection::connect(&server).await?;
    connection.execute(AssertSqlSafe(format!("SET search_path TO \"{schema}\""))).await?;
    Ok(connection)
}

async fn number(connection: &mut PgConnection, sql: &str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(connection).await
}

fn query() -> IssueQuery {
    IssueQuery { limit: 1000, ..IssueQuery::default() }
}

async fn refused(url: &str) -> Option<StoreError> {
    PostgresStore::connect(url).await.err()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_processes_open_an_empty_database_at_once() {
    let Some(url) = server::postgres() else { return };
    let opening = (0..10).map(|_| {
        let url = url.clone();
        tokio::spawn(async move { PostgresStore::connect(&url).await })
    });
    let mut stores = Vec::new();
    for opened in opening.collect::<Vec<_>>() {
        stores.push(opened.await.unwrap().unwrap());
    }
    let making = stores.into_iter().map(|store| tokio::spawn(async move { store.ensure_project("shop").await }));
    let mut projects = Vec::new();
    for made in making.collect::<Vec<_>>() {
        projects.push(made.await.unwrap().unwrap());
    }
    assert!(projects.iter().all(|project| *project == projects[0]));
    let mut connection = connection(&url).await.unwrap();
    let twice =
        "SELECT COUNT(*) - COUNT(DISTINCT version) + COUNT(*) FILTER (WHERE NOT success) FROM errtrack_migrations";
    assert_eq!(number(&mut connection, twice).await.unwrap(), 0, "each migration has run once");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_write_the_same_errors_in_opposite_order() {
    let Some(url) = server::postgres() else { return };
    let stores = [PostgresStore::connect(&url).await.unwrap(), PostgresStore::connect(&url).await.unwrap()];
    let project = stores[0].ensure_project("shop").await.unwrap().id;
    let writers = stores.iter().cloned().enumerate().map(|(n, store)| {
        tokio::spawn(async move {
            for round in 0..20 {
                let mut types: Vec<usize> = (0..50).collect();
                types.rotate_left(round % 7);
                if n == 1 {
                    types.reverse();
                }
                let batch = types.iter().map(|ty| occurrence(project, &format!("T{ty}"))).collect();
                store.record(&Batch::whole(batch)).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let page = stores[0].issues(&query()).await.unwrap();
    assert_eq!(page.total, 50);
    assert!(page.issues.iter().all(|issue| (issue.count, issue.stored_count) == (40, 40)));
    let mut numbers: Vec<i64> = page.issues.iter().map(|issue| issue.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=50).collect::<Vec<_>>());
    let mut connection = connection(&url).await.unwrap();
    for (sum, sql) in [
        (2000, "SELECT COUNT(*) FROM errtrack_event"),
        (2000, "SELECT COUNT(*) FROM errtrack_payload"),
        (2000, "SELECT CAST(SUM(count) AS BIGINT) FROM errtrack_issue_hour"),
        (2000, "SELECT CAST(SUM(count) AS BIGINT) FROM errtrack_rollup WHERE width = 1"),
    ] {
        assert_eq!(number(&mut connection, sql).await.unwrap(), sum, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_event_on_two_processes_counts_once() {
    let Some(url) = server::postgres() else { return };
    let stores = [PostgresStore::connect(&url).await.unwrap(), PostgresStore::connect(&url).await.unwrap()];
    let project = stores[0].ensure_project("shop").await.unwrap().id;
    for round in 0..25 {
        let ids: Vec<Uuid> = (0..4).map(|_| Uuid::new_v4()).collect();
        // Once under the same title, so that both want the same issue; once under others, so that nothing else orders them.
        let title = |store: usize, n: usize| {
            if n.is_multiple_of(2) { format!("R{round}") } else { format!("R{round}x{store}x{n}") }
        };
        let batch = |store: usize| {
            let mut batch: Vec<_> =
                ids.iter().enumerate().map(|(n, id)| sent(project, &title(store, n), *id)).collect();
            if store == 1 {
                batch.reverse();
            }
            Batch::whole(batch)
        };
        let batches = [batch(0), batch(1)];
        let (one, two) = tokio::join!(stores[0].record(&batches[0]), stores[1].record(&batches[1]));
        let outcomes: Vec<Outcome> = one.unwrap().into_iter().chain(two.unwrap()).map(|r| r.outcome).collect();
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Duplicate).count(), 4);
    }
    let page = stores[0].issues(&query()).await.unwrap();
    assert_eq!(page.issues.iter().map(|issue| issue.count).sum::<i64>(), 100);
    let mut numbers: Vec<i64> = page.issues.iter().map(|issue| issue.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=page.total).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_counts_once() {
    let Some(url) = server::postgres() else { return };
    let (_, schema) = parts(&url);
    let store = PostgresStore::connect(&format!("{url}&application_name={schema}")).await.unwrap();
    let project = store.ensure_project("shop").await.unwrap().id;
    let mut killer = connection(&url).await.unwrap();
    let writer = Uuid::new_v4();
    let (mut lost, mut settled) = (0, 0);
    for number in 1..=60_i64 {
        let batch = (0..20).map(|n| occurrence(project, &format!("T{n}"))).collect();
        let mut batch = Batch { key: Some(BatchKey { writer, number, repeats: false }), ..Batch::whole(batch) };
        // Killed somewhere on the way, now earlier, now later.
        let kill = async {
            let at_work =
                "FROM pg_stat_activity WHERE application_name = $1 AND state <> 'idle' AND backend_xid IS NOT NULL";
            for look in 0.. {
                let sql = format!("SELECT COUNT(*) {at_work}");
                let found: i64 =
                    sqlx::query_scalar(AssertSqlSafe(sql)).bind(&schema).fetch_one(&mut killer).await.unwrap();
                if found > 0 && look >= number % 6 {
                    break;
                }
            }
            let sql = format!("SELECT COUNT(pg_terminate_backend(pid)) {at_work}");
            sqlx::query(AssertSqlSafe(sql)).bind(&schema).execute(&mut killer).await.unwrap();
        };
        let mut recorded = {
            let mut recording = store.record(&batch);
            tokio::select! {
                recorded = &mut recording => recorded,
                () = kill => recording.await,
            }
        };
        while let Err(error) = recorded {
            assert!(error.is_unavailable(), "{error}");
            lost += 1;
            batch.key = Some(BatchKey { writer, number, repeats: true });
            recorded = store.record(&batch).await;
        }
        settled += recorded.unwrap().iter().filter(|r| r.outcome == Outcome::Settled).count();
    }
    // The last kill may have come when the batch was through: it is over now, and has hit whoever it hit.
    killer.close().await.unwrap();
    let page = loop {
        match store.issues(&query()).await {
            Ok(page) => break page,
            Err(error) => assert!(error.is_unavailable(), "{error}"),
        }
    };
    assert_eq!(
        page.issues.iter().map(|issue| issue.count).collect::<Vec<_>>(),
        vec![60; 20],
        "{lost} lost, {settled} settled"
    );
    assert!(lost > 0, "no connection was killed at work");
    // And when it is certain that the first attempt was committed.
    let batch = Batch {
        key: Some(BatchKey { writer, number: 60, repeats: true }),
        ..Batch::whole(vec![occurrence(project, "T0")])
    };
    assert_eq!(store.record(&batch).await.unwrap()[0].outcome, Outcome::Settled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_batch_waits_for_the_attempt_that_is_under_way() {
    let Some(url) = server::postgres() else { return };
    let store = PostgresStore::connect(&url).await.unwrap();
    let project = store.ensure_project("shop").await.unwrap().id;
    let writer = Uuid::new_v4();
    // The first attempt: it has written, and its commit is on the way.
    let mut first = connection(&url).await.unwrap();
    let mut tx = first.begin().await.unwrap();
    let sql = "INSERT INTO errtrack_writer (id, number, at) VALUES ($1, 1, 1)";
    sqlx::query(sql).bind(writer.as_bytes().to_vec()).execute(&mut *tx).await.unwrap();
    let key = Some(BatchKey { writer, number: 1, repeats: true });
    let batch = Batch { key, ..Batch::whole(vec![occurrence(project, "Timeout")]) };
    let second = tokio::spawn(async move { (store.record(&batch).await, store) });
    let mut watcher = connection(&url).await.unwrap();
    let waiting =
        "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%errtrack_writer%'
                   AND pid <> pg_backend_pid()";
    while number(&mut watcher, waiting).await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
    tx.commit().await.unwrap();
    let (recorded, store) = second.await.unwrap();
    assert_eq!(recorded.unwrap()[0].outcome, Outcome::Settled);
    assert_eq!(store.issues(&query()).await.unwrap().total, 0);
}

#[test]
fn a_store_outlives_the_runtime_that_opened_it() {
    let Some(url) = server::postgres() else { return };
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime().block_on(PostgresStore::connect(&url)).unwrap();
    let project = runtime().block_on(store.ensure_project("shop")).unwrap().id;
    let batch = Batch::whole(vec![occurrence(project, "Timeout")]);
    let recorded = runtime().block_on(store.record(&batch)).unwrap();
    let issue = runtime().block_on(store.issue(&IssueRef::Id(recorded[0].issue))).unwrap().unwrap();
    assert_eq!(issue.count, 1);
    // Nor does it need one to be dropped.
    drop(store);
}

#[tokio::test]
async fn a_schema_holds_all_of_it() {
    let Some(url) = server::postgres() else { return };
    let (_, schema) = parts(&url);
    let mut server = connection(&url).await.unwrap();
    let outside = format!(
        "SELECT COUNT(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname <> '{schema}' AND n.nspname NOT LIKE 't\\_%' AND n.nspname NOT LIKE 'pg\\_%'"
    );
    let inside = format!(
        "SELECT COUNT(*) FROM pg_class WHERE relnamespace = '{schema}'::REGNAMESPACE AND relkind IN ('r', 'v')"
    );
    let before = number(&mut server, &outside).await.unwrap();
    let store = PostgresStore::connect(&url).await.unwrap();
    let project = store.ensure_project("shop").await.unwrap().id;
    store.record(&Batch::whole(vec![occurrence(project, "Timeout")])).await.unwrap();
    store.retain(&Retention::default()).await.unwrap();
    assert_eq!(number(&mut server, &outside).await.unwrap(), before);
    assert!(number(&mut server, &inside).await.unwrap() > 25);
    let storage = store.storage().await.unwrap();
    assert_eq!(storage.backend, "postgres");
    assert!(storage.tables.iter().any(|table| table.name == "errtrack_payload" && table.bytes > 0), "{storage:?}");
    // Another schema of the same database is another store.
    let other = PostgresStore::connect(&format!("{url}_2")).await.unwrap();
    assert_eq!(other.projects().await.unwrap(), []);
}

#[tokio::test]
async fn what_is_wrong_is_said_in_one_line() {
    let Some(url) = server::postgres() else { return };
    let (server, schema) = parts(&url);
    let error = refused("postgres://u:hunter2@127.0.0.1:1/app").await.unwrap();
    assert!(error.is_unavailable());
    assert!(error.to_string().starts_with("cannot reach PostgreSQL at 127.0.0.1:1: "), "{error}");
    let separator = if server.contains('?') { '&' } else { '?' };
    let error = refused(&format!("{server}{separator}dbname=nowhere")).await.unwrap();
    assert!(error.to_string().ends_with("has no database nowhere; make it first"), "{error}");
    PostgresStore::connect(&url).await.unwrap().close().await;
    let mut connection = connection(&url).await.unwrap();
    let role = format!("r_{schema}");
    connection.execute(AssertSqlSafe(format!("CREATE ROLE {role} LOGIN PASSWORD 'hunter2'"))).await.unwrap();
    let error = refused(&format!("{server}{separator}user={role}&password=hunter2&schema=new_{schema}")).await.unwrap();
    assert!(error.to_string().contains("may not make tables") && !error.to_string().contains("hunter2"), "{error}");
    connection.execute(AssertSqlSafe(format!("DROP ROLE {role}"))).await.unwrap();
    let sql = "INSERT INTO errtrack_migrations (version, description, success, checksum, execution_time)
               VALUES (9999, 'later', TRUE, '', 1)";
    connection.execute(sql).await.unwrap();
    let error = refused(&url).await.unwrap();
    assert!(error.to_string().ends_with("was written by a newer errtrack (its schema has version 9999)"), "{error}");
}

#[tokio::test]
async fn a_server_that_restarts_is_away_and_comes_back() {
    let Some(url) = server::postgres() else { return };
    let (_, schema) = parts(&url);
    let store = PostgresStore::connect(&format!("{url}&application_name={schema}")).await.unwrap();
    let project = store.ensure_project("shop").await.unwrap().id;
    let mut killer = connection(&url).await.unwrap();
    // As far as these connections can tell.
    let sql = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1";
    let killed: i64 = sqlx::query_scalar(sql).bind(&schema).fetch_one(&mut killer).await.unwrap();
    assert!(killed > 0);
    let mut recorded = store.record(&Batch::whole(vec![occurrence(project, "Timeout")])).await;
    while let Err(error) = recorded {
        assert!(error.is_unavailable(), "{error}");
        recorded = store.record(&Batch::whole(vec![occurrence(project, "Timeout")])).await;
    }
    assert_eq!(store.issues(&query()).await.unwrap().issues[0].count, 1);
}

#[tokio::test]
async fn old_days_are_dropped_with_their_events() {
    let Some(url) = server::postgres() else { return };
    let store = PostgresStore::connect(&url).await.unwrap();
    let project = store.ensure_project("shop").await.unwrap().id;
    let now = Timestamp::now();
    let day = Duration::from_secs(86_400);
    let old = now.minus(day * 40);
    let arrived = |ty: &str, at: Timestamp| {
        let mut event = Event { timestamp: at, received_at: at, ..Event::new() };
        event.exceptions.push(Exception::new(ty, "it broke"));
        Preparer::default().prepare(project, event, Formula::Ours)
    };
    let batch = vec![arrived("A", old), arrived("A", now), arrived("B", old)];
    let ids: Vec<Uuid> = batch.iter().map(Occurrence::id).collect();
    let recorded = store.record(&Batch::whole(batch)).await.unwrap();
    let mut connection = connection(&url).await.unwrap();
    let days = "SELECT COUNT(*) FROM pg_inherits WHERE inhparent = 'errtrack_payload'::REGCLASS";
    let before = number(&mut connection, days).await.unwrap();
    let rules = |days: u32| {
        let mut rules = Retention::default();
        rules.age = Some(day * days);
        rules
    };
    assert_eq!(store.retain(&rules(60)).await.unwrap().events(), 0);
    assert_eq!(number(&mut connection, days).await.unwrap(), before);
    let preview = store.preview_retention(&rules(30)).await.unwrap();
    let report = store.retain(&rules(30)).await.unwrap();
    assert_eq!((report.old_events, report.events(), report.issues), (2, 2, 0));
    assert_eq!(preview.old_events, 2);
    assert_eq!(number(&mut connection, days).await.unwrap(), before - 1);
    assert_eq!(number(&mut connection, "SELECT COUNT(*) FROM errtrack_event").await.unwrap(), 1);
    assert_eq!(store.event(None, ids[0]).await.unwrap(), None);
    assert!(store.event(None, ids[1]).await.unwrap().is_some());
    let issue = store.issue(&IssueRef::Id(recorded[0].issue)).await.unwrap().unwrap();
    assert_eq!((issue.count, issue.stored_count), (2, 1));
    // An event that comes this late finds a place.
    store.record(&Batch::whole(vec![arrived("A", old)])).await.unwrap();
    assert_eq!(number(&mut connection, days).await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_processes_hear_what_changed() {
    let Some(url) = server::postgres() else { return };
    let stores = [PostgresStore::connect(&url).await.unwrap(), PostgresStore::connect(&url).await.unwrap()];
    let mut changes = stores[0].changes();
    // It says when it has begun to hear.
    assert_eq!(changes.next().await, Some(Change::Missed));
    let project = stores[1].ensure_project("shop").await.unwrap().id;
    assert_eq!(changes.next().await, Some(Change::Projects));
    let recorded = stores[1].record(&Batch::whole(vec![occurrence(project, "Timeout")])).await.unwrap();
    let issue = recorded[0].issue;
    assert_eq!(changes.next().await, Some(Change::Issue { project, issue, event: IssueEvent::New }));
    // What this process does itself it hears once.
    stores[0].delete_issues(&[issue]).await.unwrap();
    assert_eq!(changes.next().await, Some(Change::Issue { project, issue, event: IssueEvent::Deleted }));
    stores[1].ensure_project("blog").await.unwrap();
    assert_eq!(changes.next().await, Some(Change::Projects));
}

#[tokio::test]
async fn people_can_read_the_views() {
    let Some(url) = server::postgres() else { return };
    let store = PostgresStore::connect(&url).await.unwrap();
    let project = store.ensure_project("shop").await.unwrap().id;
    store.record(&Batch::whole(vec![occurrence(project, "Timeout"), occurrence(project, "Timeout")])).await.unwrap();
    let mut connection = connection(&url).await.unwrap();
    for sql in [
        "SELECT events FROM errtrack_issues WHERE short_id = 'SHOP-1' AND status = 'unresolved' AND project = 'shop'
         AND last_seen BETWEEN now() - INTERVAL '1 minute' AND now() + INTERVAL '1 minute'",
        "SELECT COUNT(*) FROM errtrack_events WHERE issue = 'SHOP-1' AND type = 'Timeout'
         AND received_at BETWEEN now() - INTERVAL '1 minute' AND now() + INTERVAL '1 minute'
         AND timestamp BETWEEN now() - INTERVAL '1 minute' AND now() + INTERVAL '1 minute'",
        "SELECT CAST(SUM(events) AS BIGINT) FROM errtrack_hours WHERE project = 'shop'
         AND hour BETWEEN now() - INTERVAL '2 hours' AND now()",
    ] {
        assert_eq!(number(&mut connection, sql).await.unwrap(), 2, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_merges_what_others_record() {
    const TYPES: usize = 6;
    let Some(url) = server::postgres() else { return };
    let stores = [PostgresStore::connect(&url).await.unwrap(), PostgresStore::connect(&url).await.unwrap()];
    let merger = PostgresStore::connect(&url).await.unwrap();
    let project = merger.ensure_project("shop").await.unwrap().id;
    let tagged = |ty: usize, color: &str| {
        let mut event = Event { tags: [("color".to_owned(), color.to_owned())].into(), ..Event::new() };
        event.exceptions.push(Exception::new(format!("T{ty}"), "it broke"));
        Preparer::default().prepare(project, event, Formula::Ours)
    };
    let first = Batch::whole((0..TYPES).map(|ty| tagged(ty, "first")).collect());
    let mut issues = Vec::new();
    for recorded in merger.record(&first).await.unwrap() {
        issues.push(merger.issue(&IssueRef::Id(recorded.issue)).await.unwrap().unwrap());
    }
    let writers = stores.iter().cloned().enumerate().map(|(n, store)| {
        let batch = move |round: usize| {
            let types = (0..TYPES).map(|ty| (ty * if n == 0 { 1 } else { TYPES - 1 } + round) % TYPES);
            Batch::whole(types.map(|ty| tagged(ty, ["red", "green", "blue"][round % 3])).collect())
        };
        let batches: Vec<Batch> = (0..60).map(batch).collect();
        tokio::spawn(async move {
            for batch in batches {
                store.record(&batch).await.unwrap();
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut round = 0;
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) || round < 20 {
        let (one, other) = (&issues[round % TYPES], &issues[(round * 5 + 1) % TYPES]);
        if round % 3 < 2 {
            merger.merge(project, one.id, &[other.id]).await.unwrap();
        } else {
            merger.unmerge(one.id, &[one.fingerprint]).await.unwrap();
        }
        round += 1;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let mut connection = connection(&url).await.unwrap();
    let all = i64::try_from(TYPES * 121).unwrap();
    for view in ["issues", "hours", "tags WHERE key = 'color'"] {
        let sum = format!("SELECT CAST(SUM(events) AS BIGINT) FROM errtrack_{view}");
        assert_eq!(number(&mut connection, &sum).await.unwrap(), all, "{view}");
    }
    let nowhere = "SELECT COUNT(*) FROM errtrack_events e WHERE e.issue NOT IN (SELECT short_id FROM errtrack_issues)";
    assert_eq!(number(&mut connection, nowhere).await.unwrap(), 0);
    for issue in &issues {
        merger.unmerge(issue.id, &[issue.fingerprint]).await.unwrap();
        let alone = merger.issue(&IssueRef::Uuid(issue.uuid)).await.unwrap().unwrap();
        assert_eq!((alone.count, alone.stored_count, alone.short_id()), (121, 121, issue.short_id()));
        let tags = merger.tag_tallies(alone.id, 10).await.unwrap();
        let mut colors = tags.into_iter().find(|tally| tally.key == "color").unwrap().values;
        colors.sort_unstable();
        let expected = [("blue", 40), ("first", 1), ("green", 40), ("red", 40)].map(|(color, n)| (color.to_owned(), n));
        assert_eq!(colors, expected, "what a process knows of tags stays true");
    }
}

#[tokio::test]
async fn what_a_node_of_an_earlier_version_counts_is_not_lost() {
    let Some(url) = server::postgres() else { return };
    let store = PostgresStore::connect(&url).await.unwrap();
    let project = store.ensure_project("shop").await.unwrap().id;
    let mut connection = connection(&url).await.unwrap();
    for count in [2, 3] {
        // As it did until then.
        let sql = "INSERT INTO errtrack_project_hour AS h (project_id, hour, count) VALUES ($1, 25, $2)
                   ON CONFLICT (project_id, hour) DO UPDATE SET count = h.count + excluded.count";
        sqlx::query(sql).bind(project.0).bind(count).execute(&mut connection).await.unwrap();
    }
    let scope = errtrack_core::store::FigureScope::default();
    for (width, hour) in [(RollupWidth::Hour, 25), (RollupWidth::Day, 24), (RollupWidth::Ever, 0)] {
        let rollups = store.rollups(&scope, width, Timestamp::default(), Timestamp::now()).await.unwrap();
        assert_eq!(rollups.iter().map(|r| (r.hour, r.events)).collect::<Vec<_>>(), [(hour, 5)]);
    }
}
