//! Holds what goes over the wire to the OpenAPI document.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Request};
use jsonschema::Validator;
use serde_json::{Value, json};

use super::Reply;

/// The document of a system under test, as something that can be broken.
pub(super) struct Document {
    value: Value,
    /// By operation and status, since each takes a while to make.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Document {
    pub(super) fn new(value: &Value) -> Self {
        Self { value: value.clone(), validators: Mutex::default() }
    }

    /// Compares an exchange with what the document says of it; of paths and methods that it doesn't have, it says nothing.
    ///
    /// - The reply's status is one of the operation's, with the headers, the media type and the content of that status.
    /// - A body that was taken is one that the document allows: it isn't stricter than the server.
    pub(super) fn check(&self, request: &Request<Bytes>, reply: &Reply) {
        let path = request.uri().path();
        let Some((name, operation)) = self.operation(request.method(), path) else { return };
        let response = self.resolve(&operation["responses"][reply.status.to_string()]);
        assert!(response.is_object(), "{name} doesn't answer so, by the document: {reply:?}");

        let headers = response["headers"].as_object().into_iter().flatten();
        for (header, about) in headers.filter(|(_, about)| self.resolve(about)["required"] == true) {
            assert!(reply.headers.contains_key(header), "no {header}: {about}: {reply:?}");
        }
        let is_head = request.method() == Method::HEAD;
        match (response.get("content"), media_type(&reply.headers)) {
            (None, _) => assert!(reply.body.is_empty(), "{name} has no content, by the document: {reply:?}"),
            (Some(content), Some(sent)) if content[&sent].is_object() => {
                if sent.ends_with("json") && !is_head {
                    let schema = &content[&sent]["schema"];
                    self.validate(&format!("{name} {}", reply.status), schema, &reply.json(), reply);
                }
            }
            (Some(content), _) => panic!("{name} answers with {content}, by the document: {reply:?}"),
        }
        let body = &operation["requestBody"];
        if (200..300).contains(&reply.status) && body.is_object() {
            assert!(body["required"] == false || !request.body().is_empty(), "{name} wants a body, by the document");
            if let Ok(sent) = serde_json::from_slice::<Value>(request.body()) {
                self.validate(&name, &body["content"]["application/json"]["schema"], &sent, reply);
            }
        }
    }

    /// What the JSON body of a route's requests may be.
    pub(super) fn body_schema(&self, method: &Method, path: &str) -> Option<Value> {
        let (_, operation) = self.operation(method, path)?;
        let schema = operation.get("requestBody")?["content"].get("application/json")?.get("schema")?;
        Some(self.resolve(schema).clone())
    }

    /// What a route reads of the query.
    pub(super) fn query(&self, method: &Method, path: &str) -> Vec<Value> {
        let operation = self.operation(method, path).map(|(_, operation)| operation);
        let parameters = operation.and_then(|operation| operation["parameters"].as_array()).into_iter().flatten();
        parameters.filter(|parameter| parameter["in"] == "query").cloned().collect()
    }

    /// The operation that answers at a path, with a name for messages. Where two do, it is the one with fewer parameters.
    fn operation(&self, method: &Method, path: &str) -> Option<(String, &Value)> {
        let method = if method == Method::HEAD { "get" } else { &*method.as_str().to_ascii_lowercase() };
        let paths = self.value["paths"].as_object().into_iter().flatten();
        let found = paths.filter(|(pattern, item)| matches(pattern, path) && item[method].is_object());
        let (pattern, item) = found.min_by_key(|(pattern, _)| pattern.matches('{').count())?;
        Some((format!("{method} {pattern}"), &item[method]))
    }

    /// What a reference refers to; else the value itself.
    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let target = value["$ref"].as_str().and_then(|reference| self.value.pointer(reference.strip_prefix('#')?));
        target.unwrap_or(value)
    }

    fn validate(&self, name: &str, schema: &Value, instance: &Value, reply: &Reply) {
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        let validator = validators.entry(name.to_owned()).or_insert_with(|| {
            // The components come along, so that references lead somewhere.
            let schema = json!({ "allOf": [schema], "components": self.value["components"] });
            Arc::new(jsonschema::draft202012::new(&schema).expect("a schema"))
        });
        let validator = validator.clone();
        drop(validators);
        let errors: Vec<String> =
            validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{name} isn't as documented: {errors:?}: {instance}: {reply:?}");
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Document")
    }
}

/// Whether `pattern`, which has parameters in braces, stands for `path`.
fn matches(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some(name), Some(value)) if name == value || (name.starts_with('{') && !value.is_empty()) => {}
            _ => return false,
        }
    }
}

fn media_type(headers: &HeaderMap) -> Option<String> {
    let sent = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(sent.split(';').next().unwrap_or_default().to_owned())
}
