//! What mails carry: made with the records behind them, and sealed.

use std::collections::BTreeMap;

use crate::auth::{Auth, Fault};
use crate::domain::{
    Attributes, Code, Content, Context, Email, Link, Mail, MailId, MailKind, Notice, PasswordHash, Pending, Purpose,
    SealedMail, Secret, Session, Signed, Timestamp, Token, TokenId, User, UserId, device_name,
};
use crate::flow::throttle;
use crate::keys::{KeyRing, MacUse, SealError};
use crate::port::Change;
use crate::settings::days;

/// A fresh token with the mail that carries its link and code to `to`: the account's address, unless the account is to move
/// there.
pub(crate) fn token_mail(
    auth: &Auth,
    user: &User,
    purpose: Purpose,
    to: &Email,
    now: Timestamp,
    context: &Context,
) -> Result<(Token, SealedMail), Fault> {
    let proofs = Proofs::new(auth, purpose, to, now);
    let token = proofs.token(auth, user, now, context);
    let mail = proofs.mail(auth, user, token.link_until.max(token.code_until), now)?;
    Ok((token, mail))
}

/// What mails a code to the account's address that is good in one session only. Of several the newest counts. Names the record
/// that the code belongs to; one that nobody has where [no code would be taken](Purpose::is_open_to).
pub(crate) fn session_code(
    auth: &Auth,
    signed: &Signed,
    purpose: Purpose,
    now: Timestamp,
    context: &Context,
) -> Result<(TokenId, Vec<Change>), Fault> {
    let user = &signed.user;
    if !purpose.is_open_to(user) {
        return Ok((TokenId::new(now, &*auth.entropy), Vec::new()));
    }
    let (token, mail) = token_mail(auth, user, purpose, &user.email, now, context)?;
    let token = Token { session: Some(signed.session.id), ..token };
    let changes = vec![
        Change::TrimTokens { user: user.id, purpose, keep: 0 },
        Change::IssueToken { token: token.clone(), at_most: 1 },
        Change::Enqueue(mail),
    ];
    Ok((token.id, changes))
}

/// A fresh token that hands nothing to anybody: for a code that may be wanted, and perhaps will be mailed.
pub(crate) fn challenge(auth: &Auth, user: &User, now: Timestamp, context: &Context) -> (Secret, Token) {
    let proofs = Proofs::new(auth, Purpose::SecondStep, &user.email, now);
    let token = Token { code: None, code_until: now, ..proofs.token(auth, user, now, context) };
    (proofs.secret, token)
}

/// A fresh code for a token that is there, with the mail that carries it to the address that the token is bound to.
pub(crate) fn fresh_code(
    auth: &Auth,
    user: &User,
    token: &Token,
    now: Timestamp,
) -> Result<(crate::domain::Mac, Timestamp, SealedMail), Fault> {
    let proofs = Proofs { id: token.id, ..Proofs::new(auth, token.purpose, &token.email, now) };
    let until = (now + token.purpose.terms().code.unwrap_or_default()).min(token.link_until);
    Ok((proofs.mac(auth), until, proofs.mail(auth, user, until, now)?))
}

/// A fresh token with the mail that carries its link to the owner of an account that a new device has signed in to.
pub(crate) fn new_device(
    auth: &Auth,
    user: &User,
    session: &Session,
    now: Timestamp,
    context: &Context,
) -> Result<(Token, SealedMail), Fault> {
    let proofs = Proofs::new(auth, Purpose::ReportSession, &user.email, now);
    let token = Token { session: Some(session.id), account: None, ..proofs.token(auth, user, now, context) };
    let device = session.user_agent.as_deref().and_then(device_name).unwrap_or_default();
    let content = Content::NewDevice { device, link: proofs.link(auth) };
    let mail = Letter::to(user).seal(auth, &content, now, token.link_until)?;
    Ok((token, mail))
}

/// A fresh token with the mail that carries its link to the address that the account has, and may have to be moved back to
/// from `elsewhere`. Not bound to the address that the account has by then.
pub(crate) fn undo_mail(
    auth: &Auth,
    user: &User,
    elsewhere: &Email,
    now: Timestamp,
    context: &Context,
) -> Result<(Token, SealedMail), Fault> {
    let proofs = Proofs::new(auth, Purpose::UndoEmail, &user.email, now);
    let token = Token { account: None, ..proofs.token(auth, user, now, context) };
    let content = Content::UndoEmail { to: elsewhere.clone(), link: proofs.link(auth) };
    let mail = Letter::to(user).seal(auth, &content, now, token.link_until)?;
    Ok((token, mail))
}

/// What somebody registered with, whose registration is to wait for its proof.
#[derive(Clone)]
pub(crate) struct Application {
    pub(crate) email: Email,
    pub(crate) slot: u32,
    pub(crate) password: PasswordHash,
    pub(crate) name: Option<String>,
    pub(crate) locale: Option<String>,
    pub(crate) attributes: Attributes,
}

impl From<Pending> for Application {
    fn from(pending: Pending) -> Self {
        let Pending { email, slot, password, name, locale, attributes, .. } = pending;
        Self { email, slot, password, name, locale, attributes }
    }
}

/// A registration that waits, with the mail that carries its link and code.
pub(crate) fn pending_mail(
    auth: &Auth,
    application: Application,
    now: Timestamp,
    context: &Context,
) -> Result<(Pending, SealedMail), Fault> {
    let Application { email, slot, password, name, locale, attributes } = application;
    let purpose = Purpose::VerifyEmail;
    let proofs = Proofs::new(auth, purpose, &email, now);
    let (link_until, code_until) = proofs.ends(now);
    let letter = Letter { user: None, to: &email, name: name.as_deref(), locale: locale.as_deref() };
    let content = Content::Verify { code: proofs.code.clone(), link: proofs.link(auth) };
    let mail = letter.seal(auth, &content, now, link_until)?;
    let (id, link, code) = (proofs.id, proofs.secret.digest(), proofs.mac(auth));
    let pending = Pending {
        id,
        email,
        slot,
        password,
        name,
        locale,
        attributes,
        link,
        link_until,
        code,
        code_until,
        attempts: 0,
        requested_from: throttle::requester(auth, context),
        created_at: now,
    };
    Ok((pending, mail))
}

/// Tells the owner of an address that somebody registered it, or wanted an account to move to it.
pub(crate) fn exists(auth: &Auth, user: &User, now: Timestamp) -> Result<SealedMail, Fault> {
    Letter::to(user).seal(auth, &Content::Exists, now, now + NEWS)
}

/// Tells the account's owner of a change.
pub(crate) fn notice(auth: &Auth, user: &User, notice: Notice, now: Timestamp) -> Result<SealedMail, Fault> {
    Letter::to(user).seal(auth, &Content::Notice(notice), now, now + NEWS)
}

/// News of an account are worth sending for three days.
const NEWS: std::time::Duration = days(3);

/// A record's id, and what proves that one received its mail.
struct Proofs<'a> {
    id: TokenId,
    secret: Secret,
    code: Code,
    purpose: Purpose,
    to: &'a Email,
}

impl<'a> Proofs<'a> {
    fn new(auth: &Auth, purpose: Purpose, to: &'a Email, now: Timestamp) -> Self {
        let (secret, code) = (Secret::new(&*auth.entropy), Code::new(&*auth.entropy));
        Self { id: TokenId::new(now, &*auth.entropy), secret, code, purpose, to }
    }

    /// When link and code are dead. What there is none of is dead at once.
    fn ends(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        let terms = self.purpose.terms();
        (now + terms.link.unwrap_or_default(), now + terms.code.unwrap_or_default())
    }

    /// The record behind them, for the account of the user's present address.
    fn token(&self, auth: &Auth, user: &User, now: Timestamp, context: &Context) -> Token {
        let (terms, (link_until, code_until)) = (self.purpose.terms(), self.ends(now));
        Token {
            id: self.id,
            user: user.id,
            purpose: self.purpose,
            email: self.to.clone(),
            account: Some(user.email.clone()),
            link: terms.link.map(|_| self.secret.digest()),
            link_until,
            code: terms.code.map(|_| self.mac(auth)),
            code_until,
            attempts: 0,
            requested_from: throttle::requester(auth, context),
            sign_in: None,
            session: None,
            created_at: now,
        }
    }

    /// The mail that carries them.
    fn mail(&self, auth: &Auth, user: &User, until: Timestamp, now: Timestamp) -> Result<SealedMail, Fault> {
        let (code, link) = (self.code.clone(), self.link(auth));
        let content = match self.purpose {
            Purpose::VerifyEmail => Content::Verify { code, link },
            Purpose::ResetPassword => Content::Reset { code, link },
            Purpose::ChangeEmail => Content::ChangeEmail { code, link },
            Purpose::UndoEmail => Content::UndoEmail { to: self.to.clone(), link },
            Purpose::SecondStep | Purpose::EnableEmailFactor | Purpose::DisableEmailFactor => {
                Content::SecondFactor { code }
            }
            Purpose::Reauthenticate | Purpose::ChangePassword => Content::Reauthenticate { code },
            Purpose::ReportSession => Content::NewDevice { device: String::new(), link },
        };
        let letter = Letter { to: self.to, ..Letter::to(user) };
        letter.seal(auth, &content, now, until)
    }

    fn mac(&self, auth: &Auth) -> crate::domain::Mac {
        auth.ring.mac(MacUse::Code, &code_parts(&self.id, self.to, self.purpose, &self.code))
    }

    fn link(&self, auth: &Auth) -> Link {
        let page = self.purpose.terms().page;
        Link::new(format!("{}/{page}?token={}", auth.settings.frontend_url, self.secret.expose()))
    }
}

/// What a code's MAC is over: bound to its record, address and purpose, it proves nothing elsewhere.
pub(crate) fn code_parts<'a>(id: &'a TokenId, email: &'a Email, purpose: Purpose, code: &'a Code) -> [&'a [u8]; 4] {
    [purpose.as_str().as_bytes(), id.as_bytes(), email.canonical().as_bytes(), code.as_bytes()]
}

/// Whom a mail goes to.
#[derive(Clone, Copy)]
struct Letter<'a> {
    user: Option<UserId>,
    to: &'a Email,
    name: Option<&'a str>,
    locale: Option<&'a str>,
}

impl<'a> Letter<'a> {
    fn to(user: &'a User) -> Self {
        let profile = &user.profile;
        Self { user: Some(user.id), to: &user.email, name: profile.name.as_deref(), locale: profile.locale.as_deref() }
    }

    /// Seals `content` to its row, recipient and kind: who swaps a recipient in the store gains nothing.
    fn seal(
        self,
        auth: &Auth,
        content: &Content,
        created_at: Timestamp,
        expires_at: Timestamp,
    ) -> Result<SealedMail, Fault> {
        let (id, kind) = (MailId::new(created_at, &*auth.entropy), content.kind());
        let mut fields = BTreeMap::from([("content", word(content).to_owned())]);
        match content {
            Content::Verify { code, link } | Content::Reset { code, link } | Content::ChangeEmail { code, link } => {
                fields.insert("code", code.expose());
                fields.insert("link", link.expose().to_owned());
            }
            Content::SecondFactor { code } | Content::Reauthenticate { code } => {
                fields.insert("code", code.expose());
            }
            Content::NewDevice { device, link } => {
                fields.insert("device", device.clone());
                fields.insert("link", link.expose().to_owned());
            }
            Content::UndoEmail { to, link } => {
                fields.insert("to", to.as_str().to_owned());
                fields.insert("link", link.expose().to_owned());
            }
            Content::Notice(notice) => {
                fields.insert("notice", notice.as_str().to_owned());
            }
            Content::Exists => {}
        }
        fields.extend(self.name.map(|name| ("name", name.to_owned())));
        fields.extend(self.locale.map(|locale| ("locale", locale.to_owned())));
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(&fields).map_err(|_| SealError)?);
        let body = auth.ring.seal(&bound_to(&id, self.to, kind), &plain, &*auth.entropy)?;
        Ok(SealedMail { id, user: self.user, to: self.to.clone(), kind, body, created_at, expires_at })
    }
}

const fn word(content: &Content) -> &'static str {
    match content {
        Content::Verify { .. } => "verify",
        Content::Reset { .. } => "reset",
        Content::Exists => "exists",
        Content::ChangeEmail { .. } => "change-email",
        Content::UndoEmail { .. } => "undo-email",
        Content::SecondFactor { .. } => "second-factor",
        Content::Reauthenticate { .. } => "reauthenticate",
        Content::NewDevice { .. } => "new-device",
        Content::Notice(_) => "notice",
    }
}

/// Opens what [`Letter::seal`] made.
pub(super) fn open(ring: &KeyRing, sealed: &SealedMail) -> Result<Mail, SealError> {
    let plain = ring.open(&bound_to(&sealed.id, &sealed.to, sealed.kind), &sealed.body)?;
    let mut fields: BTreeMap<String, String> = serde_json::from_slice(&plain).map_err(|_| SealError)?;
    let content = content(&mut fields).ok_or(SealError)?;
    let (name, locale) = (fields.remove("name"), fields.remove("locale"));
    Ok(Mail { id: sealed.id, to: sealed.to.clone(), content, name, locale })
}

fn content(fields: &mut BTreeMap<String, String>) -> Option<Content> {
    let mut take = |key: &str| fields.remove(key);
    let word = take("content")?;
    let mut code_and_link = || Some((Code::parse(&take("code")?)?, Link::new(take("link")?)));
    Some(match &*word {
        "verify" => code_and_link().map(|(code, link)| Content::Verify { code, link })?,
        "reset" => code_and_link().map(|(code, link)| Content::Reset { code, link })?,
        "change-email" => code_and_link().map(|(code, link)| Content::ChangeEmail { code, link })?,
        "undo-email" => Content::UndoEmail { to: Email::parse(&take("to")?).ok()?, link: Link::new(take("link")?) },
        "second-factor" => Content::SecondFactor { code: Code::parse(&take("code")?)? },
        "reauthenticate" => Content::Reauthenticate { code: Code::parse(&take("code")?)? },
        "new-device" => Content::NewDevice { device: take("device")?, link: Link::new(take("link")?) },
        "notice" => Content::Notice(Notice::parse(&take("notice")?)?),
        "exists" => Content::Exists,
        _ => return None,
    })
}

fn bound_to<'a>(id: &'a MailId, to: &'a Email, kind: MailKind) -> [&'a [u8]; 4] {
    [b"mail", id.as_bytes(), to.as_str().as_bytes(), kind.as_str().as_bytes()]
}
