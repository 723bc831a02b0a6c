//! The document as a page for people: plain HTML, nothing from elsewhere, no scripts.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, context};
use serde_json::{Value, json};

/// The page's style, which its policy names by digest.
pub(crate) const STYLE: &str = include_str!("page.css");

/// Writes the page: operations in the order of `routes`, then schemas.
#[expect(clippy::expect_used, reason = "the template is compiled in, and the tests render it")]
pub(super) fn render<'a>(document: &Value, routes: impl Iterator<Item = (&'a str, String)>) -> String {
    let routes: Value = routes.map(|(path, method)| json!([path, method])).collect();
    let mut engine = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true);
    engine.set_syntax(syntax.build().expect("Jinja's own syntax"));
    let context = context! { document => Serde(document), routes => Serde(routes), style => STYLE };
    engine.render_named_str("page.html", include_str!("page.html"), context).expect("a template that renders")
}
