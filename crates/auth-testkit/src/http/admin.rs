//! Other people's accounts, and the audit log.

use auth_core::domain::Role;
use auth_core::port::AuditQuery;
use http::Method;
use serde_json::{Value, json};

use super::{Call, Credentials, Mount, Person, World};
use crate::given::TICK;
use crate::race::race;

/// An operation on somebody, by an administrator.
async fn on(world: &World, admin: &Credentials, method: Method, person: &Person, rest: &str) -> Call {
    let id = world.user_id(person).await;
    world.call(method, &format!("/admin/users/{id}{rest}")).by(admin)
}

/// SE5, RB3: suspending, reactivating, granting, revoking and ending sessions count on the very next request.
pub async fn se5_administration_counts_at_once(mount: &Mount) {
    let world = World::new(mount).await;
    let (boss, person) = (world.admin().await, world.verified().await);
    let admin = world.sign_in(&boss).await;
    let first = world.sign_in(&person).await;
    on(&world, &admin, Method::POST, &person, "/suspend").await.await.expect(204);
    first.assert_dead(&world).await;
    world.post("/login", person.credentials()).await.problem("UNAUTHORIZED");
    on(&world, &admin, Method::POST, &person, "/suspend").await.await.expect(204);
    let shown = on(&world, &admin, Method::GET, &person, "").await.await.expect(200);
    assert_eq!((&shown["user"]["status"], &shown["user"]["email"]), (&json!("suspended"), &json!(person.email)));
    on(&world, &admin, Method::POST, &person, "/reactivate").await.await.expect(204);
    on(&world, &admin, Method::POST, &person, "/reactivate").await.await.expect(204);
    first.assert_dead(&world).await;

    let mut second = world.sign_in(&person).await;
    let may = async |credentials: &mut Credentials| {
        let reply = world.get("/admin/users").by(credentials).await;
        assert!(reply.status == 200 || reply.is_problem("FORBIDDEN"), "{reply:?}");
        if let Credentials::Browser(cookies) = credentials {
            *cookies = cookies.after(&reply);
        }
        reply.status == 200
    };
    assert!(!may(&mut second).await);
    on(&world, &admin, Method::PUT, &person, "/roles/admin").await.await.expect(204);
    assert!(may(&mut second).await);
    on(&world, &admin, Method::PUT, &person, "/roles/admin").await.await.expect(204);
    on(&world, &admin, Method::DELETE, &person, "/roles/admin").await.await.expect(204);
    assert!(!may(&mut second).await);
    on(&world, &admin, Method::DELETE, &person, "/sessions").await.await.expect(204);
    second.assert_dead(&world).await;
    world.sign_in(&person).await;
}

/// RB3: nobody grants anything to themselves, whatever they are.
pub async fn rb3_nobody_grants_himself(mount: &Mount) {
    let world = World::new(mount).await;
    let (boss, person) = (world.admin().await, world.verified().await);
    let (admin, user) = (world.sign_in(&boss).await, world.sign_in(&person).await);
    for role in ["editor", "admin", "user"] {
        on(&world, &admin, Method::PUT, &boss, &format!("/roles/{role}")).await.await.problem("FORBIDDEN");
        on(&world, &user, Method::PUT, &person, &format!("/roles/{role}")).await.await.problem("FORBIDDEN");
    }
    let roles = |person: &Person| {
        let (world, person) = (world.clone(), person.clone());
        async move {
            let found =
                world.store().find_user_by_email(&person.address()).await.expect("a store").expect("an account");
            found.user.roles
        }
    };
    assert_eq!(roles(&boss).await, [Role::admin(), Role::user()]);
    assert_eq!(roles(&person).await, [Role::user()]);
    for role in ["Editor", "a%20b", "1st", &"x".repeat(65), "ädmin"] {
        let path = format!("/roles/{}", role.replace('ä', "%C3%A4"));
        on(&world, &admin, Method::PUT, &person, &path).await.await.problem("NOT_FOUND");
    }
}

/// RB3: two administrators who demote, suspend and delete each other and themselves all at once leave one of them.
pub async fn rb3_the_last_admin_stays(mount: &Mount) {
    let world = World::with(mount, |options| options.core.limits.request_address.uses = 10_000).await;
    let mut survivor = world.admin().await;
    for _ in 0..5 {
        let people = [survivor, world.admin().await];
        let admins = [world.sign_in(&people[0]).await, world.sign_in(&people[1]).await];
        let ids = [world.user_id(&people[0]).await, world.user_id(&people[1]).await];
        let outcomes = race(12, |i| {
            let (by, on) = (&admins[i % 2], ids[i / 2 % 2]);
            let call = match i / 4 {
                0 => world.call(Method::DELETE, &format!("/admin/users/{on}/roles/admin")),
                1 => world.call(Method::POST, &format!("/admin/users/{on}/suspend")),
                _ => world.call(Method::DELETE, "/me"),
            };
            let call = call.by(by);
            async move { call.await }
        });
        for reply in outcomes.await.0 {
            assert!(matches!(reply.status, 204 | 401 | 403 | 404 | 409), "{reply:?}");
        }
        let mut left = Vec::new();
        for id in ids {
            let found = world.store().find_user(id).await.expect("a store");
            left.extend(found.filter(|account| {
                let user = &account.user;
                user.roles.contains(&Role::admin()) && user.status == auth_core::domain::Status::Active
            }));
        }
        assert_eq!(left.len(), 1, "{left:?}");
        // The last one can't be talked out of it either.
        let last = people.iter().zip(ids).find(|(_, id)| *id == left[0].user.id).expect("one of them").0;
        let admin = world.sign_in(last).await;
        on(&world, &admin, Method::DELETE, last, "/roles/admin").await.await.problem("CONFLICT");
        on(&world, &admin, Method::POST, last, "/suspend").await.await.problem("CONFLICT");
        world.call(Method::DELETE, "/me").by(&admin).await.problem("CONFLICT");
        survivor = last.clone();
    }
}

/// Users by page, newest first, each once; a search by address; and what can't be a page is refused.
pub async fn users_come_by_page(mount: &Mount) {
    let world = World::new(mount).await;
    let admin = world.sign_in(&world.admin().await).await;
    let mut people = Vec::new();
    for _ in 0..7 {
        world.clock().advance(TICK * 1_000_000);
        people.insert(0, world.verified().await.email);
    }
    let list = async |query: &str| world.get(&format!("/admin/users{query}")).by(&admin).await;
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = list(&format!("?limit=3{cursor}")).await.expect(200);
        let users = page["users"].as_array().expect("a list").clone();
        assert!(users.len() <= 3);
        found.extend(users.iter().map(|user| user["email"].as_str().expect("an address").to_owned()));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found[..7], people[..]);
    assert_eq!(found.len(), 8, "and the administrator");
    let whole = list("").await.expect(200);
    assert_eq!((whole["users"].as_array().map(Vec::len), &whole["nextCursor"]), (Some(8), &Value::Null));
    assert_eq!(list("?limit=8").await.expect(200)["nextCursor"], Value::Null);

    let part = people[3].split('@').next().expect("a local part").to_uppercase();
    let searched = list(&format!("?query={part}")).await.expect(200)["users"].take();
    assert_eq!(searched.as_array().map(Vec::len), Some(1), "{searched}");
    assert_eq!(searched[0]["email"], people[3]);
    for nobody in ["%25", "_", "zzzzzzzz%27%20or%201=1--"] {
        assert_eq!(list(&format!("?query={nobody}")).await.expect(200)["users"], json!([]), "{nobody}");
    }
    for wrong in
        ["limit=0", "limit=101", "limit=-1", "limit=x", "cursor=x", "limit=1&limit=2", "query=%ff", "query=%00"]
    {
        list(&format!("?{wrong}")).await.problem("VALIDATION_FAILED");
    }
}

/// The audit log by page, by user and by kind.
pub async fn au1_the_log_is_read_by_page(mount: &Mount) {
    let world = World::new(mount).await;
    let boss = world.admin().await;
    let admin = world.sign_in(&boss).await;
    let person = world.verified().await;
    let user = world.user_id(&person).await;
    world.clock().advance(TICK * 1_000_000);
    on(&world, &admin, Method::PUT, &person, "/roles/editor").await.await.expect(204);
    let list = async |query: &str| world.get(&format!("/admin/audit{query}")).by(&admin).await.expect(200);
    let granted = list("?kind=role.granted").await["events"].take();
    assert_eq!(granted.as_array().map(Vec::len), Some(1), "{granted}");
    let event = &granted[0];
    assert_eq!((&event["subjectId"], &event["detail"]), (&json!(user.to_string()), &json!({ "role": "editor" })));
    assert_eq!(event["actorId"], json!(world.user_id(&boss).await.to_string()));
    let mut members: Vec<&str> = event.as_object().into_iter().flat_map(|o| o.keys().map(String::as_str)).collect();
    members.sort_unstable();
    let all = ["actorId", "at", "detail", "id", "ip", "kind", "requestId", "subjectId", "userAgent"];
    assert_eq!(members, all);

    let whole = list(&format!("?user={user}")).await["events"].take();
    let whole = whole.as_array().expect("a list").clone();
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let mut page = list(&format!("?user={user}&limit=1{cursor}")).await;
        found.extend(page["events"].take().as_array().expect("a list").clone());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found, whole);
    assert!(whole.len() >= 2 && whole[0]["kind"] == "role.granted", "{whole:?}");
}

/// RB2: of two users who swap every id there is, neither sees or changes anything of the other.
pub async fn rb2_no_id_of_another_is_reachable(mount: &Mount) {
    let world = World::with(mount, |options| options.core.limits.request_address.uses = 10_000).await;
    let people = [world.verified().await, world.verified().await];
    let mut ids = Vec::new();
    let mut credentials = Vec::new();
    for person in &people {
        let signed_in = world.sign_in(person).await;
        let session = signed_in.session_id(&world).await;
        let event =
            world.store().audit_events(&AuditQuery { limit: 1, ..AuditQuery::default() }).await.expect("a store")[0]
                .id
                .to_string();
        ids.push([session, world.user_id(person).await.to_string(), event]);
        credentials.push(signed_in);
    }
    let picture = async |i: usize| {
        let me = world.get("/me").by(&credentials[i]).await.expect(200);
        let sessions = world.get("/sessions").by(&credentials[i]).await.expect(200);
        (me, sessions)
    };
    let before = [picture(0).await, picture(1).await];
    for (me, other) in [(0, 1), (1, 0)] {
        for route in world.routes().iter().filter(|route| route.path.contains("{id}")) {
            for id in ids[other].iter().chain(&ids[me]) {
                if route.path.contains("/sessions/{id}") && *id == ids[me][0] {
                    continue;
                }
                let reply = super::table::call_about(&world, route, id).by(&credentials[me]).await;
                assert!(reply.is_problem("NOT_FOUND") || reply.is_problem("FORBIDDEN"), "{reply:?}");
                assert!(!String::from_utf8_lossy(&reply.body).contains(&people[other].email));
            }
        }
    }
    assert_eq!([picture(0).await, picture(1).await], before);
}
