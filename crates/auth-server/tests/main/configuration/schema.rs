//! The schema in other people's hands.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, raw_sql};

use crate::support::database::Postgres;
use crate::support::mariadb::Mariadb;
use crate::support::person::Person;
use crate::support::process::Home;

/// Printed, and applied by hand to an empty database: the server starts, and finds nothing to migrate.
#[tokio::test]
async fn a_printed_schema_is_the_servers_on_sqlite() {
    let home = Home::new();
    let file = SqliteConnectOptions::new().filename(home.path("portcullis.db")).create_if_missing(true);
    let mut database = file.connect().await.unwrap();
    raw_sql(AssertSqlSafe(printed(&home, "sqlite"))).execute(&mut database).await.unwrap();
    assert_eq!(home.done(&["migrate"]), "the schema is up to date\n");
    serves(&home).await;
}

#[tokio::test]
async fn a_printed_schema_is_the_servers_on_postgres() {
    let Some(database) = Postgres::empty().await else { return };
    let home = database.home();
    let schema = printed(&home, "postgres");
    raw_sql(AssertSqlSafe(schema)).execute(&mut database.connection().await).await.unwrap();
    serves(&home).await;
    assert_eq!(home.done(&["migrate"]), "the schema is up to date\n");
}

#[tokio::test]
async fn a_printed_schema_is_the_servers_on_mariadb() {
    let Some(database) = Mariadb::empty().await else { return };
    let home = database.home();
    let schema = printed(&home, "mysql");
    raw_sql(AssertSqlSafe(schema)).execute(&mut database.connection().await).await.unwrap();
    serves(&home).await;
    assert_eq!(home.done(&["migrate"]), "the schema is up to date\n");
}

/// Printing needs no configuration, and no good one.
fn printed(home: &Home, dialect: &str) -> String {
    let arguments = ["schema", "print", "--dialect", dialect];
    let schema = home.clone().with("AUTH_NONSENSE", "1").done(&arguments);
    let json: serde_json::Value = serde_json::from_str(&home.done(&[&["--json"][..], &arguments].concat())).unwrap();
    assert_eq!(json["dialect"], dialect);
    assert_eq!(json["sql"].as_str().unwrap().trim_end(), schema.trim_end());
    schema
}

async fn serves(home: &Home) {
    let server = home.start().await;
    let person = Person::registered(&server.client()).await;
    person.sign_in(&server.client()).await.me(&server.client()).expect(200).await;
    server.stop().await;
}
