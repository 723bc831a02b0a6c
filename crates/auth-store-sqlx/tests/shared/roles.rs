//! Roles that somebody must hold, under load.

use std::sync::Arc;

use auth_core::domain::{Role, Status, User, UserId};
use auth_core::port::{Change, Commit, CommitError, Rejected, Store, Users};
use auth_testkit::given;
use auth_testkit::race::race;

use super::super::Database;

async fn admin(store: &dyn Store) -> User {
    let user = User { roles: vec![Role::admin(), Role::user()], ..given::user() };
    store.commit(&[given::create(&user)]).await.unwrap();
    user
}

const HOLDERS: &str = "select holders from auth_roles where name = 'admin'";

/// Of the last holders that are revoked, suspended and deleted at once, by two nodes, one is left.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_the_last_holders_stays() {
    let Some((database, store)) = Database::migrated().await else { return };
    let nodes = Arc::new([store.clone(), database.open().await]);
    let mut left = None;
    for _ in 0..10 {
        let mut admins = Vec::new();
        for _ in 0..4 {
            admins.push(admin(&store).await.id);
        }
        if let Some(user) = left {
            store.commit(&[Change::DeleteUser { user }]).await.unwrap();
        }
        let [ann, bob, cat, dan] = admins[..] else { unreachable!("four") };
        let ends = Arc::new([
            Change::RevokeRole { user: ann, role: Role::admin() },
            Change::SetStatus { user: bob, status: Status::Suspended },
            Change::DeleteUser { user: cat },
            Change::RevokeRole { user: dan, role: Role::admin() },
        ]);
        let outcomes = race(4, |i| {
            let (nodes, ends) = (nodes.clone(), ends.clone());
            async move { nodes[i % 2].commit(&ends[i..=i]).await }
        });
        let outcomes = outcomes.await;
        assert_eq!(outcomes.winners().len(), 3);
        outcomes.losers_were_rejected(Rejected::LastHolder);
        assert_eq!(database.number(HOLDERS).await, 1);

        left = (0..4).find(|i| !outcomes.winners().contains(i)).map(|i| admins[i]);
        let left = store.find_user(left.unwrap()).await.unwrap().unwrap().user;
        assert!(left.status == Status::Active && left.roles.contains(&Role::admin()));
    }
}

/// Whatever happens at once to holders of two such roles, they are counted right.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn holders_are_counted_right_under_load() {
    let Some((database, store)) = Database::migrated().await else { return };
    database.execute("insert into auth_roles (name, holders) values ('owner', 0)").await;
    let roles = Arc::new([Role::parse("owner").unwrap(), Role::admin()]);
    let mut users = Vec::new();
    for _ in 0..6 {
        let user = User { roles: vec![Role::admin(), roles[0].clone()], ..given::user() };
        store.commit(&[given::create(&user)]).await.unwrap();
        users.push(user.id);
    }
    let (nodes, users) = (Arc::new([store.clone(), database.open().await]), Arc::new(users));

    let outcomes = race(120, |i| {
        let (nodes, users, roles) = (nodes.clone(), users.clone(), roles.clone());
        async move {
            let (user, role) = (users[i % 6], roles[i / 6 % 2].clone());
            nodes[i % 2].commit(&[change(i, user, role)]).await
        }
    });
    for outcome in outcomes.await.0 {
        let is_verdict = matches!(outcome, Ok(()) | Err(CommitError::Rejected(_)));
        assert!(is_verdict, "{outcome:?}");
    }

    for role in roles.iter() {
        let counted = database.number(&format!("select holders from auth_roles where name = '{role}'")).await;
        let active = format!(
            "select count(*) from auth_user_roles r join auth_users u on u.id = r.user_id
            where u.status = 'active' and r.role = '{role}'"
        );
        assert_eq!(counted, database.number(&active).await, "{role}");
        assert!(counted >= 1, "{role}");
    }
}

/// DF8: users who hold two such roles are suspended and reactivated at once, and nobody meets a deadlock.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn df8_holders_of_two_roles_do_not_deadlock() {
    let Some((database, store)) = Database::migrated().await else { return };
    database.execute("insert into auth_roles (name, holders) values ('owner', 0)").await;
    let mut users = Vec::new();
    for i in 0..17 {
        let status = if i % 2 == 0 { Status::Active } else { Status::Suspended };
        let roles = vec![Role::admin(), Role::parse("owner").unwrap()];
        let user = User { roles, status, ..given::user() };
        store.commit(&[given::create(&user)]).await.unwrap();
        users.push(user.id);
    }
    // The last of them stays active throughout.
    for round in 0..20 {
        let outcomes = race(16, |i| {
            let status = if (i + round) % 2 == 0 { Status::Suspended } else { Status::Active };
            let (store, change) = (store.clone(), Change::SetStatus { user: users[i], status });
            async move { store.commit(&[change]).await }
        });
        assert_eq!(outcomes.await.winners().len(), 16);
    }
    assert_eq!(database.number(HOLDERS).await, 9);
    store.close().await;
    assert_eq!(database.deadlocks().await, 0);
}

/// DF8: a role whose holders are counted is granted to many at once, some of them new, and nobody meets a deadlock.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn df8_grants_of_a_counted_role_do_not_deadlock() {
    let Some((database, store)) = Database::migrated().await else { return };
    let nodes = Arc::new([store.clone(), database.open().await]);
    for _ in 0..5 {
        let mut users = Vec::new();
        for _ in 0..12 {
            users.push(given::registered(&store).await.id);
        }
        let outcomes = race(24, |i| {
            let (nodes, user) = (nodes.clone(), users[i % 12]);
            let change = match i {
                0..12 => Change::GrantRole { user, role: Role::admin() },
                _ => given::create(&User { roles: vec![Role::admin(), Role::user()], ..given::user() }),
            };
            async move { nodes[i % 2].commit(&[change]).await }
        });
        assert_eq!(outcomes.await.winners().len(), 24);
    }
    assert_eq!(database.number(HOLDERS).await, 5 * 24);
    for node in &*nodes {
        node.close().await;
    }
    assert_eq!(database.deadlocks().await, 0);
}

/// DF8: a role that nobody ever held is granted to many at once: all of them hold it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn df8_a_new_role_is_granted_to_all_who_race_for_it() {
    let Some((_database, store)) = Database::migrated().await else { return };
    for round in 0..5 {
        let role = Role::parse(&format!("role-{round}")).unwrap();
        let mut users = Vec::new();
        for _ in 0..8 {
            users.push(given::registered(&store).await.id);
        }
        let outcomes = race(8, |i| {
            let (store, grant) = (store.clone(), Change::GrantRole { user: users[i], role: role.clone() });
            async move { store.commit(&[grant]).await }
        });
        assert_eq!(outcomes.await.winners().len(), 8);
        for user in users {
            let user = store.find_user(user).await.unwrap().unwrap().user;
            assert!(user.roles.contains(&role) && user.roles_version == 1, "{user:?}");
        }
    }
}

fn change(i: usize, user: UserId, role: Role) -> Change {
    match i / 12 % 5 {
        0 => Change::RevokeRole { user, role },
        1 => Change::SetStatus { user, status: Status::Suspended },
        2 => Change::GrantRole { user, role },
        3 => Change::SetStatus { user, status: Status::Active },
        _ if i % 6 == 5 => Change::DeleteUser { user },
        _ => Change::GrantRole { user, role },
    }
}
