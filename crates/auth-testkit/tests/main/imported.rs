//! Users whose hashes another system made, with the hasher that servers have.

use std::sync::Arc;
use std::time::Duration;

use auth_core::adapter::DangerNoThrottle;
use auth_core::domain::{Attributes, Context, Email, Password, PasswordHash, Profile, UserId};
use auth_core::flow::import::{Imported, import};
use auth_core::flow::sign_in::{Credentials, SignInError, sign_in};
use auth_core::keys::{KeyRing, Pepper};
use auth_core::port::{Change, Commit as _, PasswordHasher, Users as _};
use auth_core::settings::Settings;
use auth_core::{Auth, Parts};
use auth_testkit::race::race;
use auth_testkit::{MemoryStore, given};

/// Of "rasmuslerdorf": PHP's example of `password_verify`.
const BCRYPT: &str = "$2y$07$BCryptRequires22Chrcte/VlQH0piJtjXl.0t1XkA8pw9dMXTpOq";
const PASSWORD: &str = "rasmuslerdorf";

fn password(text: &str) -> Password {
    Password::parse(text.to_owned()).unwrap()
}

fn account(email: &Email) -> Imported {
    Imported {
        email: email.clone(),
        password: Some(PasswordHash::import(BCRYPT).unwrap()),
        is_verified: true,
        profile: Profile::default(),
        roles: Vec::new(),
        attributes: Attributes::default(),
        created_at: None,
    }
}

struct World {
    auth: Arc<Auth>,
    store: Arc<MemoryStore>,
    hasher: Arc<dyn PasswordHasher>,
    user: UserId,
    email: Email,
}

impl World {
    /// One user, with the hash that was imported.
    async fn start() -> Self {
        let store = Arc::new(MemoryStore::new());
        let pepper = Pepper::new(b"0123456789 abcdefghijklmnopqrstuvwxyz".to_vec()).unwrap();
        let settings = Settings::new("https://auth.example.com");
        let parts = Parts::new(store.clone(), KeyRing::new(&pepper, &[]), settings).unwrap();
        let hasher = parts.hasher.clone();
        let auth = Auth::start(Parts { throttle: Arc::new(DangerNoThrottle), ..parts }).await.unwrap();
        let email = given::email();
        let account = account(&email);
        let user = import(&auth, &[account], &Context::default()).await.unwrap().remove(0).unwrap();
        Self { auth, store, hasher, user, email }
    }

    async fn set(&self, hash: PasswordHash) {
        let user = self.store.find_user(self.user).await.unwrap().unwrap().user;
        let change = Change::SetPassword { user: user.id, epoch: user.epoch, password: hash };
        self.store.commit(&[change]).await.unwrap();
    }

    async fn stored(&self) -> String {
        self.store.find_user(self.user).await.unwrap().unwrap().password.unwrap().as_str().to_owned()
    }

    async fn sign_in(&self, text: &str) -> Result<(), SignInError> {
        let credentials = Credentials { email: self.email.clone(), password: password(text), device: None };
        sign_in(&self.auth, credentials, &Context::default()).await.map(drop)
    }
}

// PW3: the first sign-in replaces an imported hash by one of ours; a wrong password replaces nothing.
#[tokio::test]
async fn pw3_an_imported_hash_is_replaced() {
    let world = World::start().await;
    assert!(matches!(world.sign_in("rasmuslerdorg").await, Err(SignInError::Unauthorized)));
    assert_eq!(world.stored().await, BCRYPT);
    world.sign_in(PASSWORD).await.unwrap();
    let replaced = world.stored().await;
    assert!(replaced.starts_with("$argon2id$v=19$m=19456,t=2,p=1,keyid="), "{replaced}");
    world.sign_in(PASSWORD).await.unwrap();
    assert_eq!(world.stored().await, replaced);
}

// PW3: sign-ins with an imported hash, racing a change of the password: the change stays.
#[tokio::test(flavor = "multi_thread")]
async fn pw3_an_imported_hash_loses_to_a_change() {
    let world = Arc::new(World::start().await);
    let changed = world.hasher.hash(&password("staple correct horse battery")).await.unwrap();
    race(8, |i| {
        let (world, changed) = (world.clone(), changed.clone());
        async move {
            if i > 0 {
                let _either_way = world.sign_in(PASSWORD).await;
            } else {
                // By now the others have read the old hash, and are at verifying it.
                tokio::time::sleep(Duration::from_millis(5)).await;
                world.set(changed).await;
            }
        }
    })
    .await;
    assert_eq!(world.stored().await, changed.as_str());
    world.sign_in("staple correct horse battery").await.unwrap();
    assert!(matches!(world.sign_in(PASSWORD).await, Err(SignInError::Unauthorized)));
}

// An address that is taken, and one that is there twice, keep no other account back. Again, nothing happens.
#[tokio::test]
async fn one_that_is_taken_keeps_no_other_back() {
    let world = World::start().await;
    let [ann, bob, eve] = [given::email(), given::email(), given::email()];
    let outcome = async |emails: &[&Email]| {
        let accounts: Vec<Imported> = emails.iter().map(|email| account(email)).collect();
        let outcomes = import(&world.auth, &accounts, &Context::default()).await.unwrap();
        for (email, outcome) in emails.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()) {
            let found = world.store.find_user_by_email(email).await.unwrap().unwrap();
            assert_eq!(Ok(found.user.id), *outcome);
        }
        outcomes.iter().map(Result::is_ok).collect::<Vec<_>>()
    };
    assert_eq!(outcome(&[&ann, &world.email]).await, [true, false]);
    assert_eq!(outcome(&[&bob, &ann, &bob, &eve]).await, [true, false, false, true]);
    assert_eq!(outcome(&[&ann, &bob, &eve]).await, [false; 3]);
    assert_eq!(outcome(&[]).await, [false; 0]);
    world.sign_in(PASSWORD).await.unwrap();
}
