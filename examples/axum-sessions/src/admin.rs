//! A page for administrators.

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use minijinja::{Environment, context};
use portcullis::AuthHttp;
use portcullis::axum::{Admin, CsrfToken, HasRole};
use portcullis::domain::{Context, Email};
use portcullis::flow::{Actor, AdminError, profile, users};
use portcullis::port::UserQuery;
use serde::Deserialize;

use crate::failure::Failure;
use crate::plan::{self, Plan};

/// A user's plan, as the form sends it.
#[derive(Debug, Deserialize)]
pub struct PlanOf {
    email: String,
    plan: Plan,
}

/// The newest users with their plans.
pub async fn show(
    admin: HasRole<Admin>,
    csrf: CsrfToken,
    State(auth): State<AuthHttp>,
) -> Result<Html<String>, Failure> {
    let query = UserQuery { limit: 50, ..UserQuery::default() };
    let found = users::list(auth.auth(), Actor::Admin(admin.signed()), &query, &Context::default()).await?;
    let rows = found.iter().map(|user| Ok(context! { email => user.email.as_str(), plan => Plan::of(user)?.as_str() }));
    let users = rows.collect::<Result<Vec<_>, Failure>>()?;
    let mut templates = Environment::new();
    templates.add_template("admin.html", include_str!("../templates/admin.html"))?;
    let page = context! { users, csrf_token => csrf.as_str() };
    Ok(Html(templates.get_template("admin.html")?.render(page)?))
}

/// Gives somebody another plan, from their next request on.
pub async fn set_plan(
    admin: HasRole<Admin>,
    State(auth): State<AuthHttp>,
    Form(form): Form<PlanOf>,
) -> Result<Response, Failure> {
    let Ok(email) = Email::parse(&form.email) else { return Ok(StatusCode::BAD_REQUEST.into_response()) };
    let actor = Actor::Admin(admin.signed());
    let user = match users::find(auth.auth(), actor, &email, &Context::default()).await {
        Err(AdminError::NotFound) => return Ok(StatusCode::NOT_FOUND.into_response()),
        found => found?,
    };
    profile::set_attribute(auth.auth(), user.id, plan::NAME, &form.plan, &Context::default()).await?;
    Ok(Redirect::to("/admin").into_response())
}
