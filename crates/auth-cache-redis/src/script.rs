//! Scripts, which Redis runs alone.

use redis::{Cmd, ErrorKind, FromRedisValue, RedisResult, ServerErrorKind, cmd};

use crate::server::Connection;

/// A script that Redis may know already.
#[derive(Debug)]
pub(crate) struct Script {
    text: &'static str,
    hash: String,
}

impl Script {
    pub(crate) fn new(text: &'static str) -> Self {
        Self { text, hash: redis::Script::new(text).get_hash().to_owned() }
    }

    /// What it answers on `keys`, with what `arguments` adds. A server that doesn't know it is sent it along: loading it first
    /// would ask all servers of a Cluster, of which one may be away.
    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        connection: &mut Connection,
        keys: &[&[u8]],
        arguments: impl Fn(&mut Cmd),
    ) -> RedisResult<T> {
        let call = |name: &str, script: &str| {
            let mut call = cmd(name);
            call.arg(script).arg(keys.len()).arg(keys);
            arguments(&mut call);
            call
        };
        match call("EVALSHA", &self.hash).query_async(connection).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                call("EVAL", self.text).query_async(connection).await
            }
            outcome => outcome,
        }
    }
}
