//! The types by which an application's handlers ask who is signed in: alike in every adapter.

/// Makes the types around a session and its user, which read like one of the two. An adapter says how they are come by, and
/// what is particular to it: foreign traits can't be implemented for foreign types, so they can't be here.
#[doc(hidden)]
#[macro_export]
macro_rules! __signed_types {
    ($(#[$current_user:meta])* CurrentUser; $(#[$has_role:meta])* HasRole;) => {
        /// The user who asks. Without a live session the request is answered with 401, as `application/problem+json`.
        ///
        /// - The session is read from the store, once a request however many guards ask: sign-out, suspension and changes of
        ///   role count at once. Where there is a cache of sessions they count within what the cache says of itself, and
        ///   `FreshUser` and `HasRole` of `admin` ask the store all the same.
        /// - Cheap to clone; reads like the [`User`](auth_core::domain::User).
        $(#[$current_user])*
        #[derive(Debug, Clone)]
        pub struct CurrentUser(::std::sync::Arc<::auth_core::domain::Signed>);

        /// The session of the user who asks, and reads like it. See [`CurrentUser`].
        #[derive(Debug, Clone)]
        pub struct CurrentSession(::std::sync::Arc<::auth_core::domain::Signed>);

        /// A user who proved their address; others are answered with 403 `EMAIL_NOT_VERIFIED`. See [`CurrentUser`].
        #[derive(Debug, Clone)]
        pub struct VerifiedUser(::std::sync::Arc<::auth_core::domain::Signed>);

        /// A user who proved within the last 10 minutes who they are; others are answered with 403
        /// `REAUTHENTICATION_REQUIRED`. For what an unattended screen must not do (ASVS 7.5.3). See [`CurrentUser`].
        #[derive(Debug, Clone)]
        pub struct FreshUser(::std::sync::Arc<::auth_core::domain::Signed>);

        /// The session of a user who proved so, and reads like it. See [`FreshUser`].
        #[derive(Debug, Clone)]
        pub struct FreshSession(::std::sync::Arc<::auth_core::domain::Signed>);

        /// A user who holds the role `R`; others are answered with 403. See [`CurrentUser`], and [`roles!`](crate::roles) for
        /// `R`.
        $(#[$has_role])*
        pub struct HasRole<R>(::std::sync::Arc<::auth_core::domain::Signed>, ::core::marker::PhantomData<R>);

        /// A user who has the permission `P`; others are answered with 403. See [`CurrentUser`], and
        /// [`permissions!`](crate::permissions) for `P`.
        pub struct HasPermission<P>(::std::sync::Arc<::auth_core::domain::Signed>, ::core::marker::PhantomData<P>);

        /// Nobody: whoever is signed in is answered with 403 `GUESTS_ONLY`. For pages to sign in and up. A dead credential is
        /// none.
        #[derive(Debug, Clone, Copy)]
        pub struct Guest;

        $crate::__signed_types! { @reads
            CurrentUser: User by user;
            CurrentSession: Session by session;
            VerifiedUser: User by user;
            FreshUser: User by user;
            FreshSession: Session by session;
            HasRole<R>: User by user;
            HasPermission<P>: User by user;
        }
        $crate::__signed_types! { @named HasRole<R: RoleName>; HasPermission<P: PermissionName>; }
    };
    (@reads $($name:ident $(<$parameter:ident>)?: $target:ident by $field:ident;)*) => {$(
        impl $(<$parameter>)? ::core::ops::Deref for $name $(<$parameter>)? {
            type Target = ::auth_core::domain::$target;

            fn deref(&self) -> &Self::Target {
                &self.0.$field
            }
        }

        impl $(<$parameter>)? $name $(<$parameter>)? {
            /// Session and user, as the flows of the core take them.
            pub fn signed(&self) -> &::auth_core::domain::Signed {
                &self.0
            }
        }
    )*};
    (@named $($name:ident<$parameter:ident: $bound:ident>;)*) => {$(
        impl<$parameter> ::core::clone::Clone for $name<$parameter> {
            fn clone(&self) -> Self {
                Self(::std::sync::Arc::clone(&self.0), ::core::marker::PhantomData)
            }
        }

        impl<$parameter: $crate::$bound> ::core::fmt::Debug for $name<$parameter> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_tuple(stringify!($name)).field(&$parameter::NAME).field(&self.0.user.id).finish()
            }
        }
    )*};
}
