//! Where a login page may send people afterwards.

use std::fmt;

use url::Url;

/// A place on the same site, for pages that send people back where they came from: `?next=/orders/7`.
///
/// - Begins with exactly one slash, so that it names neither another host nor a scheme; made into a URL, it stays on the
///   host it is resolved at.
/// - Has no backslash, no control character, no dot segment and no empty segment, plain or percent-encoded: browsers and
///   proxies read those in different ways, and some of them as another host (OWASP Unvalidated Redirects).
///
/// ```
/// use auth_http::ReturnTo;
///
/// let next = ReturnTo::parse("https://evil.example/").unwrap_or(ReturnTo::HOME);
/// assert_eq!(next.as_str(), "/");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnTo(std::borrow::Cow<'static, str>);

/// The text names no place on the same site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidReturnTo;

impl ReturnTo {
    /// The start page.
    pub const HOME: Self = Self(std::borrow::Cow::Borrowed("/"));

    /// Bytes that it may have.
    const MAX: usize = 2048;

    /// Reads what came in a query or a form, decoded once.
    ///
    /// # Errors
    /// [`InvalidReturnTo`] for everything but a path, perhaps with query and fragment, of 2048 bytes at most.
    pub fn parse(text: &str) -> Result<Self, InvalidReturnTo> {
        // What may stand in a URL at all (RFC 3986 §2).
        let is_url = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
        if text.len() > Self::MAX || !text.bytes().all(is_url) || has_encoded(text, &["%0", "%1", "%7f"]) {
            return Err(InvalidReturnTo);
        }
        let path = text.split(['?', '#']).next().unwrap_or_default();
        let segments = path.strip_prefix('/').ok_or(InvalidReturnTo)?;
        // `%25` is a percent sign: what stands behind it would be read by whoever decodes twice.
        if has_encoded(path, &["%2f", "%5c", "%2e", "%25"]) {
            return Err(InvalidReturnTo);
        }
        let mut segments = segments.split('/').peekable();
        while let Some(segment) = segments.next() {
            // Only the last segment may be empty: a slash at the end.
            if matches!(segment, "." | "..") || (segment.is_empty() && segments.peek().is_some()) {
                return Err(InvalidReturnTo);
            }
        }
        // What a browser makes of it has the last word.
        let site = Url::parse("https://site.invalid").map_err(|_| InvalidReturnTo)?;
        let target = site.join(text).map_err(|_| InvalidReturnTo)?;
        if target.origin() != site.origin() {
            return Err(InvalidReturnTo);
        }
        Ok(Self(text.to_owned().into()))
    }

    /// The path, with query and fragment, for a `Location` header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn has_encoded(text: &str, codes: &[&str]) -> bool {
    let text = text.to_ascii_lowercase();
    codes.iter().any(|code| text.contains(code))
}

impl fmt::Display for ReturnTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InvalidReturnTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a place on this site")
    }
}

impl std::error::Error for InvalidReturnTo {}

#[cfg(test)]
mod tests {
    use super::*;

    // CS6: nothing that leads, or might be read to lead, to another site.
    #[test]
    fn cs6_return_targets_stay_on_the_site() {
        for target in [
            "/",
            "/orders",
            "/orders/",
            "/orders/7?tab=2&q=a%20b#top",
            "/search?q=https://example.com//x",
            "/search?q=100%25",
            "/a.b/..c/~d",
            "/caf%C3%A9",
            "/?next=//evil.example",
        ] {
            assert_eq!(ReturnTo::parse(target).as_ref().map(ReturnTo::as_str), Ok(target));
        }
        for target in [
            "",
            "orders",
            "?x",
            "#x",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\\/evil.example",
            "\\/evil.example",
            "/orders\\..\\x",
            "https://evil.example",
            "https:/evil.example",
            "https:evil.example",
            "HTTPS://evil.example",
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "data:text/html,x",
            "//user@evil.example",
            " //evil.example",
            " /orders",
            "/orders ",
            "\t//evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\nSet-Cookie: a=b",
            "/\0",
            "/\u{7f}",
            "/%2f/evil.example",
            "/%2Fevil.example",
            "%2f%2fevil.example",
            "/%5cevil.example",
            "/%5Cevil.example",
            "/%09/evil.example",
            "/%0d%0aSet-Cookie:a=b",
            "/x?y=%0D%0ASet-Cookie:a=b",
            "/%00",
            "/%7F",
            "/%252fevil.example",
            "/./evil.example",
            "/.//evil.example",
            "/..//evil.example",
            "/%2e%2e//evil.example",
            "/%2E%2E/x",
            "/a//b",
            "/a/../b",
            "/\"><script>",
            "/é",
            "/\u{2215}evil.example",
            "/\u{ff0f}evil.example",
            "/\u{202e}x",
        ] {
            assert_eq!(ReturnTo::parse(target), Err(InvalidReturnTo), "{target:?}");
        }
        assert!(ReturnTo::parse(&format!("/{}", "a".repeat(2047))).is_ok());
        assert!(ReturnTo::parse(&format!("/{}", "a".repeat(2048))).is_err());
    }
}
