//! PW1–PW4, PW6, PW9: the Argon2 pool, by name. Built under `#[cfg(test)]` only.

use std::num::NonZeroUsize;
use std::sync::Condvar;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::adapter::SystemEntropy;
use crate::domain::KeyId;

fn id(text: &str) -> KeyId {
    KeyId::from_bytes(text.as_bytes()).unwrap()
}

fn keys(current: &str, old: &[&str]) -> PasswordKeys {
    let key = |text: &str| (id(text), Zeroizing::new([text.as_bytes()[0] | 128; 32]));
    PasswordKeys { current: key(current), old: old.iter().copied().map(key).collect() }
}

fn settings() -> PoolSettings {
    PoolSettings { threads: NonZeroUsize::MIN, ..PoolSettings::default() }
}

pub(super) fn pool() -> Argon2Pool {
    Argon2Pool::new(&settings(), keys("aaaaaaaa", &[]), Arc::new(SystemEntropy)).unwrap()
}

pub(super) fn password(text: &str) -> Password {
    Password::parse(text.to_owned()).unwrap()
}

pub(super) fn phc(text: &str) -> Option<PasswordHash> {
    Some(PasswordHash::from_stored(text))
}

const FRESH: Verdict = Verdict::Match { outdated: false };
pub(super) const OUTDATED: Verdict = Verdict::Match { outdated: true };

// PW1: the stored string says what it cost; weaker settings don't exist.
#[tokio::test]
async fn pw1_cost_of_new_hashes() {
    let pool = pool();
    let hash = pool.hash(&password("correct horse")).await.unwrap();
    let start = "$argon2id$v=19$m=19456,t=2,p=1,keyid=YWFhYWFhYWE$";
    assert!(hash.as_str().starts_with(start), "{}", hash.as_str());
    assert_eq!(pool.verify(&password("correct horse"), Some(hash.clone())).await.unwrap(), FRESH);
    assert_eq!(pool.verify(&password("correct horsf"), Some(hash)).await.unwrap(), Verdict::Mismatch);
}

// PW1
#[test]
fn pw1_weaker_settings_are_refused() {
    use InvalidArgon2Settings::{TooCostly, TooWeak};
    for (m, t, p, expected) in [
        (19_455, 2, 1, Err(TooWeak)),
        (19_456, 1, 1, Err(TooWeak)),
        (19_456, 2, 0, Err(TooWeak)),
        (u32::MAX, 2, 1, Err(TooCostly)),
        (19_456, u32::MAX, 1, Err(TooCostly)),
        (19_456, 2, u32::MAX, Err(TooCostly)),
        (262_145, 2, 1, Err(TooCostly)),
        (262_144, 5, 1, Err(TooCostly)),
        (262_144, 4, 1, Ok(())),
        (65_536, 3, 4, Ok(())),
    ] {
        assert_eq!(Argon2Settings::new(m, t, p).map(drop), expected, "m={m},t={t},p={p}");
    }
    assert_eq!(Argon2Settings::new(19_456, 2, 1), Ok(Argon2Settings::default()));
}

// PW2: equal passwords have different salts of 128 bits.
#[tokio::test]
async fn pw2_salts_differ() {
    let pool = pool();
    let mut salts = Vec::new();
    for _ in 0..2 {
        let hash = pool.hash(&password("correct horse")).await.unwrap();
        let salt = Phc::new(hash.as_str()).unwrap().salt.unwrap();
        assert_eq!(salt.len(), 16);
        salts.push(salt.to_vec());
    }
    assert_ne!(salts[0], salts[1]);
}

// PW2: another pepper's hash is no match and no panic; an old one's is, and wants to be made anew.
#[tokio::test]
async fn pw2_peppers() {
    let hash = pool().hash(&password("correct horse")).await.unwrap();

    let stranger = Argon2Pool::new(&settings(), keys("bbbbbbbb", &[]), Arc::new(SystemEntropy)).unwrap();
    let unknown = stranger.verify(&password("correct horse"), Some(hash.clone())).await;
    assert!(matches!(unknown, Err(HashError::Unreadable(_))), "{unknown:?}");

    // The same id with another secret: what a pepper that was changed in place would be.
    let mut wrong = keys("aaaaaaaa", &[]);
    wrong.current.1 = Zeroizing::new([7; 32]);
    let wrong = Argon2Pool::new(&settings(), wrong, Arc::new(SystemEntropy)).unwrap();
    let verdict = wrong.verify(&password("correct horse"), Some(hash.clone())).await.unwrap();
    assert_eq!(verdict, Verdict::Mismatch);

    let after =
        Argon2Pool::new(&settings(), keys("bbbbbbbb", &["cccccccc", "aaaaaaaa"]), Arc::new(SystemEntropy)).unwrap();
    assert_eq!(after.verify(&password("correct horse"), Some(hash)).await.unwrap(), OUTDATED);
    let renewed = after.hash(&password("correct horse")).await.unwrap();
    assert_eq!(after.verify(&password("correct horse"), Some(renewed)).await.unwrap(), FRESH);
}

// PW3: weaker, costlier and foreign hashes verify and are outdated. The strings are those of the reference
// implementation's own tests (phc-winner-argon2, src/test.c), for the password "password".
#[tokio::test]
async fn pw3_other_argon2_hashes_are_outdated() {
    let pool = pool();
    for hash in [
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
        "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
    ] {
        assert_eq!(pool.verify(&password("password"), phc(hash)).await.unwrap(), OUTDATED, "{hash}");
        assert_eq!(pool.verify(&password("passwore"), phc(hash)).await.unwrap(), Verdict::Mismatch, "{hash}");
    }
}

// PW3: raised settings make yesterday's hashes outdated.
#[tokio::test]
async fn pw3_raised_cost() {
    let before = pool().hash(&password("correct horse")).await.unwrap();
    let raised = PoolSettings { argon2: Argon2Settings::new(19_456, 3, 2).unwrap(), ..settings() };
    let pool = Argon2Pool::new(&raised, keys("aaaaaaaa", &[]), Arc::new(SystemEntropy)).unwrap();
    assert_eq!(pool.verify(&password("correct horse"), Some(before)).await.unwrap(), OUTDATED);
    let after = pool.hash(&password("correct horse")).await.unwrap();
    assert_eq!(pool.verify(&password("correct horse"), Some(after)).await.unwrap(), FRESH);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    // PW4: any other character anywhere is another password.
    #[test]
    fn pw4_every_character_counts(text in "[\\PC&&[^\u{0}]]{8,64}", at in any::<prop::sample::Index>(), other in any::<char>()) {
        let mut changed: Vec<char> = text.chars().collect();
        *at.get_mut(&mut changed) = other;
        let parsed = (Password::parse(text), Password::parse(changed.into_iter().collect()));
        if let (Ok(text), Ok(changed)) = parsed && text.expose() != changed.expose() {
            let pool = pool();
            let hash = runtime().block_on(pool.hash(&text)).unwrap();
            prop_assert_eq!(runtime().block_on(pool.verify(&text, Some(hash.clone()))).unwrap(), FRESH);
            prop_assert_eq!(runtime().block_on(pool.verify(&changed, Some(hash))).unwrap(), Verdict::Mismatch);
        }
    }
}

// PW4: nothing is cut off, up to the last byte that a password may have.
#[tokio::test]
async fn pw4_long_passwords_are_not_truncated() {
    let pool = pool();
    let long = "x".repeat(1024);
    let hash = pool.hash(&password(&long)).await.unwrap();
    let shorter = pool.verify(&password(&long[1..]), Some(hash.clone())).await.unwrap();
    let other = pool.verify(&password(&format!("{}y", &long[1..])), Some(hash.clone())).await.unwrap();
    assert_eq!((shorter, other), (Verdict::Mismatch, Verdict::Mismatch));
    assert_eq!(pool.verify(&password(&long), Some(hash)).await.unwrap(), FRESH);
}

// PW9: each is an error, at once, and takes no memory.
#[tokio::test]
async fn pw9_unreadable_hashes() {
    let pool = pool();
    for hash in [
        "",
        "$",
        "$$",
        "plain text",
        "$6$rounds=5000$saltsalt$h1sEbMfjyUHy5yWWzCXG2gTb3rVcXG8PRRbmHNA.D8O",
        "$argon2id",
        "$argon2id$v=19$m=256,t=2,p=1",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$",
        "$argon2id$v=20$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=262145,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=65536,t=17,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=4294967295,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=16777215$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=0$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=1,x=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=1,keyid=djI$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4$",
        "$argon2id$v=19$m=256,t=2,p=1$!!!!!!!!!!!$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
    ] {
        let outcome = pool.verify(&password("password"), phc(hash)).await;
        assert!(matches!(outcome, Err(HashError::Unreadable(_))), "{hash}: {outcome:?}");
    }
    assert_eq!(pool.hashed(), 0);
}

// EN2: an unknown address costs one hash, under the settings of any other; it never matches.
#[tokio::test]
async fn en2_without_a_hash_the_work_is_the_same() {
    let pool = pool();
    let hash = pool.hash(&password("correct horse")).await.unwrap();
    let before = pool.hashed();
    pool.verify(&password("correct horse"), Some(hash)).await.unwrap();
    let known = pool.hashed() - before;
    assert_eq!(pool.verify(&password("correct horse"), None).await.unwrap(), Verdict::Mismatch);
    assert_eq!(pool.hashed() - before - known, known);
}

/// Randomness that waits until it is let go, and panics when told to.
#[derive(Debug, Default)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
    entered: AtomicU64,
    panics: AtomicBool,
}

impl Gate {
    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    async fn entered(&self, times: u64) {
        while self.entered.load(Ordering::SeqCst) < times {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Entropy for Gate {
    fn fill(&self, bytes: &mut [u8]) {
        self.entered.fetch_add(1, Ordering::SeqCst);
        let open = self.open.lock().unwrap();
        drop(self.opened.wait_while(open, |open| !*open).unwrap());
        assert!(!self.panics.swap(false, Ordering::SeqCst), "told to");
        SystemEntropy.fill(bytes);
    }
}

fn gated(queue: usize) -> (Arc<Argon2Pool>, Arc<Gate>) {
    let gate = Arc::new(Gate::default());
    let settings = PoolSettings { queue: NonZeroUsize::new(queue).unwrap(), ..settings() };
    let pool = Argon2Pool::new(&settings, keys("aaaaaaaa", &[]), Arc::<Gate>::clone(&gate)).unwrap();
    (Arc::new(pool), gate)
}

fn start(pool: &Arc<Argon2Pool>) -> tokio::task::JoinHandle<Result<PasswordHash, HashError>> {
    let pool = Arc::clone(pool);
    tokio::spawn(async move { pool.hash(&password("correct horse")).await })
}

// PW6: one is hashed, as many as the queue holds wait, and the next is told so at once.
#[tokio::test]
async fn pw6_a_full_queue_is_busy() {
    let (pool, gate) = gated(2);
    let first = start(&pool);
    gate.entered(1).await;
    let waiting = [start(&pool), start(&pool)];
    tokio::task::yield_now().await;
    assert!(matches!(pool.hash(&password("correct horse")).await, Err(HashError::Busy)));
    assert!(matches!(pool.verify(&password("correct horse"), None).await, Err(HashError::Busy)));

    gate.open();
    first.await.unwrap().unwrap();
    for waiting in waiting {
        waiting.await.unwrap().unwrap();
    }
    pool.hash(&password("correct horse")).await.unwrap();
}

// PW6, DF7: nobody is hashed for who has gone away.
#[tokio::test]
async fn pw6_dropped_callers_are_passed_over() {
    let (pool, gate) = gated(8);
    let first = start(&pool);
    gate.entered(1).await;
    let gone = start(&pool);
    let last = start(&pool);
    tokio::task::yield_now().await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    gate.open();
    first.await.unwrap().unwrap();
    last.await.unwrap().unwrap();
    assert_eq!(pool.hashed(), 2);
}

// SC1: of a password, and of what was derived from it, nothing stays in a thread's memory.
#[test]
fn sc1_memory_is_erased() {
    let shared = Arc::clone(&pool().shared);
    let mut worker = Worker { shared, memory: allocate(19_456).unwrap(), dirty: 0 };
    let is_clean = |worker: &Worker| worker.memory.iter().all(|block| block.as_ref().iter().all(|&word| word == 0));
    let (reply, _answer) = oneshot::channel();
    worker.answer(reply, |worker| {
        let hash = worker.hash(&password("correct horse"));
        assert!(!is_clean(worker));
        hash
    });
    assert!(is_clean(&worker));
    let (reply, _answer) = oneshot::channel();
    worker.answer(reply, |worker| -> Result<PasswordHash, HashError> {
        worker.hash(&password("correct horse")).unwrap();
        panic!("told to");
    });
    assert!(is_clean(&worker));
}

#[tokio::test]
async fn a_panic_costs_one_answer() {
    let (pool, gate) = gated(8);
    gate.open();
    gate.panics.store(true, Ordering::SeqCst);
    assert!(matches!(pool.hash(&password("correct horse")).await, Err(HashError::Failed(_))));
    pool.hash(&password("correct horse")).await.unwrap();
}

#[tokio::test]
async fn a_dropped_pool_ends_its_threads() {
    let pool = pool();
    pool.hash(&password("correct horse")).await.unwrap();
    let shared = Arc::downgrade(&pool.shared);
    drop(pool);
    tokio::time::timeout(Duration::from_secs(10), async {
        while shared.strong_count() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .unwrap();
}

// SC1
#[test]
fn sc1_keys_dont_print() {
    let text = format!("{:?} {:?}", keys("aaaaaaaa", &["bbbbbbbb"]), pool());
    assert!(!text.contains("225, 225") && !text.contains("226, 226"), "{text}");
}
