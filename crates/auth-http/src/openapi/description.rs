//! What is said of one operation, beside its endpoint.

use http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use crate::fields::{FromFields, Shape};
use crate::mount::Mount;
use crate::problem::ProblemCode;
use crate::profile::Delivery;
use crate::reply::{SecondStepAsked, SignedIn, Tokens, TokensInCookies};

/// What the document says of an operation, beyond what follows from its route.
///
/// Not to be said here: the credential it wants, and the problems that any operation may answer with. They follow from
/// the route table and from the body.
pub(crate) struct Description {
    pub(super) summary: &'static str,
    pub(super) details: &'static str,
    pub(super) body: Option<Body>,
    /// In path, query and headers.
    pub(super) parameters: Vec<Value>,
    pub(super) replies: Vec<Reply>,
    pub(super) problems: Vec<ProblemCode>,
    /// Whether a credential counts, though nobody needs one.
    pub(super) takes_credential: bool,
    /// Whether it sets or clears cookies, where the profile has any.
    pub(super) sets_cookies: bool,
}

/// What an operation reads of the body.
pub(super) enum Body {
    Json(Shape),
    /// A page's form, as JSON Schema has it.
    Form(Value),
}

/// A reply that isn't a problem.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) about: &'static str,
    pub(super) content: Content,
}

/// What is in a reply.
pub(super) enum Content {
    Nothing,
    Json(MakeSchema),
    Page,
}

/// Makes the schema of a reply; what it refers to stays with the generator.
pub(super) type MakeSchema = fn(&mut SchemaGenerator) -> Schema;

impl Description {
    /// An operation in a few words, and in a sentence or two.
    pub(crate) fn new(summary: &'static str, details: &'static str) -> Self {
        Self {
            summary,
            details,
            body: None,
            parameters: Vec::new(),
            replies: Vec::new(),
            problems: Vec::new(),
            takes_credential: false,
            sets_cookies: false,
        }
    }

    /// Reads `T` from a JSON body.
    pub(crate) fn body<T: FromFields>(self) -> Self {
        Self { body: Some(Body::Json(Shape::of::<T>())), ..self }
    }

    /// Reads `T` from the query.
    pub(crate) fn query<T: FromFields>(mut self) -> Self {
        self.parameters.extend(Shape::of::<T>().parameters());
        self.problems([ProblemCode::ValidationFailed])
    }

    /// Reads the token that a link's page is opened with.
    pub(crate) fn link(self) -> Self {
        self.parameter("query", "token", true, "The token in the link.", &json!({ "type": "string" }))
            .problems([ProblemCode::TokenInvalid])
    }

    /// Reads that page's form.
    pub(crate) fn form(self, properties: &Value) -> Self {
        let required: Vec<&String> = properties.as_object().into_iter().flat_map(|fields| fields.keys()).collect();
        let schema = json!({ "type": "object", "properties": properties, "required": required });
        Self { body: Some(Body::Form(schema)), ..self }.problems([ProblemCode::TokenInvalid])
    }

    /// Reads the segment of the path that the route has in braces under that name.
    pub(crate) fn path(self, name: &str, about: &str, schema: &Value) -> Self {
        self.parameter("path", name, true, about, schema)
    }

    /// Reads a header that may be there.
    pub(crate) fn header(self, name: &str, about: &str, schema: &Value) -> Self {
        self.parameter("header", name, false, about, schema)
    }

    /// Takes a credential where there is one.
    pub(crate) fn takes_credential(self) -> Self {
        Self { takes_credential: true, ..self }
    }

    /// Answers with `T` as JSON.
    pub(crate) fn reply<T: JsonSchema>(self, status: StatusCode, about: &'static str) -> Self {
        self.reply_of(status, about, SchemaGenerator::subschema_for::<T>)
    }

    /// Answers with JSON that `schema` makes the schema of.
    pub(crate) fn reply_of(self, status: StatusCode, about: &'static str, schema: MakeSchema) -> Self {
        self.with(status, about, Content::Json(schema))
    }

    /// Answers with 204.
    pub(crate) fn no_content(self, about: &'static str) -> Self {
        self.with(StatusCode::NO_CONTENT, about, Content::Nothing)
    }

    /// Answers with a page.
    pub(crate) fn page(self, about: &'static str) -> Self {
        self.with(StatusCode::OK, about, Content::Page)
    }

    /// Answers with new credentials, the way of `mount`'s profile.
    pub(crate) fn authenticated(self, mount: &Mount) -> Self {
        let described = match mount.profile.delivery {
            Delivery::Body => self.reply::<Tokens>(StatusCode::OK, "New credentials, in place of all earlier ones."),
            Delivery::SessionCookie => {
                self.reply::<SignedIn>(StatusCode::OK, "A session, whose secret is in a new cookie.")
            }
            Delivery::TokenCookies => self
                .reply::<TokensInCookies>(StatusCode::OK, "New credentials, in cookies, in place of all earlier ones."),
        };
        described.sets_cookies()
    }

    /// Answers with new credentials, or with a challenge for the second step.
    pub(crate) fn authenticated_or_asked(self, mount: &Mount) -> Self {
        let (status, about) = (StatusCode::OK, "New credentials, or a challenge.");
        let described = match mount.profile.delivery {
            Delivery::Body => self.one_of::<Tokens, SecondStepAsked>(status, about),
            Delivery::SessionCookie => self.one_of::<SignedIn, SecondStepAsked>(status, about),
            Delivery::TokenCookies => self.one_of::<TokensInCookies, SecondStepAsked>(status, about),
        };
        described.sets_cookies()
    }

    /// Answers with one or the other as JSON.
    pub(crate) fn one_of<T: JsonSchema, U: JsonSchema>(self, status: StatusCode, about: &'static str) -> Self {
        self.reply_of(status, about, one_of::<T, U>)
    }

    /// Sets or clears cookies, where the profile has any.
    pub(crate) fn sets_cookies(self) -> Self {
        Self { sets_cookies: true, ..self }
    }

    /// May answer with these problems.
    pub(crate) fn problems(mut self, codes: impl IntoIterator<Item = ProblemCode>) -> Self {
        self.problems.extend(codes);
        self
    }

    fn parameter(mut self, place: &str, name: &str, is_required: bool, about: &str, schema: &Value) -> Self {
        self.parameters.push(
            json!({ "name": name, "in": place, "required": is_required, "description": about, "schema": schema }),
        );
        self
    }

    fn with(mut self, status: StatusCode, about: &'static str, content: Content) -> Self {
        self.replies.push(Reply { status, about, content });
        self
    }
}

fn one_of<T: JsonSchema, U: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let schemas = [generator.subschema_for::<T>(), generator.subschema_for::<U>()];
    schemars::json_schema!({ "oneOf": schemas })
}
