//! What a host chooses about cookies, and what browsers would make of it.

use url::{Host, Url};

use super::{Cookies, Definition};
use crate::misdirected::is_loopback;
use crate::profile::Delivery;

/// Names and reach of a profile's cookies.
///
/// All are for every path, `HttpOnly` but for the CSRF cookie, and `Secure` unless the public address is plain http on this
/// machine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CookieSettings {
    /// The name of the cookie that authenticates: the session's, or the access token's. `None`: `session`, as `__Host-session` where browsers take that prefix, which is for
    /// `Secure` cookies without a domain: then no other host can plant one.
    pub session: Option<String>,
    /// The refresh token's name. `None`: `refresh`, likewise.
    pub refresh: Option<String>,
    /// The name of the cookie that holds the challenge between the two steps of a sign-in. `None`: `challenge`, likewise.
    pub challenge: Option<String>,
    /// The CSRF cookie's name. `None`: `csrf`, likewise.
    pub csrf: Option<String>,
    /// The device cookie's name. `None`: `device`, likewise.
    pub device: Option<String>,
    /// Which requests from other sites they go along with.
    pub same_site: SameSite,
    /// The domain whose hosts all receive them; `None`: the public address's host alone, which is safer.
    pub domain: Option<String>,
}

/// Which requests from other sites a cookie goes along with (RFC 6265bis §5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// None.
    Strict,
    /// Links that somebody follows.
    Lax,
    /// All.
    None,
}

impl From<SameSite> for ::cookie::SameSite {
    fn from(same_site: SameSite) -> Self {
        match same_site {
            SameSite::Strict => Self::Strict,
            SameSite::Lax => Self::Lax,
            SameSite::None => Self::None,
        }
    }
}

impl Default for CookieSettings {
    fn default() -> Self {
        let (session, refresh, challenge, csrf, device) = (None, None, None, None, None);
        Self { session, refresh, challenge, csrf, device, same_site: SameSite::Strict, domain: None }
    }
}

impl CookieSettings {
    /// Everything that browsers would refuse of the cookies of `delivery` from `public_url`, named at once.
    ///
    /// # Errors
    /// A sentence for each mistake.
    pub fn check(&self, public_url: &str, delivery: Delivery) -> Result<(), Vec<String>> {
        self.cookies(public_url, delivery).map(|_| ())
    }

    /// The definitions.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub(crate) fn cookies(&self, public_url: &str, delivery: Delivery) -> Result<Cookies, Vec<String>> {
        let Ok(url) = Url::parse(public_url) else { return Err(vec![format!("{public_url:?} is no absolute URL")]) };
        let is_secure = url.scheme() == "https" || !url.host_str().is_some_and(is_loopback);
        let mut mistakes = Vec::new();
        if self.same_site == SameSite::None && !is_secure {
            mistakes.push(format!("SameSite=None needs Secure cookies, and so an https address, not {public_url}"));
        }
        let domain = match self.domain.as_deref().map(|domain| reach(domain, url.host().as_ref())).transpose() {
            Ok(domain) => domain,
            Err(mistake) => {
                mistakes.push(mistake);
                None
            }
        };
        let mut define = |chosen: &Option<String>, own: &str, is_http_only: bool| {
            let name = match chosen {
                Some(name) => name.clone(),
                None if is_secure && self.domain.is_none() => format!("__Host-{own}"),
                None => own.to_owned(),
            };
            mistakes.extend(mistake_in_name(&name, is_secure, self.domain.is_some(), is_http_only));
            let shadows = match name.get(..7) {
                Some(prefix) if prefix.eq_ignore_ascii_case("__Host-") => Vec::new(),
                _ => shadows(domain.as_deref(), url.host().as_ref()),
            };
            Definition { name, is_http_only, is_secure, same_site: self.same_site, domain: domain.clone(), shadows }
        };
        let (has_tokens, has_secret) = (delivery == Delivery::TokenCookies, delivery == Delivery::SessionCookie);
        let session = define(&self.session, "session", true);
        let refresh = has_tokens.then(|| define(&self.refresh, "refresh", true));
        let challenge = has_tokens.then(|| define(&self.challenge, "challenge", true));
        let csrf = has_secret.then(|| define(&self.csrf, "csrf", false));
        let device = define(&self.device, "device", true);
        let cookies = Cookies { session, refresh, challenge, csrf, device };
        let names: Vec<&str> = cookies.all().map(Definition::name).collect();
        if names.iter().enumerate().any(|(place, name)| names[..place].contains(name)) {
            mistakes.push(format!("two cookies have one name: {}", names.join(", ")));
        }
        if mistakes.is_empty() { Ok(cookies) } else { Err(mistakes) }
    }
}

/// The domain as browsers compare it.
fn reach(domain: &str, host: Option<&Host<&str>>) -> Result<String, String> {
    // A dot in front means nothing any more (RFC 6265 §5.2.3), and many people write it.
    let domain = match Host::parse(domain.strip_prefix('.').unwrap_or(domain)) {
        Ok(Host::Domain(domain)) => domain,
        _ => return Err(format!("the cookie domain {domain:?} is no domain")),
    };
    let Some(Host::Domain(host)) = host else {
        return Err(format!("a cookie domain, {domain:?}, needs a public address with a domain"));
    };
    if !domain.contains('.') || psl::suffix_str(&domain) == Some(&domain) {
        return Err(format!("the cookie domain {domain:?} is a public suffix, where anybody may have a host"));
    }
    if !is_within(host, &domain) {
        return Err(format!("the cookie domain {domain:?} is none of the public address's host, {host:?}"));
    }
    Ok(domain)
}

fn is_within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Where else cookies of a name may have been set for: the host alone, the host's own domain and each above it that
/// browsers take cookies for.
fn shadows(domain: Option<&str>, host: Option<&Host<&str>>) -> Vec<Option<String>> {
    let mut domains = vec![None];
    if let Some(Host::Domain(host)) = host {
        let starts = std::iter::once(0).chain(host.match_indices('.').map(|(dot, _)| dot + 1));
        let above = starts.map(|start| &host[start..]).filter(|above| psl::suffix_str(above) != Some(above));
        domains.extend(above.map(|above| Some(above.to_owned())));
    }
    domains.retain(|other| other.as_deref() != domain);
    domains
}

/// What browsers would refuse a cookie of that name for (RFC 6265bis §4.1.3 and §5.4 for prefixes).
fn mistake_in_name(name: &str, is_secure: bool, has_domain: bool, is_http_only: bool) -> Option<String> {
    let has_prefix = |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || name.len() > 128 || !name.bytes().all(is_token) {
        Some(format!("{name:?} is no name for a cookie: 1 to 128 letters, digits and any of !#$%&'*+-.^_`|~"))
    } else if (has_prefix("__Host-") || has_prefix("__Secure-") || has_prefix("__Http-")) && !is_secure {
        Some(format!("a cookie called {name:?} needs an https address"))
    } else if has_prefix("__Host-") && has_domain {
        Some(format!("a cookie called {name:?} can't have a domain"))
    } else if (has_prefix("__Host-Http-") || has_prefix("__Http-")) && !is_http_only {
        Some(format!("a cookie called {name:?} must be HttpOnly, and scripts have to read this one"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC_URL: &str = "https://auth.example.co.uk";

    fn mistakes(settings: &CookieSettings, public_url: &str) -> Vec<String> {
        settings.check(public_url, Delivery::SessionCookie).err().unwrap_or_default()
    }

    // CS1: what browsers would refuse doesn't start, instead of never signing anybody in.
    #[test]
    fn cs1_names_that_browsers_refuse() {
        let of = |name: &str, domain: Option<&str>, public_url: &str| {
            let domain = domain.map(str::to_owned);
            mistakes(&CookieSettings { session: Some(name.into()), domain, ..CookieSettings::default() }, public_url)
        };
        let domain = Some("example.co.uk");
        for name in ["sid", "__Host-sid", "__Secure-sid", "__Host-Http-sid", "a.b_c~d"] {
            assert_eq!(of(name, None, PUBLIC_URL), [""; 0], "{name}");
        }
        for name in ["", "a b", "a;b", "a=b", "a,b", "sé", "a\"", "a\n", "(a)", &"a".repeat(129)] {
            assert_eq!(of(name, None, PUBLIC_URL).len(), 1, "{name}");
        }
        for name in ["__Host-sid", "__host-sid", "__HOST-sid"] {
            assert_eq!(of(name, domain, PUBLIC_URL).len(), 1, "{name}");
            assert_eq!(of(name, None, "http://localhost:8080").len(), 1, "{name}");
        }
        assert_eq!(of("__Secure-sid", domain, PUBLIC_URL), [""; 0]);
        assert_eq!(of("__Secure-sid", None, "http://127.0.0.1:8080").len(), 1);
        assert_eq!(of("__Host-csrf", None, PUBLIC_URL).len(), 1, "the CSRF cookie's name");
        let csrf = CookieSettings { csrf: Some("__Host-Http-csrf".into()), ..CookieSettings::default() };
        assert_eq!(mistakes(&csrf, PUBLIC_URL).len(), 1);
    }

    // CS1: a domain is one of the public address's, and no public suffix.
    #[test]
    fn cs1_domains_that_browsers_refuse() {
        let of = |domain: &str, public_url: &str| {
            mistakes(&CookieSettings { domain: Some(domain.into()), ..CookieSettings::default() }, public_url)
        };
        for domain in ["example.co.uk", "auth.example.co.uk", ".example.co.uk", "EXAMPLE.co.uk"] {
            assert_eq!(of(domain, PUBLIC_URL), [""; 0], "{domain}");
        }
        for domain in ["", "co.uk", "uk", ".", "other.co.uk", "h.example.co.uk", "xample.co.uk", "a b", "10.0.0.1"] {
            assert_eq!(of(domain, PUBLIC_URL).len(), 1, "{domain}");
        }
        assert_eq!(of("github.io", "https://me.github.io").len(), 1);
        assert_eq!(of("localhost", "http://localhost:8080").len(), 1);
        assert_eq!(of("10.0.0.1", "https://10.0.0.1").len(), 1);
        assert_eq!(of("example.com", "https://10.0.0.1").len(), 1);
    }

    // CS1: all mistakes at once.
    #[test]
    fn cs1_every_mistake_is_named() {
        let settings = CookieSettings {
            session: Some("a b".into()),
            csrf: Some("__Host-x".into()),
            device: Some("__Host-x".into()),
            same_site: SameSite::None,
            domain: Some("com".into()),
            ..CookieSettings::default()
        };
        assert_eq!(mistakes(&settings, "http://localhost").len(), 6, "{:?}", mistakes(&settings, "http://localhost"));
    }
}
