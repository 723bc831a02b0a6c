//! Everything that can be done with an account, the wrong way and the right way.

use hyper::header::{AUTHORIZATION, COOKIE, HeaderName, SET_COOKIE};
use hyper::{Method, header::CONTENT_TYPE};
use serde_json::json;

use super::client::Client;
use super::mail::Inbox;
use super::person::{Person, Tokens};

/// What only its owner should know when a life is over.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    /// Passwords, right and wrong ones, and whatever was typed in their place.
    pub(crate) passwords: Vec<String>,
    /// Access, refresh and device tokens, and those of links.
    pub(crate) tokens: Vec<String>,
    /// Six digits each.
    pub(crate) codes: Vec<String>,
}

impl Secrets {
    fn password(&mut self, text: &str) -> String {
        self.passwords.push(text.to_owned());
        text.to_owned()
    }

    fn signed_in(&mut self, tokens: Tokens) -> Tokens {
        let Tokens { access, refresh, device } = tokens.clone();
        self.tokens.extend([access, refresh, device]);
        tokens
    }

    async fn mailed(&mut self, inbox: &Inbox, person: &Person, kind: &str) -> (String, String) {
        let mail = inbox.wait_for(&person.email, kind).await;
        self.codes.push(mail.code());
        self.tokens.push(mail.token());
        (mail.code(), mail.token())
    }

    /// A code that isn't this one.
    fn wrong(&mut self, code: &str) -> String {
        let wrong = if code == "914273" { "914274" } else { "914273" }.to_owned();
        self.codes.push(wrong.clone());
        wrong
    }
}

/// Signs in and out with a browser, whose credentials are cookies.
async fn browse(client: &Client, person: &Person, secrets: &mut Secrets) {
    let post = |path: &str, body| client.call(Method::POST, path).json(&body);
    let reply = post("/auth/login", person.credentials()).send().await;
    let csrf = reply.expect(200)["csrfToken"].as_str().unwrap().to_owned();
    let cookies =
        reply.headers.get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().unwrap().split(';').next());
    let cookies: Vec<&str> = cookies.filter(|cookie| !cookie.ends_with('=')).collect();
    assert_eq!(cookies.len(), 3, "{cookies:?}");
    secrets.tokens.extend(cookies.iter().map(|cookie| cookie.split_once('=').unwrap().1.to_owned()));
    let cookies = cookies.join("; ");
    client.call(Method::GET, "/auth/me").header(COOKIE, &cookies).expect(200).await;
    let sign_out = || post("/auth/logout", json!({})).header(COOKIE, &cookies);
    let x_csrf_token = || HeaderName::from_static("x-csrf-token");
    sign_out().header(x_csrf_token(), "canary-csrf").problem(403, "CSRF_FAILED").await;
    sign_out().header(x_csrf_token(), &csrf).expect(204).await;
    client.call(Method::GET, "/auth/me").header(COOKIE, &cookies).problem(401, "UNAUTHORIZED").await;
}

/// Calls every operation, as people do and as they shouldn't, and returns each secret that was used or handed out. The
/// server has both profiles.
pub(crate) async fn live(client: &Client, inbox: &Inbox) -> Secrets {
    const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
    let mut secrets = Secrets::default();
    let person = Person { password: secrets.password("canary quietly harvest umbrella"), ..Person::new() };

    // Registering: replayed, taken, too weak, malformed, in the wrong place.
    for _ in 0..2 {
        person.register(client).header(IDEMPOTENCY_KEY, "canary-key").expect(201).await;
    }
    person.register(client).problem(409, "CONFLICT").await;
    let weak = Person { password: secrets.password("canarycanary"), ..Person::new() };
    weak.register(client).problem(400, "VALIDATION_FAILED").await;
    let typed = secrets.password("canary typed into the wrong field");
    let call = |body: &str| client.post("/register", &json!(null)).json(&json!(body));
    call(&typed).problem(400, "VALIDATION_FAILED").await;
    client.post("/register", &json!({ "email": typed, "password": [typed] })).problem(400, "VALIDATION_FAILED").await;
    let form = client.post("/login", &json!({ "password": typed })).header(CONTENT_TYPE, "text/plain");
    form.problem(415, "UNSUPPORTED_MEDIA_TYPE").await;
    let elsewhere = format!("/v1/auth/login?password={}", typed.replace(' ', "+"));
    secrets.passwords.push(typed.replace(' ', "+"));
    client.call(Method::GET, &elsewhere).problem(405, "METHOD_NOT_ALLOWED").await;
    let astray = client.get("/me").header(AUTHORIZATION, "Basic Y2FuYXJ5OmJhc2ljIHBhc3N3b3Jk");
    secrets.passwords.extend(["Y2FuYXJ5OmJhc2ljIHBhc3N3b3Jk".to_owned(), "canary-cookie".to_owned()]);
    astray.header(COOKIE, "session=canary-cookie").problem(401, "UNAUTHORIZED").await;

    // Proving the address: wrong code, right code, then once more by link.
    let (code, link) = secrets.mailed(inbox, &person, "verify").await;
    // VT8: opening a link spends nothing.
    assert_eq!(client.root(&format!("/verify-email?token={link}")).send().await.status, 200);
    let confirm = |code: &str| client.post("/verify/confirm", &json!({ "email": person.email, "code": code }));
    confirm(&secrets.wrong(&code)).problem(400, "TOKEN_INVALID").await;
    confirm(&code).expect(200).await;
    client.post("/verify/confirm", &json!({ "token": link })).problem(400, "TOKEN_INVALID").await;
    let other = Person { password: secrets.password("canary other's fine umbrella"), ..Person::new() };
    other.register(client).expect(201).await;
    client.post("/verify/request", &json!({ "email": other.email })).expect(202).await;
    let (_, link) = secrets.mailed(inbox, &other, "verify").await;
    client.post("/verify/confirm", &json!({ "token": link })).send().await;

    // Signing in, and using what that yields.
    let wrong = person.with_password(&secrets.password("canary of a wrong guess"));
    wrong.login(client).problem(401, "UNAUTHORIZED").await;
    let first = secrets.signed_in(person.sign_in(client).await);
    let mut again = person.credentials();
    again["deviceToken"] = json!(first.device);
    let second = secrets.signed_in(Tokens::of(&client.post("/login", &again).expect(200).await));
    let edit = client.call(Method::PATCH, "/v1/auth/me").bearer(&first.access).json(&json!({ "name": "Ann" }));
    edit.expect(200).await;
    let sessions = client.get("/sessions").bearer(&first.access).expect(200).await;
    let other_one = sessions["sessions"].as_array().unwrap().iter().find(|session| session["current"] == false);
    let path = format!("/v1/auth/sessions/{}", other_one.unwrap()["id"].as_str().unwrap());
    client.call(Method::DELETE, &path).bearer(&first.access).expect(204).await;
    second.me(client).problem(401, "UNAUTHORIZED").await;
    let refreshed = secrets.signed_in(Tokens::of(&first.refresh(client).expect(200).await));
    first.refresh(client).problem(401, "UNAUTHORIZED").await;
    refreshed.me(client).bearer(&format!("{}x", refreshed.access)).problem(401, "UNAUTHORIZED").await;

    // Another password, by knowing the old one, by code and by link.
    let change = |from: &str, to: &str| {
        client
            .post("/password/change", &json!({ "currentPassword": from, "newPassword": to }))
            .bearer(&refreshed.access)
    };
    let new = secrets.password("canary changed with an umbrella");
    change(&wrong.password, &new).send().await;
    let changed = secrets.signed_in(Tokens::of(&change(&person.password, &new).expect(200).await));
    for by_link in [false, true] {
        let who = if by_link { &other } else { &person };
        client.post("/password/reset/request", &json!({ "email": who.email })).expect(202).await;
        let (code, link) = secrets.mailed(inbox, who, "reset").await;
        let new = secrets.password(if by_link { "canary by link, umbrella" } else { "canary by code, umbrella" });
        let reset = |body| client.post("/password/reset/confirm", &body);
        let wrong = secrets.wrong(&code);
        let wrong = json!({ "email": who.email, "code": wrong, "password": new });
        reset(wrong).problem(400, "TOKEN_INVALID").await;
        let weak = json!({ "token": link, "password": "canarycanary" });
        reset(weak).problem(400, "VALIDATION_FAILED").await;
        let proof = if by_link { json!({ "token": link }) } else { json!({ "email": who.email, "code": code }) };
        let mut body = proof;
        body["password"] = json!(new);
        reset(body).expect(204).await;
        let back = secrets.signed_in(who.with_password(&new).sign_in(client).await);
        let sign_out = if by_link { "/logout" } else { "/logout/all" };
        client.post(sign_out, &json!({ "refreshToken": back.refresh })).bearer(&back.access).expect(204).await;
        back.refresh(client).problem(401, "UNAUTHORIZED").await;
    }
    changed.me(client).problem(401, "UNAUTHORIZED").await;
    browse(client, &person.with_password("canary by code, umbrella"), &mut secrets).await;
    inbox.wait_for(&other.email, "notice").await;
    inbox.wait_for(&person.email, "notice").await;
    secrets
}
