//! What the documents of the three report dialects promise: each endpoint asked as its document asks, every field of the answer
//! looked at, on both databases.

mod alerts;
mod apps;
mod deliveries;
mod figures;
mod incidents;
mod monitoring;
mod ownership;
mod rest;
mod service;
mod settings;
mod tracker;
