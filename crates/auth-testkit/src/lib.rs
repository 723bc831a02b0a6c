//! In-memory store, fake clock, mail inbox and the conformance suites of Portcullis.
