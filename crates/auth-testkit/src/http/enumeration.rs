//! Nobody learns who has an account, and nothing in a body is believed that isn't the client's to say.

use auth_core::domain::{MailKind, Role, Status};
use http::Method;
use serde_json::{Value, json};

use super::{Call, Mount, Person, World, table};
use crate::layer::Call as StoreCall;
use crate::race::race;

/// An account in every state there is, and none: (state, person).
async fn everybody(world: &World) -> [(&'static str, Person); 4] {
    let suspended = world.suspended().await;
    let unverified = world.unverified().await;
    [
        ("existing", world.verified().await),
        ("absent", Person::new()),
        ("unverified", unverified),
        ("suspended", suspended),
    ]
}

/// Sends one request about each, from one place under one request id, and compares all that comes back.
async fn assert_alike(people: &[(&'static str, Person)], call: impl Fn(&Person) -> Call) {
    let mut first: Option<String> = None;
    for (state, person) in people {
        let reply = call(person).header("x-request-id", "the-same").await.bytes();
        assert_eq!(*first.get_or_insert_with(|| reply.clone()), reply, "{state} differs");
    }
}

/// EN1: a failed sign-in doesn't tell why.
pub async fn en1_sign_in_is_alike(mount: &Mount) {
    let world = World::new(mount).await;
    let people = everybody(&world).await;
    let wrong =
        |person: &Person| world.post("/login", json!({ "email": person.email, "password": "not the password" }));
    assert_alike(&people, wrong).await;
    // The right password of a suspended user is no better than a wrong one.
    let right = world.post("/login", people[3].1.credentials()).header("x-request-id", "the-same").await;
    assert_eq!(right.bytes(), wrong(&people[0].1).header("x-request-id", "the-same").await.bytes());
    right.problem("UNAUTHORIZED");
}

/// EN1: asking for mail is answered alike; who gets one learns it in the mailbox only.
pub async fn en1_requests_for_mail_are_alike(mount: &Mount) {
    let world = World::new(mount).await;
    let people = everybody(&world).await;
    world.inbox().await.clear();
    for path in ["/verify/request", "/password/reset/request"] {
        assert_alike(&people, |person| world.post(path, json!({ "email": person.email }))).await;
    }
    let inbox = world.inbox().await;
    let mails = people.each_ref().map(|(_, person)| {
        let mails = inbox.mails_to(&person.address());
        let count = |kind| mails.iter().filter(|mail| mail.content.kind() == kind).count();
        (count(MailKind::Verify), count(MailKind::Reset), mails.len())
    });
    // Where registering is concealed, who hasn't proved the address has no account to reset.
    let unverified = if world.conceals() { (0, 0, 0) } else { (1, 1, 2) };
    assert_eq!(mails, [(0, 1, 1), (0, 0, 0), unverified, (0, 0, 0)]);
    // Nor does being refused for asking too often tell.
    for path in ["/verify/request", "/password/reset/request"] {
        for _ in 0..4 {
            assert_alike(&people, |person| world.post(path, json!({ "email": person.email }))).await;
        }
        assert_alike(&people, |person| world.post(path, json!({ "email": person.email })).from("203.0.113.1")).await;
        world.post(path, json!({ "email": people[1].1.email })).from("203.0.113.1").await.problem("RATE_LIMITED");
    }
}

/// EN1: a wrong code is a wrong code, whoever's it is.
pub async fn en1_wrong_codes_are_alike(mount: &Mount) {
    let world = World::new(mount).await;
    let people = everybody(&world).await;
    let confirm = |path, code: &'static str| {
        let world = world.clone();
        move |person: &Person| {
            world.post(path, json!({ "email": person.email, "code": code, "password": "quite a long password" }))
        }
    };
    for path in ["/verify/confirm", "/password/reset/confirm"] {
        for code in ["000000", "12345", "not a code"] {
            assert_alike(&people, confirm(path, code)).await;
        }
    }
}

/// EN2: whoever it is about, the store is asked the same and as many passwords are hashed, so that neither takes longer.
pub async fn en2_the_same_work_for_everybody(mount: &Mount) {
    let world = World::new(mount).await;
    let people = everybody(&world).await;
    for (path, rest) in [
        ("/login", json!({ "password": "not the password" })),
        ("/verify/request", json!({})),
        ("/password/reset/request", json!({})),
        ("/verify/confirm", json!({ "code": "000000" })),
        ("/password/reset/confirm", json!({ "code": "000000", "password": "quite a long password" })),
    ] {
        let mut first = None;
        for (state, person) in &people {
            world.counting().take();
            world.hasher().take();
            let mut body = rest.clone();
            body["email"] = json!(person.email);
            world.post(path, body).await;
            // Records of an account and of an address that has none lie in two tables, and are found alike.
            let alike = |call| if call == StoreCall::PendingsOf { StoreCall::TokensOf } else { call };
            let calls: Vec<StoreCall> = world.counting().take().into_iter().map(alike).collect();
            let work = (calls, world.hasher().take());
            assert_eq!(*first.get_or_insert_with(|| work.clone()), work, "{path}: {state} differs");
        }
    }
}

/// EN3: one mailbox is one account, however it is spelled and however many ask at once.
pub async fn en3_spellings_of_an_address_are_one_account(mount: &Mount) {
    let world = World::with(mount, |options| options.core.limits.register_address.uses = 1000).await;
    let person = Person::new();
    let (local, domain) = person.email.split_once('@').expect("an address");
    let spellings = [
        person.email.clone(),
        person.email.to_uppercase(),
        format!(" {} ", person.email),
        format!("{local}＠{domain}"),
        format!("{local}@{}", domain.to_uppercase()),
    ];
    let outcomes = race(50, |i| {
        let call = world.post("/register", json!({ "email": spellings[i % 5], "password": person.password }));
        async move {
            let reply = call.await;
            if reply.status == 201 { Ok(()) } else { Err(reply.problem("CONFLICT")) }
        }
    });
    outcomes.await.single_ok();
    for spelling in spellings {
        world.post("/login", json!({ "email": spelling, "password": person.password })).await.expect(200);
    }
}

/// EN5: role, status, id and proof of address are not the client's to say.
pub async fn en5_what_is_not_the_clients_to_say_is_ignored(mount: &Mount) {
    let world = World::new(mount).await;
    let person = Person::new();
    let mut body = json!({
        "id": "01890a5d-ac96-774b-bcce-b302099a8057", "role": "admin", "roles": ["admin"], "status": "suspended",
        "emailVerified": true, "email_verified": true, "emailVerifiedAt": 1, "epoch": 7, "createdAt": "2000-01-01",
        "mfaEnabled": true, "$set": { "roles": ["admin"] }, "__proto__": { "admin": true },
    });
    let extra = body.clone();
    body.as_object_mut().expect("an object").extend(person.credentials().as_object().expect("an object").clone());
    assert!(matches!(world.post("/register", body).await.status, 201 | 202));
    if world.conceals() {
        world.verify(&person).await;
    }
    let credentials = world.sign_in(&person).await;
    world.call(Method::PATCH, "/me").by(&credentials).json(&extra).await.expect(200);

    let user = world.store().find_user_by_email(&person.address()).await.expect("a store").expect("an account").user;
    assert_eq!((user.roles, user.status), (vec![Role::user()], Status::Active));
    assert_eq!(user.email_verified_at.is_some(), world.conceals());
    assert_ne!(user.id.to_string(), "01890a5d-ac96-774b-bcce-b302099a8057");
}

/// EN6: an array or object where a text belongs is refused by name, on every field of every operation, and nothing is
/// mailed.
pub async fn en6_other_types_than_text_are_refused(mount: &Mount) {
    let world = World::with(mount, |options| options.core.limits.request_address.uses = 10_000).await;
    let credentials = world.sign_in(&world.verified().await).await;
    world.inbox().await.clear();
    for route in world.routes() {
        let row = table::row(route.operation);
        for (fields, name) in row.bodies.iter().flat_map(|fields| fields.iter().map(move |(name, _)| (fields, *name))) {
            let text = fields.iter().find(|(field, _)| *field == name).map(|(_, value)| *value);
            for value in [json!([text]), json!({ "$ne": null }), json!(7), json!(true), json!([])] {
                let mut body = table::object(fields);
                body[name] = value;
                let reply = table::bare_call(&world, route).by(&credentials).json(&body).await;
                let problem = reply.problem("VALIDATION_FAILED");
                let expected = json!([{ "field": name, "code": "WRONG_TYPE", "message": "must be a string" }]);
                assert_eq!(problem["errors"], expected, "{reply:?}");
            }
        }
    }
    assert!(world.inbox().await.mails().is_empty());
    assert!(credentials.is_live(&world).await);
}

/// EN7: whoever registers an address that is taken gets nothing of the account, and changes nothing in it.
pub async fn en7_an_existing_address_yields_nothing(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.verified().await;
    world.inbox().await.clear();
    let body = json!({ "email": person.email.to_uppercase(), "password": "a stranger's password", "name": "Eve" });
    let reply = world.post("/register", body).await;
    let problem = reply.problem("CONFLICT");
    assert_eq!(reply.status, 409);
    let members: Vec<&str> = problem.as_object().into_iter().flat_map(|o| o.keys().map(String::as_str)).collect();
    assert_eq!(members, ["code", "detail", "requestId", "status", "title", "type"]);
    assert!(!problem.to_string().contains(&person.email));

    let user = &world.get("/me").by(&world.sign_in(&person).await).await.expect(200)["user"];
    assert_eq!((&user["name"], &user["emailVerified"]), (&Value::Null, &json!(true)));
    assert!(world.inbox().await.mails().is_empty());
}
