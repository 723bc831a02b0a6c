//! Portcullis as a service.
fn main() {}
