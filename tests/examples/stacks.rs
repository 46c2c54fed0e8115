//! A program that fails in several ways: `stacks DATABASE`, without backtraces `stacks DATABASE bare`, with what its sources
//! show `stacks DATABASE sources`. The test strips it of its debug information and looks at what is left.

use errtrack::{SqliteStore, Tracker};
use std::time::Duration;

mod orders {
    /// The same error as it goes up, awaited twice.
    pub async fn pay(order: u32) -> Result<(), Declined> {
        charge(order).await
    }

    #[inline(always)]
    async fn charge(order: u32) -> Result<(), Declined> {
        tokio::task::yield_now().await;
        let check = |order: u32| if order > 0 { Err(Declined) } else { Ok(()) };
        check(order).inspect_err(|declined| {
            errtrack::capture_error(declined);
        })
    }

    #[derive(Debug)]
    pub struct Declined;

    impl std::fmt::Display for Declined {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("the card was declined")
        }
    }

    impl std::error::Error for Declined {}
}

mod stock {
    #[inline(never)]
    pub fn take(shelf: usize) -> u8 {
        let shelves = std::hint::black_box(vec![1, 2, 3]);
        shelves[shelf]
    }
}

async fn mail() {
    errtrack::capture_error(&*anyhow::anyhow!("the mail server hung up"));
}

async fn search() {
    errtrack::capture_error(&*anyhow::anyhow!("the index is not there"));
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let database = std::env::args().nth(1).unwrap_or_default();
    let how = std::env::args().nth(2).unwrap_or_default();
    let mut builder = Tracker::builder().store(SqliteStore::open(&database).await?).backtraces(how != "bare");
    if how == "sources" {
        builder = builder.environment("development").release("stacks@1.0.0+3f2a9c1");
        builder = builder.source_link("https://code.example/acme/{commit}/{path}#L{line}");
    }
    let tracker = builder.build().await?;
    tracker.install_panic_hook();
    for order in 1..=3 {
        let _ = errtrack::spawn(async move { orders::pay(order).await }).await;
    }
    mail().await;
    search().await;
    let _ = tokio::task::spawn_blocking(|| stock::take(std::env::args().count() + 99)).await;
    anyhow::ensure!(tracker.flush(Duration::from_secs(20)).await);
    Ok(())
}
