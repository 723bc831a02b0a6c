//! PW3, PW9: hashes of other systems. Built under `#[cfg(test)]` only.

use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine as _};
use proptest::prelude::*;

use super::tests::{OUTDATED, password, phc, pool};
use super::*;
use crate::domain::UnusableHash::{Malformed, TooCostly, UnknownKind, UnknownPepper};

/// Imports the hash, verifies what would be stored, and nothing else with it.
async fn verifies(clear: &str, text: &str) {
    let pool = pool();
    let hash = PasswordHash::import(text).unwrap_or_else(|why| panic!("{text}: {why}"));
    assert_eq!(pool.verify(&password(clear), Some(hash.clone())).await.unwrap(), OUTDATED, "{text}");
    let other = clear.replacen(|_| true, "_", 1);
    assert_eq!(pool.verify(&password(&other), Some(hash)).await.unwrap(), Verdict::Mismatch, "{text}");
    assert_eq!(pool.hashed(), 2);
}

fn hex_to_base64(hex: &str) -> String {
    let bytes = (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap());
    BASE64_STANDARD_NO_PAD.encode(bytes.collect::<Vec<_>>())
}

// PW3: jBCrypt's and crypt_blowfish's own vectors, and PHP's example of `password_verify`.
#[tokio::test]
async fn pw3_bcrypt() {
    for (clear, hash) in [
        ("a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"),
        ("abc", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"),
        ("abcdefghijklmnopqrstuvwxyz", "$2a$06$.rCVZVOThsIa97pEDOxvGuRRgzG64bvtJ0938xuqzv18d3ZpQhstC"),
        ("~!@#$%^&*()      ~!@#$%^&*()PNBFRD", "$2a$06$fPIsBO8qRqkjj273rfaOI.HtSV9jLDpTbZn782DC6/t7qT67P6FfO"),
        ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        ("U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
        ("U*U*U", "$2x$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
        ("U*U*U", "$2b$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
        ("rasmuslerdorf", "$2y$07$BCryptRequires22Chrcte/VlQH0piJtjXl.0t1XkA8pw9dMXTpOq"),
    ] {
        verifies(clear, hash).await;
    }
}

// PW3: bcrypt knows 72 bytes of a password, as its vector says. What follows is asked for once the hash is replaced.
#[tokio::test]
async fn pw3_bcrypt_takes_72_bytes() {
    let first = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let hash = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui";
    verifies(first, hash).await;
    verifies(&format!("{first}chars after 72 are ignored"), hash).await;
    let pool = pool();
    assert_eq!(pool.verify(&password(&first[..71]), phc(hash)).await.unwrap(), Verdict::Mismatch);
    let long = format!("{first}and more");
    let replaced = pool.hash(&password(&long)).await.unwrap();
    assert_eq!(pool.verify(&password(first), Some(replaced)).await.unwrap(), Verdict::Mismatch);
}

// PW3: what the faulty crypt_blowfish made of a password beyond ASCII (John the Ripper's vector) is no match.
#[tokio::test]
async fn pw3_bcrypt_of_faulty_libraries() {
    let hash = PasswordHash::import("$2x$05$6bNw2HLQYeqHYyBfLMsv/OiwqTymGIGzFsA4hOTWebfehXHNprcAS").unwrap();
    assert_eq!(pool().verify(&password("\u{451}"), Some(hash)).await.unwrap(), Verdict::Mismatch);
}

// PW3: RFC 7914 §12; passlib's and powerdns's own; one of Werkzeug, as docs/src/operate/import.md rewrites it.
#[tokio::test]
async fn pw3_scrypt() {
    let output = "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2\
                  d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887";
    let salt = BASE64_STANDARD_NO_PAD.encode("SodiumChloride");
    verifies("pleaseletmein", &format!("$scrypt$ln=14,r=8,p=1${salt}${}", hex_to_base64(output))).await;
    for (clear, hash) in [
        ("password", "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E"),
        (
            "secret pw",
            "$scrypt$ln=15,r=8,p=1$YWJjZGVmZ2gxMjM0NTY3OA$jpilkjbNqmko4NJ7U0zCCoX94Zo9zHBiWGpCPMoWsjefHFCQLTR6Dqv1rYTaDE0cPs8EZatgTn61bG0kI/bDoQ",
        ),
        ("secret", "$scrypt$ln=10,p=1,r=8$6DKLnvUYEeXWh3JNOd3iwg$kSrhdHaRbZ7R74q3lGBqO1xetgxRxhmWzYJ2Qvfm7JM"),
    ] {
        verifies(clear, hash).await;
    }
}

// PW3: the longer of RFC 6070's vectors, the same with SHA-256, and what Ory, passlib and Django test with.
#[tokio::test]
async fn pw3_pbkdf2() {
    let salt = BASE64_STANDARD_NO_PAD.encode("saltSALTsaltSALTsaltSALTsaltSALTsalt");
    for (kind, output) in [
        ("pbkdf2-sha1", "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038"),
        ("pbkdf2-sha256", "348c89dbcbd32b2f32d814b8116e84cf2b17347ebc1800181c4e2a1fb8dd53e1c635518c7dac47e9"),
    ] {
        verifies("passwordPASSWORDpassword", &format!("${kind}$i=4096${salt}${}", hex_to_base64(output))).await;
    }
    for (clear, hash) in [
        (
            "test",
            "$pbkdf2-sha512$i=100000,l=32$bdHBpn7OWOivJMVJypy2UqR0UnaD5prQXRZevj/05YU$+wArTfv1a+bNGO1iZrmEdVjhA+lL11wF4/IxpgYfPwc",
        ),
        ("password", "$pbkdf2$1212$OB.dtnSEXZK8U5cgxU/GYQ$y5LKPOplRmok7CZp/aqVDVg8zGI"),
        ("password", "$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ"),
        ("Ιωαννης", "$pbkdf2-sha256$1212$3SABFJGDtyhrQMVt1uABPw$WyaUoqCLgvz97s523nF4iuOqZNbp5Nt8do/cuaa7AiI"),
        (
            "password",
            "$pbkdf2-sha512$1212$RHY0Fr3IDMSVO/RSZyb5ow$eNLfBK.eVozomMr.1gYa17k9B7KIK25NOEshvhrSX.esqY3s.FvWZViXz4KoLlQI.BzY/YTNJOiKc5gBYFYGww",
        ),
        ("lètmein", "pbkdf2_sha256$30000$seasalt2$a75qzbogeVhNFeMqhdgyyoqGKpIzYUo651sq57RERew="),
        ("lètmein", "pbkdf2_sha256$870000$seasalt2$nxgnNHRsZWSmi4hRSKq2MRigfaRmjDhH1NH4g2sQRbU="),
        ("lètmein", "pbkdf2_sha1$30000$seasalt2$pMzU1zNPcydf6wjnJFbiVKwgULc="),
    ] {
        verifies(clear, hash).await;
    }
}

// PW3: Django's names before others' hashes; memory beyond the threads' own.
#[tokio::test]
async fn pw3_argon2_and_prefixes() {
    for (clear, hash) in [
        ("a", "bcrypt$$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"),
        ("password", "argon2$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8"),
        ("password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"),
    ] {
        verifies(clear, hash).await;
    }
}

// PW9: what could never be verified, or only at a cost that nobody should be able to bring in by a file.
#[tokio::test]
async fn pw9_what_is_not_imported() {
    let pool = pool();
    let malformed = Malformed(String::new());
    let costly = TooCostly("");
    for (hash, expected) in [
        ("", &UnknownKind),
        ("password", &UnknownKind),
        ("$6$rounds=5000$saltsalt$h1sEbMfjyUHy5yWWzCXG2gTb3rVcXG8PRRbmHNA.D8O", &UnknownKind),
        ("$2$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", &UnknownKind),
        ("bcrypt_sha256$$2b$12$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", &UnknownKind),
        ("!unusable", &UnknownKind),
        ("bcrypt", &UnknownKind),
        ("argon2id$", &UnknownKind),
        ("$2a$5$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", &malformed),
        ("$2a$+5$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", &malformed),
        ("$2a$03$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", &malformed),
        ("$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4", &malformed),
        ("$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a$", &malformed),
        ("$2a$05$XXXXXXXXXXXXXXXXXXXXé0AcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", &malformed),
        ("$2a$15$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", &costly),
        ("$2a$31$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", &costly),
        ("$2a$99$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", &costly),
        ("$scrypt$ln=19,r=8,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", &costly),
        ("$scrypt$ln=30,r=8,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", &costly),
        ("$scrypt$ln=4294967295,r=4294967295,p=4294967295$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8", &costly),
        ("$scrypt$ln=1,r=65536,p=65536$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", &costly),
        ("$scrypt$ln=17,r=8,p=5$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", &costly),
        ("$scrypt$ln=0,r=8,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", &malformed),
        ("$scrypt$ln=10,r=0,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", &malformed),
        ("$scrypt$ln=10,r=8$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", &malformed),
        ("$scrypt$ln=10,r=8,p=1,x=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", &malformed),
        ("$scrypt$ln=10,r=8,p=1$c29tZXNhbHQ", &malformed),
        ("$scrypt$ln=10,r=8,p=1$c29tZXNhbHQ$", &malformed),
        // Ten bits of hash: any password of a thousand would do.
        ("$scrypt$ln=10,r=8,p=1$c29tZXNhbHQ$CT", &malformed),
        ("$pbkdf2-sha256$i=0$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", &malformed),
        ("$pbkdf2-sha256$i=1000,l=31$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", &malformed),
        ("$pbkdf2-sha256$i=5000001$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", &costly),
        ("$pbkdf2-sha512$i=2000001$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", &costly),
        ("$pbkdf2-sha1$i=2500001$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", &costly),
        ("pbkdf2_sha256$4294967295$seasalt2$a75qzbogeVhNFeMqhdgyyoqGKpIzYUo651sq57RERew=", &costly),
        ("pbkdf2_sha256$1000,l=32$seasalt2$a75qzbogeVhNFeMqhdgyyoqGKpIzYUo651sq57RERew=", &malformed),
        ("pbkdf2_sha256$$seasalt2$a75qzbogeVhNFeMqhdgyyoqGKpIzYUo651sq57RERew=", &malformed),
        ("pbkdf2_sha256$1000$salt$a75qzbogeVhNFeMqhdgyyoqGKpIzYUo651sq57RERew=", &malformed),
        ("$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", &costly),
        (
            "$argon2id$v=19$m=256,t=2,p=1,keyid=YWFhYWFhYWE$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            &UnknownPepper,
        ),
        (
            "$argon2id$v=19$m=256,t=2,p=1,keyid=djI$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            &UnknownPepper,
        ),
    ] {
        let why = PasswordHash::import(hash).expect_err(hash);
        assert_eq!(std::mem::discriminant(&why), std::mem::discriminant(expected), "{hash}: {why}");
        let secret = hash.rsplit('$').next().filter(|secret| secret.len() > 10);
        assert!(!secret.is_some_and(|secret| why.to_string().contains(secret)), "{why}");
        // Nor may one that came into the store another way be computed.
        if *expected != UnknownPepper {
            let outcome = pool.verify(&password("password"), phc(hash)).await;
            assert!(matches!(outcome, Err(HashError::Unreadable(_))), "{hash}: {outcome:?}");
        }
    }
    assert_eq!(pool.hashed(), 0);
}

fn cost_of(stored: &Stored) -> u64 {
    match stored {
        Stored::Argon2(hash) => u64::from(hash.params.m_cost()) * u64::from(hash.params.t_cost()) / 1024,
        Stored::Scrypt(hash) => u64::from(hash.memory_kib) / 256,
        Stored::Bcrypt(_) | Stored::Pbkdf2(_) => 0,
    }
}

/// Texts that look like hashes, more or less.
fn any_hash() -> impl Strategy<Value = String> {
    prop_oneof![
        ".*",
        "\\$argon2(id|i|d)(\\$v=[0-9]{1,3})?\\$m=[0-9]{0,7},t=[0-9]{0,3},p=[0-9]{0,9}(,keyid=[a-zA-Z0-9+/]{0,12})?(\\$[a-zA-Z0-9+/]{0,30}){0,3}",
        "\\$2[abxy]?\\$[0-9]{1,3}\\$[./A-Za-z0-9é]{50,54}",
        "\\$scrypt\\$ln=[0-9]{1,10},r=[0-9]{1,10},p=[0-9]{1,10}(\\$[a-zA-Z0-9+/]{0,30}){0,3}",
        "\\$scrypt\\$ln=[0-9]{1,2},r=[0-9]{1,2},p=[0-9]{1,2}\\$[a-zA-Z0-9+/]{11}\\$[a-zA-Z0-9+/]{22}",
        "\\$?pbkdf2[_-]sha(1|256|512)\\$(i=)?[0-9]{0,11}(\\$[a-zA-Z0-9+/.=]{0,30}){0,3}",
        "(bcrypt|argon2)?(\\$.*)?",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    // PW9: nothing that a file or a store may hold makes the reader panic, or is read at any price.
    #[test]
    fn pw9_any_text_as_hash(text in any_hash()) {
        if let Ok(stored) = Stored::read(&text) {
            prop_assert!(cost_of(&stored) <= 1024);
        }
        // What is imported can be read again, and stays as it is when it is imported again: from another installation.
        if let Ok(hash) = PasswordHash::import(&text) {
            prop_assert!(Stored::read(hash.as_str()).is_ok());
            prop_assert_eq!(PasswordHash::import(hash.as_str()), Ok(hash.clone()));
            prop_assert!(hash.as_str().bytes().all(|byte| byte.is_ascii_graphic()) && hash.as_str().len() < 512);
        }
    }
}

// PW6: twice as many costly hashes as the reserve has room for: they take turns, and all are verified.
#[test]
fn pw6_costly_hashes_take_turns() {
    let shared = Arc::clone(&pool().shared);
    let hash =
        PasswordHash::import("$argon2id$v=19$m=131072,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4");
    let hash = hash.unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            let mut worker = Worker { shared: Arc::clone(&shared), memory: allocate(8).unwrap(), dirty: 0 };
            let hash = &hash;
            scope.spawn(move || {
                let verdict = worker.verify(&password("password"), Some(hash)).unwrap();
                assert_eq!((verdict, worker.dirty), (Verdict::Mismatch, 0));
            });
        }
    });
    drop(shared.reserve.take(limits::MEMORY_KIB));
}
