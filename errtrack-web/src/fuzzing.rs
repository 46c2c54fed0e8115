//! What fuzz targets reach that is nobody else's business. No part of the API.

pub use crate::{
    ingest::fuzzing::{envelope, envelope_event, report, sender, store_request, unpacked},
    pages::fuzzing::query,
};
