//! Roles and permissions as types, for guards to be told which.

use auth_core::domain::Role;

/// A type that names a role: see [`roles!`](crate::roles).
#[diagnostic::on_unimplemented(
    message = "`{Self}` names no role",
    label = "not the name of a role",
    note = "name one: `roles! {{ pub Editor = \"editor\"; }}`, and ask for `HasRole<Editor>`"
)]
pub trait RoleName: Send + Sync + 'static {
    /// The role's name: lower-case ASCII letters, digits, `-` and `_`, beginning with a letter.
    const NAME: &'static str;
}

/// A type that names a permission: see [`permissions!`](crate::permissions).
#[diagnostic::on_unimplemented(
    message = "`{Self}` names no permission",
    label = "not the name of a permission",
    note = "name one: `permissions! {{ pub WritePosts = \"posts.write\"; }}`, and ask for `HasPermission<WritePosts>`"
)]
pub trait PermissionName: Send + Sync + 'static {
    /// The name, as [`Settings::permissions`](auth_core::settings::Settings::permissions) has it.
    const NAME: &'static str;
}

/// Makes a type of each role, for a web adapter's guard `HasRole`.
///
/// ```
/// auth_http::roles! {
///     /// Looks after what others write.
///     pub Moderator = "moderator";
///     pub Editor = "editor";
/// }
/// ```
#[macro_export]
macro_rules! roles {
    ($($(#[$doc:meta])* $visibility:vis $name:ident = $role:literal;)*) => {
        $crate::__names! { RoleName "role"; $($(#[$doc])* $visibility $name = $role;)* }
        $(const _: () = ::core::assert!(
            $crate::__is_role_name($role),
            ::core::concat!("no role can be called ", $role, ": lower-case ASCII letters, digits, - and _ only, a letter first")
        );)*
    };
}

/// Makes a type of each permission, for a web adapter's guard `HasPermission`.
///
/// ```
/// auth_http::permissions! {
///     /// May write, and change what they wrote.
///     pub WritePosts = "posts.write";
/// }
/// ```
#[macro_export]
macro_rules! permissions {
    ($($(#[$doc:meta])* $visibility:vis $name:ident = $permission:literal;)*) => {
        $crate::__names! { PermissionName "permission"; $($(#[$doc])* $visibility $name = $permission;)* }
    };
}

#[doc(hidden)]
pub const fn __is_role_name(text: &str) -> bool {
    Role::is_name(text)
}

#[doc(hidden)]
#[macro_export]
macro_rules! __names {
    ($trait:ident $what:literal; $($(#[$doc:meta])* $visibility:vis $name:ident = $text:literal;)*) => {$(
        #[doc = ::core::concat!("The ", $what, " `", $text, "`.")]
        #[doc = ""]
        $(#[$doc])*
        #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
        $visibility struct $name;

        impl $crate::$trait for $name {
            const NAME: &'static str = $text;
        }
    )*};
}

roles! {
    /// Administers other users.
    pub Admin = "admin";
}
