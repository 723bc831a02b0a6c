//! The HTTP wire of Portcullis, independent of any web framework.
