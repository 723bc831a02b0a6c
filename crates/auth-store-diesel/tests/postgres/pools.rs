//! The pool is the host's, or ours.

use auth_core::port::{Change, Commit, Users};
use auth_store_diesel::postgres::{self, PIPELINES, Pool};
use auth_testkit::given;
use diesel::deserialize::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl as _;
use futures_util::future::join_all;

use super::{Database, Store};

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    current_setting: String,
}

async fn pool(database: &Database, size: usize) -> Pool {
    Pool::builder(postgres::manager(&database.url()).unwrap()).max_size(size).build().unwrap()
}

/// A host brings its own pool, whose connections wait no longer than ours; its own statements go over the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_brings_its_own_pool() {
    let Some((database, _)) = Database::migrated().await else { return };
    let pool = pool(&database, 3).await;
    let store = Store::new(pool.clone());
    let user = given::registered(&store).await;
    join_all((0..50).map(|_| async { store.find_user(user.id).await.unwrap().unwrap() })).await;
    assert_eq!((store.usage().0, store.usage().1.max), (store.usage().1, 3));

    for (setting, value) in
        [("lock_timeout", "2s"), ("statement_timeout", "5s"), ("idle_in_transaction_session_timeout", "10s")]
    {
        let query = diesel::sql_query(format!("select current_setting('{setting}')"));
        let found: Setting = query.get_result(&mut pool.get().await.unwrap()).await.unwrap();
        assert_eq!(found.current_setting, value, "{setting}");
    }
}

/// Reads by a key share a few connections, however many there are at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reads_share_a_few_connections() {
    let Some((database, store)) = Database::migrated().await else { return };
    let user = given::registered(&store).await;
    join_all((0..200).map(|_| async { assert_eq!(store.find_user(user.id).await.unwrap().unwrap().user, user) })).await;
    let (reads, _) = store.usage();
    assert_eq!((reads.used, reads.max as usize), (0, PIPELINES));

    let connections = "select count(*) from pg_stat_activity where datname = current_database()
        and query like '%auth_users%' and pid <> pg_backend_pid()";
    // The one that wrote, too.
    assert!(database.number(connections).await <= PIPELINES as i64 + 1);
}

/// Updates are prepared once a connection, although diesel takes them for statements without bounds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_are_prepared_once() {
    let Some((database, _)) = Database::migrated().await else { return };
    let pool = pool(&database, 1).await;
    let store = Store::new(pool.clone());
    let user = given::registered(&store).await;
    let write = || async { store.commit(&[Change::AdvanceEpoch { user: user.id }]).await.unwrap() };
    write().await;
    let before = prepared(&pool).await;
    for _ in 0..10 {
        write().await;
    }
    assert_eq!(prepared(&pool).await, before);
    let query =
        diesel::sql_query("select name as current_setting from pg_prepared_statements where statement ilike 'update%'");
    let updates: Vec<Setting> = query.load(&mut pool.get().await.unwrap()).await.unwrap();
    assert_eq!(updates.len(), 1);
}

/// The names of the connection's prepared statements.
async fn prepared(pool: &Pool) -> Vec<String> {
    let query = diesel::sql_query(
        "select name as current_setting from pg_prepared_statements where statement ilike '%auth_users%' and statement not like '%pg_prepared%' order by name",
    );
    let names: Vec<Setting> = query.load(&mut pool.get().await.unwrap()).await.unwrap();
    names.into_iter().map(|setting| setting.current_setting).collect()
}
