//! The audit log.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use auth_core::domain::{AuditEvent, AuditKind, Timestamp};
use auth_core::port::{AuditQuery, Change, Store};

use super::{about, done};
use crate::given::{self, HOUR, NOW, TICK};

/// AU1: every kind of entry comes back as it was written.
pub async fn au1_recorded_is_found(store: &Arc<dyn Store>) {
    let subject = given::id();
    let mut events = Vec::new();
    for (i, kind) in AuditKind::ALL.iter().enumerate() {
        events.push(AuditEvent { kind: *kind, at: NOW + (i as u32) * TICK, ..given::event(subject) });
    }
    let changes: Vec<Change> = events.iter().cloned().map(Change::Record).collect();
    done(store, &changes).await;
    events.reverse();
    assert_eq!(store.audit_events(&about(subject, 1000)).await.unwrap(), events);
}

/// IN2, AU3: fields that aren't there stay away, and texts are kept character by character.
pub async fn in2_fields_are_kept_exactly(store: &Arc<dyn Store>) {
    let subject = given::id();
    let texts = [
        (String::new(), String::new()),
        ("reason".into(), "O'Brien \" \\ \\u{202e} 🦀 { } [ ] :,".into()),
        ("'; drop table audit; --".into(), "a\nb\tc".into()),
        ("long".into(), "𝕏".repeat(500)),
    ];
    let bare = AuditEvent {
        actor: None,
        ip: None,
        user_agent: None,
        request_id: None,
        detail: Default::default(),
        ..given::event(subject)
    };
    let full = AuditEvent {
        actor: Some(given::id()),
        ip: Some(IpAddr::from([0, 0, 0, 0, 0, 0xffff, 0xc000, 0x201])),
        user_agent: Some("🦀".repeat(256)),
        request_id: Some("~".repeat(128)),
        detail: texts.into(),
        at: NOW.before(TICK),
        ..given::event(subject)
    };
    done(store, &[Change::Record(full.clone()), Change::Record(bare.clone())]).await;
    assert_eq!(store.audit_events(&about(subject, 10)).await.unwrap(), [bare, full]);
}

/// Entries come newest first, those of one instant in descending order of id, page by page without a gap.
pub async fn paged_newest_first(store: &Arc<dyn Store>) {
    let subject = given::id();
    let instants = [3, 1, 2, 2, 2, 2, 2, 0, 5, 4];
    let mut events: Vec<AuditEvent> =
        instants.iter().map(|&i| AuditEvent { at: NOW + i * TICK, ..given::event(subject) }).collect();
    let changes: Vec<Change> = events.iter().cloned().map(Change::Record).collect();
    done(store, &changes).await;
    events.sort_unstable_by_key(|event| std::cmp::Reverse((event.at, event.id)));

    for limit in [1, 3, 10, u32::MAX] {
        assert_eq!(paged(store, about(subject, limit), events.len()).await, events, "in pages of {limit}");
    }
    let last = events.last().map(|event| event.id);
    let after_the_last = AuditQuery { before: last, ..about(subject, 10) };
    assert!(store.audit_events(&after_the_last).await.unwrap().is_empty());
}

/// Without a subject, everybody's entries are listed, in the same order.
pub async fn all_subjects_in_one_order(store: &Arc<dyn Store>) {
    // An instant of our own, far in the future, so that no other entry lies between these.
    let random = u64::from_le_bytes(given::bytes()) >> 14;
    let begin = NOW + 1_000_000 * HOUR + Duration::from_micros(random);
    let (first, second) = (given::id(), given::id());
    let at = |i: u32, subject| AuditEvent { subject, at: begin + i * TICK, ..given::event(given::id()) };
    let events = [at(4, Some(first)), at(3, None), at(2, Some(second)), at(1, Some(first)), at(0, Some(second))];
    let changes: Vec<Change> = events.iter().cloned().map(Change::Record).collect();
    done(store, &changes).await;

    // From one entry on: whatever others recorded later isn't in the way.
    let from_the_first = AuditQuery { before: Some(events[0].id), limit: 2, ..AuditQuery::default() };
    let rest = paged(store, from_the_first, 4).await;
    assert_eq!(rest, events[1..]);
    // The entry to start from may be about somebody else.
    let of_second = AuditQuery { before: Some(events[0].id), ..about(second, 10) };
    let of_second = store.audit_events(&of_second).await.unwrap();
    assert_eq!(of_second, [events[2].clone(), events[4].clone()]);
}

/// An entry is listed for the one it is about and for the one who did it, once where these are one.
pub async fn listed_by_subject_and_actor(store: &Arc<dyn Store>) {
    let (actor, subject) = (given::id(), given::id());
    let at = |i: u32, actor, subject| AuditEvent { at: NOW + i * TICK, actor, subject, ..given::event(given::id()) };
    let events = [
        at(5, Some(actor), Some(subject)),
        at(4, Some(subject), Some(subject)),
        at(3, None, Some(subject)),
        at(2, Some(actor), None),
        at(1, Some(subject), Some(actor)),
        at(0, None, None),
    ];
    done(store, &events.clone().map(Change::Record)).await;
    let of = |which: &[usize]| which.iter().map(|i| events[*i].clone()).collect::<Vec<_>>();
    assert_eq!(store.audit_events(&about(subject, 10)).await.unwrap(), of(&[0, 1, 2, 4]));
    assert_eq!(store.audit_events(&about(actor, 10)).await.unwrap(), of(&[0, 3, 4]));
    assert!(store.audit_events(&about(given::id(), 10)).await.unwrap().is_empty());
    assert!(store.audit_events(&about(subject, 0)).await.unwrap().is_empty());
}

/// Entries are asked for by user, kind and place, in every combination, page by page.
pub async fn listed_by_every_combination(store: &Arc<dyn Store>) {
    // An instant of our own, far in the past, so that no other entry lies between these.
    let random = u64::from_le_bytes(given::bytes()) >> 14;
    let begin = NOW.before(1_000_000 * HOUR + Duration::from_micros(random));
    let (first, second) = (given::id(), given::id());
    let kinds = [AuditKind::SignedIn, AuditKind::SignInFailed, AuditKind::RoleGranted];
    let mut events: Vec<AuditEvent> = Vec::new();
    for i in 0..36_u32 {
        // Every pairing of kind, subject and actor; some of one instant.
        let (actor, subject) = match i / 3 % 4 {
            0 => (Some(first), Some(first)),
            1 => (Some(second), Some(first)),
            2 => (Some(first), Some(second)),
            _ => (None, Some(second)),
        };
        let (at, kind) = (begin + (i / 2) * TICK, kinds[i as usize % 3]);
        events.push(AuditEvent { at, kind, actor, subject, ..given::event(first) });
    }
    done(store, &events.iter().cloned().map(Change::Record).collect::<Vec<_>>()).await;
    events.sort_unstable_by_key(|event| std::cmp::Reverse((event.at, event.id)));

    // From the newest of ours on: what lies before it is ours, until these are used up.
    for user in [None, Some(first), Some(second)] {
        for kind in [None, Some(kinds[0]), Some(kinds[2])] {
            for from in [0, 1, 17] {
                let is_asked_for = |event: &&AuditEvent| {
                    (user.is_none() || event.actor == user || event.subject == user)
                        && kind.is_none_or(|kind| event.kind == kind)
                };
                let expected: Vec<AuditEvent> = events[from + 1..].iter().filter(is_asked_for).cloned().collect();
                let query = AuditQuery { user, kind, before: Some(events[from].id), limit: 4 };
                let found = paged(store, query, expected.len()).await;
                assert_eq!(found, expected, "{user:?} {kind:?} before {from}");
            }
        }
    }
    let of_other_kind = AuditQuery { kind: Some(AuditKind::KeyCreated), ..about(first, 10) };
    assert!(store.audit_events(&of_other_kind).await.unwrap().is_empty());
    let before_nothing = AuditQuery { before: Some(given::id()), ..about(first, 10) };
    assert!(store.audit_events(&before_nothing).await.unwrap().is_empty());
}

/// Entries may be of any time, and name users who don't exist: a failed sign-in or a deleted account has some too.
pub async fn needs_no_user(store: &Arc<dyn Store>) {
    let subject = given::id();
    let long_ago = AuditEvent { at: Timestamp::from_micros(-1), actor: Some(given::id()), ..given::event(subject) };
    done(store, &[Change::Record(long_ago.clone())]).await;
    assert_eq!(store.audit_events(&about(subject, 10)).await.unwrap(), [long_ago]);
}

/// Up to `count` entries, in pages.
async fn paged(store: &Arc<dyn Store>, mut query: AuditQuery, count: usize) -> Vec<AuditEvent> {
    let mut events = Vec::new();
    while events.len() < count {
        let page = store.audit_events(&query).await.unwrap();
        assert!(page.len() <= usize::try_from(query.limit).unwrap());
        let Some(last) = page.last() else { break };
        query.before = Some(last.id);
        events.extend(page);
    }
    events.truncate(count);
    events
}
