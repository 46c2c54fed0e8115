//! Series of readings.

use super::kit::project;
use errtrack_core::{
    ProjectId, Store,
    store::{Series, SeriesPoint, SeriesQuery},
};
use uuid::Uuid;

fn point(project: ProjectId, start: i64, name: &str, node: Uuid, data: &str) -> SeriesPoint {
    let (name, data) = (name.into(), data.into());
    SeriesPoint { series: Series::Routes, project, width: 10, start, name, node, data }
}

fn all() -> SeriesQuery {
    SeriesQuery { series: Series::Routes, projects: None, width: 10, from: 0, until: i64::MAX }
}

pub async fn a_point_is_written_and_replaced(store: &impl Store) {
    let project = project(store).await.id;
    let (a, b) = (Uuid::new_v4(), Uuid::new_v4());
    let name = "GET /größe/{id} \"'\\";
    let first =
        [point(project, 10, name, a, "[1]"), point(project, 10, name, a, "[2]"), point(project, 10, name, b, "[3]")];
    store.put_points(&first).await.unwrap();
    store.put_points(&[point(project, 10, name, b, "[4]")]).await.unwrap();
    store.put_points(&[]).await.unwrap();
    let mut points = store.points(&all()).await.unwrap();
    points.sort_by_key(|point| point.data.clone());
    assert_eq!(points, [point(project, 10, name, a, "[2]"), point(project, 10, name, b, "[4]")]);
}

pub async fn points_are_asked_for_by_project_width_and_time(store: &impl Store) {
    let project = project(store).await.id;
    let (nobody, node) = (ProjectId(0), Uuid::new_v4());
    let wide = SeriesPoint { width: 60, ..point(project, 0, "x", node, "wide") };
    let other = SeriesPoint { series: Series::Beats, ..point(nobody, 20, "x", node, "beats") };
    let mut points = vec![wide.clone(), other.clone(), point(nobody, 30, "x", node, "machine")];
    points.extend([20, 10, 30].map(|start| point(project, start, "x", node, "[]")));
    store.put_points(&points).await.unwrap();
    let starts = async |query: SeriesQuery| {
        let points = store.points(&query).await.unwrap();
        points.iter().map(|point| (point.project.0, point.start)).collect::<Vec<_>>()
    };
    let p = project.0;
    let asked = SeriesQuery { projects: Some(vec![project]), ..all() };
    assert_eq!(starts(asked.clone()).await, [(p, 10), (p, 20), (p, 30)], "the oldest first");
    assert_eq!(starts(SeriesQuery { from: 20, until: 20, ..asked }).await, [(p, 20)]);
    assert_eq!(starts(all()).await.len(), 4, "what is of no project too");
    assert_eq!(starts(SeriesQuery { projects: Some(vec![nobody]), ..all() }).await, [(0, 30)]);
    assert_eq!(store.points(&SeriesQuery { width: 60, ..all() }).await.unwrap(), [wide]);
    assert_eq!(store.points(&SeriesQuery { series: Series::Beats, ..all() }).await.unwrap(), [other]);
}

pub async fn points_go_by_age_and_with_their_project(store: &impl Store) {
    let project = project(store).await.id;
    let (nobody, node) = (ProjectId(0), Uuid::new_v4());
    let points: Vec<SeriesPoint> = (0..1200).map(|n| point(project, n, "x", node, "[]")).collect();
    store.put_points(&points).await.unwrap();
    store.put_points(&[point(nobody, 1, "x", node, "[]"), point(nobody, 2000, "x", node, "[]")]).await.unwrap();
    assert_eq!(store.drop_points(Series::Beats, 10, 5000).await.unwrap(), 0);
    assert_eq!(store.drop_points(Series::Routes, 60, 5000).await.unwrap(), 0);
    assert_eq!(store.drop_points(Series::Routes, 10, 1100).await.unwrap(), 1101);
    assert_eq!(store.points(&all()).await.unwrap().len(), 101);
    assert!(store.delete_project(project).await.unwrap());
    assert_eq!(store.points(&all()).await.unwrap(), [point(nobody, 2000, "x", node, "[]")]);
}
