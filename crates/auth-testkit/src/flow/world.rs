//! Two nodes on one database, with clock, mail and hashing under the test's control.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use auth_core::adapter::{LocalThrottle, NoBreachCheck, OpenPolicy, SystemEntropy};
use auth_core::domain::{Attributes, Code, Context, Email, MailKind, Password, Role, Secret, Signed, Timestamp, User};
use auth_core::flow::proof::Proof;
use auth_core::flow::register::{self, Registered, Registration};
use auth_core::flow::session::{Authenticated, Fresh};
use auth_core::flow::sign_in::{self, Credentials, SignIn, SignInError};
use auth_core::flow::{mail, reset_password};
use auth_core::keys::{KeyRing, Pepper};
use auth_core::port::{Change, Clock, Store};
use auth_core::settings::{CredentialKind, ExistingAddress, Settings};
use auth_core::{Auth, Parts, Signing, StartError};

use crate::{FakeClock, FastHasher, Faulty, Inbox, given};

/// Two nodes on one database, with clock, mail and hashing under the test's control.
#[derive(Debug)]
pub struct World {
    /// Both see the same clock and the same database; throttles are each one's own.
    pub nodes: [Arc<Auth>; 2],
    /// The first node's store.
    pub store: Arc<Faulty>,
    /// Both nodes' handles on the database, without faults.
    pub handles: [Arc<dyn Store>; 2],
    /// The nodes' time.
    pub clock: Arc<FakeClock>,
    /// Where mail arrives, when [`deliver`](Self::deliver) is called.
    pub inbox: Arc<Inbox>,
    /// The nodes' hasher.
    pub hasher: Arc<FastHasher>,
}

/// A password that may be set.
pub(super) const PASSWORD: &str = "staple correct horse battery";
/// Another one.
pub(super) const OTHER: &str = "purple monkey dishwasher lamp";
/// One that nobody has.
pub(super) const WRONG: &str = "wrong wrong wrong wrong wrong";

impl World {
    /// Two nodes with default settings on a database's two handles.
    pub async fn start(handles: [Arc<dyn Store>; 2]) -> Self {
        let clock = Arc::new(FakeClock::default());
        clock.set(given::NOW);
        let hasher = Arc::new(FastHasher::default());
        let store = Arc::new(Faulty::new(handles[0].clone()));
        let first = Self::node(store.clone(), &clock, &hasher, "node pepper", |_| {}).await.expect("the first node");
        let second = Self::node(handles[1].clone(), &clock, &hasher, "node pepper", |_| {}).await;
        let nodes = [first, second.expect("the second node")];
        Self { nodes, store, handles, clock, inbox: Arc::new(Inbox::new()), hasher }
    }

    /// A further node on `store`, whose pepper is made of `pepper`.
    pub async fn node(
        store: Arc<dyn Store>,
        clock: &Arc<FakeClock>,
        hasher: &Arc<FastHasher>,
        pepper: &str,
        change: impl FnOnce(&mut Settings),
    ) -> Result<Arc<Auth>, StartError> {
        let pepper = Pepper::new(format!("{pepper}: 0123456789 abcdefghijklmnopqrstuvwxyz").into_bytes());
        let mut settings = Settings::new("https://auth.example.com");
        change(&mut settings);
        Auth::start(Parts {
            store,
            cache: None,
            idempotency: None,
            clock: clock.clone(),
            entropy: Arc::new(SystemEntropy),
            hasher: hasher.clone(),
            throttle: Arc::new(LocalThrottle::default()),
            breached: Arc::new(NoBreachCheck),
            policy: Arc::new(OpenPolicy),
            observer: None,
            ring: KeyRing::new(&pepper.expect("a pepper"), &[]),
            signing: Signing::Stored,
            settings,
        })
        .await
    }

    /// The first node again, with other settings.
    pub async fn with(&self, change: impl FnOnce(&mut Settings)) -> Arc<Auth> {
        Self::node(self.store.clone(), &self.clock, &self.hasher, "node pepper", change).await.expect("a node")
    }

    /// The first node.
    pub fn auth(&self) -> &Auth {
        &self.nodes[0]
    }

    /// The nodes' time, now.
    pub fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Sends all mail that is due.
    pub async fn deliver(&self) {
        while mail::deliver(&self.nodes[1], &*self.inbox).await.expect("the outbox") > 0 {}
    }

    /// Somebody new, registered with the password of this suite.
    pub async fn register(&self) -> User {
        created(register::register(self.auth(), registration(given::email()), &context(1)).await.expect("registered"))
    }

    /// Signs in on the first node.
    pub async fn try_sign_in(
        &self,
        email: &Email,
        text: &str,
        device: Option<String>,
    ) -> Result<Authenticated, SignInError> {
        let credentials = Credentials { email: email.clone(), password: password(text), device };
        match sign_in::sign_in(self.auth(), credentials, &context(1)).await? {
            SignIn::Complete(authenticated) => Ok(*authenticated),
            other => panic!("not complete: {other:?}"),
        }
    }

    /// Signs in with the password of this suite.
    pub async fn sign_in(&self, user: &User) -> Authenticated {
        self.try_sign_in(&user.email, PASSWORD, None).await.expect("signed in")
    }

    /// The first node, as a profile sees it that conceals who has an account and whose sessions are used with cookies.
    pub fn concealing(&self) -> Arc<Auth> {
        let mut settings = self.auth().settings().clone();
        settings.existing_address = ExistingAddress::Conceal;
        settings.credential = CredentialKind::Cookie;
        self.auth().with(settings).expect("a profile")
    }

    /// Signs in with the password of this suite, after the manner of a profile.
    pub async fn sign_in_on(&self, auth: &Auth, user: &User) -> Authenticated {
        let credentials = Credentials { email: user.email.clone(), password: password(PASSWORD), device: None };
        match sign_in::sign_in(auth, credentials, &context(1)).await.expect("signed in") {
            SignIn::Complete(authenticated) => *authenticated,
            other => panic!("not complete: {other:?}"),
        }
    }

    /// A new administrator, signed in.
    pub async fn admin(&self) -> Signed {
        let user = self.register().await;
        let grant = Change::GrantRole { user: user.id, role: Role::admin() };
        self.handles[0].commit(&[grant]).await.expect("an administrator");
        let Authenticated { user, session, .. } = self.sign_in(&user).await;
        Signed { session, user }
    }

    /// Asks for a reset, and reads its mail: code and link.
    pub async fn reset_mail(&self, user: &User) -> (Proof, Proof) {
        reset_password::request(self.auth(), &user.email, &context(1)).await.expect("asked for");
        self.deliver().await;
        self.proofs(user, MailKind::Reset)
    }

    /// The proofs in the last mail of that kind: code and link.
    pub fn proofs(&self, user: &User, kind: MailKind) -> (Proof, Proof) {
        let code = Code::parse(&self.inbox.code(&user.email, kind)).expect("a code");
        let link = Secret::parse(&self.inbox.token(&user.email, kind)).expect("a token");
        (Proof::Code { email: user.email.clone(), code, record: None }, Proof::Link(link))
    }
}

/// A registration with [`PASSWORD`].
pub(super) fn registration(email: Email) -> Registration {
    Registration { email, password: password(PASSWORD), name: None, locale: None, attributes: Attributes::default() }
}

/// A password from its text.
pub(super) fn password(text: &str) -> Password {
    Password::parse(text.to_owned()).expect("a password")
}

/// A client at 192.0.2.`n`.
pub(super) fn context(n: u8) -> Context {
    Context::new(Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, n))), Some("curl/8"), Some("request".into()))
}

/// A wrong code for that address.
pub(super) fn wrong_code(email: &Email, right: &Proof) -> Proof {
    let Proof::Code { code, .. } = right else { panic!("not a code") };
    let wrong = if code.expose() == "000000" { "000001" } else { "000000" };
    Proof::Code { email: email.clone(), code: Code::parse(wrong).expect("a code"), record: None }
}

/// The tokens of a sign-in that delivers tokens.
pub(super) trait Tokens {
    fn access(&self) -> &str;
    fn refresh(&self) -> &str;
}

impl Tokens for Fresh {
    fn access(&self) -> &str {
        match self {
            Self::Tokens { access, .. } => access.expose(),
            Self::Cookie(_) => panic!("a session with a cookie has no access token"),
        }
    }

    fn refresh(&self) -> &str {
        match self {
            Self::Tokens { refresh, .. } => refresh.expose(),
            Self::Cookie(_) => panic!("a session with a cookie has no refresh token"),
        }
    }
}

/// The user that a registration made.
pub(super) fn created(registered: Registered) -> User {
    match registered {
        Registered::Created(user, _) => *user,
        Registered::Concealed => panic!("no user was shown"),
    }
}
