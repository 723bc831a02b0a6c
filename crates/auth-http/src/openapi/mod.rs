//! The OpenAPI document: every operation of every profile, made from the route table, from what endpoints declare to read
//! ([`fields!`](crate::fields)) and from the types they reply with.
//!
//! Each endpoint says the rest beside its code, in a [`Description`]; an operation without one doesn't compile.

mod components;
mod description;
mod page;

use std::collections::BTreeMap;
use std::sync::Arc;

use auth_core::domain::Role;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use self::components::Components;
pub(crate) use self::description::Description;
use self::description::{Body, Content, Reply};
pub(crate) use self::page::STYLE;
use crate::endpoint;
use crate::mount::Mount;
use crate::problem::ProblemCode;
use crate::profile::Delivery;
use crate::route::{Access, Operation, Route};

/// The document, as it is served.
pub(crate) struct Document {
    pub(crate) value: Value,
    pub(crate) json: Bytes,
    /// For people, in HTML.
    pub(crate) page: Bytes,
}

/// What the document is made from.
pub(crate) struct Wire<'a> {
    pub(crate) mounts: &'a [Arc<Mount>],
    /// The profiles' operations.
    pub(crate) routes: &'a [Route],
    /// Those at the server's root.
    pub(crate) root_routes: &'a [Route],
    /// Whether other names than loopback's are answered with 421.
    pub(crate) loopback_only: bool,
}

/// The name under which the operations at the root go.
const SERVER: &str = "server";

impl Document {
    pub(crate) fn new(wire: &Wire<'_>) -> Self {
        let mut writer = Writer { wire, names: names(wire.mounts), components: BTreeMap::new() };
        let mut tags = Vec::new();
        for (mount, name) in wire.mounts.iter().zip(&writer.names) {
            tags.push(json!({ "name": name, "description": about(mount) }));
        }
        tags.push(json!({ "name": SERVER, "description": "At the server's root, outside every prefix." }));

        let mut paths = BTreeMap::<&str, Map<String, Value>>::new();
        for route in wire.routes {
            let operation = {
                let group = writer.names[route.profile].clone();
                writer.operation(route, &group)
            };
            paths.entry(&route.path).or_default().insert(method(route), operation);
        }
        for route in wire.root_routes {
            paths.entry(&route.path).or_default().insert(method(route), writer.operation(route, SERVER));
        }
        let value = json!({
            "openapi": "3.1.1",
            "info": {
                "title": "Portcullis",
                "version": env!("CARGO_PKG_VERSION"),
                "summary": "Accounts, sign-in and sessions.",
                "description": include_str!("about.md"),
                "license": { "name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE") },
            },
            "servers": [{ "url": wire.mounts[0].auth.settings().public_url }],
            "tags": tags,
            "paths": paths,
            "components": writer.finish(),
        });
        let order = wire.routes.iter().chain(wire.root_routes).map(|route| (route.path.as_str(), method(route)));
        Self { json: value.to_string().into(), page: page::render(&value, order).into(), value }
    }
}

/// As a path's operations are keyed.
fn method(route: &Route) -> String {
    route.method.as_str().to_ascii_lowercase()
}

/// The profiles' names, each once: a second one of a name has its place behind it.
fn names(mounts: &[Arc<Mount>]) -> Vec<String> {
    let mut names = Vec::<String>::new();
    for (place, mount) in mounts.iter().enumerate() {
        let name = &mount.profile.name;
        let is_taken = names.contains(name) || name == SERVER;
        names.push(if is_taken { format!("{name}{}", place + 1) } else { name.clone() });
    }
    names
}

fn about(mount: &Mount) -> String {
    let delivery = match mount.profile.delivery {
        Delivery::Body => "credentials are tokens, in the body of replies and in `Authorization`.",
        Delivery::SessionCookie => "the credential is a cookie.",
        Delivery::TokenCookies => "credentials are tokens, in cookies.",
    };
    format!("Below `{}`; {delivery}", mount.profile.prefix)
}

struct Writer<'a> {
    wire: &'a Wire<'a>,
    /// Of the profiles, by their places.
    names: Vec<String>,
    /// Those that profiles share, and those of each that calls fields otherwise, by its place.
    components: BTreeMap<Option<usize>, Components>,
}

impl Writer<'_> {
    fn operation(&mut self, route: &Route, group: &str) -> Value {
        let (mount, profile) = (&self.wire.mounts[route.profile], &self.names[route.profile]);
        let names = mount.profile.field_names;
        let own = (!names.is_empty()).then_some(route.profile);
        let components = self.components.entry(own).or_default();
        let access = route.operation.access();
        let description = endpoint::describe(route.operation, mount);
        let codes = problems(route, &description, self.wire.loopback_only);

        let is_guarded = access > Access::Guest;
        let mut parameters = description.parameters;
        if mount.profile.csrf_token && !route.method.is_safe() && (is_guarded || description.takes_credential) {
            parameters.push(components::csrf_token(is_guarded));
        }
        let security = match access {
            Access::Anybody | Access::Guest if description.takes_credential || access == Access::Guest => {
                json!([{}, components.credential(mount, profile, &[])])
            }
            Access::Anybody | Access::Guest => json!([]),
            Access::SignedIn | Access::Fresh => json!([components.credential(mount, profile, &[])]),
            Access::Admin => json!([components.credential(mount, profile, &[Role::ADMIN])]),
        };
        // A credential that the user's roles have outgrown is replaced at any use.
        let sets_cookies = mount.cookies.is_some() && (is_guarded || description.sets_cookies);
        let mut responses = BTreeMap::new();
        for reply in description.replies {
            responses.insert(reply.status.as_u16(), components.reply(&reply, sets_cookies));
        }
        for (status, codes) in codes {
            responses.insert(status, components.problem(&codes, route.operation.is_page()));
        }
        let mut operation = json!({
            "operationId": format!("{group}.{}", id(route.operation)),
            "tags": [group],
            "summary": description.summary,
            "description": description.details,
            "security": security,
            "responses": responses,
        });
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        if let Some(body) = description.body {
            operation["requestBody"] = components.body(body);
        }
        match own {
            Some(_) => rename(names.in_schema(operation), profile),
            None => operation,
        }
    }

    /// The finished `components`.
    fn finish(self) -> Value {
        let mut all = Map::new();
        for (own, components) in self.components {
            let mut finished = components.finish();
            if let Some(place) = own {
                let profile = &self.names[place];
                finished = rename(self.wire.mounts[place].profile.field_names.in_schema(finished), profile);
                for group in OWN {
                    let members = finished[group].as_object_mut().map(std::mem::take).unwrap_or_default();
                    finished[group] =
                        members.into_iter().map(|(name, value)| (format!("{profile}.{name}"), value)).collect();
                }
            }
            for (group, members) in finished.as_object_mut().map(std::mem::take).unwrap_or_default() {
                let place = all.entry(group).or_insert_with(|| json!({}));
                if let (Some(place), Value::Object(members)) = (place.as_object_mut(), members) {
                    place.extend(members);
                }
            }
        }
        all.into()
    }
}

/// What a profile that calls fields otherwise has of its own among the components.
const OWN: [&str; 2] = ["schemas", "responses"];

/// Lets what refers to a component refer to the profile's own.
fn rename(value: Value, profile: &str) -> Value {
    match value {
        Value::Object(members) => {
            let renamed = members.into_iter().map(|(name, value)| match (&*name, value) {
                ("$ref", Value::String(reference)) => (name, own_reference(&reference, profile).into()),
                (_, value) => (name, rename(value, profile)),
            });
            renamed.collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.into_iter().map(|item| rename(item, profile)).collect(),
        other => other,
    }
}

fn own_reference(reference: &str, profile: &str) -> String {
    for group in OWN {
        let prefix = format!("#/components/{group}/");
        if let Some(name) = reference.strip_prefix(&prefix) {
            return format!("{prefix}{profile}.{name}");
        }
    }
    reference.to_owned()
}

/// `signIn`.
fn id(operation: Operation) -> String {
    let name = format!("{operation:?}");
    let (first, rest) = name.split_at(1);
    first.to_ascii_lowercase() + rest
}

/// The problems that an operation may answer with, by status: its own, and those that follow from how it is asked for.
fn problems(route: &Route, description: &Description, loopback_only: bool) -> BTreeMap<u16, Vec<ProblemCode>> {
    use ProblemCode::{
        CsrfFailed, Forbidden, GuestsOnly, Internal, Misdirected, PayloadTooLarge, RateLimited,
        ReauthenticationRequired, RequestTimeout, Unauthorized, Unavailable, UnsupportedMediaType, ValidationFailed,
    };
    let mut codes = description.problems.clone();
    // Of any request, whatever it is for, the body is looked at.
    codes.extend([RequestTimeout, PayloadTooLarge, UnsupportedMediaType, Internal]);
    codes.extend((!route.operation.is_probe()).then_some([RateLimited, Unavailable]).into_iter().flatten());
    codes.extend(description.body.is_some().then_some(ValidationFailed));
    codes.extend((!route.method.is_safe()).then_some(CsrfFailed));
    match route.operation.access() {
        Access::Anybody => {}
        Access::Guest => codes.push(GuestsOnly),
        Access::SignedIn => codes.push(Unauthorized),
        Access::Fresh => codes.extend([Unauthorized, ReauthenticationRequired]),
        Access::Admin => codes.extend([Unauthorized, Forbidden]),
    }
    codes.extend(loopback_only.then_some(Misdirected));

    let mut by_status = BTreeMap::<u16, Vec<ProblemCode>>::new();
    for &code in ProblemCode::ALL.iter().filter(|code| codes.contains(code)) {
        by_status.entry(code.status().as_u16()).or_default().push(code);
    }
    by_status
}
