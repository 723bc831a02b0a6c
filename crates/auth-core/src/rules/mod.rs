//! Pure decisions: no port is asked, no clock is read.

pub mod password;
pub mod refresh;
