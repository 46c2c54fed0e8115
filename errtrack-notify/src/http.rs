//! Asking a service, and what its answers mean.

#[cfg(any(feature = "email", feature = "webhook"))]
use crate::words::one_line;
use errtrack_core::notify::NotifyError;
use errtrack_outgoing::OutgoingError;
#[cfg(any(feature = "email", feature = "webhook"))]
use errtrack_outgoing::{Answer, Outgoing, Question};

/// Characters of an answer that are kept to say what went wrong.
#[cfg(any(feature = "email", feature = "webhook"))]
const MOST_OF_ANSWER: usize = 200;

/// Sends a question and judges the answer: 2xx is well; 408, 425, 429 and 5xx may be well another time; else it never is.
#[cfg(any(feature = "email", feature = "webhook"))]
pub(crate) async fn ask(outgoing: &Outgoing, question: Question<'_>) -> Result<Answer, NotifyError> {
    let answer = outgoing.send(question).await.map_err(|error| unsent(&error))?;
    match answer.status {
        200..300 => Ok(answer),
        status @ (408 | 425 | 429 | 500..) => {
            let pause = answer.retry_after();
            Err(NotifyError::new(format!("answered {status}{}", said(&answer))).retry_after(pause))
        }
        status @ 300..400 => Err(NotifyError::permanent(format!("answered {status}: redirects are not followed"))),
        status => Err(NotifyError::permanent(format!("answered {status}{}", said(&answer)))),
    }
}

/// What went wrong before there was an answer.
pub(crate) fn unsent(error: &OutgoingError) -> NotifyError {
    let is_permanent = matches!(error, OutgoingError::InvalidUrl | OutgoingError::WithoutTls | OutgoingError::Private);
    let why = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
    NotifyError { permanent: is_permanent, ..NotifyError::new(format!("{error}{why}")) }
}

#[cfg(any(feature = "email", feature = "webhook"))]
fn said(answer: &Answer) -> String {
    let text = one_line(&String::from_utf8_lossy(&answer.body), MOST_OF_ANSWER);
    // A page of HTML says nothing in a line.
    if text.is_empty() || text.starts_with('<') { String::new() } else { format!(": {text}") }
}
