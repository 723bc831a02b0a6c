//! CPU time.

use std::fs;
use std::time::Duration;

/// What all threads of this process but the calling one have spent so far, in kernel and out of it; `None` where the
/// system doesn't say. Unlike a rate, it hardly changes with what else the machine does.
pub(crate) fn of_other_threads() -> Option<Duration> {
    let own = fs::read_link("/proc/thread-self").ok()?;
    let threads = fs::read_dir("/proc/self/task").ok()?.filter_map(Result::ok);
    let others = threads.filter(|thread| Some(thread.file_name().as_os_str()) != own.file_name());
    // Nanoseconds on a CPU come first; of a thread that has just ended there is no file.
    let spent = others.filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok());
    let nanoseconds = spent.filter_map(|text| text.split(' ').next()?.parse::<u64>().ok());
    Some(Duration::from_nanos(nanoseconds.sum()))
}
