//! The book's pages for applications, so that their examples are compiled and run with the documentation tests.

macro_rules! pages {
    ($($(#[$condition:meta])? $name:ident: $path:literal;)*) => {
        $($(#[$condition])? #[doc = include_str!(concat!("../../../docs/src/embed/", $path))] struct $name;)*
    };
}

pages! {
    Attributes: "attributes.md";
    Axum: "axum.md";
    Csrf: "guards/csrf.md";
    #[cfg(feature = "diesel-postgres")]
    Diesel: "diesel.md";
    DenyByDefault: "guards/deny-by-default.md";
    Fresh: "guards/fresh.md";
    GuestsOnly: "guards/guests-only.md";
    OptionalSession: "guards/optional-session.md";
    OwnMail: "own-mail.md";
    OwnRoute: "own-route.md";
    OwnTable: "own-table.md";
    Permission: "guards/permission.md";
    ProtectYourRoutes: "protect-your-routes.md";
    RateLimit: "guards/rate-limit.md";
    React: "react.md";
    #[cfg(feature = "rocket")]
    Rocket: "rocket.md";
    Role: "guards/role.md";
    Roles: "roles.md";
    Session: "guards/session.md";
    Verified: "guards/verified.md";
    Veto: "veto.md";
}
