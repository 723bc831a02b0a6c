//! Which core does what.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// One of the two parties of a measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Party {
    Server,
    Load,
}

/// Keeps this thread, and those that it starts, to the party's core: the server to the first that this process may use,
/// the load to the last. On one core they share it, and ratios look better than they are.
pub(crate) fn pin(party: Party) -> rustix::io::Result<()> {
    let allowed = sched_getaffinity(None)?;
    let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
    let core = match party {
        Party::Server => cores.next(),
        Party::Load => cores.next_back(),
    };
    let mut one = CpuSet::new();
    one.set(core.unwrap_or_default());
    sched_setaffinity(None, &one)
}
