//! Pure decisions: no port is asked, no clock is read.

pub(crate) mod one_time;
pub mod password;
pub mod refresh;
