//! What a client is told when its request ended in a panic.

use crate::{
    Reported,
    capture::{Answer, Config},
};
use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// A panic that was caught and reported, as the error that actix-web answers.
///
/// It is an error and not a response, because a response needs its request, and whoever kept that while it is routed would
/// make actix-web panic.
pub(crate) struct Panicked {
    answer: Option<Answer>,
}

impl Panicked {
    pub(crate) fn new(config: Option<&Config>) -> Self {
        Self { answer: config.and_then(|config| config.answer.clone()) }
    }
}

impl ResponseError for Panicked {
    fn status_code(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    fn error_response(&self) -> HttpResponse {
        // The answer is the host's; whoever asks for it stands outside of the middleware.
        let answer = self.answer.as_ref().and_then(|answer| catch_unwind(AssertUnwindSafe(|| answer())).ok());
        let mut response = answer.unwrap_or_else(|| HttpResponse::new(self.status_code()));
        response.extensions_mut().insert(Reported::new(None));
        response
    }
}

impl fmt::Debug for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Panicked")
    }
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request ended in a panic")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn an_answer_that_panics_itself_is_an_empty_500() {
        let config = Config { answer: Some(Arc::new(|| panic!("again"))), ..Config::default() };
        assert_eq!(Panicked::new(Some(&config)).error_response().status(), 500);
    }

    #[test]
    fn the_host_decides_what_is_answered() {
        let config =
            Config { answer: Some(Arc::new(|| HttpResponse::ServiceUnavailable().finish())), ..Config::default() };
        assert_eq!(Panicked::new(Some(&config)).error_response().status(), 503);
    }
}
