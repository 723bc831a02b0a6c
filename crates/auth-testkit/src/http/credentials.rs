//! What a sign-in yields, the way of each delivery.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Call, Reply, World};

/// What a sign-in yields: as it was then. What a later reply replaces is in the credentials made of that reply.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// In the reply's body.
    Tokens(Tokens),
    /// In a browser's cookies.
    Browser(Cookies),
}

impl Credentials {
    /// From an *Authenticated*, whichever way it comes.
    #[track_caller]
    pub fn of(reply: &Reply) -> Self {
        let authenticated = reply.expect(200);
        if authenticated["accessToken"].is_null() {
            assert!(authenticated["user"]["id"].is_string(), "{reply:?}");
            let cookies = Cookies::default().after(reply);
            assert_eq!(authenticated["csrfToken"].as_str(), cookies.find("csrf"), "{reply:?}");
            Self::Browser(cookies)
        } else {
            Self::Tokens(Tokens::of(&authenticated))
        }
    }

    /// The cookies, of a profile that delivers them.
    pub fn cookies(&self) -> &Cookies {
        match self {
            Self::Browser(cookies) => cookies,
            Self::Tokens(_) => panic!("this profile delivers tokens"),
        }
    }

    /// The device token.
    pub fn device(&self) -> &str {
        match self {
            Self::Tokens(tokens) => &tokens.device,
            Self::Browser(cookies) => cookies.value("device"),
        }
    }

    /// What opens the session: the access token or the cookie's value.
    pub fn secret(&self) -> &str {
        match self {
            Self::Tokens(tokens) => &tokens.access,
            Self::Browser(cookies) => cookies.find("session").unwrap_or_else(|| cookies.value("access_token")),
        }
    }

    /// Whether it still opens anything.
    pub async fn is_live(&self, world: &World) -> bool {
        let reply = world.get("/me").by(self).await;
        assert!(matches!(reply.status, 200 | 401), "{reply:?}");
        reply.status == 200
    }

    /// Holds it to opening nothing any more, nor being good for anything that would.
    pub async fn assert_dead(&self, world: &World) {
        assert!(!self.is_live(world).await, "{self:?} is live");
        if let Self::Tokens(tokens) = self {
            tokens.refresh(world).await.problem("UNAUTHORIZED");
        }
    }

    /// The session's id, as the user sees it.
    pub async fn session_id(&self, world: &World) -> String {
        let me = world.get("/me").by(self).await.expect(200);
        me["session"]["id"].as_str().expect("an id").to_owned()
    }
}

/// Tokens that came in a body.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
    /// The device token.
    pub device: String,
}

impl Tokens {
    /// From an *Authenticated* delivered in the body.
    pub fn of(authenticated: &Value) -> Self {
        let text = |name: &str| authenticated[name].as_str().unwrap_or_else(|| panic!("no {name}")).to_owned();
        assert_eq!(authenticated["tokenType"], "Bearer");
        Self { access: text("accessToken"), refresh: text("refreshToken"), device: text("deviceToken") }
    }

    /// Whether the access token still opens anything.
    pub async fn is_live(&self, world: &World) -> bool {
        Credentials::Tokens(self.clone()).is_live(world).await
    }

    /// Exchanges the refresh token.
    pub fn refresh(&self, world: &World) -> Call {
        world.post("/refresh", json!({ "refreshToken": self.refresh }))
    }

    /// The session's id, as the user sees it.
    pub async fn session_id(&self, world: &World) -> String {
        Credentials::Tokens(self.clone()).session_id(world).await
    }
}

/// Cookies as a browser holds them. Checks name them without the prefix `__Host-`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cookies(BTreeMap<String, String>);

const HOST: &str = "__Host-";

impl Cookies {
    /// These, after a reply has set and cleared some.
    #[must_use]
    pub fn after(&self, reply: &Reply) -> Self {
        let mut cookies = self.clone();
        for set_cookie in reply.set_cookies() {
            let (pair, attributes) = set_cookie.split_once("; ").expect("attributes");
            let (name, value) = pair.split_once('=').expect("a value");
            if attributes.contains("Max-Age=0") {
                cookies.0.remove(name);
            } else {
                cookies.0.insert(name.to_owned(), value.to_owned());
            }
        }
        cookies
    }

    /// A cookie's value.
    pub fn value(&self, name: &str) -> &str {
        self.find(name).unwrap_or_else(|| panic!("no cookie {name}"))
    }

    /// A cookie's value, if there is one.
    pub fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name).or_else(|| self.0.get(&format!("{HOST}{name}"))).map(String::as_str)
    }

    /// Whether there is such a cookie.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// What the page's script finds in the CSRF cookie.
    pub fn csrf_token(&self) -> String {
        self.find("csrf").unwrap_or_default().to_owned()
    }

    /// These, with another value.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut cookies = self.clone();
        let name = if self.0.contains_key(name) { name.to_owned() } else { format!("{HOST}{name}") };
        cookies.0.insert(name, value.to_owned());
        cookies
    }

    /// The header that a browser sends.
    pub fn header(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }
}
