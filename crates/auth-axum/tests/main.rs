//! The HTTP conformance suite through axum's router, over every store; and what is axum's own.

mod on_memory;
mod web;
