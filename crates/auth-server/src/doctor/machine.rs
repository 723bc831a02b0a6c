//! What the machine, or the container, has to give.

use std::fs;
use std::path::Path;

use auth_core::adapter::PoolSettings;
use rustix::process::{Resource, getrlimit};

use super::{Facts, Findings};

/// What the machine, or the container, has to give.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Machine {
    /// Bytes of memory that this process may have; `None` where that can't be told.
    pub(crate) memory: Option<u64>,
    /// Threads that hash passwords.
    pub(crate) hashing_threads: u64,
    /// Bytes that each takes.
    pub(crate) hashing_memory: u64,
    /// Files that this process may open; `None`: as many as it likes.
    pub(crate) open_files: Option<u64>,
}

/// What the server takes beside hashing (`docs/src/operate/deployment.md`).
const BESIDE_HASHING: u64 = 90 << 20;

pub(super) fn examine(facts: &Facts, findings: &mut Findings) {
    let Machine { memory, hashing_threads, hashing_memory, open_files } = facts.machine;
    let needed = hashing_threads * hashing_memory + BESIDE_HASHING;
    if let Some(memory) = memory {
        let found = format!(
            "{hashing_threads} threads that hash in {} MiB each, and the rest, take {} MiB of {} MiB",
            hashing_memory >> 20,
            needed >> 20,
            memory >> 20
        );
        if needed > memory {
            let meaning = "Under load the process is killed, and started again, and killed.";
            findings
                .error("memory", [&found, meaning, "Give it more memory, or fewer processors (the cgroup's cpuset)."]);
        } else if needed > memory / 2 {
            let meaning = "There is little left for connections, the operating system and its cache.";
            findings.warning("memory", [&found, meaning, "Give it more memory, or fewer processors."]);
        }
    }
    if let Some(files) = open_files.filter(|files| *files < 4096) {
        findings.note(
            "open-files",
            [
                &format!("this process may open {files} files"),
                "Three quarters of them are for connections; further clients wait.",
                "Raise the limit (systemd: LimitNOFILE=16384).",
            ],
        );
    }
}

impl Machine {
    /// Looks around.
    pub(crate) fn read() -> Self {
        let pool = PoolSettings::default();
        Self {
            memory: [total_memory(), cgroup_memory(Path::new("/proc/self/cgroup"), Path::new("/sys/fs/cgroup"))]
                .into_iter()
                .flatten()
                .min(),
            hashing_threads: u64::try_from(pool.threads.get()).unwrap_or(u64::MAX),
            hashing_memory: u64::from(pool.argon2.memory_kib()) << 10,
            open_files: getrlimit(Resource::Nofile).current,
        }
    }
}

fn total_memory() -> Option<u64> {
    let meminfo = fs::read_to_string("/proc/meminfo").ok()?;
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The tightest limit of the control groups that this process is in: of version 2, or of version 1's `memory`.
fn cgroup_memory(own: &Path, root: &Path) -> Option<u64> {
    let groups = fs::read_to_string(own).ok()?;
    let limits = groups.lines().flat_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (root, file) = match controllers {
            "" => (root.to_owned(), "memory.max"),
            "memory" => (root.join("memory"), "memory.limit_in_bytes"),
            _ => return Vec::new(),
        };
        // A limit of any group further up holds as well. In a container the path may be that of the host, and only the
        // root is there.
        let groups = Path::new(path.trim_start_matches('/')).ancestors().map(|group| root.join(group).join(file));
        groups.filter_map(|file| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok()).collect()
    });
    limits.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_group_counts() {
        let folder = tempfile::tempdir().unwrap();
        let (own, root) = (folder.path().join("cgroup"), folder.path().join("fs"));
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert_eq!(cgroup_memory(&own, &root), None);

        fs::write(&own, "0::/system.slice/auth.service\n").unwrap();
        assert_eq!(cgroup_memory(&own, &root), None);
        write("system.slice/auth.service/memory.max", "max\n");
        assert_eq!(cgroup_memory(&own, &root), None);
        write("system.slice/memory.max", "268435456\n");
        assert_eq!(cgroup_memory(&own, &root), Some(256 << 20));
        write("memory.max", "134217728\n");
        assert_eq!(cgroup_memory(&own, &root), Some(128 << 20));

        fs::write(&own, "12:cpu:/a\n5:memory:/docker/a\n").unwrap();
        write("memory/docker/a/memory.limit_in_bytes", "67108864\n");
        assert_eq!(cgroup_memory(&own, &root), Some(64 << 20));
    }

    #[test]
    fn this_machine_has_memory() {
        let machine = Machine::read();
        assert!(machine.memory.is_some_and(|bytes| bytes > 1 << 26), "{machine:?}");
        assert!(machine.hashing_threads >= 1 && machine.hashing_memory >= 19 << 20, "{machine:?}");
    }
}
