//! Portcullis for axum: router and extractors.
