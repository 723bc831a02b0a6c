//! A small Rocket application with accounts: see the README.

#![allow(clippy::needless_pass_by_value, reason = "Rocket hands guards over")]

pub mod app;
