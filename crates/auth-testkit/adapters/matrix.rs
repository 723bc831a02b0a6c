//! Who comes in where.

use std::fmt::Write;
use std::time::Duration;

use auth_testkit::Call as Asked;
use auth_testkit::http::World;

use super::host::{Call, Reply};
use crate::web::App;

/// What everybody is answered at each of `paths`: a line for each. `dead` is a credential that nobody has any more.
pub(crate) async fn of(world: &World, app: &App, paths: &[&'static str], dead: (&'static str, &str)) -> String {
    let stale = world.signed_in(true, &["admin", "user"]).await;
    world.clock().advance(Duration::from_secs(600));
    let everybody = [
        ("user", world.signed_in(false, &["user"]).await),
        ("verified", world.signed_in(true, &["user"]).await),
        ("editor", world.signed_in(true, &["editor", "user"]).await),
        ("admin", world.signed_in(true, &["admin", "user"]).await),
        ("admin of yore", stale),
    ];
    let names = ["nobody", "dead"].into_iter().chain(everybody.iter().map(|(who, _)| *who));
    let mut found = format!("{:24}{}\n", "", names.map(|who| format!("{who:24}")).collect::<String>());
    for path in paths {
        write!(found, "{path:24}").unwrap();
        for guest in [Call::get(path), Call::get(path).header(dead.0, dead.1)] {
            world.counting().take();
            write!(found, "{:24}", outcome(&guest.send(app).await)).unwrap();
            assert_eq!(world.counting().take(), [], "{path}");
        }
        for (who, credentials) in &everybody {
            let reply = Call::get(path).by(credentials).send(app).await;
            write!(found, "{:24}", outcome(&reply)).unwrap();
            let mut asked = world.counting().take();
            // Noting that a session is in use: no request waits for it.
            asked.retain(|call| *call != Asked::Commit);
            assert_eq!(asked, [Asked::FindSession], "{path}, {who}");
        }
        found.push('\n');
    }
    found.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// What the handler said, or why it wasn't asked.
fn outcome(reply: &Reply) -> String {
    if reply.status == 200 { reply.text.clone() } else { reply.verdict() }
}
