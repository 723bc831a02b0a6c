//! Storage for Portcullis on diesel-async.
