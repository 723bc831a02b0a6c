//! How checks become tests.

/// Runs `check` on a runtime of its own, with threads enough for races to overlap.
pub fn block_on<F: Future>(check: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    runtime.expect("a runtime").block_on(check)
}

/// One `#[test]` for each check of a module of this crate.
#[doc(hidden)]
#[macro_export]
macro_rules! __checks {
    ($make:ident, $port:ident, [$($module:ident)::+], $($check:ident)*) => {
        use $crate::$($module)::+ as checks;

        $(
            #[test]
            fn $check() {
                $crate::block_on(async {
                    let subject: ::std::sync::Arc<dyn $crate::__port::$port> = super::$make().await;
                    checks::$check(&subject).await;
                });
            }
        )*
    };
}
