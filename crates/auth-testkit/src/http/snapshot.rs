//! Texts that are kept and compared, so that a change of the wire shows in a diff.

use std::path::Path;

/// Holds `found` to be what `snapshots/{name}.txt` says. With `UPDATE_SNAPSHOTS=1` the file is written instead.
#[track_caller]
pub(super) fn assert_snapshot(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/snapshots").join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, format!("{found}\n")).expect("a file that can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        found,
        kept.trim_end(),
        "{} differs; UPDATE_SNAPSHOTS=1 writes it anew. As found:\n{found}\n",
        path.display()
    );
}
