//! Who can reach the server, and as whom they are seen.

use std::net::Ipv4Addr;

use auth_http::Origin;
use url::{Host, Url};

use super::{Facts, Findings};
use crate::config::Config;

pub(super) fn examine(facts: &Facts, findings: &mut Findings) {
    let config = &facts.config;
    development(config, findings);
    public_url(config, findings);
    frontend(config, findings);
    proxies(config, findings);
    metrics(config, findings);
    throttle(config, findings);
}

fn development(config: &Config, findings: &mut Findings) {
    if config.is_development() {
        findings.warning(
            "development",
            [
                "the server runs with development defaults",
                "It answers requests to loopback names only, and mail doesn't leave this machine.",
                "For production set PUBLIC_URL, and SMTP_HOST or AUTH_MAILER=ses.",
            ],
        );
    }
}

fn public_url(config: &Config, findings: &mut Findings) {
    if config.public_url.as_deref().is_some_and(is_exposed_plain_http) {
        findings.error(
            "public-url",
            [
                "PUBLIC_URL is plain http",
                "Passwords and tokens cross the network in the clear, and cookies aren't marked Secure.",
                "Put a proxy with TLS before the server, and set PUBLIC_URL to its https address.",
            ],
        );
    }
}

fn frontend(config: &Config, findings: &mut Findings) {
    if config.frontend_url.as_deref().is_some_and(is_exposed_plain_http) {
        findings.error(
            "frontend-url",
            [
                "FRONTEND_URL is plain http",
                "Links in mail, which reset passwords, are opened in the clear.",
                "Serve the frontend over https.",
            ],
        );
    }
    let plain: Vec<_> =
        config.allowed_origins.iter().map(Origin::as_str).filter(|origin| is_exposed_plain_http(origin)).collect();
    if !plain.is_empty() {
        findings.warning(
            "allowed-origins",
            [
                &format!("AUTH_ALLOWED_ORIGINS lists plain http: {}", plain.join(", ")),
                "Whoever sits on the network can change those pages, and call from them as the user.",
                "Allow https origins only.",
            ],
        );
    }
}

fn proxies(config: &Config, findings: &mut Findings) {
    const MEANING: &str = "Whatever stands between clients and this server, all clients share its address, and its \
                           throttles: a hundred failed sign-ins by one of them lock out all.";
    const ADVICE: &str = "Put the networks of your own proxies into AUTH_TRUSTED_PROXIES, and let them append to \
                          X-Forwarded-For.";
    if let Some(url) = config.public_url.as_deref().and_then(|url| Url::parse(url).ok()) {
        if config.trusted_proxies.is_empty() && url.scheme() == "https" {
            let found =
                "AUTH_TRUSTED_PROXIES is empty, and something else speaks TLS for this server (PUBLIC_URL is https)";
            findings.error("proxies", [found, MEANING, ADVICE]);
        } else if config.trusted_proxies.is_empty() && url.port_or_known_default() != Some(config.listen.port()) {
            let found = "AUTH_TRUSTED_PROXIES is empty, and PUBLIC_URL has another port than AUTH_LISTEN";
            findings.warning("proxies", [found, MEANING, ADVICE]);
        }
    }
    // A provider's whole range is at most this large; beyond it, strangers are inside.
    let is_broad = |network: &&ipnet::IpNet| match network {
        ipnet::IpNet::V4(network) => network.prefix_len() < 8,
        ipnet::IpNet::V6(network) => network.prefix_len() < 16,
    };
    if let Some(network) = config.trusted_proxies.iter().find(is_broad) {
        findings.warning(
            "proxies",
            [
                &format!("AUTH_TRUSTED_PROXIES holds {network}"),
                "Everybody in it chooses the address that throttles count by.",
                "Name your own proxies' networks only.",
            ],
        );
    }
}

fn metrics(config: &Config, findings: &mut Findings) {
    if let Some(address) = config.metrics_listen.filter(|address| !address.ip().is_loopback()) {
        findings.note(
            "metrics",
            [
                &format!("AUTH_METRICS_LISTEN is {address}"),
                "Whoever can connect there learns how many users sign in, and how busy the server is.",
                "Let only Prometheus connect there, by a firewall or a network of its own.",
            ],
        );
    }
}

fn throttle(config: &Config, findings: &mut Findings) {
    if !config.throttle {
        findings.error(
            "throttle",
            [
                "AUTH_THROTTLE is danger_off",
                "Passwords can be guessed as fast as they can be hashed.",
                "Leave it on but for load tests.",
            ],
        );
    }
}

/// Whether an address is plain http to anything but this machine.
fn is_exposed_plain_http(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.scheme() == "http" && !is_loopback(&url))
}

/// Whether an address is this machine's own.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        // In a database's address an IPv4 address is but a name.
        Some(Host::Domain(name)) => {
            name == "localhost"
                || name.ends_with(".localhost")
                || name.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        }
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
