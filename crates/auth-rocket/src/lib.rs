//! Portcullis for Rocket.
