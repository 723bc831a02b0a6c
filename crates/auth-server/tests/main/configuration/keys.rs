//! What signs access tokens.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::person::{Person, Tokens};
use crate::support::process::{Home, Server};

const JWT_SECRET: &str = "kX8sT2mV6qZ1wL9rB4nC7yD5gH3jF0pE";

/// The private key of RFC 8410 §10.3, and the public one that belongs to it.
const PEM: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
";
const PUBLIC: &str = "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE";

/// HS256: nothing is published.
#[tokio::test]
async fn jw5_a_shared_secret() {
    let home = Home::new().with("JWT_SECRET", JWT_SECRET).with("PUBLIC_URL", "http://localhost:8080/");
    let server = home.start().await;
    let (person, tokens) = signed_in(&server).await;
    let header = header(&tokens);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("HS256"), &json!("at+jwt")));
    assert_eq!(jwks(&server).await, json!({ "keys": [] }));
    // Whoever has the secret can check them: with OpenSSL, say.
    let claims = claims(&tokens);
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!("http://localhost:8080"), &json!("http://localhost:8080")));
    server.stop().await;

    // After a restart, with the same secret: still good. With another: not, though the session lives.
    let server = home.start().await;
    tokens.me(&server.client()).expect(200).await;
    server.stop().await;
    let server = home.with("JWT_SECRET", "another-aB4nC7yD5gH3jF0pEkX8sT2m").start().await;
    tokens.me(&server.client()).problem(401, "UNAUTHORIZED").await;
    let refreshed = Tokens::of(&tokens.refresh(&server.client()).expect(200).await);
    refreshed.me(&server.client()).expect(200).await;
    person.sign_in(&server.client()).await;
}

/// EdDSA with a key of the operator's: that one is published, and nothing private with it.
#[tokio::test]
async fn jw5_a_key_from_a_file() {
    let home = Home::new().with("JWT_KEY_FILE", "key.pem").with("AUTH_AUDIENCE", "https://api.example.com");
    fs::write(home.path("key.pem"), PEM).unwrap();
    let server = home.start().await;
    let (_, tokens) = signed_in(&server).await;
    let jwks = jwks(&server).await;
    let key = &jwks["keys"][0];
    assert_eq!((&key["kty"], &key["crv"], &key["x"]), (&json!("OKP"), &json!("Ed25519"), &json!(PUBLIC)));
    assert_eq!((jwks["keys"].as_array().unwrap().len(), key.get("d")), (1, None));
    let header = header(&tokens);
    assert_eq!((&header["alg"], &header["kid"]), (&json!("EdDSA"), &key["kid"]));
    assert_eq!(claims(&tokens)["aud"], "https://api.example.com");
}

/// SC3: a file that holds no such key.
#[test]
fn sc3_a_file_without_a_key() {
    let home = Home::new().with("JWT_KEY_FILE", "key.pem");
    for text in ["", "hunter2", &PEM.replace("MC4CAQAw", "MC4CAQAx"), &PEM.replace("PRIVATE", "PUBLIC")] {
        fs::write(home.path("key.pem"), text).unwrap();
        let refusal = home.refused();
        assert!(refusal.contains("JWT_KEY_FILE key.pem"), "{refusal}");
        assert!(!refusal.contains("hunter2") && !refusal.contains("EINTuctv5E1hK1bbY8fdp"), "{refusal}");
    }
}

async fn signed_in(server: &Server) -> (Person, Tokens) {
    let person = Person::registered(&server.client()).await;
    let tokens = person.sign_in(&server.client()).await;
    tokens.me(&server.client()).expect(200).await;
    (person, tokens)
}

async fn jwks(server: &Server) -> Value {
    server.client().root("/.well-known/jwks.json").expect(200).await
}

fn header(tokens: &Tokens) -> Value {
    part(&tokens.access, 0)
}

fn claims(tokens: &Tokens) -> Value {
    part(&tokens.access, 1)
}

fn part(token: &str, n: usize) -> Value {
    let part = token.split('.').nth(n).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
