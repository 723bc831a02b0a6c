//! JW1–JW6, by name. Built under `#[cfg(test)]` only.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::*;
use crate::adapter::SystemEntropy;
use crate::domain::{
    Attributes, Credential, DeviceId, Email, Epoch, Method, Methods, Profile, RefreshState, Role, Status,
};

const ISSUER: &str = "https://auth.example";
const AUDIENCE: &str = "https://api.example";
pub(super) const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
pub(super) const TTL: Duration = Duration::from_secs(900);
const SECRET: &[u8] = b"an HMAC secret of at least 32 bytes, for tests";

/// PKCS#8 of the key in RFC 8037 Appendix A.1, and the thumbprint of Appendix A.3.
const RFC8037_PKCS8: &str = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v_VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
const RFC8037_KID: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

static USER: LazyLock<User> = LazyLock::new(|| User {
    id: UserId::new(NOW, &SystemEntropy),
    email: Email::parse("ann@example.com").unwrap(),
    email_verified_at: None,
    profile: Profile::default(),
    status: Status::Active,
    epoch: Epoch::FIRST,
    roles: vec![Role::parse("admin").unwrap(), Role::user()],
    roles_version: 0,
    factors: Default::default(),
    attributes: Attributes::default(),
    created_at: NOW,
});

static SESSION: LazyLock<Session> = LazyLock::new(|| Session {
    id: SessionId::new(NOW, &SystemEntropy),
    user: USER.id,
    epoch: Epoch::FIRST,
    roles_version: 0,
    credential: Credential::Tokens(RefreshState::new(NOW, &SystemEntropy)),
    created_at: NOW,
    authenticated_at: NOW.before(Duration::from_secs(60)),
    last_seen_at: NOW,
    idle_until: NOW,
    ends_at: NOW,
    kept_until: NOW,
    methods: Methods::of(&[Method::Password]),
    device: DeviceId::new(NOW, &SystemEntropy),
    ip: None,
    user_agent: None,
    closed_at: None,
});

pub(super) fn grant() -> Grant<'static> {
    Grant { user: &USER, session: &SESSION, now: NOW, ttl: TTL }
}

pub(super) fn claims() -> Claims {
    Claims { user: USER.id, session: SESSION.id, authenticated_at: SESSION.authenticated_at, expires_at: NOW + TTL }
}

pub(super) fn tokens(keys: KeySet) -> AccessTokens {
    AccessTokens::new(ISSUER.to_owned(), AUDIENCE.to_owned(), keys)
}

pub(super) fn key() -> Ed25519Key {
    Ed25519Key::generate(&SystemEntropy).unwrap()
}

pub(super) fn copy(key: &Ed25519Key) -> Ed25519Key {
    Ed25519Key::from_pkcs8(key.pkcs8()).unwrap()
}

pub(super) fn eddsa() -> AccessTokens {
    tokens(KeySet::ed25519(vec![key()]))
}

fn hs256() -> AccessTokens {
    tokens(KeySet::hmac(HmacSecret::new(SECRET).unwrap()))
}

/// One of each algorithm.
pub(super) fn both() -> [AccessTokens; 2] {
    [eddsa(), hs256()]
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token with any header and payload, properly signed by the key of `tokens`.
pub(super) fn forge(tokens: &AccessTokens, header: &str, payload: &str) -> String {
    let message = format!("{}.{}", encode(header), encode(payload));
    format!("{message}.{}", encode(tokens.keys.current().raw_signature(message.as_bytes())))
}

pub(super) fn header_of(tokens: &AccessTokens) -> String {
    let token = tokens.issue(&grant(), &SystemEntropy).unwrap();
    String::from_utf8(URL_SAFE_NO_PAD.decode(token.expose().split('.').next().unwrap()).unwrap()).unwrap()
}

/// The payload of a good token with `change` made to it.
pub(super) fn payload(change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> String {
    let json = claims::write(ISSUER, AUDIENCE, &grant(), &SystemEntropy).unwrap();
    let mut payload: serde_json::Map<String, Value> = serde_json::from_str(&json).unwrap();
    change(&mut payload);
    serde_json::to_string(&payload).unwrap()
}

/// What becomes of a token of our own header and the changed payload.
pub(super) fn with_payload(tokens: &AccessTokens, payload: &str) -> Result<Claims, InvalidAccessToken> {
    tokens.verify(&forge(tokens, &header_of(tokens), payload), NOW)
}

/// What becomes of a token of a good payload and `header`.
pub(super) fn with_header(tokens: &AccessTokens, header: &str) -> Result<Claims, InvalidAccessToken> {
    tokens.verify(&forge(tokens, header, &payload(|_| {})), NOW)
}

#[test]
fn what_is_issued_is_verified() {
    for tokens in both() {
        let token = tokens.issue(&grant(), &SystemEntropy).unwrap();
        assert_eq!(tokens.verify(token.expose(), NOW), Ok(claims()));
    }
}

// The claims of the contract, by name and type.
#[test]
fn claims_as_rfc9068_has_them() {
    let payload: Value = serde_json::from_str(&payload(|_| {})).unwrap();
    let jti = payload["jti"].as_str().unwrap();
    assert_eq!(URL_SAFE_NO_PAD.decode(jti).unwrap().len(), 16);
    assert_eq!(
        payload,
        json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": USER.id.to_string(), "sid": SESSION.id.to_string(),
            "iat": 1_800_000_000, "exp": 1_800_000_900, "auth_time": 1_799_999_940, "jti": jti,
            "roles": ["admin", "user"], "amr": ["pwd"],
        })
    );
}

// Another implementation reads our tokens with our published keys, and we read its.
#[test]
fn agrees_with_jsonwebtoken() {
    use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
    let key = key();
    let eddsa = tokens(KeySet::ed25519(vec![copy(&key)]));
    let jwk = serde_json::from_value(eddsa.jwks()["keys"][0].clone()).unwrap();
    for (tokens, algorithm, theirs, public) in [
        (hs256(), Algorithm::HS256, EncodingKey::from_secret(SECRET), DecodingKey::from_secret(SECRET)),
        (eddsa, Algorithm::EdDSA, EncodingKey::from_ed_der(key.pkcs8()), DecodingKey::from_jwk(&jwk).unwrap()),
    ] {
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        let ours = tokens.issue(&Grant { now: Timestamp::from_seconds(4_000_000_000), ..grant() }, &SystemEntropy);
        let read = decode::<Value>(ours.unwrap().expose(), &public, &validation).unwrap();
        assert_eq!(read.header.typ.as_deref(), Some("at+jwt"));
        assert_eq!(read.claims["sub"], USER.id.to_string());

        let mut header = Header::new(algorithm);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(key.kid().to_owned());
        let payload: Value = serde_json::from_str(&payload(|_| {})).unwrap();
        assert_eq!(tokens.verify(&encode(&header, &payload, &theirs).unwrap(), NOW), Ok(claims()));
    }
}

// JW1: the algorithm is the key's, whatever the header says.
#[test]
fn jw1_one_algorithm_per_key() {
    for tokens in both() {
        for alg in ["none", "None", "nOnE", "", "HS384", "HS512", "RS256", "ES256", "eddsa", "hs256", "Ed25519"] {
            let header = header_of(&tokens).replace("EdDSA", alg).replace("HS256", alg);
            assert_eq!(with_header(&tokens, &header), Err(InvalidAccessToken::Algorithm), "{alg}");
        }
        for header in [r#"{"typ":"at+jwt"}"#, r#"{"typ":"at+jwt","alg":null}"#, r#"{"typ":"at+jwt","alg":["EdDSA"]}"#] {
            assert_eq!(with_header(&tokens, header), Err(InvalidAccessToken::Malformed), "{header}");
        }
        // No algorithm and no signature.
        let unsigned = format!("{}.{}.", encode(r#"{"alg":"none","typ":"at+jwt"}"#), encode(payload(|_| {})));
        assert_eq!(tokens.verify(&unsigned, NOW), Err(InvalidAccessToken::Algorithm));
        let stripped = format!("{}.{}.", encode(header_of(&tokens)), encode(payload(|_| {})));
        assert_eq!(tokens.verify(&stripped, NOW), Err(InvalidAccessToken::Signature));
    }
}

// JW1: the public key is no HMAC secret, in any of the forms that somebody might hash with.
#[test]
fn jw1_hs256_keyed_with_the_public_key() {
    let key = key();
    let published = serde_json::to_string(&key.jwk()).unwrap();
    let tokens = tokens(KeySet::ed25519(vec![copy(&key)]));
    for secret in [&key.public()[..], encode(key.public()).as_bytes(), published.as_bytes()] {
        let forger =
            AccessTokens::new(ISSUER.to_owned(), AUDIENCE.to_owned(), KeySet::hmac(HmacSecret::new(secret).unwrap()));
        for header in [
            format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"{}"}}"#, key.kid()),
            format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{}"}}"#, key.kid()),
        ] {
            let forged = forge(&forger, &header, &payload(|_| {}));
            assert!(tokens.verify(&forged, NOW).is_err(), "{header}");
        }
    }
}

// JW1: no changed bit survives, in any part.
#[test]
fn jw1_every_character_counts() {
    for tokens in both() {
        let token = tokens.issue(&grant(), &SystemEntropy).unwrap();
        for i in 0..token.expose().len() {
            let mut changed = token.expose().as_bytes().to_vec();
            changed[i] = if changed[i] == b'A' { b'B' } else { b'A' };
            assert!(tokens.verify(std::str::from_utf8(&changed).unwrap(), NOW).is_err(), "character {i}");
            assert!(tokens.verify(&token.expose()[..i], NOW).is_err(), "cut at {i}");
        }
    }
}

// JW2: a key that the token brings along does nothing: good tokens stay good, and the attacker's are the attacker's.
#[test]
fn jw2_keys_in_the_header_are_ignored() {
    let (ours, attacker) = (key(), key());
    let jwk = attacker.jwk();
    let set = tokens(KeySet::ed25519(vec![copy(&ours)]));
    let forger = tokens(KeySet::ed25519(vec![copy(&attacker)]));
    for extra in [
        format!(r#""jwk":{jwk}"#),
        r#""jku":"https://evil.example/jwks.json""#.to_owned(),
        r#""x5u":"https://evil.example/cert.pem""#.to_owned(),
        r#""x5c":["MIIB"]"#.to_owned(),
        r#""x5t":"AAAA""#.to_owned(),
    ] {
        let header = |kid: &str| format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{kid}",{extra}}}"#);
        assert_eq!(with_header(&set, &header(ours.kid())), Ok(claims()), "{extra}");
        let named_ours = forge(&forger, &header(ours.kid()), &payload(|_| {}));
        assert_eq!(set.verify(&named_ours, NOW), Err(InvalidAccessToken::Signature), "{extra}");
        let named_theirs = forge(&forger, &header(attacker.kid()), &payload(|_| {}));
        assert_eq!(set.verify(&named_theirs, NOW), Err(InvalidAccessToken::UnknownKey), "{extra}");
    }
}

// JW2: `kid` is compared with the names of our keys, and with nothing else.
#[test]
fn jw2_kid_only_looks_up() {
    let tokens = eddsa();
    let header = |kid: &str| format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":{kid}}}"#);
    for kid in [
        r#""""#,
        r#""unknown""#,
        r#""' OR 1=1 --""#,
        r#""../../../../dev/null""#,
        r#""/etc/passwd""#,
        r#""\u0000""#,
        r#""https://evil.example/key""#,
    ] {
        assert_eq!(with_header(&tokens, &header(kid)), Err(InvalidAccessToken::UnknownKey), "{kid}");
    }
    for kid in ["1", "null", "[]", "{}", "true", &format!("\"{}\"", "k".repeat(129))] {
        assert_eq!(with_header(&tokens, &header(kid)), Err(InvalidAccessToken::Malformed), "{kid}");
    }
    let huge = header(&format!("\"{}\"", "k".repeat(10_000)));
    assert_eq!(with_header(&tokens, &huge), Err(InvalidAccessToken::Malformed));
    let nameless = r#"{"alg":"EdDSA","typ":"at+jwt"}"#;
    assert_eq!(with_header(&tokens, nameless), Err(InvalidAccessToken::UnknownKey));
}

// JW3
#[test]
fn jw3_required_claims() {
    for tokens in both() {
        for claim in ["iss", "aud", "sub", "sid", "iat", "exp", "auth_time", "roles"] {
            let missing = payload(|claims| drop(claims.remove(claim).unwrap()));
            assert_eq!(with_payload(&tokens, &missing), Err(InvalidAccessToken::Claims), "without {claim}");
            let null = payload(|claims| drop(claims.insert(claim.to_owned(), Value::Null)));
            assert_eq!(with_payload(&tokens, &null), Err(InvalidAccessToken::Claims), "{claim}: null");
        }
    }
}

// JW3: times are integers in range, and nothing that could be read as one.
#[test]
fn jw3_times_are_integers() {
    let tokens = hs256();
    for claim in ["exp", "iat", "nbf", "auth_time"] {
        for value in [
            r#""1800000900""#,
            "1800000900.0",
            "1800000900.5",
            "18000009e2",
            "-1",
            "-0",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551616",
            "253402300800",
            "1e400",
            "null",
            "true",
            "[1800000900]",
            "{}",
        ] {
            // As text: no JSON value could hold some of them.
            let body = payload(|claims| drop(claims.remove(claim)));
            let body = format!(r#"{{"{claim}":{value},{}"#, &body[1..]);
            assert_eq!(with_payload(&tokens, &body), Err(InvalidAccessToken::Claims), "{claim}: {value}");
        }
    }
}

// JW3: strings are strings, ids are ids, and roles are roles.
#[test]
fn jw3_other_claims_have_their_types() {
    let tokens = hs256();
    let id = USER.id.to_string();
    for (claim, value) in [
        ("iss", json!(1)),
        ("iss", json!([ISSUER])),
        ("aud", json!(1)),
        ("aud", json!({})),
        ("aud", json!([AUDIENCE, 1])),
        ("sub", json!(1)),
        ("sub", json!("")),
        ("sub", json!("ann")),
        ("sub", json!([id])),
        ("sub", json!(id.replace('-', ""))),
        ("sub", json!(format!("{{{id}}}"))),
        ("sub", json!(format!("urn:uuid:{id}"))),
        ("sid", json!("1")),
        ("roles", json!("admin")),
        ("roles", json!([1])),
        ("roles", json!(["ADMIN"])),
    ] {
        let body = payload(|claims| drop(claims.insert(claim.to_owned(), value.clone())));
        assert_eq!(with_payload(&tokens, &body), Err(InvalidAccessToken::Claims), "{claim}: {value}");
    }
}

// JW3: for us, by us.
#[test]
fn jw3_issuer_and_audience_are_exact() {
    let tokens = hs256();
    for issuer in
        ["", "https://auth.example/", "https://auth.example.evil", "HTTPS://AUTH.EXAMPLE", "https://auth.exampl"]
    {
        let body = payload(|claims| drop(claims.insert("iss".to_owned(), json!(issuer))));
        assert_eq!(with_payload(&tokens, &body), Err(InvalidAccessToken::Foreign), "{issuer}");
    }
    for (audience, expected) in [
        (json!([AUDIENCE]), Ok(claims())),
        (json!(["https://other.example", AUDIENCE]), Ok(claims())),
        (json!([]), Err(InvalidAccessToken::Foreign)),
        (json!(["https://other.example"]), Err(InvalidAccessToken::Foreign)),
        (json!("https://other.example"), Err(InvalidAccessToken::Foreign)),
        (json!(format!("{AUDIENCE} https://other.example")), Err(InvalidAccessToken::Foreign)),
    ] {
        let body = payload(|claims| drop(claims.insert("aud".to_owned(), audience.clone())));
        assert_eq!(with_payload(&tokens, &body), expected, "{audience}");
    }
}

// JW3, DF6, VT2: expiry to the microsecond, for `now` as it is told.
#[test]
fn jw3_times_are_kept() {
    for tokens in both() {
        let token = tokens.issue(&grant(), &SystemEntropy).unwrap();
        let last = Timestamp::from_micros((NOW + TTL).as_micros() - 1);
        assert_eq!(tokens.verify(token.expose(), last), Ok(claims()));
        assert_eq!(tokens.verify(token.expose(), NOW + TTL), Err(InvalidAccessToken::Expired));
        assert_eq!(tokens.verify(token.expose(), NOW.before(Duration::from_secs(60))), Ok(claims()));
        let early = tokens.verify(token.expose(), NOW.before(Duration::from_secs(61)));
        assert_eq!(early, Err(InvalidAccessToken::NotYet));

        for (nbf, expected) in [(0, Ok(claims())), (60, Ok(claims())), (61, Err(InvalidAccessToken::NotYet))] {
            let body = payload(|claims| drop(claims.insert("nbf".to_owned(), json!(NOW.as_seconds() + nbf))));
            assert_eq!(with_payload(&tokens, &body), expected, "nbf in {nbf} s");
        }
    }
}

// JW4: any other kind of JWT, though signed with the same key, is none of ours.
#[test]
fn jw4_purposes_are_apart() {
    for tokens in both() {
        let ours = header_of(&tokens);
        for typ in ["JWT", "jwt", "at+JWT", "application/at+jwt", "refresh+jwt", "id+jwt", "logout+jwt", ""] {
            let header = ours.replace("at+jwt", typ);
            assert_eq!(with_header(&tokens, &header), Err(InvalidAccessToken::Kind), "{typ}");
        }
        let untyped = ours.replace(r#","typ":"at+jwt""#, "");
        assert_eq!(with_header(&tokens, &untyped), Err(InvalidAccessToken::Kind));
        for typ in ["null", "1", r#"["at+jwt"]"#] {
            let header = ours.replace(r#""at+jwt""#, typ);
            assert_eq!(with_header(&tokens, &header), Err(InvalidAccessToken::Malformed), "{typ}");
        }
    }
}

// JW5, SC3
#[test]
fn jw5_weak_secrets_are_refused() {
    assert_eq!(HmacSecret::new(&SECRET[..31]).unwrap_err(), InvalidSecret::TooShort);
    assert_eq!(HmacSecret::new(b"").unwrap_err(), InvalidSecret::TooShort);
    assert_eq!(HmacSecret::new(&[b'a'; 64]).unwrap_err(), InvalidSecret::NotRandom);
    assert_eq!(HmacSecret::new(&b"changeme".repeat(4)).unwrap_err(), InvalidSecret::NotRandom);
}

// JW5: after a rotation the new key signs, the old one verifies until it is dropped, and nodes that share keys agree.
#[test]
fn jw5_rotation() {
    let (old, new) = (key(), key());
    let (here, there) = (tokens(KeySet::ed25519(vec![copy(&old)])), tokens(KeySet::ed25519(vec![copy(&old)])));
    let before = here.issue(&grant(), &SystemEntropy).unwrap();
    here.replace_keys(vec![copy(&new), copy(&old)]);
    let after = here.issue(&grant(), &SystemEntropy).unwrap();

    assert_eq!(here.verify(before.expose(), NOW), Ok(claims()));
    assert_eq!(here.verify(after.expose(), NOW), Ok(claims()));
    assert_eq!(there.verify(after.expose(), NOW), Err(InvalidAccessToken::UnknownKey));
    there.replace_keys(vec![copy(&new), copy(&old)]);
    assert_eq!(there.verify(after.expose(), NOW), Ok(claims()));
    there.replace_keys(vec![copy(&new)]);
    assert_eq!(there.verify(before.expose(), NOW), Err(InvalidAccessToken::UnknownKey));

    let kids = |tokens: &AccessTokens| -> Vec<String> {
        let jwks = tokens.jwks();
        jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kids(&here), [new.kid(), old.kid()]);
    assert_eq!(kids(&there), [new.kid()]);
}

// JW5: the JWKS shows what is public, and of a shared secret nothing.
#[test]
fn jw5_jwks_has_no_private_part() {
    let key = Ed25519Key::from_pkcs8(&URL_SAFE_NO_PAD.decode(RFC8037_PKCS8).unwrap()).unwrap();
    let expected = json!({ "keys": [{
        "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": RFC8037_KID,
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }]});
    assert_eq!(tokens(KeySet::ed25519(vec![key])).jwks(), expected);
    assert_eq!(hs256().jwks(), json!({ "keys": [] }));
}

// JW5: one caller in five seconds may look for new keys; with one secret there are none to look for.
#[test]
fn jw5_reloading_is_bounded() {
    let tokens = eddsa();
    let after = |millis| NOW + Duration::from_millis(millis);
    for (at, may) in [(0, true), (0, false), (4_999, false), (5_000, true), (5_001, false), (20_000, true)] {
        assert_eq!(tokens.may_reload(after(at)), may, "after {at} ms");
    }
    let hs256 = hs256();
    assert!(!hs256.may_reload(NOW));
    hs256.replace_keys(vec![key()]);
    let token = hs256.issue(&grant(), &SystemEntropy).unwrap();
    assert_eq!(hs256.verify(token.expose(), NOW), Ok(claims()), "the algorithm stays");
}

#[test]
fn without_keys_nothing_is_issued_or_accepted() {
    let tokens = eddsa();
    let token = tokens.issue(&grant(), &SystemEntropy).unwrap();
    tokens.replace_keys(Vec::new());
    assert_eq!(tokens.issue(&grant(), &SystemEntropy).unwrap_err(), SignError);
    assert_eq!(tokens.verify(token.expose(), NOW), Err(InvalidAccessToken::UnknownKey));
}

// JW6: three parts, canonically encoded.
#[test]
fn jw6_one_spelling_per_token() {
    for tokens in both() {
        let token = tokens.issue(&grant(), &SystemEntropy).unwrap();
        let token = token.expose();
        let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
        for changed in [
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            format!("{header}.{payload}"),
            format!("{header}.{payload}."),
            format!("{header}..{signature}"),
            format!(".{payload}.{signature}"),
            format!("{token}."),
            format!(".{token}"),
            format!("{token}.{signature}"),
            format!("{header}.{payload}.{payload}.{signature}"),
            format!("{header}.{payload}.{signature}="),
            format!("{header}.{payload}.{signature}=="),
            format!("{header}=.{payload}.{signature}"),
            format!(" {token}"),
            format!("{token} "),
            format!("{token}\n"),
            format!("{header}.{payload}.\n{signature}"),
            format!("{header}.{payload}.{signature}A"),
            format!("{header}.{payload}.{signature}\0"),
            token.replace('.', ".."),
            token.repeat(20),
            "é".repeat(100),
        ] {
            assert!(tokens.verify(&changed, NOW).is_err(), "{changed}");
        }
        // The last character of 32 and of 64 bytes has bits that say nothing; each must be zero.
        let last = signature.chars().next_back().unwrap();
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        for other in alphabet.chars().filter(|&c| c != last) {
            let changed = format!("{}{other}", &token[..token.len() - 1]);
            assert!(tokens.verify(&changed, NOW).is_err(), "{other} for {last}");
        }
        // The other alphabet of base64, padded encoding: signed as they are.
        for odd in [payload.to_owned() + "=", payload.replacen('e', "+", 1), payload.replacen('e', "/", 1)] {
            let message = format!("{header}.{odd}");
            let signed = format!("{message}.{}", encode(tokens.keys.current().raw_signature(message.as_bytes())));
            assert_eq!(tokens.verify(&signed, NOW), Err(InvalidAccessToken::Malformed), "{odd}");
        }
    }
}

// JW6: a member that comes twice is refused, in header and claims, of interest or not, however it is spelled.
#[test]
fn jw6_duplicate_members() {
    for tokens in both() {
        let ours = header_of(&tokens);
        for twice in [
            r#""alg":"none""#,
            r#""\u0061lg":"none""#,
            r#""typ":"at+jwt""#,
            r#""kid":"a","kid":"a""#,
            r#""x":1,"x":1"#,
            r#""x":1,"\u0078":2"#,
        ] {
            let header = format!("{},{twice}}}", &ours[..ours.len() - 1]);
            assert_eq!(with_header(&tokens, &header), Err(InvalidAccessToken::Malformed), "{header}");
        }
        for twice in [
            r#""exp":9999999999"#,
            r#""sub":"x""#,
            r#""su\u0062":"x""#,
            r#""roles":["admin"]"#,
            r#""jti":"a""#,
            r#""x":1,"x":1"#,
        ] {
            let body = payload(|_| {});
            let body = format!("{},{twice}}}", &body[..body.len() - 1]);
            assert_eq!(with_payload(&tokens, &body), Err(InvalidAccessToken::Claims), "{twice}");
        }
    }
}

// JW6: demands that we don't understand are refused, even empty ones.
#[test]
fn jw6_crit() {
    for tokens in both() {
        let ours = header_of(&tokens);
        for crit in [r#"["b64"],"b64":false"#, r#"["exp"]"#, "[]", "null", r#""b64""#, "{}"] {
            let header = format!(r#"{},"crit":{crit}}}"#, &ours[..ours.len() - 1]);
            assert_eq!(with_header(&tokens, &header), Err(InvalidAccessToken::Malformed), "{crit}");
        }
    }
}

// JW6: nothing but one JSON object, of bounded size, in header and claims.
#[test]
fn jw6_objects_only() {
    let tokens = hs256();
    let others = |n: usize| (0..n).map(|i| format!(r#","x{i}":0"#)).collect::<String>();
    for text in ["", "null", "[]", "\"\"", "{", "{}x", "{}{}", "{'a':1}", "{a:1}", "{\"a\":1,}", "\u{feff}{}"] {
        assert_eq!(with_header(&tokens, text), Err(InvalidAccessToken::Malformed), "{text}");
        assert_eq!(with_payload(&tokens, text), Err(InvalidAccessToken::Claims), "{text}");
    }
    for (n, expected) in [(31, Ok(claims())), (33, Err(InvalidAccessToken::Malformed))] {
        let header = format!(r#"{{"alg":"HS256","typ":"at+jwt"{}}}"#, others(n));
        assert_eq!(with_header(&tokens, &header), expected, "{n} others");
    }
    for more in ["x", "{}", ",", "\0"] {
        let header = header_of(&tokens) + more;
        assert_eq!(with_header(&tokens, &header), Err(InvalidAccessToken::Malformed), "header, then {more}");
        let body = payload(|_| {}) + more;
        assert_eq!(with_payload(&tokens, &body), Err(InvalidAccessToken::Claims), "claims, then {more}");
    }
    for (bytes, expected) in [(5_000, Ok(claims())), (6_000, Err(InvalidAccessToken::Malformed))] {
        let body = payload(|claims| drop(claims.insert("x".to_owned(), json!("x".repeat(bytes)))));
        assert_eq!(with_payload(&tokens, &body), expected, "{bytes} bytes more");
    }
    // Depth costs no stack.
    let deep = format!(r#"{{"alg":"HS256","typ":"at+jwt","x":{}{}}}"#, "[".repeat(2000), "]".repeat(2000));
    assert_eq!(with_header(&tokens, &deep), Ok(claims()));
}

// Member order, white space and escapes are the issuer's business.
#[test]
fn other_spellings_of_good_tokens() {
    let tokens = hs256();
    for header in [r#"{"typ":"at+jwt","alg":"HS256"}"#, "{ \"alg\" : \"HS256\" ,\n\"typ\":\"at+jwt\" }"] {
        assert_eq!(with_header(&tokens, header), Ok(claims()), "{header}");
    }
    let escaped = payload(|_| {}).replace("https://", r"https:\/\/");
    assert_eq!(with_payload(&tokens, &escaped), Ok(claims()));
}

// RFC 8037 A.3, RFC 7638; and PEM as openssl writes it.
#[test]
fn keys_are_read_and_named() {
    let der = base64::engine::general_purpose::STANDARD.encode(URL_SAFE_NO_PAD.decode(RFC8037_PKCS8).unwrap());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n");
    assert_eq!(Ed25519Key::from_pem(pem.as_bytes()).unwrap().kid(), RFC8037_KID);
    for bad in ["", "hello", &pem.replace("PRIVATE", "PUBLIC"), &pem.replace("MC4C", "MC4D"), &pem[..60]] {
        assert_eq!(Ed25519Key::from_pem(bad.as_bytes()).unwrap_err(), InvalidKey, "{bad}");
    }
    let key = key();
    let again = copy(&key);
    assert_eq!((again.kid(), again.public(), again.pkcs8()), (key.kid(), key.public(), key.pkcs8()));
}

// SC1
#[test]
fn sc1_secrets_dont_print() {
    let key = key();
    let token = eddsa().issue(&grant(), &SystemEntropy).unwrap();
    let text = format!("{key:?} {:?} {:?} {token:?}", hs256(), tokens(KeySet::ed25519(vec![copy(&key)])));
    let private = format!("{:?}", &key.pkcs8()[16..24]);
    assert!(!text.contains(private.trim_matches(['[', ']'])), "{text}");
    assert!(!text.contains("HMAC secret") && !text.contains(token.expose()), "{text}");
}

proptest::proptest! {
    // JW6: no text makes the parser panic, or passes.
    #[test]
    fn jw6_any_text(text in "[a-zA-Z0-9_.{}\":,=-]{0,300}", header in ".{0,100}", body in ".{0,100}") {
        for tokens in both() {
            assert!(tokens.verify(&text, NOW).is_err());
            assert!(tokens.verify(&forge(&tokens, &header, &body), NOW).is_err());
        }
    }
}
