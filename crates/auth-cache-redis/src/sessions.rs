//! Sessions remembered for all nodes.

mod local;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use auth_core::domain::{SessionKey, Signed, UserId};
use auth_core::port::{Cached, SessionCache, Ticket};
use futures_util::future::join_all;
use redis::{Cmd, RedisResult};

use crate::connection::millis;
use crate::debts::{Debt, Debts};
use crate::script::Script;
use crate::server::Connection;
use crate::{Redis, RedisFailure, record};
use local::Local;

/// Copies of sessions on Redis, found in one round trip; and for as long as a second in this process, if that is
/// [wished](Self::with_local_copies).
///
/// - What one node commits, no other finds any more once the commit is answered: each user has a generation on Redis, a copy
///   says in which it was read, and one of another isn't found. Where copies are kept in the processes, the others drop theirs
///   when they hear of it, a moment later, and after a second at most.
/// - A copy is kept only if the generation that was read before the store was asked is still the same, which one script looks
///   at: what raced a revocation, a Redis that was emptied, or a failover, is refused, also where it arrives late.
/// - Keys always expire, copies [`LIFETIME`](Self::LIFETIME) after they were looked for, by Redis's clock, whenever they arrive. For
///   so long, at most, a copy outlives a node that crashes between a commit and making it known, a Redis that didn't hear of it,
///   and a replica that takes over without having heard.
/// - While Redis is away the store is asked. What was to be forgotten meanwhile is made up for, as long as it matters.
/// - Who can write to Redis can make sessions up, as who can write to the database can. What needs certainty is read from the
///   store all the same: see [`confirm`](auth_core::flow::authenticate::confirm).
#[derive(Clone)]
pub struct RedisSessions(Arc<Inner>);

struct Inner {
    redis: Redis,
    lifetime: Duration,
    local: Option<Arc<Local>>,
    /// Users whose copies Redis was to forget and didn't, or everybody (`None`).
    owed: Debts<Option<UserId>, ()>,
    find: Script,
    keep: Script,
    forget: Script,
}

/// Users are spread over so many groups: what belongs to a group lies on one server of a Cluster, and has an era that ends all of
/// its copies.
const GROUPS: u16 = 256;

/// The copy, if it is of this generation; or the generation, which begins here where there is none, and the time.
const FIND: &str = "
local function known(key, fresh, lifetime)
    local value = redis.call('GET', key)
    if not value then
        redis.call('SET', key, fresh, 'PX', lifetime)
        value = fresh
    end
    return value
end
local generation = known(KEYS[1], ARGV[1], ARGV[3]) .. known(KEYS[2], ARGV[2], ARGV[4])
local kept = redis.call('GET', KEYS[3])
if kept and string.sub(kept, 1, 16) == generation then
    return {1, string.sub(kept, 17), 0}
end
local time = redis.call('TIME')
return {0, generation, time[1] * 1000 + math.floor(time[2] / 1000)}";

/// Keeps a copy in its generation, which lives on for as long; until its lifetime is over, which began when it was looked for:
/// what arrives late, after a freeze say, is late.
const KEEP: &str = "
local time = redis.call('TIME')
local left = ARGV[3] + ARGV[4] - (time[1] * 1000 + math.floor(time[2] / 1000))
local era, generation = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
if left > 0 and era and generation and era .. generation == ARGV[1] then
    redis.call('SET', KEYS[3], ARGV[1] .. ARGV[2], 'PX', string.format('%.0f', math.min(left, ARGV[4])))
    redis.call('PEXPIRE', KEYS[2], ARGV[5])
end";

/// In this order: whoever hears of it and reads again must not read what was.
const FORGET: &str = "
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[1], ARGV[2])";

/// How long an era lasts; with it end the copies of its group, and are read anew.
const ERA: Duration = Duration::from_secs(24 * 3600);

/// A copy that is being looked for while it is to be forgotten lives from then on.
const MARGIN: Duration = Duration::from_secs(1);

/// Where nodes hear of what is to be forgotten: the sixteen bytes of a user's id, or [`EVERYBODY`].
const CHANNEL: &str = "forget";

const EVERYBODY: &[u8] = b"*";

/// What was so before the store was read.
struct Seen {
    key: SessionKey,
    /// `None` where Redis didn't say: nothing is kept then.
    generation: Option<Generation>,
    /// For the copy in this process.
    local: Option<Ticket>,
}

/// The group's era and the user's generation, sixteen bytes, and when they were read, in milliseconds since 1970.
struct Generation {
    bytes: Vec<u8>,
    read_at: u64,
}

/// How something is said to Redis.
#[derive(Clone, Copy)]
enum Manner {
    /// While it answers.
    Asking,
    /// Whether or not it does.
    Insisting,
}

impl RedisSessions {
    /// The longest that a copy lives on Redis.
    pub const LIFETIME: Duration = Duration::from_secs(5);

    /// Remembers sessions on `redis`.
    pub fn new(redis: Redis) -> Self {
        Self::of(redis, Self::LIFETIME, None)
    }

    /// The same, where copies live for `lifetime`.
    #[must_use]
    pub fn with_lifetime(self, lifetime: Duration) -> Self {
        Self::of(self.0.redis.clone(), lifetime, self.0.local.clone())
    }

    /// The same, where this process keeps copies as well, for `longest` and no more than a second. It finds them while it hears
    /// what others commit, by a connection of its own: where that is lost they are dropped, and there are none until it is back.
    ///
    /// To be called within a Tokio runtime.
    #[must_use]
    pub fn with_local_copies(self, longest: Duration) -> Self {
        let local = Local::listening(self.0.redis.clone(), longest);
        Self::of(self.0.redis.clone(), self.0.lifetime, Some(local))
    }

    fn of(redis: Redis, lifetime: Duration, local: Option<Arc<Local>>) -> Self {
        let [find, keep, forget] = [FIND, KEEP, FORGET].map(Script::new);
        Self(Arc::new(Inner { redis, lifetime, local, owed: Debts::default(), find, keep, forget }))
    }

    /// Whether this process hears what others commit, and may keep copies; `false` as well where it was told to keep none.
    pub fn is_listening(&self) -> bool {
        self.0.local.as_ref().is_some_and(|local| local.is_live())
    }

    /// Whether Redis takes what is to be forgotten, and tells the nodes, whatever it said last.
    ///
    /// # Errors
    /// [`RedisFailure`].
    pub async fn check(&self) -> Result<(), RedisFailure> {
        let nobody = UserId::from(uuid::Uuid::nil());
        let find_and_forget = async |connection: &mut Connection| {
            self.0.find_on(connection, &SessionKey::Id(nobody.as_uuid().into()), nobody).await?;
            self.0.forget_on(connection, nobody).await
        };
        self.0.redis.examine(find_and_forget).await?;
        self.0.redis.subscribe(CHANNEL).await.map(drop)
    }
}

impl Inner {
    /// The copy that Redis has, or the generation that there is; `None` where it doesn't say.
    async fn find(&self, key: &SessionKey, user: UserId) -> Option<Found> {
        let keys = Keys::of(&self.redis, user);
        let mut read = redis::cmd("MGET");
        read.arg(&keys.era).arg(&keys.generation).arg(keys.session(key));
        let kept: [Option<Vec<u8>>; 3] = self.redis.ask(async |connection| read.query_async(connection).await).await?;
        if let [Some(era), Some(generation), Some(kept)] = &kept
            && let Some(copy) = kept.strip_prefix(&era[..]).and_then(|kept| kept.strip_prefix(&generation[..]))
        {
            return copied(copy, user);
        }
        // Not for every copy that is found: a plain read costs Redis less.
        let found = self.redis.ask(async |connection| self.find_on(connection, key, user).await).await?;
        match found {
            (true, copy, _) => copied(&copy, user),
            (false, bytes, read_at) => Some(Found::Generation(Generation { bytes, read_at })),
        }
    }

    async fn find_on(
        &self,
        connection: &mut Connection,
        key: &SessionKey,
        user: UserId,
    ) -> RedisResult<(bool, Vec<u8>, u64)> {
        let keys = Keys::of(&self.redis, user);
        let fresh: [[u8; 8]; 2] = rand::random();
        let arguments = |call: &mut Cmd| {
            call.arg(&fresh[0][..]).arg(&fresh[1][..]).arg(millis(ERA)).arg(millis(self.generation_lives()));
        };
        self.find.run(connection, &[&keys.era, &keys.generation, &keys.session(key)], arguments).await
    }

    /// As long as a copy may be on its way, and then be found.
    fn generation_lives(&self) -> Duration {
        2 * self.lifetime
    }

    async fn keep(&self, seen: &SessionKey, generation: &Generation, signed: &Signed) {
        let Some(kept) = record::write(signed) else { return };
        let keys = Keys::of(&self.redis, signed.user.id);
        let arguments = |call: &mut Cmd| {
            call.arg(&generation.bytes).arg(&kept).arg(generation.read_at);
            call.arg(millis(self.lifetime)).arg(millis(self.generation_lives()));
        };
        let keep = async |connection: &mut Connection| {
            self.keep.run(connection, &[&keys.era, &keys.generation, &keys.session(seen)], arguments).await
        };
        self.redis.tell(keep).await;
    }

    /// Whether Redis has forgotten the user.
    async fn forget(&self, user: UserId, manner: Manner) -> bool {
        self.say(manner, async |connection| self.forget_on(connection, user).await).await
    }

    async fn forget_on(&self, connection: &mut Connection, user: UserId) -> RedisResult<()> {
        let arguments = |call: &mut Cmd| _ = call.arg(self.redis.channel(CHANNEL)).arg(&user.as_bytes()[..]);
        self.forget.run(connection, &[&Keys::of(&self.redis, user).generation], arguments).await
    }

    /// Whether Redis has forgotten everybody: whether every era has ended. Those that can be are ended, also where others can't.
    async fn forget_all(&self, manner: Manner) -> bool {
        let end = async |group| {
            let era = era(&self.redis, group);
            self.say(manner, async |connection| redis::cmd("DEL").arg(&era).query_async(connection).await).await
        };
        let ended = join_all((0..GROUPS).map(end)).await;
        let channel = self.redis.channel(CHANNEL);
        let publish = async |connection: &mut Connection| {
            redis::cmd("PUBLISH").arg(&channel).arg(EVERYBODY).query_async(connection).await
        };
        self.say(manner, publish).await && ended.into_iter().all(|ended| ended)
    }

    async fn say(&self, manner: Manner, call: impl AsyncFnOnce(&mut Connection) -> RedisResult<()>) -> bool {
        match manner {
            Manner::Asking => self.redis.ask(call).await.is_some(),
            Manner::Insisting => self.redis.insist(call).await,
        }
    }
}

/// One that can't be read ends by itself.
fn copied(bytes: &[u8], user: UserId) -> Option<Found> {
    let signed = record::read(bytes).filter(|signed| signed.user.id == user)?;
    Some(Found::Copy(Arc::new(signed)))
}

enum Found {
    Copy(Arc<Signed>),
    Generation(Generation),
}

/// Where what belongs to a user lies.
struct Keys<'a> {
    redis: &'a Redis,
    group: String,
    era: Vec<u8>,
    generation: Vec<u8>,
    user: UserId,
}

impl<'a> Keys<'a> {
    fn of(redis: &'a Redis, user: UserId) -> Self {
        // The last bytes of an id are random.
        let [.., high, low] = *user.as_bytes();
        let group = u16::from_be_bytes([high, low]) % GROUPS;
        let tag = tag(group);
        let generation = redis.key(&format!("{tag}g"), user.as_bytes());
        Self { redis, era: era(redis, group), generation, group: tag, user }
    }

    /// The key of one session; the user is in it, so that nobody else's is ever found there.
    fn session(&self, key: &SessionKey) -> Vec<u8> {
        let kind = format!("{}s{}", self.group, record::FORM);
        let (how, id): (&[u8], &[u8]) = match key {
            SessionKey::Id(id) => (b"i", id.as_bytes()),
            SessionKey::Secret(digest) => (b"s", digest.as_bytes()),
        };
        self.redis.key(&kind, &[&self.user.as_bytes()[..], how, id].concat())
    }
}

fn era(redis: &Redis, group: u16) -> Vec<u8> {
    redis.key(&format!("{}era", tag(group)), b"")
}

/// What stands in braces decides where a Cluster keeps a key.
fn tag(group: u16) -> String {
    format!("{{{group}}}")
}

#[async_trait]
impl SessionCache for RedisSessions {
    async fn find(&self, key: &SessionKey, user: UserId) -> Cached {
        let mut local = None;
        if let Some(live) = self.0.local.as_ref().filter(|local| local.is_live()) {
            match live.copies.find(key, user).await {
                Cached::Hit(signed) => return Cached::Hit(signed),
                Cached::Miss(ticket) => local = Some(ticket),
            }
        }
        let nothing = Seen { key: *key, generation: None, local: None };
        if self.0.owed.are_about(&[Some(user), None]) {
            return Cached::Miss(Ticket::new(nothing));
        }
        match self.0.find(key, user).await {
            Some(Found::Copy(signed)) => {
                if let (Some(live), Some(ticket)) = (&self.0.local, local) {
                    live.copies.keep(ticket, &signed).await;
                }
                Cached::Hit(signed)
            }
            Some(Found::Generation(generation)) => {
                Cached::Miss(Ticket::new(Seen { generation: Some(generation), local, ..nothing }))
            }
            None => Cached::Miss(Ticket::new(nothing)),
        }
    }

    async fn keep(&self, ticket: Ticket, signed: &Arc<Signed>) {
        let Some(Seen { key, generation: Some(generation), local }) = ticket.into_known() else { return };
        if let (Some(live), Some(ticket)) = (&self.0.local, local) {
            live.copies.keep(ticket, signed).await;
        }
        self.0.keep(&key, &generation, signed).await;
    }

    async fn forget(&self, users: &[UserId]) {
        for user in users {
            if !self.0.forget(*user, Manner::Asking).await {
                self.owe(Some(*user));
            }
            // Last: as long as Redis had it, it may have been copied once more.
            if let Some(local) = &self.0.local {
                local.copies.forget_now(*user);
            }
        }
    }

    async fn forget_all(&self) {
        if !self.0.forget_all(Manner::Asking).await {
            self.owe(None);
        }
        if let Some(local) = &self.0.local {
            local.copies.forget_all_now();
        }
    }
}

impl RedisSessions {
    /// Makes up for what Redis didn't hear, as soon as it answers: the user, or everybody. Until then this node finds none of them.
    fn owe(&self, user: Option<UserId>) {
        // One by one, so many wouldn't be told in time.
        let user = user.filter(|_| !self.0.owed.are_many());
        if !self.0.owed.note(user, (), self.0.lifetime + MARGIN) {
            return;
        }
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move {
            let tell = |debt: Debt<_, _>| {
                let inner = Arc::clone(&inner);
                async move {
                    match debt.about {
                        Some(user) => inner.forget(user, Manner::Insisting).await,
                        None => inner.forget_all(Manner::Insisting).await,
                    }
                }
            };
            inner.owed.settle_all(tell).await;
        });
    }
}

impl fmt::Debug for RedisSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSessions").field("redis", &self.0.redis).finish_non_exhaustive()
    }
}
