//! Argon2id in a bounded pool of threads.

use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt};
use argon2::{Algorithm, Argon2, Block, Params, ParamsBuilder, Version};
use async_trait::async_trait;
use aws_lc_rs::constant_time;
use tokio::sync::oneshot;
use zeroize::{Zeroize, Zeroizing};

use crate::domain::{KeyId, Password, PasswordHash};
use crate::port::{Entropy, HashError, PasswordHasher, Verdict};

/// Hashes passwords with Argon2id on threads of its own.
///
/// - Keyed with a subkey of the pepper, whose id stands as `keyid` in the PHC string; verifying picks the key by it.
/// - Memory is threads × [`PoolSettings::max_memory_kib`], taken at the start and used again for each password
///   (38 MiB on two cores by default). Each hash erases what it wrote.
/// - As many passwords wait as [`PoolSettings::queue`] says; the next is [`HashError::Busy`] at once.
/// - A caller who has gone away while waiting is passed over.
/// - Dropped, it ends its threads after the hash that each is at.
pub struct Argon2Pool {
    jobs: SyncSender<Job>,
    shared: Arc<Shared>,
}

/// How large the pool is and what its hashes cost.
#[derive(Debug, Clone)]
pub struct PoolSettings {
    /// What a new hash costs.
    pub argon2: Argon2Settings,
    /// Threads that hash.
    pub threads: NonZeroUsize,
    /// Passwords that may wait.
    pub queue: NonZeroUsize,
    /// Memory in KiB that each thread has, if that is more than new hashes take: hashes of imported users may ask for
    /// more. A stored hash that asks for more than this is unreadable, so that a corrupted one can't take the memory of
    /// the machine.
    pub max_memory_kib: u32,
}

/// As many threads as there are cores, 64 waiting, and no more memory than new hashes take.
impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            argon2: Argon2Settings::default(),
            threads: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            queue: const { NonZeroUsize::new(64).unwrap() },
            max_memory_kib: 0,
        }
    }
}

/// What an Argon2id hash costs: at least 19456 KiB in 2 passes (OWASP Password Storage Cheat Sheet, which meets every
/// row of ASVS 5.0 Appendix C).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Settings {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// The settings are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidArgon2Settings {
    /// Cheaper to attack than ASVS allows.
    #[error("Argon2id needs at least 19456 KiB of memory, 2 passes and 1 lane")]
    TooWeak,
    /// So costly that it is surely a slip.
    #[error("Argon2id takes at most 1 GiB (1048576 KiB) of memory, 64 passes and 64 lanes here")]
    TooCostly,
}

impl Argon2Settings {
    /// `memory_kib` (m) KiB of memory, `passes` (t) over it, in `lanes` (p), which one thread works off in turn.
    ///
    /// # Errors
    /// [`InvalidArgon2Settings`] when that is too little or absurdly much.
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, InvalidArgon2Settings> {
        if memory_kib < 19_456 || passes < 2 || lanes < 1 {
            Err(InvalidArgon2Settings::TooWeak)
        } else if memory_kib > 1 << 20 || passes > MAX_PASSES || lanes > 64 {
            Err(InvalidArgon2Settings::TooCostly)
        } else {
            Ok(Self { memory_kib, passes, lanes })
        }
    }

    /// KiB of memory that a hash takes (m).
    pub const fn memory_kib(&self) -> u32 {
        self.memory_kib
    }
}

/// m=19456, t=2, p=1.
impl Default for Argon2Settings {
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

/// The keys of password hashes: one that makes them, and those that made them before.
pub struct PasswordKeys {
    /// Makes hashes, and verifies those it made.
    pub current: (KeyId, Zeroizing<[u8; 32]>),
    /// Verify only; what they made is outdated.
    pub old: Vec<(KeyId, Zeroizing<[u8; 32]>)>,
}

impl PasswordKeys {
    fn find(&self, id: KeyId) -> Option<&[u8; 32]> {
        std::iter::once(&self.current).chain(&self.old).find(|(key, _)| *key == id).map(|(_, secret)| &**secret)
    }
}

impl fmt::Debug for PasswordKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let old: Vec<_> = self.old.iter().map(|(id, _)| id).collect();
        f.debug_struct("PasswordKeys").field("current", &self.current.0).field("old", &old).finish_non_exhaustive()
    }
}

impl Argon2Pool {
    /// Starts the threads.
    ///
    /// # Errors
    /// An I/O error when memory or threads can't be had.
    pub fn new(settings: &PoolSettings, keys: PasswordKeys, entropy: Arc<dyn Entropy>) -> io::Result<Self> {
        let Argon2Settings { memory_kib, passes, lanes } = settings.argon2;
        let params = ParamsBuilder::new()
            .m_cost(memory_kib)
            .t_cost(passes)
            .p_cost(lanes)
            .output_len(OUTPUT_LEN)
            .keyid(argon2::KeyId::new(keys.current.0.as_bytes()).map_err(io::Error::other)?)
            .build()
            .map_err(io::Error::other)?;
        let blocks = usize::try_from(memory_kib.max(settings.max_memory_kib)).map_err(io::Error::other)?;
        let (jobs, queue) = sync_channel(settings.queue.get());
        let queue = Arc::new(Mutex::new(queue));
        let shared = Arc::new(Shared { params, keys, entropy, hashed: AtomicU64::new(0) });
        for i in 0..settings.threads.get() {
            let worker = Worker { shared: Arc::clone(&shared), memory: allocate(blocks)?, dirty: 0 };
            let queue = Arc::clone(&queue);
            thread::Builder::new().name(format!("argon2-{i}")).spawn(move || worker.run(&queue))?;
        }
        Ok(Self { jobs, shared })
    }

    /// How many hashes have been computed since the start, for verifying included: for metrics, and for tests that
    /// count work.
    pub fn hashed(&self) -> u64 {
        self.shared.hashed.load(Ordering::Relaxed)
    }

    async fn submit<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, HashError> {
        let (reply, answer) = oneshot::channel();
        self.jobs.try_send(job(reply)).map_err(|error| match error {
            TrySendError::Full(_) => HashError::Busy,
            TrySendError::Disconnected(_) => HashError::Failed("the hashing threads have ended".to_owned()),
        })?;
        answer.await.unwrap_or_else(|_| Err(HashError::Failed("the hashing thread has ended".to_owned())))
    }
}

impl fmt::Debug for Argon2Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Argon2Pool").field("params", &self.shared.params).finish_non_exhaustive()
    }
}

#[async_trait]
impl PasswordHasher for Argon2Pool {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError> {
        let password = password.clone();
        self.submit(|reply| Job::Hash { password, reply }).await
    }

    async fn verify(&self, password: &Password, hash: Option<PasswordHash>) -> Result<Verdict, HashError> {
        let password = password.clone();
        self.submit(|reply| Job::Verify { password, hash, reply }).await
    }
}

/// Bytes of a new hash (RFC 9106 §4 recommends 256 bits).
const OUTPUT_LEN: usize = 32;
/// Bytes of a new salt (RFC 9106 §3.1 recommends 128 bits).
const SALT_LEN: usize = 16;
/// Passes that a hash may ask for: a corrupted figure must not occupy a thread for hours.
const MAX_PASSES: u32 = 64;

type Reply<T> = oneshot::Sender<Result<T, HashError>>;

enum Job {
    Hash { password: Password, reply: Reply<PasswordHash> },
    Verify { password: Password, hash: Option<PasswordHash>, reply: Reply<Verdict> },
}

/// What all threads of a pool read.
struct Shared {
    params: Params,
    keys: PasswordKeys,
    entropy: Arc<dyn Entropy>,
    hashed: AtomicU64,
}

/// All of the memory of one thread, or an error where the system has none left.
fn allocate(blocks: usize) -> io::Result<Vec<Block>> {
    let mut memory = Vec::new();
    memory.try_reserve_exact(blocks).map_err(|error| io::Error::new(io::ErrorKind::OutOfMemory, error))?;
    memory.resize(blocks, Block::new());
    Ok(memory)
}

struct Worker {
    shared: Arc<Shared>,
    memory: Vec<Block>,
    /// How many blocks hold something that has to be erased.
    dirty: usize,
}

impl Worker {
    /// Works until the pool is dropped.
    fn run(mut self, queue: &Mutex<Receiver<Job>>) {
        loop {
            // The lock is held while waiting and released before hashing: the guard dies with this statement.
            let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            match job {
                Ok(Job::Hash { password, reply }) => self.answer(reply, |worker| worker.hash(&password)),
                Ok(Job::Verify { password, hash, reply }) => {
                    self.answer(reply, |worker| worker.verify(&password, hash.as_ref()));
                }
                Err(_) => return,
            }
        }
    }

    fn answer<T>(&mut self, reply: Reply<T>, work: impl FnOnce(&mut Self) -> Result<T, HashError>) {
        // Clients who hang up must not keep those waiting who haven't.
        if reply.is_closed() {
            return;
        }
        // One password that makes something panic must not cost the pool a thread. The memory may be left in any state,
        // which Argon2 doesn't care about.
        let result = catch_unwind(AssertUnwindSafe(|| work(self)));
        let _gone = reply.send(result.unwrap_or_else(|_| Err(HashError::Failed("hashing panicked".to_owned()))));
        self.memory[..self.dirty].iter_mut().zeroize();
        self.dirty = 0;
    }

    fn hash(&mut self, password: &Password) -> Result<PasswordHash, HashError> {
        let mut salt = [0; SALT_LEN];
        self.shared.entropy.fill(&mut salt);
        let output = self.current(password, &salt)?;
        let phc = Phc {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&self.shared.params).map_err(failed)?,
            salt: Some(Salt::new(&salt).map_err(failed)?),
            hash: Some(Output::new(&*output).map_err(failed)?),
        };
        Ok(PasswordHash::from_phc(phc.to_string()))
    }

    fn verify(&mut self, password: &Password, hash: Option<&PasswordHash>) -> Result<Verdict, HashError> {
        let Some(hash) = hash else {
            // An unknown address costs what a known one does (ASVS 6.3.8).
            self.current(password, &[0; SALT_LEN])?;
            return Ok(Verdict::Mismatch);
        };
        match hash.as_phc().split('$').nth(1) {
            Some("argon2id" | "argon2i" | "argon2d") => self.verify_argon2(password, hash),
            _ => Err(HashError::Unreadable("of an unknown kind".to_owned())),
        }
    }

    fn verify_argon2(&mut self, password: &Password, hash: &PasswordHash) -> Result<Verdict, HashError> {
        let shared = Arc::clone(&self.shared);
        let stored = Stored::read(hash, &shared.keys, self.memory.len())?;
        let mut output = Zeroizing::new([0; Output::MAX_LENGTH]);
        let output = &mut output[..stored.output.len()];
        self.compute(&stored.argon2, password, &stored.salt, output)?;
        if constant_time::verify_slices_are_equal(output, stored.output.as_bytes()).is_ok() {
            Ok(Verdict::Match { outdated: stored.is_outdated(&shared.params) })
        } else {
            Ok(Verdict::Mismatch)
        }
    }

    /// The hash under the current settings and key.
    fn current(&mut self, password: &Password, salt: &[u8]) -> Result<Zeroizing<[u8; OUTPUT_LEN]>, HashError> {
        let shared = Arc::clone(&self.shared);
        let argon2 = context(Algorithm::Argon2id, Version::V0x13, &shared.params, Some(&shared.keys.current.1))?;
        let mut output = Zeroizing::new([0; OUTPUT_LEN]);
        self.compute(&argon2, password, salt, &mut *output)?;
        Ok(output)
    }

    fn compute(
        &mut self,
        argon2: &Argon2<'_>,
        password: &Password,
        salt: &[u8],
        out: &mut [u8],
    ) -> Result<(), HashError> {
        self.dirty = argon2.params().block_count().min(self.memory.len());
        self.shared.hashed.fetch_add(1, Ordering::Relaxed);
        argon2.hash_password_into_with_memory(password.expose().as_bytes(), salt, out, &mut self.memory).map_err(failed)
    }
}

fn context<'a>(
    algorithm: Algorithm,
    version: Version,
    params: &Params,
    secret: Option<&'a [u8; 32]>,
) -> Result<Argon2<'a>, HashError> {
    match secret {
        Some(secret) => Argon2::new_with_secret(secret, algorithm, version, params.clone()).map_err(failed),
        None => Ok(Argon2::new(algorithm, version, params.clone())),
    }
}

fn failed(error: impl fmt::Display) -> HashError {
    HashError::Failed(error.to_string())
}

/// An Argon2 hash as it is stored.
struct Stored<'key> {
    algorithm: Algorithm,
    version: Version,
    argon2: Argon2<'key>,
    salt: Salt,
    output: Output,
}

impl<'key> Stored<'key> {
    /// Reads a PHC string that asks for at most `blocks` KiB of memory.
    fn read(hash: &PasswordHash, keys: &'key PasswordKeys, blocks: usize) -> Result<Self, HashError> {
        let unreadable = |why: &str| HashError::Unreadable(why.to_owned());
        let phc = Phc::new(hash.as_phc()).map_err(|error| HashError::Unreadable(error.to_string()))?;
        let algorithm = Algorithm::new(phc.algorithm.as_str()).map_err(|_| unreadable("of an unknown kind"))?;
        // Hashes that don't say are from before versions were written down.
        let version =
            phc.version.map_or(Ok(Version::V0x10), Version::try_from).map_err(|_| unreadable("unknown version"))?;
        let params = Params::try_from(&phc).map_err(|_| unreadable("malformed parameters"))?;
        if params.block_count() > blocks || params.t_cost() > MAX_PASSES {
            return Err(unreadable("it asks for more memory or passes than are allowed"));
        }
        let secret = match params.keyid() {
            // Imported from where no pepper was used.
            [] => None,
            id => Some(
                KeyId::from_bytes(id)
                    .and_then(|id| keys.find(id))
                    .ok_or_else(|| unreadable("it was made under a pepper that isn't configured"))?,
            ),
        };
        let (Some(salt), Some(output)) = (phc.salt, phc.hash) else {
            return Err(unreadable("it lacks salt or hash"));
        };
        Ok(Self { algorithm, version, argon2: context(algorithm, version, &params, secret)?, salt, output })
    }

    /// Whether a new hash would differ in anything but salt and password. A costlier one is outdated too: while costs
    /// differ, so does the time that known and unknown addresses take.
    fn is_outdated(&self, current: &Params) -> bool {
        self.algorithm != Algorithm::Argon2id
            || self.version != Version::V0x13
            || self.argon2.params() != current
            || self.salt.len() != SALT_LEN
    }
}

#[cfg(test)]
#[path = "argon2_tests.rs"]
mod tests;
