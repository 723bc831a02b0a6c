//! Storage for Portcullis on sqlx: SQLite and PostgreSQL.
