//! What the environment says. It belongs to a whole process, so the work is done by this test run again as a child.

use std::env;
use std::process::Command;

use auth_core::port::Mailer;
use auth_mail::{InvalidSesSettings, SesMailer, SesSettings};
use tempfile::TempDir;

use super::server::{Answer, Scripted};
use crate::authority::certificate;
use crate::given::{composer, mail, verify};

/// Whether this is the child.
fn is_child() -> bool {
    env::var("AUTH_MAIL_CHILD").is_ok()
}

/// Runs `test` again with this environment and no other; whether it passed.
async fn passes(test: &str, folder: &TempDir, environment: &[(&str, &str)]) -> bool {
    let mut child = Command::new(env::current_exe().unwrap());
    // Not the machine's own metadata service, should the tests run on one of AWS's.
    child.env_clear().env("HOME", folder.path()).env("AWS_EC2_METADATA_DISABLED", "true").env("AUTH_MAIL_CHILD", "1");
    child.args(["--exact", &format!("ses::chain::{test}")]).envs(environment.iter().copied());
    tokio::task::spawn_blocking(move || child.output()).await.unwrap().unwrap().status.success()
}

async fn send() {
    SesMailer::new(SesSettings::new(), composer()).await.unwrap().send(&mail(verify())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn all_comes_from_the_environment() {
    if is_child() {
        return send().await;
    }
    let (folder, (acceptor, authority)) = (tempfile::tempdir().unwrap(), certificate());
    let roots = folder.path().join("roots.pem");
    std::fs::write(&roots, authority).unwrap();
    let server = Scripted::start_with(Answer::Taken, Some(acceptor)).await;
    let url = format!("https://localhost:{}", server.port);
    let environment = [
        ("AWS_REGION", "eu-west-3"),
        ("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ("AWS_ENDPOINT_URL_SESV2", &url),
        ("SSL_CERT_FILE", roots.to_str().unwrap()),
    ];
    assert!(passes("all_comes_from_the_environment", &folder, &environment).await);
    let head = &server.heard()[0].head;
    assert!(head.contains("credential=akidenvironment/") && head.contains("/eu-west-3/ses/aws4_request"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_comes_from_a_profile() {
    if is_child() {
        return send().await;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Scripted::start(Answer::Taken).await;
    let file = folder.path().join("config");
    let profile = "[profile acme]\nregion = eu-west-3\nservices = local\n\
                   aws_access_key_id = AKIDPROFILE\naws_secret_access_key = hunter2\n\
                   [services local]\nsesv2 =\n  endpoint_url = ";
    std::fs::write(&file, format!("{profile}{}\n", server.url())).unwrap();
    let environment = [("AWS_PROFILE", "acme"), ("AWS_CONFIG_FILE", file.to_str().unwrap())];
    assert!(passes("all_comes_from_a_profile", &folder, &environment).await);
    assert!(server.heard()[0].head.contains("credential=akidprofile/"), "{}", server.heard()[0].head);
}

// As ECS and EKS hand out the credentials of a task's or pod's role.
#[tokio::test(flavor = "multi_thread")]
async fn credentials_come_from_the_containers_role() {
    const ROLE: Answer = Answer::Stranger(
        200,
        r#"{"AccessKeyId": "AKIDROLE", "SecretAccessKey": "hunter2", "Token": "t0ken", "Expiration": "2199-01-01T00:00:00Z"}"#,
    );
    if is_child() {
        return send().await;
    }
    let folder = tempfile::tempdir().unwrap();
    let (server, role) = (Scripted::start(Answer::Taken).await, Scripted::start(ROLE).await);
    let environment = [
        ("AWS_REGION", "eu-west-3"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &format!("{}/credentials", role.url())),
        ("AWS_ENDPOINT_URL", &server.url()),
    ];
    assert!(passes("credentials_come_from_the_containers_role", &folder, &environment).await);
    let head = &server.heard()[0].head;
    assert!(head.contains("credential=akidrole/") && head.contains("x-amz-security-token: t0ken"), "{head}");
}

// A server without credentials starts, since a role's may come; its mail waits.
#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_mail_waits() {
    if is_child() {
        let mailer = SesMailer::new(SesSettings::new(), composer()).await.unwrap();
        let reason = mailer.send(&mail(verify())).await.unwrap_err().to_string();
        assert!(reason.starts_with("the mail was not taken for now") && reason.contains("credential"), "{reason}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    assert!(passes("without_credentials_mail_waits", &folder, &[("AWS_REGION", "eu-west-3")]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_region_there_is_no_mailer() {
    if is_child() {
        let refused = SesMailer::new(SesSettings::new(), composer()).await;
        assert_eq!(refused.err(), Some(InvalidSesSettings::NoRegion));
        return;
    }
    assert!(passes("without_a_region_there_is_no_mailer", &tempfile::tempdir().unwrap(), &[]).await);
}

// Whichever variable names it, for SES or for all of AWS.
#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_in_the_clear_gets_no_mailer() {
    if is_child() {
        let refused = SesMailer::new(SesSettings::new(), composer()).await.err();
        assert!(matches!(refused, Some(InvalidSesSettings::Unprotected(_))), "{refused:?}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for variable in ["AWS_ENDPOINT_URL_SESV2", "AWS_ENDPOINT_URL"] {
        let environment = [("AWS_REGION", "eu-west-3"), (variable, "http://ses.example.com")];
        assert!(passes("an_endpoint_in_the_clear_gets_no_mailer", &folder, &environment).await, "{variable}");
    }
}

// A corrupt or empty file of roots would have the SDK trust nobody, and say so with the first mail.
#[tokio::test(flavor = "multi_thread")]
async fn without_root_certificates_there_is_no_mailer() {
    if is_child() {
        let refused = SesMailer::new(SesSettings::new(), composer()).await;
        assert_eq!(refused.err(), Some(InvalidSesSettings::NoRoots));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("roots.pem");
    std::fs::write(&roots, "").unwrap();
    let environment = [("AWS_REGION", "eu-west-3"), ("SSL_CERT_FILE", roots.to_str().unwrap())];
    assert!(passes("without_root_certificates_there_is_no_mailer", &folder, &environment).await);
}
