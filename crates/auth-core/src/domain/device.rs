//! What devices are called, for people to recognise them by.

/// A readable name, from what a client calls itself: `Firefox on Windows`, or the program's own name where it is no browser.
/// `None` where it says nothing that can be told.
///
/// The client chooses it: good for a list that its owner looks at, never for a decision.
pub fn device_name(user_agent: &str) -> Option<String> {
    const UNKNOWN: &str = "UNKNOWN";
    let parsed = woothee::parser::Parser::new().parse(user_agent).filter(|seen| seen.name != "HTTP Library");
    match parsed {
        Some(seen) if seen.name != UNKNOWN && seen.os != UNKNOWN => {
            Some(format!("{} on {}", seen.name, system(seen.os)))
        }
        Some(seen) if seen.name != UNKNOWN => Some(seen.name.to_owned()),
        Some(seen) if seen.os != UNKNOWN => Some(system(seen.os).to_owned()),
        // `curl/8.5.0`, `MyApp/1.2 (…)`: the first product is the program itself (RFC 9110 §10.1.5).
        _ => {
            let product = user_agent.split(['/', ' ', '(']).next().unwrap_or_default();
            let is_token = !product.is_empty()
                && product.len() <= 40
                && product.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
            is_token.then(|| product.to_owned())
        }
    }
}

/// Browsers have frozen the versions of systems that they tell.
fn system(os: &str) -> &str {
    match os {
        os if os.starts_with("Windows ") && os != "Windows Phone" => "Windows",
        "Mac OSX" => "macOS",
        os => os,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_have_readable_names() {
        for (user_agent, name) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
                Some("Chrome on Windows"),
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", Some("Firefox on Linux")),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
                Some("Safari on iPhone"),
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
                Some("Safari on macOS"),
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
                Some("Chrome on Android"),
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
                Some("Edge on Windows"),
            ),
            ("curl/8.5.0", Some("curl")),
            ("Acme-App/2.1 (build 7)", Some("Acme-App")),
            ("", None),
            ("<script>", None),
        ] {
            assert_eq!(device_name(user_agent).as_deref(), name, "{user_agent}");
        }
    }
}
