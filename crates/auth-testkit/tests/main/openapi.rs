//! The OpenAPI document of a server with all profiles: it is one, and says what the wire contract says.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use auth_http::{AuthHttp, HttpSettings, ProblemCode, Profile};
use auth_testkit::MemoryStore;
use auth_testkit::http::{Mount, Web, World};
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

/// Nobody is asked anything: the document is made without.
struct Nobody;

#[async_trait]
impl Web for Nobody {
    async fn send(&self, _: Request<Bytes>, _: IpAddr) -> Response<Bytes> {
        Response::new(Bytes::new())
    }
}

fn document(profiles: impl IntoIterator<Item = Profile>) -> Value {
    auth_testkit::block_on(async {
        let world = World::new(&Mount::new(Arc::new(MemoryStore::new()), |_| Arc::new(Nobody))).await;
        let http = AuthHttp::new(world.http().auth().clone(), profiles, HttpSettings::default());
        http.expect("sound profiles").openapi().clone()
    })
}

/// Each operation with its path and method.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

/// Against the OpenAPI Initiative's schema, and against what that can't say.
#[test]
fn the_document_is_openapi_3_1() {
    let document = document([Profile::tokens(), Profile::sessions()]);
    let schema: Value = serde_json::from_str(include_str!("oas-3.1.json")).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(jsonschema::draft202012::meta::is_valid(schema), "{name} is no JSON Schema: {schema}");
        assert!(schema["description"].is_string(), "{name} has no description");
    }

    let mut references = Vec::new();
    collect_references(&document, &mut references);
    for reference in references {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference} leads nowhere");
    }
    let ids: Vec<&Value> = operations(&document).map(|(.., operation)| &operation["operationId"]).collect();
    assert_eq!(ids.iter().map(|id| id.as_str().unwrap()).collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    for (path, method, operation) in operations(&document) {
        let in_braces = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let described = parameters.filter(|parameter| parameter["in"] == "path");
        let described: BTreeSet<&str> = described.map(|parameter| parameter["name"].as_str().unwrap()).collect();
        assert_eq!(described, in_braces.collect(), "{method} {path}");
        assert!(operation["summary"].is_string() && operation["description"].is_string(), "{method} {path}");
    }
}

fn collect_references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|value| collect_references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| collect_references(value, found)),
        _ => {}
    }
}

/// Profiles of one name are told apart.
#[test]
fn operation_ids_are_unique_over_namesakes() {
    let document = document([Profile::tokens(), Profile::tokens().at("/other")]);
    let id = |path: &str| document["paths"][path]["post"]["operationId"].clone();
    assert_eq!((id("/v1/auth/login"), id("/other/login")), (json!("tokens.signIn"), json!("tokens2.signIn")));
}

/// Fields that the wire reads beyond the contract's tables: which record a code belongs to, where the client was told.
const BEYOND: &[(&str, &str)] = &[("/verify/confirm", "tokenId"), ("/password/reset/confirm", "tokenId")];

/// The contract's tables, as they were when this was written.
const TABLES: &str = include_str!("operations.md");

#[test]
fn the_copy_of_the_contract_is_true() {
    let folder = std::env::var_os("VECTORS_DIR").map_or_else(|| "../shared/vectors".into(), PathBuf::from);
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder).join("../contract.md");
    if let Ok(contract) = std::fs::read_to_string(contract) {
        for line in TABLES.lines() {
            assert!(contract.lines().any(|other| other == line), "the contract no longer says {line}");
        }
        assert_eq!(rows(&contract).len(), rows(TABLES).len());
    }
}

/// Methods, paths, query parameters, statuses, fields and who may ask: the document's are the contract's.
#[test]
fn the_document_says_what_the_contract_says() {
    let mut described = BTreeMap::<(String, String), Described>::new();
    for profile in [Profile::tokens().at("/p"), Profile::sessions().at("/p")] {
        let document = document([profile]);
        for (path, method, operation) in operations(&document) {
            if let Some(path) = path.strip_prefix("/p/") {
                described
                    .entry((method.to_ascii_uppercase(), format!("/{path}")))
                    .or_default()
                    .add(&document, operation);
            }
        }
    }
    let mut contracted = BTreeSet::new();
    for row in rows(TABLES) {
        for (place, (method, path, query)) in row.operations.iter().enumerate() {
            let found = described.get(&(method.clone(), path.clone())).unwrap_or_else(|| panic!("no {method} {path}"));
            assert_eq!(&found.query, query, "{method} {path}");
            assert_eq!(&found.statuses, row.statuses(place), "{method} {path}");
            assert_eq!(found.is_for_admins, row.request.contains("role `admin`"), "{method} {path}");
            let mut fields = found.fields.clone();
            for (_, name) in BEYOND.iter().filter(|(at, _)| at == path) {
                assert!(fields.remove(*name), "{path} doesn't read {name}");
            }
            if row.operations.len() == 1 {
                assert_eq!(fields, row.fields, "{method} {path}");
                assert_eq!(found.is_for_the_fresh, row.has_word("fresh"), "{method} {path}");
            } else {
                assert!(fields.is_subset(&row.fields), "{method} {path} reads {fields:?}");
            }
            contracted.insert((method.clone(), path.clone()));
        }
    }
    assert_eq!(described.into_keys().collect::<BTreeSet<_>>(), contracted);
}

#[test]
fn the_codes_are_the_contracts() {
    let rows = TABLES.lines().filter(|line| line.starts_with("| 4") || line.starts_with("| 503"));
    let mut contracted: BTreeSet<&str> = BTreeSet::new();
    for row in rows {
        let (statuses, codes) = row.trim_matches('|').split_once('|').unwrap();
        let codes: Vec<&str> =
            quoted(codes).filter(|text| text.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')).collect();
        for code in ProblemCode::ALL.iter().filter(|code| codes.contains(&code.as_str())) {
            assert!(statuses.contains(code.status().as_str()), "{code:?} isn't {statuses}");
        }
        contracted.extend(codes);
    }
    let ours = ProblemCode::ALL.iter().map(|code| code.as_str()).filter(|code| *code != "REQUEST_TIMEOUT");
    assert_eq!(ours.collect::<BTreeSet<_>>(), contracted);
}

/// What the document says of an operation, whatever the profile.
#[derive(Default)]
struct Described {
    query: BTreeSet<String>,
    statuses: BTreeSet<String>,
    fields: BTreeSet<String>,
    is_for_admins: bool,
    is_for_the_fresh: bool,
}

impl Described {
    fn add(&mut self, document: &Value, operation: &Value) {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let query = parameters.filter(|parameter| parameter["in"] == "query");
        self.query.extend(query.map(|parameter| parameter["name"].as_str().unwrap().to_owned()));
        let responses = operation["responses"].as_object().unwrap();
        self.statuses.extend(responses.keys().filter(|status| status.starts_with('2')).cloned());
        if let Some(reference) = operation.pointer("/requestBody/content/application~1json/schema/$ref") {
            let schema = document.pointer(&reference.as_str().unwrap()[1..]).unwrap();
            self.fields.extend(schema["properties"].as_object().unwrap().keys().cloned());
        }
        self.is_for_admins |= operation["security"].to_string().contains("admin");
        self.is_for_the_fresh |=
            responses.get("403").is_some_and(|problem| problem.to_string().contains("REAUTHENTICATION"));
    }
}

/// A row of the contract's table of operations.
struct Row {
    /// Method, path and parameters of the query.
    operations: Vec<(String, String, BTreeSet<String>)>,
    request: String,
    /// Without the question mark behind those that may be missing.
    fields: BTreeSet<String>,
    /// One set for each operation, or one for all.
    statuses: Vec<BTreeSet<String>>,
}

impl Row {
    /// Whether the request's cell says so, by a word of its own.
    fn has_word(&self, word: &str) -> bool {
        self.request.split(|c: char| !c.is_alphanumeric()).any(|other| other == word)
    }

    /// The successes of one of its operations.
    fn statuses(&self, place: usize) -> &BTreeSet<String> {
        &self.statuses[if self.statuses.len() > 1 { place } else { 0 }]
    }
}

fn rows(tables: &str) -> Vec<Row> {
    let table = tables.lines().skip_while(|line| !line.starts_with("| operation |")).skip(2);
    let rows: Vec<Row> = table.take_while(|line| line.starts_with('|')).map(row).collect();
    assert!(rows.len() > 20, "no table of operations");
    rows
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [operations, request, success]: [&str; 3] = cells.try_into().expect("three cells");
    let mut statuses: Vec<BTreeSet<String>> =
        success.split(';').map(successes).filter(|found| !found.is_empty()).collect();
    let operations = named(operations);
    if statuses.len() != operations.len() {
        statuses = vec![statuses.into_iter().flatten().collect()];
    }
    let fields = quoted(request).filter_map(|text| text.strip_prefix('{')?.strip_suffix('}'));
    let fields = fields.flat_map(|fields| fields.split(", ")).map(|name| name.trim_end_matches('?').to_owned());
    Row { operations, request: request.to_owned(), fields: fields.collect(), statuses }
}

/// `PUT` / `DELETE /a/{id}`, and `POST /a/b?c`, `…/d`.
fn named(cell: &str) -> Vec<(String, String, BTreeSet<String>)> {
    let mut operations: Vec<(String, String, BTreeSet<String>)> = Vec::new();
    let mut methods = Vec::new();
    for text in quoted(cell) {
        if let Some(last) = text.strip_prefix('…') {
            let (method, path, _) = operations.last().unwrap();
            let above = path.rsplit_once('/').unwrap().0;
            operations.push((method.clone(), format!("{above}{last}"), BTreeSet::new()));
        } else if let Some((method, target)) = text.split_once(' ') {
            methods.push(method);
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            let query: BTreeSet<String> = query.split('&').filter(|name| !name.is_empty()).map(str::to_owned).collect();
            operations.extend(methods.drain(..).map(|method| (method.to_owned(), path.to_owned(), query.clone())));
        } else {
            methods.push(text);
        }
    }
    operations
}

/// What stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The statuses from 200 to 299 that are named.
fn successes(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .filter(|word| word.len() == 3 && word.starts_with('2') && word.parse::<u16>().is_ok())
        .map(str::to_owned)
        .collect()
}
