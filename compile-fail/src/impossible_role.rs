//! No role can be called that, so nobody could ever come in.
//~ no role can be called Editor: lower-case ASCII letters, digits, - and _ only, a letter first

auth_axum::roles! {
    Editor = "Editor";
}
