//! The OpenAPI document, as it is served, and what it says of requests. What it says of replies is checked with each
//! [`Call`](super::Call).

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use super::table::{self, Who};
use super::{Credentials, Mount, Person, Reply, World};

/// Every route has an operation, and every operation a route; programs and people are shown the same ones.
pub async fn every_route_is_described(mount: &Mount) {
    let world = World::new(mount).await;
    let document = world.at(Method::GET, "/openapi.json").await.expect(200);
    assert_eq!(&document, world.http().openapi());

    let routes = world.routes().iter().chain(world.http().root_routes());
    let routes: BTreeSet<(String, String)> =
        routes.map(|route| (route.path.clone(), route.method.as_str().to_ascii_lowercase())).collect();
    let paths = document["paths"].as_object().expect("paths");
    let described = paths.iter().flat_map(|(path, item)| {
        item.as_object().expect("operations").keys().map(|method| (path.clone(), method.clone()))
    });
    assert_eq!(described.collect::<BTreeSet<_>>(), routes);

    let page = world.at(Method::GET, "/openapi").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'")));
    let page = String::from_utf8(page.body.to_vec()).expect("UTF-8");
    for (path, method) in &routes {
        let id = document["paths"][path][method]["operationId"].as_str().expect("an id");
        assert!(page.contains(&format!("<section id=\"{id}\"")), "{id} is not on the page");
    }
    // Nothing from elsewhere, and links that lead somewhere.
    assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("@import"));
    for target in page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        let is_here = target.strip_prefix('#').is_some_and(|id| page.contains(&format!("id=\"{id}\"")));
        assert!(is_here || target == "openapi.json", "{target} leads nowhere");
    }
}

/// IN2: the document's fields are those that are read: each is refused by its name where it is of another type, missing
/// or too long. The names are compared with the suite's own table, which nobody generates.
pub async fn in2_documented_fields_are_read(mount: &Mount) {
    let (world, person, credentials) = unthrottled(mount).await;
    for route in world.routes() {
        let row = table::row(route.operation);
        let Some(schema) = world.document().body_schema(&route.method, &route.path) else {
            assert!(row.bodies.is_empty(), "{route:?} has no body, by the document");
            continue;
        };
        let own_name =
            |&(name, value): &(&'static str, &'static str)| (world.profile().field_names.theirs(name), value);
        let bodies: Vec<Vec<_>> = row.bodies.iter().map(|fields| fields.iter().map(own_name).collect()).collect();
        let expected: BTreeSet<&str> = bodies.iter().flatten().map(|(name, _)| *name).collect();
        let documented = schema["properties"].as_object().expect("properties");
        assert_eq!(documented.keys().map(String::as_str).collect::<BTreeSet<_>>(), expected, "{route:?}");

        for fields in &bodies {
            let mut valid = table::object(fields);
            if row.who > Who::Guest && fields.iter().any(|(name, _)| *name == "email") {
                valid["email"] = json!(person.email);
            }
            let send = async |name: &str, value: Option<Value>| {
                let mut body = valid.clone();
                let members = body.as_object_mut().expect("an object");
                members.remove(name);
                members.extend(value.map(|value| (name.to_owned(), value)));
                let call = table::bare_call(&world, route).json(&body);
                // A body that ends the session would end the check.
                if row.who <= Who::Guest { call.await } else { call.by(&credentials).await }
            };
            for (name, _) in fields {
                for other in [json!(7), json!(true), json!(["x"]), json!({ "$ne": "x" })] {
                    assert_error(&send(name, Some(other)).await, name, "WRONG_TYPE");
                }
                let is_required = required(&schema, fields).contains(name);
                for absent in [send(name, None).await, send(name, Some(Value::Null)).await] {
                    if is_required {
                        assert!(errors(&absent).iter().any(|(_, code)| code == "REQUIRED"), "{absent:?}");
                    } else {
                        assert!(errors(&absent).is_empty(), "{absent:?}");
                    }
                }
                if let Some(max) = documented[*name]["maxLength"].as_u64() {
                    let long = "x".repeat(usize::try_from(max).expect("a length") + 1);
                    assert_refused(&send(name, Some(long.into())).await);
                }
                if documented[*name].get("pattern").is_some() {
                    assert_refused(&send(name, Some("?".into())).await);
                }
            }
        }
    }
}

/// The same for queries: each parameter is refused by its name where it isn't what the document says.
pub async fn in2_documented_parameters_are_read(mount: &Mount) {
    let (world, _, credentials) = unthrottled(mount).await;
    for route in world.routes() {
        for parameter in world.document().query(&route.method, &route.path) {
            let (name, schema) = (parameter["name"].as_str().expect("a name"), &parameter["schema"]);
            let send = async |value: &str| {
                world.at(route.method.clone(), &format!("{}?{name}={value}", route.path)).by(&credentials).await
            };
            if schema["type"] == "integer" || schema["format"] == "uuid" || schema["enum"].is_array() {
                assert_error(&send("x").await, name, "INVALID");
            }
            let least = schema["minimum"].as_i64().map(|least| least - 1);
            let most = schema["maximum"].as_i64().map(|most| most + 1);
            for beyond in [least, most].into_iter().flatten() {
                assert_error(&send(&beyond.to_string()).await, name, "INVALID");
            }
            if let Some(max) = schema["maxLength"].as_u64() {
                assert_error(&send(&"x".repeat(usize::try_from(max).expect("a length") + 1)).await, name, "INVALID");
            }
            send("").await.expect(200);
            let twice = format!("{}?{name}=1&{name}=1", route.path);
            world.at(route.method.clone(), &twice).by(&credentials).await.problem("VALIDATION_FAILED");
        }
    }
}

async fn unthrottled(mount: &Mount) -> (World, Person, Credentials) {
    let world = World::with(mount, |options| {
        let limits = &mut options.core.limits;
        for limit in [&mut limits.request_address, &mut limits.register_address, &mut limits.proof_address] {
            limit.uses = 10_000;
        }
    });
    let world = world.await;
    let person = world.admin().await;
    let credentials = world.sign_in(&person).await;
    (world, person, credentials)
}

/// What must be there of a body of these fields: what always must, and the alternative that they make.
fn required<'a>(schema: &'a Value, fields: &[(&str, &str)]) -> BTreeSet<&'a str> {
    let is_given = |alternative: &&Value| names(alternative).all(|name| fields.iter().any(|(field, _)| *field == name));
    let alternative = schema["anyOf"].as_array().into_iter().flatten().find(is_given);
    names(schema).chain(alternative.into_iter().flat_map(names)).collect()
}

fn names(schema: &Value) -> impl Iterator<Item = &str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn errors(reply: &Reply) -> Vec<(String, String)> {
    let body = reply.json();
    let text = |error: &Value, name: &str| error[name].as_str().expect("a text").to_owned();
    let errors = body["errors"].as_array().into_iter().flatten();
    errors.map(|error| (text(error, "field"), text(error, "code"))).collect()
}

#[track_caller]
fn assert_error(reply: &Reply, field: &str, code: &str) {
    reply.problem("VALIDATION_FAILED");
    assert!(errors(reply).contains(&(field.to_owned(), code.to_owned())), "{field} is not {code}: {reply:?}");
}

/// Which answer it is differs: a token of the wrong form is one that isn't good, as a password is.
#[track_caller]
fn assert_refused(reply: &Reply) {
    assert!(matches!(reply.status, 400 | 401), "{reply:?}");
}
