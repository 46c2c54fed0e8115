//! The thread that writes, one job after the other.

use crate::{error::translate, pool::Pool};
use errtrack_core::StoreError;
use std::{future::Future, io, pin::Pin, thread};
use tokio::{
    runtime::Builder,
    sync::{mpsc, oneshot},
};

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
type Job = Box<dyn FnOnce(Pool) -> Task + Send>;

/// A handle on the thread; it ends when the last handle is dropped or after [`Writer::close`].
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// Starts the thread. What it is asked to do waits in a short queue.
    pub(crate) fn start(pool: Pool) -> io::Result<Self> {
        let (jobs, mut queue) = mpsc::channel::<Job>(64);
        let runtime = Builder::new_current_thread().enable_time().build()?;
        thread::Builder::new().name("errtrack-writer".into()).spawn(move || {
            runtime.block_on(async {
                while let Some(job) = queue.recv().await {
                    // As a task of its own, a panic ends the job and not the thread.
                    let _ = tokio::spawn(job(pool.clone())).await;
                }
                pool.close().await;
            });
        })?;
        Ok(Self { jobs })
    }

    /// Runs a job to its end on the thread, even if the caller stops waiting.
    pub(crate) async fn run<T, F, Fut>(&self, what: &'static str, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(Pool) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, sqlx::Error>> + Send + 'static,
    {
        let (answer, result) = oneshot::channel();
        let job: Job = Box::new(move |pool| {
            let work = job(pool);
            Box::pin(async move {
                let _ = answer.send(work.await);
            })
        });
        self.jobs.send(job).await.map_err(|_| closed(what))?;
        result.await.map_err(|_| closed(what))?.map_err(|error| translate(error, what))
    }

    /// Closes the connection when all that was asked before is done.
    pub(crate) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        let job: Job = Box::new(move |pool| {
            Box::pin(async move {
                pool.close().await;
                let _ = done.send(());
            })
        });
        if self.jobs.send(job).await.is_ok() {
            let _ = closed.await;
        }
    }
}

fn closed(what: &str) -> StoreError {
    translate(sqlx::Error::PoolClosed, what)
}
