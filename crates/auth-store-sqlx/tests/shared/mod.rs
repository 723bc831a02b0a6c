//! Tests that every dialect's file includes for itself.

mod commits;
mod conformance;
mod constraints;
mod flows;
mod migrations;
mod participants;
mod plans;
mod reads;
mod roles;
