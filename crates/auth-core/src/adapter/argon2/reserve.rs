//! Memory that is taken only while a costly hash is verified.

use std::sync::{Condvar, Mutex, PoisonError};

/// Memory beyond what the threads have: for hashes that ask for more, and for scrypt, which brings its own.
///
/// Bounds what all threads take of it together. Whoever asks for more than is left waits until others are done.
pub(super) struct Reserve {
    free_kib: Mutex<u32>,
    freed: Condvar,
}

impl Reserve {
    /// A reserve of `kib` KiB, none of which is allocated.
    pub(super) const fn new(kib: u32) -> Self {
        Self { free_kib: Mutex::new(kib), freed: Condvar::new() }
    }

    /// The right to allocate `kib` KiB, which must not be more than there is in all.
    pub(super) fn take(&self, kib: u32) -> Share<'_> {
        let free = self.free_kib.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.freed.wait_while(free, |free| *free < kib).unwrap_or_else(PoisonError::into_inner);
        *free -= kib;
        Share { reserve: self, kib }
    }
}

/// The right to allocate, until dropped.
pub(super) struct Share<'a> {
    reserve: &'a Reserve,
    kib: u32,
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        *self.reserve.free_kib.lock().unwrap_or_else(PoisonError::into_inner) += self.kib;
        self.reserve.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    use super::*;

    // PW6: together, no more is taken than there is; and all of it comes back, after a panic too.
    #[test]
    fn pw6_shares_stay_within_the_reserve() {
        let reserve = Reserve::new(100);
        let (taken, most) = (AtomicU32::new(0), AtomicU32::new(0));
        thread::scope(|scope| {
            for kib in (0..32).map(|i| [10, 40, 60, 100][i % 4]) {
                let (reserve, taken, most) = (&reserve, &taken, &most);
                scope.spawn(move || {
                    for _ in 0..20 {
                        let _share = reserve.take(kib);
                        most.fetch_max(taken.fetch_add(kib, Ordering::SeqCst) + kib, Ordering::SeqCst);
                        thread::yield_now();
                        taken.fetch_sub(kib, Ordering::SeqCst);
                    }
                });
            }
            let panicking = scope.spawn(|| {
                let _share = reserve.take(100);
                panic!("told to");
            });
            panicking.join().unwrap_err();
        });
        assert_eq!(most.into_inner(), 100);
        assert_eq!(*reserve.free_kib.lock().unwrap(), 100);
    }
}
