//! A notice board in pages and forms: see the README.

pub mod board;
