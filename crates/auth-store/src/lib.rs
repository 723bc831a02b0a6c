//! What the stores of Portcullis do alike, whatever keeps the data.
//!
//! - [`commit`]: what each [`Change`](auth_core::port::Change) means in single statements, in which order, and what is
//!   rejected where one of them changes no row. An adapter writes the statements, in its own query language.
//! - [`retry`]: trying again while others are in the way; [`trouble`]: what errors come to.
//! - [`read`]: values as columns hold them, and what is said of one that can't be read.
//! - [`claim`], [`mysql`], [`outbox`], [`search`], [`sqlite`], [`usage`]: what else would stand in each of them once more.
//!
//! *Architecture Invariant:* nothing here knows SQL or a driver.

pub mod claim;
pub mod commit;
pub mod mysql;
pub mod outbox;
pub mod read;
pub mod retry;
pub mod search;
pub mod sqlite;
pub mod trouble;
pub mod usage;
