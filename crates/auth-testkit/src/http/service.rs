//! The profile `service`: user management by mailed codes.

use auth_core::domain::MailKind;
use http::Method;
use serde_json::{Value, json};

use super::{Call, Mount, Person, Tokens, World};
use crate::Authenticator;
use crate::given::MINUTE;

fn post(world: &World, path: &str, body: &Value) -> Call {
    world.at(Method::POST, &format!("/api/auth{path}")).json(body)
}

fn patch(world: &World, path: &str, body: &Value) -> Call {
    world.at(Method::PATCH, &format!("/api/auth{path}")).json(body)
}

async fn signed_up(world: &World) -> (Person, Tokens) {
    let person = Person::new();
    let body = json!({ "name": "Ann", "email": person.email, "password": person.password });
    let made = post(world, "/sign-up/email", &body).from(&person.peer).await.expect(201);
    let code = world.code(&person, MailKind::Verify).await;
    let (user, token) = (&made["user"]["id"], &made["tokenId"]);
    let verify = json!({ "code": code, "userId": user, "tokenId": token, "email": person.email });
    post(world, "/verify/email", &verify).from(&person.peer).await.expect(200);
    let tokens = sign_in(world, &person).await;
    (person, tokens)
}

async fn sign_in(world: &World, person: &Person) -> Tokens {
    Tokens::of(&post(world, "/sign-in/email", &person.credentials()).from(&person.peer).await.expect(200))
}

/// Sign up, verify, sign in, switch the second factor on, sign in by both steps, edit, change address and password by code,
/// refresh, list, sign out here and everywhere, and forget the password.
pub async fn from_sign_up_to_logout_all(mount: &Mount) {
    let world = World::new(mount).await;
    assert_eq!(world.prefix(), "/api/auth");
    let (person, tokens) = signed_up(&world).await;
    let access = || tokens.access.clone();
    let me = async |access: &str| world.at(Method::POST, "/api/auth/user/me").bearer(access).await.expect(200);
    assert_eq!(me(&access()).await["user"]["emailVerified"], true);

    // The second factor on, and off again.
    let asked = world.at(Method::POST, "/api/auth/enable/mfa").bearer(&access()).await.expect(202);
    let code = world.code(&person, MailKind::SecondFactor).await;
    let confirm = json!({ "code": code, "token": asked["token"] });
    let on = post(&world, "/enable/mfa", &confirm).bearer(&access()).await.expect(200);
    assert_eq!(on["recoveryCodes"].as_array().map(Vec::len), Some(10));
    assert_eq!(me(&access()).await["user"]["mfaEnabled"], true);
    let first = post(&world, "/sign-in/email", &person.credentials()).await.expect(200);
    assert_eq!((&first["mfaRequired"], &first["methods"]), (&json!(true), &json!(["email", "recovery"])));
    let mut second = person.credentials();
    second["token"] = first["token"].clone();
    second["code"] = json!(world.code(&person, MailKind::SecondFactor).await);
    let tokens = Tokens::of(&post(&world, "/sign-in/email", &second).await.expect(200));
    let asked = world.at(Method::POST, "/api/auth/disable/mfa").bearer(&tokens.access).await.expect(202);
    let code = world.code(&person, MailKind::SecondFactor).await;
    let confirm = json!({ "code": code, "token": asked["token"] });
    assert_eq!(post(&world, "/disable/mfa", &confirm).bearer(&tokens.access).await.expect(200), json!({}));
    assert_eq!(me(&tokens.access).await["user"]["mfaEnabled"], false);

    // Name and picture, address, password.
    let edit = json!({ "name": "Ann E.", "image_url": "https://example.com/ann.png" });
    let edited = patch(&world, "/edit/basic", &edit).bearer(&tokens.access).await.expect(200);
    assert_eq!(edited["user"]["image_url"], "https://example.com/ann.png");
    let moved = Person { email: Person::new().email, ..person.clone() };
    let asked = patch(&world, "/edit/email", &json!({ "email": moved.email })).bearer(&tokens.access).await.expect(202);
    let code = world.code(&moved, MailKind::ChangeEmail).await;
    let confirm = json!({ "email": moved.email, "tokenId": asked["tokenId"], "code": code });
    let user = patch(&world, "/edit/email", &confirm).bearer(&tokens.access).await.expect(200);
    assert_eq!(user["user"]["email"], moved.email);
    let asked = patch(&world, "/edit/password", &json!({ "email": moved.email })).bearer(&tokens.access).await;
    let code = world.code(&moved, MailKind::Reauthenticate).await;
    let moved = Person { password: "another horse, another battery".into(), ..moved };
    let set = json!({
        "email": moved.email, "password": moved.password, "tokenId": asked.expect(202)["tokenId"], "code": code,
    });
    let tokens = Tokens::of(&patch(&world, "/edit/password", &set).bearer(&tokens.access).await.expect(200));

    // The refresh token as bearer, and beside an access token that has expired.
    let refresh = || world.at(Method::PATCH, "/api/auth/user/refresh");
    let by_bearer = Tokens::of(&refresh().bearer(&tokens.refresh).await.expect(200));
    world.clock().advance(20 * MINUTE);
    let body = json!({ "refreshToken": by_bearer.refresh });
    let by_body = Tokens::of(&refresh().bearer(&by_bearer.access).json(&body).await.expect(200));
    assert_eq!(by_body.session_id(&world).await, tokens_session(&world, &by_body).await);
    refresh().await.problem("UNAUTHORIZED");

    let other = sign_in(&world, &moved).await;
    let listed = world.at(Method::GET, "/api/auth/sessions").bearer(&other.access).await.expect(200);
    assert_eq!(listed["sessions"].as_array().map(Vec::len), Some(2));
    world.at(Method::DELETE, "/api/auth/user/logout").bearer(&by_body.access).await.expect(204);
    refresh().bearer(&by_body.refresh).await.problem("UNAUTHORIZED");
    assert!(other.is_live(&world).await);
    world.at(Method::DELETE, "/api/auth/user/logout-all").bearer(&other.access).await.expect(204);
    assert!(!other.is_live(&world).await);

    let asked = patch(&world, "/forgot/password", &json!({ "email": moved.email })).await.expect(202);
    let code = world.code(&moved, MailKind::Reset).await;
    let new = Person { password: "yet another long password".into(), ..moved.clone() };
    let set = json!({ "email": new.email, "password": new.password, "tokenId": asked["tokenId"], "code": code });
    patch(&world, "/forgot/password", &set).await.expect(204);
    post(&world, "/sign-in/email", &moved.credentials()).await.problem("UNAUTHORIZED");
    sign_in(&world, &new).await;
}

async fn tokens_session(world: &World, tokens: &Tokens) -> String {
    let me = world.at(Method::POST, "/api/auth/user/me").bearer(&tokens.access).await.expect(200);
    me["session"]["id"].as_str().expect("an id").to_owned()
}

/// EN1: what asks for a mail names a record for every address, whether or not it has an account.
pub async fn en1_replies_name_records_alike(mount: &Mount) {
    let world = World::new(mount).await;
    let (person, _) = signed_up(&world).await;
    for (method, path) in [(Method::POST, "/resend/verify/email"), (Method::PATCH, "/forgot/password")] {
        let ask = async |email: &str| {
            let call = world.at(method.clone(), &format!("/api/auth{path}")).json(&json!({ "email": email }));
            let reply = call.header("x-request-id", "same").await;
            let id = reply.expect(202)["tokenId"].as_str().expect("an id").to_owned();
            assert_eq!((id.len(), &id[14..15]), (36, "7"), "{id}");
            reply.bytes().replace(&id, "")
        };
        assert_eq!(ask(&person.email).await, ask(&Person::new().email).await);
    }
    let mine = world.at(Method::POST, "/api/auth/resend/verify/email").await;
    mine.problem("UNAUTHORIZED");
    let unverified = Person::new();
    let body = json!({ "name": "Ann", "email": unverified.email, "password": unverified.password });
    post(&world, "/sign-up/email", &body).await.expect(201);
    let tokens = sign_in(&world, &unverified).await;
    world.clock().advance(MINUTE);
    let first = world.code(&unverified, MailKind::Verify).await;
    let again = world.at(Method::POST, "/api/auth/resend/verify/email").bearer(&tokens.access).await.expect(202);
    let code = world.code(&unverified, MailKind::Verify).await;
    let verify = |code: &str, record: &Value| {
        post(&world, "/verify/email", &json!({ "email": unverified.email, "code": code, "tokenId": record }))
    };
    if first != code {
        verify(&first, &again["tokenId"]).await.problem("TOKEN_INVALID");
    }
    verify(&code, &again["tokenId"]).await.expect(200);
}

/// MF4: the second call of a sign-in takes the second step, once, with its own challenge only.
pub async fn mf4_a_second_call_takes_the_second_step(mount: &Mount) {
    let world = World::new(mount).await;
    let (person, tokens) = signed_up(&world).await;
    let asked = world.at(Method::POST, "/api/auth/enable/mfa").bearer(&tokens.access).await.expect(202);
    let code = world.code(&person, MailKind::SecondFactor).await;
    let confirm = json!({ "code": code, "token": asked["token"] });
    post(&world, "/enable/mfa", &confirm).bearer(&tokens.access).await.expect(200);
    let first = post(&world, "/sign-in/email", &person.credentials()).await.expect(200);
    assert!(first["challenge"].is_null() && first["accessToken"].is_null(), "{first}");
    let call = |code: &str, token: &Value| {
        let mut body = person.credentials();
        (body["code"], body["token"]) = (json!(code), token.clone());
        post(&world, "/sign-in/email", &body)
    };
    call("0000-0000-0000-0000", &first["token"]).await.problem("CODE_INVALID");
    let code = world.code(&person, MailKind::SecondFactor).await;
    call(&code, &json!("A".repeat(43))).await.problem("UNAUTHORIZED");
    call(&code, &asked["token"]).await.problem("UNAUTHORIZED");
    call(&code, &first["token"]).await.expect(200);
    call(&code, &first["token"]).await.problem("UNAUTHORIZED");
    let mut half = person.credentials();
    half["code"] = json!(code);
    post(&world, "/sign-in/email", &half).await.problem("UNAUTHORIZED");
}

/// VT5: a code is good for the record that it was mailed with, in the session that asked for it.
pub async fn vt5_codes_are_good_for_their_record(mount: &Mount) {
    let world = World::new(mount).await;
    let (person, tokens) = signed_up(&world).await;
    let other = sign_in(&world, &person).await;
    let asked = patch(&world, "/edit/password", &json!({ "email": person.email })).bearer(&tokens.access).await;
    let record = asked.expect(202)["tokenId"].clone();
    let code = world.code(&person, MailKind::Reauthenticate).await;
    let new = "another horse, another battery";
    let set = |record: &Value, access: &str| {
        let body = json!({ "email": person.email, "password": new, "tokenId": record, "code": code });
        patch(&world, "/edit/password", &body).bearer(access)
    };
    let strange = json!("01890a5d-ac96-774b-bcce-b302099a8057");
    set(&strange, &tokens.access).await.problem("TOKEN_INVALID");
    set(&json!("no id"), &tokens.access).await.problem("TOKEN_INVALID");
    set(&record, &other.access).await.problem("TOKEN_INVALID");
    let confirm = json!({ "code": code, "token": record });
    post(&world, "/enable/mfa", &confirm).bearer(&tokens.access).await.problem("TOKEN_INVALID");
    let elsewhere = json!({ "email": Person::new().email });
    patch(&world, "/edit/password", &elsewhere).bearer(&tokens.access).await.problem("VALIDATION_FAILED");
    set(&record, &tokens.access).await.expect(200);
    assert!(!other.is_live(&world).await);
}

/// Whoever is signed in doesn't sign up, sign in or forget; a dead credential keeps nobody from it.
pub async fn guests_only_routes(mount: &Mount) {
    let world = World::new(mount).await;
    let (person, tokens) = signed_up(&world).await;
    let sign_up = json!({ "name": "Bo", "email": Person::new().email, "password": person.password });
    let calls = || {
        [
            post(&world, "/sign-up/email", &sign_up),
            post(&world, "/sign-in/email", &person.credentials()),
            patch(&world, "/forgot/password", &json!({ "email": person.email })),
        ]
    };
    for call in calls() {
        call.bearer(&tokens.access).await.problem("GUESTS_ONLY");
    }
    world.at(Method::DELETE, "/api/auth/user/logout").bearer(&tokens.access).await.expect(204);
    for call in calls() {
        let reply = call.bearer(&tokens.access).await;
        assert!((200..300).contains(&reply.status), "{reply:?}");
    }
}

/// MF7: a mailed code stands in for the current password and makes the session no fresher: a mailbox and a stolen session
/// are not enough to switch a factor off.
pub async fn mf7_a_code_changes_the_password_and_no_more(mount: &Mount) {
    let world = World::new(mount).await;
    let (person, tokens) = signed_up(&world).await;
    world.clock().advance(11 * MINUTE);
    let asked = patch(&world, "/edit/password", &json!({ "email": person.email })).bearer(&tokens.access).await;
    let code = world.code(&person, MailKind::Reauthenticate).await;
    let weak = |password: &str| {
        let record = asked.json()["tokenId"].clone();
        let body = json!({ "email": person.email, "password": password, "tokenId": record, "code": code });
        patch(&world, "/edit/password", &body).bearer(&tokens.access)
    };
    // A refused password spends nothing, and is named as the client named it.
    let refused = weak("password").await.problem("VALIDATION_FAILED");
    assert_eq!(refused["errors"][0]["field"], "password");
    let changed = Tokens::of(&weak("another horse, another battery").await.expect(200));
    let enrol = |tokens: &Tokens| post(&world, "/mfa/totp/enrol", &json!({})).bearer(&tokens.access);
    enrol(&changed).await.problem("REAUTHENTICATION_REQUIRED");

    // With an app on, nothing is mailed: the password that it would set would make the session fresh.
    let reauthenticate = post(&world, "/reauthenticate", &json!({ "password": "another horse, another battery" }));
    let fresh = Tokens::of(&reauthenticate.bearer(&changed.access).await.expect(200));
    let enrolled = enrol(&fresh).await.expect(200);
    let app = Authenticator::scanned(enrolled["otpauthUri"].as_str().unwrap());
    let confirm = json!({ "code": app.code(world.auth().now()) });
    post(&world, "/mfa/totp/confirm", &confirm).bearer(&fresh.access).await.expect(200);
    let mails = world.inbox().await.mails_to(&person.address()).len();
    let asked =
        patch(&world, "/edit/password", &json!({ "email": person.email })).bearer(&fresh.access).await.expect(202);
    assert!(asked["tokenId"].is_string());
    let told = world.inbox().await.mails_to(&person.address());
    let codes = |kind| told[mails..].iter().filter(|mail| mail.content.kind() == kind).count();
    assert_eq!(codes(MailKind::Reauthenticate), 0);
}

/// `image_url` and `phone_number`, in both directions, and in what is said of wrong ones; our own names are none here.
pub async fn fields_have_their_own_names(mount: &Mount) {
    let world = World::new(mount).await;
    let (_, tokens) = signed_up(&world).await;
    let edit = |body: &Value| patch(&world, "/edit/basic", body).bearer(&tokens.access);
    let both = json!({ "image_url": "https://example.com/a.png", "phone_number": "+49 30 123456" });
    let user = edit(&both).await.expect(200)["user"].take();
    assert_eq!(
        (&user["image_url"], &user["phone_number"]),
        (&json!("https://example.com/a.png"), &json!("+4930123456"))
    );
    assert!(user["imageUrl"].is_null() && user.get("imageUrl").is_none() && user.get("emailVerified").is_some());
    let user = edit(&json!({ "imageUrl": "https://example.com/b.png", "phoneNumber": null })).await.expect(200);
    assert_eq!(user["user"]["phone_number"], "+4930123456");
    let refused = edit(&json!({ "image_url": "http://example.com/a.png" })).await.problem("VALIDATION_FAILED");
    assert_eq!(refused["errors"][0]["field"], "image_url");
    let export = world.at(Method::GET, "/api/auth/me/export").bearer(&tokens.access).await.expect(200);
    assert_eq!(export["user"]["phone_number"], "+4930123456");
}
