//! What an application writes around Portcullis, each part with its unit tests.

pub mod alarm;
pub mod second_mailer;
pub mod staff_only;
