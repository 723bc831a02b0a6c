//! What the SQL stores do alike.
