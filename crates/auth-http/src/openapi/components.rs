//! What operations have in common: each schema, response and header of the document, once.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::{Body, Content, Reply};
use crate::mount::Mount;
use crate::page::FORM;
use crate::problem::{Body as Problem, PROBLEM, ProblemCode};
use crate::request::JSON;

/// The document's `components`, which grow as operations refer to them.
pub(super) struct Components {
    generator: SchemaGenerator,
    /// Of bodies; those of replies are the generator's.
    schemas: Map<String, Value>,
    responses: Map<String, Value>,
    security: Map<String, Value>,
}

impl Default for Components {
    fn default() -> Self {
        let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
        });
        let generator = settings.into_generator();
        Self { generator, schemas: Map::new(), responses: Map::new(), security: Map::new() }
    }
}

impl Components {
    /// The requirement of a credential as `mount`'s profile takes it, of a user with these roles.
    pub(super) fn credential(&mut self, mount: &Mount, profile: &str, roles: &[&str]) -> Value {
        let (name, scheme) = match &mount.cookies {
            Some(cookies) => {
                let scheme = json!({
                    "type": "apiKey",
                    "in": "cookie",
                    "name": cookies.session.name(),
                    "description": "What signing in sets.",
                });
                (format!("{profile}.cookie"), scheme)
            }
            None => {
                let scheme = json!({
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The access token.",
                });
                ("bearer".to_owned(), scheme)
            }
        };
        self.security.insert(name.clone(), scheme);
        json!({ name: roles })
    }

    pub(super) fn body(&mut self, body: Body) -> Value {
        let (media_type, is_required, schema) = match body {
            Body::Json(shape) => {
                let (name, is_required) = (shape.name, shape.is_required());
                self.schemas.insert(name.to_owned(), shape.schema());
                (JSON, is_required, json!({ "$ref": format!("#/components/schemas/{name}") }))
            }
            Body::Form(schema) => (FORM, true, schema),
        };
        json!({ "required": is_required, "content": { media_type: { "schema": schema } } })
    }

    pub(super) fn reply(&mut self, reply: &Reply, sets_cookies: bool) -> Value {
        let mut headers = json!({ "X-Request-Id": header("X-Request-Id") });
        if sets_cookies {
            headers["Set-Cookie"] = header("Set-Cookie");
        }
        let mut response = json!({ "description": reply.about, "headers": headers });
        match &reply.content {
            Content::Nothing => {}
            Content::Json(schema) => {
                response["content"] = json!({ JSON: { "schema": schema(&mut self.generator) } });
            }
            Content::Page => response["content"] = html(),
        }
        response
    }

    /// A reply with one of `codes`, which are of one status.
    pub(super) fn problem(&mut self, codes: &[ProblemCode], is_page: bool) -> Value {
        let words: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
        let name = format!("{}{}", words.join("."), if is_page { ".page" } else { "" });
        let reference = json!({ "$ref": format!("#/components/responses/{name}") });
        if self.responses.contains_key(&name) {
            return reference;
        }
        let problem = self.generator.subschema_for::<Problem<'_>>();
        let content = if is_page {
            html()
        } else {
            let code = json!({ "properties": { "code": { "enum": words } } });
            json!({ PROBLEM: { "schema": { "allOf": [problem, code] } } })
        };
        let about: Vec<String> = codes.iter().map(|code| format!("`{}`: {}.", code.as_str(), code.title())).collect();
        let mut headers = json!({});
        for name in ["X-Request-Id"].iter().chain(codes.iter().flat_map(|&code| headers_of(code))) {
            headers[*name] = header(name);
        }
        let response = json!({ "description": about.join(" "), "headers": headers, "content": content });
        self.responses.insert(name, response);
        reference
    }

    /// The finished `components`.
    pub(super) fn finish(mut self) -> Value {
        self.schemas.extend(self.generator.take_definitions(true));
        json!({
            "schemas": self.schemas,
            "responses": self.responses,
            "securitySchemes": self.security,
            "headers": headers(),
        })
    }
}

/// The header that shows a CSRF token.
pub(super) fn csrf_token(is_required: bool) -> Value {
    json!({
        "name": "X-CSRF-Token",
        "in": "header",
        "required": is_required,
        "description": "The session's CSRF token: from the reply that signed in, or from the CSRF cookie.",
        "schema": { "type": "string" },
    })
}

/// The headers that a problem always comes with, beside those of every reply.
const fn headers_of(code: ProblemCode) -> &'static [&'static str] {
    match code {
        ProblemCode::Unauthorized | ProblemCode::CodeInvalid => &["WWW-Authenticate"],
        ProblemCode::RateLimited => &["Retry-After", "RateLimit", "RateLimit-Policy"],
        ProblemCode::Unavailable => &["Retry-After"],
        _ => &[],
    }
}

fn html() -> Value {
    json!({ "text/html": { "schema": { "type": "string" } } })
}

fn header(name: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{name}") })
}

fn headers() -> Value {
    let text = |about: &str, is_required: bool| json!({ "description": about, "required": is_required, "schema": { "type": "string" } });
    json!({
        "X-Request-Id": text("The request's `X-Request-Id`, where it sent one of 1 to 128 visible ASCII characters; else a new one.", true),
        "Set-Cookie": text("Cookies, set or cleared.", false),
        "WWW-Authenticate": text("How to authenticate (RFC 9110 §11.6.1).", true),
        "Retry-After": {
            "description": "Seconds until it is worth another try.",
            "required": true,
            "schema": { "type": "integer", "minimum": 1 },
        },
        "RateLimit": text("What is left: `\"default\";r=0;t=60` (draft-ietf-httpapi-ratelimit-headers-10).", true),
        "RateLimit-Policy": text("What is allowed: uses and seconds, `\"default\";q=600;w=60` (the same draft).", true),
    })
}
