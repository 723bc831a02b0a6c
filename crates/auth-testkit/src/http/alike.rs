//! What a check is run on.

use std::pin::Pin;

use super::transcript::Transcript;
use super::{Mount, Profile};

/// A check, by its name.
pub type Check = (&'static str, for<'m> fn(&'m Mount) -> Pin<Box<dyn Future<Output = ()> + 'm>>);

/// What a check is run on.
pub trait Subject {
    /// Runs `check`, under that profile.
    fn run(self, profile: Profile, check: Check) -> impl Future<Output = ()>;
}

impl Subject for Mount {
    async fn run(self, profile: Profile, (_, check): Check) {
        check(&self.speaking(profile)).await;
    }
}

impl Subject for Option<Mount> {
    async fn run(self, profile: Profile, check: Check) {
        if let Some(mount) = self {
            mount.run(profile, check).await;
        }
    }
}

/// Two adapters, which have to say the same in every check: status, headers and body, request by request.
///
/// - Random values are compared by what they look like.
/// - Where a client gives up, what is compared ends: whether it was answered before is chance.
/// - Of requests that race each other, what is compared is which replies there are, and not how many of each; after them
///   nothing is, since who won is chance.
/// - What only a server adds that sends replies over a socket is left out: their length and date.
#[derive(Debug)]
pub struct Alike(pub Mount, pub Mount);

/// Checks whose races are chance throughout: which replies there are depends on who came first.
const CHANCE: [&str; 3] =
    ["id1_one_effect_under_race", "rb3_the_last_admin_stays", "se7_logging_out_everywhere_leaves_none_behind"];

impl Subject for Alike {
    async fn run(self, profile: Profile, (name, check): Check) {
        let mut said = Vec::new();
        for mount in [self.0, self.1] {
            let transcript = Transcript::default();
            let mount = Mount { transcript: Some(transcript.clone()), ..mount };
            check(&mount.speaking(profile.clone())).await;
            said.push(transcript.said(CHANCE.contains(&name)));
        }
        let [one, other] = &said[..] else { unreachable!("two mounts") };
        for (one, other) in one.alone.iter().zip(&other.alone) {
            assert!(one == other, "they differ: {one}\n\n{other}");
        }
        if one.gave_up || other.gave_up {
            return;
        }
        assert_eq!(one.alone.len(), other.alone.len(), "one said more than the other");
        assert!(one.racers == other.racers, "they differ: {:#?}\n\n{:#?}", one.racers, other.racers);
    }
}
