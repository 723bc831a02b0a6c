//! Settings, and what a server makes of them before it answers anybody.

mod files;
mod keys;
mod mistakes;
mod network;
mod profiles;
mod schema;
mod sources;
