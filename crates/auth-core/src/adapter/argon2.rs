//! Argon2id in a bounded pool of threads.

mod foreign;
mod limits;
mod reserve;
mod settings;
mod stored;

use std::fmt;
use std::io;
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

pub use self::settings::{Argon2Settings, InvalidArgon2Settings, PasswordKeys, PoolSettings};

use self::reserve::Reserve;
use self::stored::{Argon2Hash, Stored};
use crate::domain::{Password, PasswordHash, UnusableHash};
use crate::port::{Entropy, HashError, PasswordHasher, Verdict};

/// Hashes passwords with Argon2id on threads of its own.
///
/// - Keyed with a subkey of the pepper, whose id stands as `keyid` in the PHC string; verifying picks the key by it.
/// - Verifies what [`PasswordHash::import`] accepts as well, and calls it outdated, so that the next sign-in replaces it.
/// - Memory is threads × what a new hash takes, taken at the start and used again for each password (38 MiB on two cores
///   by default). Imported hashes that ask for more take up to 256 MiB beyond that, all threads together, while they are
///   verified. Argon2 erases what it wrote.
/// - As many passwords wait as [`PoolSettings::queue`] says; the next is [`HashError::Busy`] at once.
/// - A caller who has gone away while waiting is passed over.
/// - Dropped, it ends its threads after the hash that each is at.
pub struct Argon2Pool {
    jobs: SyncSender<Job>,
    shared: Arc<Shared>,
}

impl Argon2Pool {
    /// Starts the threads.
    ///
    /// # Errors
    /// An I/O error when memory or threads can't be had.
    pub fn new(settings: &PoolSettings, keys: PasswordKeys, entropy: Arc<dyn Entropy>) -> io::Result<Self> {
        let memory_kib = settings.argon2.memory_kib();
        let params = ParamsBuilder::new()
            .m_cost(memory_kib)
            .t_cost(settings.argon2.passes)
            .p_cost(settings.argon2.lanes)
            .output_len(OUTPUT_LEN)
            .keyid(argon2::KeyId::new(keys.current.0.as_bytes()).map_err(io::Error::other)?)
            .build()
            .map_err(io::Error::other)?;
        let blocks = usize::try_from(memory_kib).map_err(io::Error::other)?;
        let (jobs, queue) = sync_channel(settings.queue.get());
        let queue = Arc::new(Mutex::new(queue));
        let shared = Arc::new(Shared {
            params,
            keys,
            entropy,
            reserve: Reserve::new(limits::MEMORY_KIB),
            hashed: AtomicU64::new(0),
        });
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
    reserve: Reserve,
    hashed: AtomicU64,
}

/// Memory in blocks of 1 KiB, or an error where the system has none left.
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
        Ok(PasswordHash::from_stored(phc.to_string()))
    }

    fn verify(&mut self, password: &Password, hash: Option<&PasswordHash>) -> Result<Verdict, HashError> {
        let Some(hash) = hash else {
            // An unknown address costs what a known one does (ASVS 6.3.8), unless that one's hash is still an imported one.
            self.current(password, &[0; SALT_LEN])?;
            return Ok(Verdict::Mismatch);
        };
        let stored = Stored::read(hash.as_str()).map_err(|why| HashError::Unreadable(why.to_string()))?;
        let matches = match &stored {
            Stored::Argon2(hash) => return self.verify_argon2(password, hash),
            Stored::Bcrypt(hash) => hash.matches(password.expose()),
            Stored::Pbkdf2(hash) => hash.matches(password.expose()),
            Stored::Scrypt(hash) => {
                let _share = self.shared.reserve.take(hash.memory_kib);
                hash.matches(password.expose())
            }
        };
        self.shared.hashed.fetch_add(1, Ordering::Relaxed);
        Ok(if matches { Verdict::Match { outdated: true } } else { Verdict::Mismatch })
    }

    fn verify_argon2(&mut self, password: &Password, hash: &Argon2Hash) -> Result<Verdict, HashError> {
        let shared = Arc::clone(&self.shared);
        let secret = match hash.pepper {
            None => None,
            Some(id) => {
                let unknown = || HashError::Unreadable(UnusableHash::UnknownPepper.to_string());
                Some(shared.keys.find(id).ok_or_else(unknown)?)
            }
        };
        let argon2 = context(hash.algorithm, hash.version, &hash.params, secret)?;
        let mut output = Zeroizing::new([0; Output::MAX_LENGTH]);
        let output = &mut output[..hash.output.len()];
        self.compute(&argon2, password, &hash.salt, output)?;
        if constant_time::verify_slices_are_equal(output, hash.output.as_bytes()).is_ok() {
            Ok(Verdict::Match { outdated: hash.is_outdated(&shared.params) })
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
        self.shared.hashed.fetch_add(1, Ordering::Relaxed);
        let password = password.expose().as_bytes();
        let blocks = argon2.params().block_count();
        if blocks <= self.memory.len() {
            self.dirty = blocks;
            return argon2.hash_password_into_with_memory(password, salt, out, &mut self.memory).map_err(failed);
        }
        let _share = self.shared.reserve.take(argon2.params().m_cost());
        let mut memory = Zeroizing::new(allocate(blocks).map_err(failed)?);
        argon2.hash_password_into_with_memory(password, salt, out, memory.as_mut_slice()).map_err(failed)
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

#[cfg(test)]
#[path = "argon2/imported_tests.rs"]
mod imported_tests;
#[cfg(test)]
#[path = "argon2_tests.rs"]
mod tests;
