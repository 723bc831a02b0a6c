//! Mailers for Portcullis: SMTP, file and console.
