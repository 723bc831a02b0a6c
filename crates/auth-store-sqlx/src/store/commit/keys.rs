//! Changing signing keys.

use auth_core::domain::{Sealed, SigningKey};
use auth_core::port::Rejected;

use super::super::{Connection, dialect, sql};
use super::{Failure, guard, run, unless_taken};

pub(super) async fn add(tx: &mut Connection, key: &SigningKey) -> Result<(), Failure> {
    const ADD: &str = "
        insert into auth_signing_keys (number, kid, public_key, private_key, created_at) values ($1, $2, $3, $4, $5)";
    let query = sql(ADD)
        .bind(i64::from(key.number))
        .bind(key.kid.as_str())
        .bind(key.public.as_slice())
        .bind(key.private.as_bytes())
        .bind(key.created_at.as_micros());
    unless_taken(run(tx, query).await, dialect::KEY_NUMBER_TAKEN, Rejected::Key).map(drop)
}

pub(super) async fn reseal(tx: &mut Connection, number: u32, from: &Sealed, to: &Sealed) -> Result<(), Failure> {
    const RESEAL: &str = "update auth_signing_keys set private_key = $1 where number = $2 and private_key = $3";
    let query = sql(RESEAL).bind(to.as_bytes()).bind(i64::from(number)).bind(from.as_bytes());
    guard(tx, query, Rejected::Key).await
}

pub(super) async fn drop_below(tx: &mut Connection, number: u32) -> Result<(), Failure> {
    const DROP: &str = "delete from auth_signing_keys where number < $1";
    run(tx, sql(DROP).bind(i64::from(number))).await.map(drop)
}
