//! A whole system under test: core, wire and web adapter, with time, mail and faults in the check's hand.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use auth_core::adapter::{LocalThrottle, NoBreachCheck, OpenPolicy};
use auth_core::domain::{Email, MailKind, Password, Role, Status, User, UserId};
use auth_core::flow::mail;
use auth_core::keys::{KeyRing, Pepper};
use auth_core::port::{Change, Limit, PasswordHasher, SessionCache, Store};
use auth_core::settings::{ExistingAddress, Settings};
use auth_core::{Auth, Parts, Signing};
use auth_http::{AuthHttp, HttpSettings, Operation, Profile, Route};
use http::Method;
use serde_json::{Value, json};

use super::document::Document;
use super::{Call, Credentials, Mount, Reply, TestHasher, Tokens, Web};
use crate::{Counting, FakeClock, Faulty, Inbox, given};

/// Where the system says it is.
pub(super) const PUBLIC_URL: &str = "https://auth.example.com";
/// Where links in mail lead.
pub(super) const FRONTEND_URL: &str = "https://app.example.com";

/// What a check may choose.
#[derive(Debug)]
pub struct Options {
    /// About the core.
    pub core: Settings,
    /// About the wire.
    pub http: HttpSettings,
    /// What the system speaks.
    pub profile: Profile,
    /// What it speaks beside that.
    pub others: Vec<Profile>,
}

/// A whole system under test. Cheap to clone, so that racers can have one each.
#[derive(Clone)]
pub struct World(Arc<Inner>);

struct Inner {
    web: Arc<dyn Web>,
    http: AuthHttp,
    clock: Arc<FakeClock>,
    inbox: Inbox,
    faulty: Arc<Faulty>,
    counting: Arc<Counting>,
    hasher: Arc<TestHasher>,
    document: Document,
    cache: Option<Arc<dyn SessionCache>>,
}

impl World {
    /// A system with the documented defaults.
    pub async fn new(mount: &Mount) -> Self {
        Self::with(mount, |_| {}).await
    }

    /// A system with other settings.
    pub async fn with(mount: &Mount, choose: impl FnOnce(&mut Options)) -> Self {
        let mut core = Settings::new(PUBLIC_URL);
        core.frontend_url = FRONTEND_URL.into();
        let mut options =
            Options { core, http: HttpSettings::default(), profile: mount.profile.clone(), others: Vec::new() };
        choose(&mut options);

        let pepper = Pepper::new((0..32).collect::<Vec<u8>>()).expect("a pepper");
        let clock = Arc::new(FakeClock::default());
        let faulty = Arc::new(Faulty::new(mount.store.clone()));
        let counting = Arc::new(Counting::new(faulty.clone()));
        let hasher = Arc::new(TestHasher::default());
        let parts = Parts {
            store: counting.clone(),
            cache: mount.cache.clone(),
            idempotency: mount.idempotency.clone(),
            clock: clock.clone(),
            entropy: mount.entropy(),
            hasher: hasher.clone(),
            throttle: Arc::new(LocalThrottle::default()),
            breached: Arc::new(NoBreachCheck),
            policy: Arc::new(OpenPolicy),
            observer: None,
            ring: KeyRing::new(&pepper, &[]),
            signing: Signing::Stored,
            settings: options.core,
        };
        let auth = Auth::start(parts).await.expect("a system that starts");
        let http = AuthHttp::new(auth, std::iter::once(options.profile).chain(options.others), options.http)
            .expect("a sound profile");
        let web = mount.web(&http);
        let document = Document::new(http.openapi());
        Self(Arc::new(Inner {
            web,
            http,
            document,
            clock,
            inbox: Inbox::new(),
            faulty,
            counting,
            hasher,
            cache: mount.cache.clone(),
        }))
    }

    /// A call of an operation, by its path below the prefix, whatever the profile calls it: its canonical name will do.
    pub fn call(&self, method: Method, path: &str) -> Call {
        let (canonical, profile) = (Profile::sessions(), self.profile());
        let operation = canonical
            .names
            .iter()
            .chain(&Profile::tokens().names)
            .find_map(|(operation, known, name)| (*known == method && *name == path).then_some(*operation));
        let is_called =
            |operation: Option<Operation>| profile.names.iter().find(|(other, ..)| Some(*other) == operation);
        let called = is_called(operation).or_else(|| is_called(operation.and_then(counterpart)));
        let (method, path) = called.map_or((method, path), |(_, method, path)| (method.clone(), path));
        Call::new(self.clone(), method, &format!("{}{path}", self.prefix()))
    }

    /// A call by the whole path.
    pub fn at(&self, method: Method, path: &str) -> Call {
        Call::new(self.clone(), method, path)
    }

    /// What the system speaks.
    pub fn profile(&self) -> &Profile {
        self.0.http.profiles().next().expect("a profile")
    }

    /// What the paths of the profile begin with.
    pub fn prefix(&self) -> &str {
        &self.profile().prefix
    }

    /// Whether registering tells who has an account.
    pub fn conceals(&self) -> bool {
        self.profile().existing_address == ExistingAddress::Conceal
    }

    /// A `GET`.
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// A `POST` of JSON.
    #[expect(clippy::needless_pass_by_value, reason = "json!(…) reads better than &json!(…), some hundred times")]
    pub fn post(&self, path: &str, body: Value) -> Call {
        self.call(Method::POST, path).json(&body)
    }

    /// The wire.
    pub fn http(&self) -> &AuthHttp {
        &self.0.http
    }

    /// The adapter.
    pub fn web(&self) -> Arc<dyn Web> {
        self.0.web.clone()
    }

    /// What the OpenAPI document says.
    pub(super) fn document(&self) -> &Document {
        &self.0.document
    }

    /// The profile's route table.
    pub fn routes(&self) -> &[Route] {
        self.0.http.routes()
    }

    /// The core.
    pub fn auth(&self) -> &Auth {
        self.0.http.auth()
    }

    /// The time.
    pub fn clock(&self) -> &FakeClock {
        &self.0.clock
    }

    /// The store, as the check may break it.
    pub fn faults(&self) -> &Faulty {
        &self.0.faulty
    }

    /// What the core asks of the store.
    pub fn counting(&self) -> &Counting {
        &self.0.counting
    }

    /// The hasher.
    pub fn hasher(&self) -> &TestHasher {
        &self.0.hasher
    }

    /// Sends what is in the outbox, and returns where it arrives.
    pub async fn inbox(&self) -> &Inbox {
        while mail::deliver(self.auth(), &self.0.inbox).await.expect("an outbox that can be read") > 0 {}
        &self.0.inbox
    }

    /// The secret in the link of the last mail of that kind.
    pub async fn link(&self, person: &Person, kind: MailKind) -> String {
        self.inbox().await.token(&person.address(), kind)
    }

    /// The code in the last mail of that kind.
    pub async fn code(&self, person: &Person, kind: MailKind) -> String {
        self.inbox().await.code(&person.address(), kind)
    }

    /// Registers somebody, from an address of their own, as far as throttles go.
    pub async fn register(&self, person: &Person) -> Reply {
        let reply = self.post("/register", person.credentials()).from(&person.peer).await;
        reply.expect(if self.conceals() { 202 } else { 201 });
        reply
    }

    /// Somebody with an account. Where registering is concealed, they have proved their address, or there would be none.
    pub async fn registered(&self) -> Person {
        let person = self.unverified().await;
        if self.conceals() {
            self.verify(&person).await;
        }
        person
    }

    /// Somebody who has registered, and no more.
    pub async fn unverified(&self) -> Person {
        let person = Person::new();
        self.register(&person).await;
        person
    }

    /// Somebody who has registered and proved the address.
    pub async fn verified(&self) -> Person {
        let person = self.unverified().await;
        self.verify(&person).await;
        person
    }

    /// Proves somebody's address.
    pub async fn verify(&self, person: &Person) {
        let token = self.link(person, MailKind::Verify).await;
        self.post("/verify/confirm", json!({ "token": token })).from(&person.peer).await.expect(200);
    }

    /// Somebody who is an administrator.
    pub async fn admin(&self) -> Person {
        let person = self.verified().await;
        self.grant(&person, Role::admin()).await;
        person
    }

    /// Gives somebody a role, as an operator does.
    pub async fn grant(&self, person: &Person, role: Role) {
        let user = self.user_id(person).await;
        self.operate(user, Change::GrantRole { user, role }).await;
    }

    /// Somebody who is suspended.
    pub async fn suspended(&self) -> Person {
        let person = self.verified().await;
        self.set_status(&person, Status::Suspended).await;
        person
    }

    /// Suspends or reactivates somebody, as an administrator does.
    pub async fn set_status(&self, person: &Person, status: Status) {
        let user = self.user_id(person).await;
        self.operate(user, Change::SetStatus { user, status }).await;
    }

    /// Does something to somebody beside the system, as another process does that shares store and cache with it.
    async fn operate(&self, user: UserId, change: Change) {
        self.store().commit(&[change]).await.expect("a commit");
        if let Some(cache) = &self.0.cache {
            cache.forget(&[user]).await;
        }
    }

    /// Signs in.
    pub async fn sign_in(&self, person: &Person) -> Credentials {
        if self.profile().second_factor.is_some() {
            // What waits in the outbox is not the code that comes now.
            self.inbox().await;
        }
        let reply = self.post("/login", person.credentials()).from(&person.peer).await;
        if reply.status == 200 && reply.json()["mfaRequired"] == true {
            let (challenge, code) =
                (reply.json()["challenge"].clone(), self.code(person, MailKind::SecondFactor).await);
            let body = json!({ "challenge": challenge, "code": code, "method": "email" });
            return Credentials::of(&self.post("/login/2fa", body).from(&person.peer).await);
        }
        Credentials::of(&reply)
    }

    /// Somebody signed in who holds these roles and no others, by way of the store.
    pub async fn signed_in(&self, is_verified: bool, roles: &[&str]) -> Credentials {
        let person = Person::new();
        let user = User {
            email: person.address(),
            email_verified_at: is_verified.then_some(given::NOW),
            roles: roles.iter().map(|role| Role::parse(role).expect("a role")).collect(),
            ..given::user()
        };
        let password = Password::parse(person.password.clone()).expect("a password");
        let password = self.hasher().hash(&password).await.expect("a hash");
        self.store().commit(&[Change::CreateUser { user, password: Some(password) }]).await.expect("a new user");
        self.sign_in(&person).await
    }

    /// Signs in where tokens are delivered in the body.
    pub async fn tokens(&self, person: &Person) -> Tokens {
        match self.sign_in(person).await {
            Credentials::Tokens(tokens) => tokens,
            Credentials::Browser(_) => panic!("this profile delivers cookies"),
        }
    }

    /// Takes a role from somebody, as an operator does.
    pub async fn revoke(&self, person: &Person, role: Role) {
        let user = self.user_id(person).await;
        self.operate(user, Change::RevokeRole { user, role }).await;
    }

    /// Waits until a use of one of somebody's sessions just now is noted, which no request waits for.
    pub async fn noticed(&self, person: &Person) {
        let (user, now) = (self.user_id(person).await, self.auth().now());
        for _ in 0..1000 {
            let sessions = self.store().sessions_of(user).await.expect("a store");
            if sessions.iter().any(|session| session.last_seen_at == now) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the session's idle time was not renewed");
    }

    /// The id of somebody's account.
    pub async fn user_id(&self, person: &Person) -> UserId {
        let found = self.store().find_user_by_email(&person.address()).await.expect("a store that answers");
        found.expect("an account").user.id
    }

    /// The store, past all decorators.
    pub fn store(&self) -> &dyn Store {
        &*self.0.faulty
    }
}

/// What the profile `service` has instead of an operation.
const fn counterpart(operation: Operation) -> Option<Operation> {
    match operation {
        Operation::Register => Some(Operation::SignUp),
        Operation::SignIn => Some(Operation::SignInAtOnce),
        Operation::RequestVerification => Some(Operation::ResendVerification),
        Operation::Refresh => Some(Operation::RefreshByBearer),
        _ => None,
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

/// Somebody with an address and a password.
#[derive(Debug, Clone)]
pub struct Person {
    /// The address, in its canonical form.
    pub email: String,
    /// The password.
    pub password: String,
    /// Where they connect from.
    pub peer: String,
}

impl Person {
    /// Somebody new, who has no account yet.
    pub fn new() -> Self {
        // Three digits each: what tells of an address is as long as what tells of another.
        let [a, b, c] = given::bytes::<3>().map(|byte| 100 + byte % 100);
        Self {
            email: given::email().canonical().to_owned(),
            password: "correct horse battery staple".into(),
            peer: format!("10.{a}.{b}.{c}"),
        }
    }

    /// The address as the core has it.
    pub fn address(&self) -> Email {
        Email::parse(&self.email).expect("an address")
    }

    /// What they sign in with.
    pub fn credentials(&self) -> Value {
        json!({ "email": self.email, "password": self.password })
    }
}

impl Default for Person {
    fn default() -> Self {
        Self::new()
    }
}

/// So many in that many seconds.
pub(super) const fn limit(uses: u32, seconds: u64) -> Limit {
    Limit { uses, window: Duration::from_secs(seconds) }
}
