//! An axum application with accounts: see the README.

pub mod admin;
pub mod app;
pub mod failure;
pub mod notes;
pub mod plan;
pub mod profile;
