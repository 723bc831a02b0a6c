//! Forms of an application's own.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use auth_core::domain::Signed;
use auth_http::{Check, Problem, csrf};
use rocket::data::{Data, FromData, Limits, Outcome};
use rocket::form::{Errors, Form, FromForm, ValueField};
use rocket::http::RawStr;
use rocket::{Ignite, Request, Rocket, Sentinel};

use crate::exchange::{Passage, is_unmounted};
use crate::rejection::{REFUSED, Rejection};
use crate::reply::read;

/// A form that no other site makes a browser send: from an origin of ours, and, where a cookie authenticates it, with the
/// session's CSRF token, in the field `csrf_token` wherever that stands, or in the header `X-CSRF-Token`. Refused is it before
/// it is parsed.
///
/// ```
/// use auth_rocket::CsrfForm;
/// use rocket::{FromForm, post};
///
/// #[derive(FromForm)]
/// struct Note {
///     text: String,
/// }
///
/// #[post("/notes", data = "<note>")]
/// fn add(note: CsrfForm<Note>) -> String {
///     match note.signed() {
///         Some(signed) => format!("{} notes: {}", signed.user.email, note.text),
///         None => format!("Somebody notes: {}", note.text),
///     }
/// }
/// ```
///
/// - Says who sent it, and lets guests through. Rocket asks request guards before it asks this one: [`CurrentUser`] beside it
///   finds the token only within the first 512 bytes.
/// - Reads like `T`. `application/x-www-form-urlencoded` up to Rocket's limit `form`; of `multipart/form-data`, which may be
///   large, the token is in the header.
///
/// [`CurrentUser`]: crate::CurrentUser
#[derive(Debug)]
pub struct CsrfForm<T> {
    form: T,
    signed: Option<Arc<Signed>>,
}

impl<T> CsrfForm<T> {
    /// Whoever is signed in.
    pub fn signed(&self) -> Option<&Signed> {
        self.signed.as_deref()
    }

    /// The form.
    pub fn into_inner(self) -> T {
        self.form
    }
}

impl<T> Deref for CsrfForm<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.form
    }
}

impl<T> DerefMut for CsrfForm<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.form
    }
}

/// Why there is no form.
#[derive(Debug)]
#[non_exhaustive]
pub enum CsrfFormError<'r> {
    /// The request is refused.
    Rejected(Rejection),
    /// The form is none of that type.
    Form(Errors<'r>),
}

/// A form's fields, decoded.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn parse(body: &str) -> Self {
        let fields = body.split('&').filter(|field| !field.is_empty());
        let decoded = |text: &RawStr| text.url_decode_lossy().into_owned();
        let fields = fields.map(|field| RawStr::new(field).split_at_byte(b'='));
        Self(fields.map(|(name, value)| (decoded(name), decoded(value))).collect())
    }
}

#[rocket::async_trait]
impl<'r, T: FromForm<'r> + 'r> FromData<'r> for CsrfForm<T> {
    type Error = CsrfFormError<'r>;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        let rejected = |(status, rejection)| Outcome::Error((status, CsrfFormError::Rejected(rejection)));
        let Some(mut passage) = Passage::of(request) else { return rejected((REFUSED, Rejection::UNMOUNTED)) };
        if !request.content_type().is_some_and(|sent| sent.is_form()) {
            return match Check::Csrf.admit(passage.http, &mut passage).await {
                Ok(signed) => whole(Form::from_data(request, data).await, signed),
                Err(problem) => rejected(passage.refuse(problem)),
            };
        }
        let limit =
            usize::try_from(request.limits().get("form").unwrap_or(Limits::FORM).as_u64()).unwrap_or(usize::MAX);
        let body = match read(request, data, limit).await {
            Ok(body) => body,
            Err(problem) => return rejected(passage.refuse(problem)),
        };
        passage.exchange.show_field(csrf::form_field(&body).map(std::borrow::Cow::into_owned));
        let signed = match Check::Csrf.admit(passage.http, &mut passage).await {
            Ok(signed) => signed,
            Err(problem) => return rejected(passage.refuse(problem)),
        };
        let Ok(text) = std::str::from_utf8(&body) else {
            return rejected(passage.refuse(Problem::invalid("The form is not UTF-8.")));
        };
        let Fields(fields) = request.local_cache(|| Fields::parse(text));
        let fields = fields.iter().map(|(name, value)| ValueField::from((name.as_str(), value.as_str())));
        match Form::<T>::parse_iter(fields) {
            Ok(form) => Outcome::Success(Self { form, signed }),
            Err(errors) => Outcome::Error((errors.status(), CsrfFormError::Form(errors))),
        }
    }
}

/// What Rocket makes of a form, with who sent it.
fn whole<'r, T>(
    outcome: Outcome<'r, Form<T>, Errors<'r>>,
    signed: Option<Arc<Signed>>,
) -> Outcome<'r, CsrfForm<T>, CsrfFormError<'r>> {
    match outcome {
        Outcome::Success(form) => Outcome::Success(CsrfForm { form: form.into_inner(), signed }),
        Outcome::Error((status, errors)) => Outcome::Error((status, CsrfFormError::Form(errors))),
        Outcome::Forward(passed_on) => Outcome::Forward(passed_on),
    }
}

impl<T> Sentinel for CsrfForm<T> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        is_unmounted(rocket)
    }
}
