//! `role`: who may do what.

use serde_json::json;

use super::created;
use crate::support::database::{Backend, Site, on_each_backend};
use crate::support::person::Person;

on_each_backend!(rb3_roles_count_at_once);

/// RB3: what the next request finds; and the last administrator stays one.
async fn rb3_roles_count_at_once(backend: Backend) {
    let Some(site) = Site::on(backend).await else { return };
    let server = site.home.start().await;
    let client = server.client();
    let person = Person::registered(&client).await;
    let tokens = person.sign_in(&client).await;
    let roles = async || tokens.me(&client).expect(200).await["user"]["roles"].clone();

    let granted = site.home.json(&["role", "grant", &person.email, "admin"]);
    assert_eq!((&granted["user"]["roles"], &roles().await), (&json!(["admin", "user"]), &json!(["admin", "user"])));
    // Again is fine, and so is a role that nobody has held before.
    let text = site.home.done(&["role", "grant", &person.email, "admin"]);
    assert_eq!(text, format!("{} holds admin user\n", person.email));
    site.home.done(&["role", "grant", &person.email, "night-shift"]);
    site.home.done(&["role", "revoke", &person.email, "user"]);
    assert_eq!(roles().await, json!(["admin", "night-shift"]));

    for refused in [&["role", "revoke", &person.email, "admin"][..], &["user", "suspend", &person.email]] {
        let refusal = site.home.failed(refused);
        assert!(refusal.contains("the last holder of a role"), "{refusal}");
    }
    created(&site.home, &Person::new(), &["admin"]);
    site.home.done(&["role", "revoke", &person.email, "admin"]);
    assert_eq!(roles().await, json!(["night-shift"]));

    assert!(site.home.failed(&["role", "grant", "nobody@example.com", "admin"]).contains("no such user"));
    for wrong in [&["grant", &person.email][..], &["grant", &person.email, "Admin"], &["grant", "nobody", "admin"]] {
        assert_eq!(site.home.run(&[&["role"], wrong].concat()).status.code(), Some(2), "{wrong:?}");
    }
}
