//! Tests that every dialect's file includes for itself.

mod commits;
mod conformance;
mod flows;
mod migrations;
mod reads;
