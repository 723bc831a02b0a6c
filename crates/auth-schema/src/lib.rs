//! The SQL schema of Portcullis as numbered migrations for each dialect.
