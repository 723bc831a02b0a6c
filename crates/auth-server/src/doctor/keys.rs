//! What everything hangs on: pepper and signing keys.

use auth_core::Signing;

use super::{Facts, Findings};
use crate::config::Database;
use crate::pepper_file;

pub(super) fn examine(facts: &Facts, findings: &mut Findings) {
    let config = &facts.config;
    if let (None, Database::Sqlite { file, .. }) = (&config.pepper, &config.database) {
        findings.warning("pepper", [
            &format!("the pepper is in a file beside the database, {}", pepper_file::path_beside(file).display()),
            "A copy of the folder, such as a backup, holds the password hashes and the key that they can be guessed with.",
            "Move what the file holds to AUTH_PEPPER, from where your secrets are kept, and delete the file.",
        ]);
    }
    if !config.old_peppers.is_empty() {
        findings.note(
            "old-pepper",
            [
                "AUTH_PEPPER_OLD is set",
                "Somebody who knows an old pepper can still guess at what was made under it.",
                "Take it out once nothing in the store needs it any more.",
            ],
        );
    }
    if matches!(config.signing, Signing::Secret(_)) {
        findings.warning(
            "signing",
            [
                "JWT_SECRET signs access tokens (HS256)",
                "Every service that verifies tokens can also make them, for any user.",
                "Leave it out: tokens are then signed with Ed25519, and verified with the public keys at \
             /.well-known/jwks.json.",
            ],
        );
    }
}
