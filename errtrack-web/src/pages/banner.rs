//! What stands above every page while the database is away.

use super::text;
use crate::app::App;
use errtrack_core::SpoolStatus;

/// A sentence for everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Banner {
    pub(super) title: &'static str,
    pub(super) text: String,
    /// Reports are lost; else they only wait.
    pub(super) is_bad: bool,
}

/// What everybody has to know now; nothing on most days.
pub(super) fn of(app: &App) -> Option<Banner> {
    let tracker = app.tracker();
    let spool = tracker.spool();
    Banner::new(tracker.is_store_away(), tracker.has_room(), spool.as_ref(), tracker.queue_depth())
}

impl Banner {
    fn new(is_away: bool, takes_reports: bool, spool: Option<&SpoolStatus>, queue: usize) -> Option<Self> {
        let spooled = spool.map_or(0, |spool| spool.occurrences);
        let waiting =
            |n: u64| if n == 1 { "1 event waits".to_owned() } else { format!("{} events wait", text::count(n)) };
        let banner = |title, text, is_bad| Some(Self { title, text, is_bad });
        match (is_away, takes_reports, spool) {
            (true, false, Some(spool)) => {
                let bytes = text::bytes(spool.bytes);
                let text = format!(
                    "{} on disk, {bytes}, and there is room for no more: reports are refused until the database is back.",
                    waiting(spooled)
                );
                banner("Nothing can be written to the database, and the spool is full.", text, true)
            }
            (true, true, Some(_)) => {
                let text = format!(
                    "Reports are kept on disk and stored when it is back; {} so far. Counts on these pages stand still.",
                    waiting(spooled)
                );
                banner("Nothing can be written to the database.", text, false)
            }
            (true, _, None) => {
                let queue = waiting(u64::try_from(queue).unwrap_or(u64::MAX));
                let text = format!("Reports are refused until it is back; {queue} in memory.");
                banner("Nothing can be written to the database.", text, true)
            }
            (false, _, _) if spooled > 0 => {
                let text = format!("{} on disk to be written; counts grow until then.", waiting(spooled));
                banner("The database is catching up.", text, false)
            }
            (false, _, _) => None,
        }
    }

    /// Only for tests of templates.
    #[cfg(test)]
    pub(super) fn sample() -> Self {
        Self {
            title: "Nothing can be written to the database.",
            text: super::samples::HOSTILE.replace(['\0', '\u{1b}', '\u{202e}'], ""),
            is_bad: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spool(occurrences: u64) -> SpoolStatus {
        SpoolStatus { occurrences, bytes: 1_200_000, most_bytes: 2_000_000, ..SpoolStatus::default() }
    }

    #[test]
    fn it_says_what_becomes_of_reports() {
        let of = |away, takes, spool: Option<SpoolStatus>| Banner::new(away, takes, spool.as_ref(), 7);
        assert_eq!(of(false, true, None), None);
        assert_eq!(of(false, true, Some(spool(0))), None);
        let away = of(true, true, Some(spool(1_204))).unwrap();
        assert!(away.text.contains("1,204 events wait so far") && !away.is_bad, "{away:?}");
        let full = of(true, false, Some(spool(1_204))).unwrap();
        assert!(full.text.contains("1.2 MB") && full.text.contains("refused") && full.is_bad, "{full:?}");
        assert!(of(true, false, None).unwrap().text.contains("7 events wait in memory"));
        assert!(of(false, true, Some(spool(1))).unwrap().text.starts_with("1 event waits on disk"));
    }
}
