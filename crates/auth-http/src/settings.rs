//! What a host chooses about HTTP.

use ipnet::IpNet;

use crate::origin::Origin;

/// What a host chooses about HTTP. The default trusts nobody.
#[derive(Debug, Clone, Default)]
pub struct HttpSettings {
    /// Networks of our own proxies: only from them `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins that browsers may call from, beside those of the public and the frontend address.
    pub allowed_origins: Vec<Origin>,
    /// Answer 421 to whoever asks under a name that isn't loopback's. For servers that run with development defaults.
    pub loopback_only: bool,
}
