//! Listing users, for who administers them.

use std::collections::BTreeMap;
use std::sync::Arc;

use auth_core::domain::{Email, Role, User, UserId};
use auth_core::port::{Change, Store, UserQuery};
use uuid::Uuid;

use super::done;
use crate::given;
use crate::show;

/// Users come newest first, page by page without a gap, each once however many roles they hold.
pub async fn paged_newest_first(store: &Arc<dyn Store>) {
    let (users, before) = in_a_row(store, 25).await;
    let newest_first: Vec<String> = users.iter().rev().map(show::user).collect();
    for limit in [1, 7, 25] {
        let mut query = UserQuery { search: None, before: Some(before), limit };
        let mut found = Vec::new();
        while found.len() < users.len() {
            let page = store.users(&query).await.unwrap();
            assert!(page.len() <= usize::try_from(limit).unwrap());
            query.before = page.last().map(|user| user.id);
            found.extend(page.iter().map(show::user));
        }
        found.truncate(users.len());
        assert_eq!(found, newest_first, "in pages of {limit}");
    }
    let none = UserQuery { limit: 0, ..UserQuery::default() };
    assert!(store.users(&none).await.unwrap().is_empty());
}

/// Who comes or goes between two pages moves nobody from one to the other.
pub async fn pages_stand_still_while_users_come_and_go(store: &Arc<dyn Store>) {
    let (users, before) = in_a_row(store, 20).await;
    let newest_first: Vec<UserId> = users.iter().rev().map(|user| user.id).collect();
    let mut query = UserQuery { search: None, before: Some(before), limit: 5 };
    let mut found = Vec::new();
    for page in 0..4 {
        // One at the top, and one of those who were listed already.
        let above = UserId::from(Uuid::from_u128(before.as_uuid().as_u128() + 1 + page));
        done(store, &[given::create(&User { id: above, ..given::user() })]).await;
        if let Some(listed) = found.last() {
            done(store, &[Change::DeleteUser { user: *listed }]).await;
        }
        let users = store.users(&query).await.unwrap();
        query.before = users.last().map(|user| user.id);
        found.extend(users.into_iter().map(|user| user.id));
    }
    assert_eq!(found, newest_first);
}

/// A search finds the text anywhere in the canonical address, and takes every character of it for itself.
pub async fn search_takes_text_literally(store: &Arc<dyn Store>) {
    let tag = given::id::<UserId>().as_uuid().simple().to_string();
    let add = async |local: &str| {
        let email = Email::parse(&format!("{local}{tag}@{tag}.Example")).unwrap();
        let user = User { email, ..given::user() };
        done(store, &[given::create(&user)]).await;
        user.id
    };
    let mut ids = BTreeMap::new();
    let locals = ["a%b", "a_b", "axb", "axxb", "a!b", "a'b", "A*B", "a?b", "josé", "jose", "a{b", "a#b"];
    for local in locals {
        ids.insert(local, add(local).await);
    }
    let found = async |search: String| {
        let query = UserQuery { search: Some(search), before: None, limit: 100 };
        let mut found: Vec<UserId> = store.users(&query).await.unwrap().iter().map(|user| user.id).collect();
        found.sort_unstable();
        found
    };
    for local in locals {
        assert_eq!(found(format!("{}{tag}", local.to_lowercase())).await, [ids[local]], "{local}");
    }
    let patterns = [
        "x%b", "x_b", "a%%b", "a__b", "a\\b", "a\\%b", "a\\_b", "a!%b", "a!_b", "a!!b", "a[%]b", "a[a-z]b", "a.b",
        "a''b",
    ];
    for absent in patterns {
        assert!(found(format!("{absent}{tag}")).await.is_empty(), "{absent}");
    }

    // The end of one part with the beginning of the other, the domain, and all of it.
    let mut all: Vec<UserId> = ids.values().copied().collect();
    all.sort_unstable();
    assert_eq!(found(format!("{tag}@{tag}.ex")).await, all);
    assert_eq!(found(format!("@{tag}")).await, all);
    assert_eq!(found(format!("axb{tag}@{tag}.example")).await, [ids["axb"]]);
    assert!(found(format!("axb{tag}@{tag}.example.com")).await.is_empty());
}

/// A search is paged like the whole list, and an empty one is the whole list.
pub async fn search_is_paged(store: &Arc<dyn Store>) {
    let tag = given::id::<UserId>().as_uuid().simple().to_string();
    let mut users = Vec::new();
    for _ in 0..7 {
        let email = Email::parse(&format!("{}@{tag}.example", given::email().local_part())).unwrap();
        let user = User { email, ..given::user() };
        done(store, &[given::create(&user)]).await;
        users.push(user.id);
    }
    users.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
    let mut query = UserQuery { search: Some(tag), before: None, limit: 3 };
    let mut found = Vec::new();
    for expected in [3, 3, 1] {
        let page = store.users(&query).await.unwrap();
        assert_eq!(page.len(), expected);
        query.before = page.last().map(|user| user.id);
        found.extend(page.iter().map(|user| user.id));
    }
    assert!(store.users(&query).await.unwrap().is_empty());
    assert_eq!(found, users);

    let whole = UserQuery { search: Some(String::new()), before: None, limit: 5 };
    assert_eq!(store.users(&whole).await.unwrap().len(), 5);
}

/// That many users with ids in a row, nobody else's between them, and the id behind the last. They hold up to three roles.
async fn in_a_row(store: &Arc<dyn Store>, count: u32) -> (Vec<User>, UserId) {
    let first = given::id::<UserId>().as_uuid().as_u128() >> 1;
    let id = |i: u32| UserId::from(Uuid::from_u128(first + u128::from(i)));
    let roles = ["author", "editor", "user"].map(|name| Role::parse(name).expect("a role"));
    let users: Vec<User> =
        (0..count).map(|i| User { id: id(i), roles: roles[..i as usize % 4].to_vec(), ..given::user() }).collect();
    // The order in which they are made isn't the order of their ids.
    let changes: Vec<Change> =
        users.iter().step_by(2).chain(users.iter().skip(1).step_by(2)).map(given::create).collect();
    done(store, &changes).await;
    (users, id(count))
}
