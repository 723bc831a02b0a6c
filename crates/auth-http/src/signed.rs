//! The types by which an application's handlers ask who is signed in: alike in every adapter.

/// Makes types around a session and its user, which read like one of the two, or like the user where a role or permission
/// comes as a parameter. An adapter says what each is for, and how it is come by: foreign traits can't be implemented for
/// foreign types, so they can't be here.
#[doc(hidden)]
#[macro_export]
macro_rules! __signed_types {
    ($($(#[$doc:meta])* $name:ident: $target:ident by $field:ident;)*) => {$(
        $(#[$doc])*
        #[derive(::core::fmt::Debug, ::core::clone::Clone)]
        pub struct $name(::std::sync::Arc<::auth_core::domain::Signed>);

        $crate::__signed_types! { @reads $name: $target by $field }
    )*};
    (named: $($(#[$doc:meta])* $name:ident<$parameter:ident: $bound:ident>;)*) => {$(
        $(#[$doc])*
        pub struct $name<$parameter>(
            ::std::sync::Arc<::auth_core::domain::Signed>,
            ::core::marker::PhantomData<$parameter>,
        );

        $crate::__signed_types! { @reads $name<$parameter>: User by user }

        impl<$parameter> ::core::clone::Clone for $name<$parameter> {
            fn clone(&self) -> Self {
                Self(::std::sync::Arc::clone(&self.0), ::core::marker::PhantomData)
            }
        }

        impl<$parameter: $bound> ::core::fmt::Debug for $name<$parameter> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_tuple(stringify!($name)).field(&$parameter::NAME).field(&self.0.user.id).finish()
            }
        }
    )*};
    (@reads $name:ident $(<$parameter:ident>)?: $target:ident by $field:ident) => {
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
    };
}
