//! Roles: granted, revoked, required; and the last holder of one that somebody must hold.

use std::sync::Arc;

use auth_core::domain::{Role, Status, User, UserId};
use auth_core::port::{Change, Rejected, Store, UserQuery};

use super::alone::alone;
use super::{account, done, found_session, rejected};
use crate::given;
use crate::picture::Picture;
use crate::race::race;

/// RB3: what is done by virtue of a role needs the role at that moment, and an active holder.
pub async fn rb3_required_role_is_held(store: &Arc<dyn Store>) {
    let editor = role("editor");
    let user = User { roles: vec![editor.clone(), Role::user()], ..given::user() };
    done(store, &[given::create(&user)]).await;
    let require = |user, role: &Role| Change::Require { user, role: role.clone() };
    let record = Change::Record(given::event(user.id));
    done(store, &[require(user.id, &editor), require(user.id, &Role::user())]).await;

    for offence in [require(user.id, &role("edito")), require(user.id, &Role::admin()), require(given::id(), &editor)] {
        assert_eq!(rejected(store, &[record.clone(), offence]).await, Rejected::Role);
    }
    // In the list that takes it away it isn't held any more.
    let revoke = Change::RevokeRole { user: user.id, role: editor.clone() };
    assert_eq!(rejected(store, &[revoke.clone(), require(user.id, &editor)]).await, Rejected::Role);
    done(store, &[require(user.id, &editor), revoke]).await;
    assert_eq!(rejected(store, &[require(user.id, &editor)]).await, Rejected::Role);

    let grant = Change::GrantRole { user: user.id, role: editor.clone() };
    done(store, &[grant, require(user.id, &editor)]).await;
    done(store, &[Change::SetStatus { user: user.id, status: Status::Suspended }]).await;
    assert_eq!(rejected(store, &[require(user.id, &editor)]).await, Rejected::Role);
    done(store, &[Change::SetStatus { user: user.id, status: Status::Active }, require(user.id, &editor)]).await;
}

/// A role is granted once, counted once, and comes into being if nobody ever held it. Nothing else changes.
pub async fn granting_adds_one_role(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let session = given::signed_in(&**store, &user).await;
    let new = role(&format!("r{}", given::id::<UserId>().as_uuid().simple()));
    let longest = role(&"z".repeat(64));
    for (granted, version) in [(&new, 1), (&longest, 2), (&new, 2), (&Role::user(), 2)] {
        done(store, &[Change::GrantRole { user: user.id, role: granted.clone() }]).await;
        assert_eq!(account(store, user.id).await.user.roles_version, version);
    }
    let expected = User { roles: vec![new.clone(), Role::user(), longest], roles_version: 2, ..user.clone() };
    assert_eq!(account(store, user.id).await.user, expected);
    // Live roles decide: whoever reads the session sees them.
    assert_eq!(found_session(store, session.id).await.unwrap().user, expected);
    assert_eq!(rejected(store, &[Change::GrantRole { user: given::id(), role: new }]).await, Rejected::User);
}

/// A role is revoked once, and counted once; others stay.
pub async fn revoking_takes_one_role(store: &Arc<dyn Store>) {
    let [editor, author] = [role("editor"), role("author")];
    let roles = vec![author.clone(), editor.clone(), Role::user()];
    let (user, other) = (User { roles: roles.clone(), ..given::user() }, User { roles, ..given::user() });
    done(store, &[given::create(&user), given::create(&other)]).await;
    for (revoked, version) in [(&editor, 1), (&editor, 1), (&role("never-held"), 1), (&author, 2)] {
        done(store, &[Change::RevokeRole { user: user.id, role: revoked.clone() }]).await;
        assert_eq!(account(store, user.id).await.user.roles_version, version);
    }
    assert_eq!(account(store, user.id).await.user, User { roles: vec![Role::user()], roles_version: 2, ..user });
    assert_eq!(account(store, other.id).await.user, other);
    assert_eq!(rejected(store, &[Change::RevokeRole { user: given::id(), role: editor }]).await, Rejected::User);
}

/// SE2: the version counts every change of roles, also of racing ones, and none twice.
pub async fn se2_version_race_counts_each_change(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let outcomes = race(50, |i| {
        // Each of 25 roles twice: one of the two changes nothing.
        let change = Change::GrantRole { user: user.id, role: role(&format!("role-{}", i / 2)) };
        let store = store.clone();
        async move { store.commit(&[change]).await }
    })
    .await;
    assert_eq!(outcomes.winners().len(), 50, "contention is the store's to settle: {outcomes:?}");
    let found = account(store, user.id).await.user;
    assert_eq!((found.roles.len(), found.roles_version), (26, 25));
}

/// RB3: the last active admin can be neither revoked, suspended nor deleted; nothing of such a list happens.
pub async fn rb3_last_admin_stays(store: &Arc<dyn Store>) {
    alone(store, async || {
        let admin = only_admin(store).await;
        let before = Picture::of(&**store, admin).await;
        for offence in OFFENCES {
            let changes = [Change::Record(given::event(admin)), offence(admin)];
            assert_eq!(rejected(store, &changes).await, Rejected::LastHolder, "{changes:?}");
            assert_eq!(Picture::of(&**store, admin).await, before, "{changes:?}");
        }
        // Nor all of them in one list, whichever way.
        let second = new_admin(store, Status::Active).await;
        for first in OFFENCES {
            for last in OFFENCES {
                let changes = [first(admin), last(second)];
                assert_eq!(rejected(store, &changes).await, Rejected::LastHolder, "{changes:?}");
            }
        }
        assert_eq!(Picture::of(&**store, admin).await, before);
        // In good order one follows the other.
        let third = given::registered(&**store).await.id;
        done(store, &[grant(third), revoke(admin), revoke(second)]).await;
        assert_eq!(rejected(store, &[revoke(third)]).await, Rejected::LastHolder);
        // What isn't held is no loss.
        done(store, &[revoke(admin)]).await;
    })
    .await;
}

/// RB3: who is suspended doesn't count as a holder, and does again afterwards, also of a role granted meanwhile.
pub async fn rb3_suspended_admins_do_not_count(store: &Arc<dyn Store>) {
    alone(store, async || {
        let admin = only_admin(store).await;
        let suspended = new_admin(store, Status::Suspended).await;
        let promoted = given::registered(&**store).await.id;
        done(store, &[suspend(promoted), grant(promoted)]).await;
        for offence in OFFENCES {
            assert_eq!(rejected(store, &[offence(admin)]).await, Rejected::LastHolder);
        }
        // Taken from who doesn't count, the role is missed by nobody.
        let never = new_admin(store, Status::Suspended).await;
        let deleted = new_admin(store, Status::Suspended).await;
        done(store, &[revoke(never), Change::DeleteUser { user: deleted }]).await;
        done(store, &[reactivate(never)]).await;
        assert_eq!(rejected(store, &[revoke(admin)]).await, Rejected::LastHolder);

        for back in [suspended, promoted] {
            done(store, &[reactivate(back), suspend(admin)]).await;
            assert_eq!(rejected(store, &[revoke(back)]).await, Rejected::LastHolder);
            done(store, &[reactivate(admin), revoke(back)]).await;
        }
        assert_eq!(rejected(store, &[revoke(admin)]).await, Rejected::LastHolder);
    })
    .await;
}

/// RB3: however an admin comes or goes, the number of holders is right: neither one too many nor one too few.
pub async fn rb3_holders_are_counted_right(store: &Arc<dyn Store>) {
    alone(store, async || {
        let admin = only_admin(store).await;
        let comes: [fn(UserId) -> Vec<Change>; 3] = [
            |id| vec![given::create(&User { id, roles: vec![Role::admin()], ..given::user() })],
            |id| vec![given::create(&User { id, ..given::user() }), grant(id), grant(id)],
            |id| {
                let suspended = User { id, status: Status::Suspended, roles: vec![Role::admin()], ..given::user() };
                vec![given::create(&suspended), reactivate(id)]
            },
        ];
        for come in comes {
            for go in OFFENCES {
                let second = given::id();
                done(store, &come(second)).await;
                done(store, &[go(second)]).await;
                assert_eq!(rejected(store, &[revoke(admin)]).await, Rejected::LastHolder);
                // A list that was rejected counted nobody.
                let mut undone = come(given::id());
                undone.push(Change::SpendPending { pending: given::id() });
                assert_eq!(rejected(store, &undone).await, Rejected::Token);
                assert_eq!(rejected(store, &[suspend(admin)]).await, Rejected::LastHolder);
            }
        }
    })
    .await;
}

/// RB3: two admins who revoke, suspend or delete each other at once, in every combination: one remains, and the count is
/// right afterwards.
pub async fn rb3_two_admins_race_leaves_one(store: &Arc<dyn Store>) {
    for first in OFFENCES {
        for second in OFFENCES {
            alone(store, async || {
                let mut admin = only_admin(store).await;
                for round in 0..50 {
                    admin = against_each_other(store, admin, [first, second], round % 2 == 0).await;
                }
            })
            .await;
        }
    }
}

/// One round: `admin` and a new one do that to each other. Who remains.
async fn against_each_other(store: &Arc<dyn Store>, admin: UserId, offences: [Offence; 2], as_admins: bool) -> UserId {
    let admins = [admin, new_admin(store, Status::Active).await];
    let outcomes = race(2, |i| {
        let (actor, target) = (admins[i], admins[1 - i]);
        let mut changes = vec![offences[i](target)];
        if as_admins {
            changes.insert(0, Change::Require { user: actor, role: Role::admin() });
        }
        let store = store.clone();
        async move { store.commit(&changes).await }
    })
    .await;
    let winner = outcomes.single_ok();
    outcomes.losers_were_rejected(if as_admins { Rejected::Role } else { Rejected::LastHolder });

    let is_admin = async |id| {
        let found = store.find_user(id).await.unwrap();
        found.is_some_and(|found| found.user.status == Status::Active && found.user.roles.contains(&Role::admin()))
    };
    assert!(is_admin(admins[winner]).await && !is_admin(admins[1 - winner]).await);
    assert_eq!(rejected(store, &[revoke(admins[winner])]).await, Rejected::LastHolder);
    let next = new_admin(store, Status::Active).await;
    done(store, &[revoke(admins[winner])]).await;
    next
}

/// RB3: of 20 admins who all go at once, one way or another, one stays.
pub async fn rb3_many_admins_race_leaves_one(store: &Arc<dyn Store>) {
    alone(store, async || {
        let mut admins = vec![only_admin(store).await];
        for _ in 1..20 {
            admins.push(new_admin(store, Status::Active).await);
        }
        let outcomes = race(20, |i| {
            let (store, change) = (store.clone(), OFFENCES[i % 3](admins[i]));
            async move { store.commit(&[change]).await }
        })
        .await;
        assert_eq!(outcomes.winners().len(), 19, "{outcomes:?}");
        outcomes.losers_were_rejected(Rejected::LastHolder);
    })
    .await;
}

/// What ends somebody's being an admin.
type Offence = fn(UserId) -> Change;

const OFFENCES: [Offence; 3] = [revoke, suspend, |user| Change::DeleteUser { user }];

fn role(name: &str) -> Role {
    Role::parse(name).expect("a role")
}

fn grant(user: UserId) -> Change {
    Change::GrantRole { user, role: Role::admin() }
}

fn revoke(user: UserId) -> Change {
    Change::RevokeRole { user, role: Role::admin() }
}

fn suspend(user: UserId) -> Change {
    Change::SetStatus { user, status: Status::Suspended }
}

fn reactivate(user: UserId) -> Change {
    Change::SetStatus { user, status: Status::Active }
}

async fn new_admin(store: &Arc<dyn Store>, status: Status) -> UserId {
    let admin = User { roles: vec![Role::admin(), Role::user()], status, ..given::user() };
    done(store, &[given::create(&admin)]).await;
    admin.id
}

/// The only active admin there is: all that other checks have left are admins no more.
async fn only_admin(store: &Arc<dyn Store>) -> UserId {
    let admin = new_admin(store, Status::Active).await;
    let mut query = UserQuery { limit: 500, ..UserQuery::default() };
    loop {
        let page = store.users(&query).await.unwrap();
        let Some(last) = page.last() else { return admin };
        query.before = Some(last.id);
        for user in page.iter().filter(|user| user.id != admin && user.roles.contains(&Role::admin())) {
            done(store, &[revoke(user.id)]).await;
        }
    }
}
