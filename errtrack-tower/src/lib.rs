//! One tower layer.

/// An error of a handler.
#[derive(Debug)]
pub struct HandlerError;
