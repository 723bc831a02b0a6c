//! People who use the server.

use serde_json::{Value, json};

use super::client::{Call, Client};

/// Somebody with an address and a password.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) email: String,
    pub(crate) password: String,
}

impl Person {
    /// Somebody new, whose address no other test and no earlier run has used.
    pub(crate) fn new() -> Self {
        let unique = uuid::Uuid::from_bytes(rand::random()).simple();
        Self { email: format!("ann-{unique}@example.com"), password: "quietly harvest umbrella".into() }
    }

    pub(crate) fn with_password(&self, password: &str) -> Self {
        Self { password: password.into(), ..self.clone() }
    }

    pub(crate) fn credentials(&self) -> Value {
        json!({ "email": self.email, "password": self.password })
    }

    pub(crate) fn register(&self, client: &Client) -> Call {
        client.post("/register", &self.credentials())
    }

    pub(crate) fn login(&self, client: &Client) -> Call {
        client.post("/login", &self.credentials())
    }

    /// Somebody who has registered there.
    pub(crate) async fn registered(client: &Client) -> Self {
        let person = Self::new();
        person.register(client).expect(201).await;
        person
    }

    /// Signs in.
    pub(crate) async fn sign_in(&self, client: &Client) -> Tokens {
        Tokens::of(&self.login(client).expect(200).await)
    }
}

/// What a sign-in yields.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) device: String,
}

impl Tokens {
    /// From an *Authenticated*.
    pub(crate) fn of(authenticated: &Value) -> Self {
        let text = |name: &str| authenticated[name].as_str().unwrap_or_else(|| panic!("no {name}")).to_owned();
        Self { access: text("accessToken"), refresh: text("refreshToken"), device: text("deviceToken") }
    }

    pub(crate) fn me(&self, client: &Client) -> Call {
        client.get("/me").bearer(&self.access)
    }

    pub(crate) fn refresh(&self, client: &Client) -> Call {
        client.post("/refresh", &json!({ "refreshToken": self.refresh }))
    }
}
