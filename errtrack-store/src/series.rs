//! Series: points that processes write and replace.

use crate::{
    SqlStore,
    analytics::projects,
    delete::STEP,
    pool::{Dialect, reading, writing},
    sql::analytics as sql,
    tag::stored,
};
use async_trait::async_trait;
use errtrack_core::{
    ProjectId, StoreError,
    store::{Series, SeriesPoint, SeriesQuery, SeriesStore},
};
use uuid::Uuid;

const READ: &str = "cannot read a series";
const PUT: &str = "cannot write a series";

/// Points that are written at once.
const CHUNK: usize = 1_000;

#[async_trait]
impl SeriesStore for SqlStore {
    async fn put_points(&self, points: &[SeriesPoint]) -> Result<(), StoreError> {
        let mut points: Vec<&SeriesPoint> = points.iter().collect();
        // Rows are locked in the same order by all; and of two that are the same, the last one counts.
        points.sort_by_key(|point| key(point));
        points.reverse();
        points.dedup_by_key(|point| key(point));
        points.reverse();
        for points in points.chunks(CHUNK) {
            let rows = points.iter().map(|p| {
                let (name, data) = (stored(&p.name), stored(&p.data));
                (p.project.0, p.series.to_number(), p.width, p.start, name, p.node.simple().to_string(), data)
            });
            let rows = serde_json::to_string(&rows.collect::<Vec<_>>()).map_err(StoreError::other)?;
            writing!(self, PUT, |connection| {
                sqlx::query(Db::text(sql::PUT_POINTS)).bind(rows.clone()).execute(connection).await.map(drop)
            })?;
        }
        Ok(())
    }

    async fn points(&self, query: &SeriesQuery) -> Result<Vec<SeriesPoint>, StoreError> {
        let (all, list) = projects(query.projects.as_deref());
        let SeriesQuery { series, width, from, until, .. } = *query;
        let rows: Vec<(i64, i64, String, String, String)> = reading!(self, READ, |connection| {
            let query = sqlx::query_as(Db::text(sql::POINTS)).bind(all).bind(list).bind(series.to_number());
            query.bind(width).bind(from).bind(until).fetch_all(connection).await
        })?;
        let point = |(project, start, name, node, data): (i64, i64, String, String, String)| {
            let node = Uuid::try_parse(&node).unwrap_or_default();
            SeriesPoint { series, project: ProjectId(project), width, start, name, node, data }
        };
        Ok(rows.into_iter().map(point).collect())
    }

    async fn drop_points(&self, series: Series, width: i64, before: i64) -> Result<u64, StoreError> {
        let mut dropped = 0;
        loop {
            let step = self.step(sql::DROP_POINTS, &[series.to_number(), width, before, STEP]).await?;
            if step == 0 {
                return Ok(dropped);
            }
            dropped += step;
        }
    }
}

fn key(point: &SeriesPoint) -> (ProjectId, Series, i64, i64, &str, Uuid) {
    (point.project, point.series, point.width, point.start, &point.name, point.node)
}
