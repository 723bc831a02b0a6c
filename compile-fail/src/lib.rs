//! Mistakes in using Portcullis, each in a module that is compiled only when its test asks for it.
//!
//! A module lists, after `//~`, what the compiler has to say to it. One that lists nothing has to compile.

#[cfg(mistake = "impossible_role")]
mod impossible_role;
#[cfg(mistake = "made_up_user")]
mod made_up_user;
#[cfg(mistake = "no_extension_trait")]
mod no_extension_trait;
#[cfg(mistake = "no_mistake")]
mod no_mistake;
#[cfg(mistake = "no_role")]
mod no_role;
#[cfg(mistake = "rocket_no_limit")]
mod rocket_no_limit;
#[cfg(mistake = "rocket_no_mistake")]
mod rocket_no_mistake;
#[cfg(mistake = "rocket_no_role")]
mod rocket_no_role;
#[cfg(mistake = "role_for_permission")]
mod role_for_permission;
#[cfg(mistake = "state_without_auth")]
mod state_without_auth;
