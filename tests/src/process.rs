//! Other processes, by the files of Linux's `/proc`.

use std::{fs, os::fd::OwnedFd};

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::{Interest, unix::AsyncFd};

/// A process whose end can be waited for.
pub struct Process {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: Pid,
    handle: OwnedFd,
}

/// The processes that a process has started and that still run.
pub fn children(parent: Pid) -> Vec<Process> {
    let ids = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(Pid::from_raw).filter_map(|id| child(id, parent)).collect()
}

fn child(id: Pid, parent: Pid) -> Option<Process> {
    let status = fs::read_to_string(format!("/proc/{}/status", id.as_raw_nonzero())).ok()?;
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let is_child = field("PPid:")? == parent.as_raw_nonzero().to_string() && !field("State:")?.starts_with('Z');
    let name = field("Name:")?.to_owned();
    let handle = pidfd_open(id, PidfdFlags::empty()).ok()?;
    is_child.then_some(Process { name, id, handle })
}

impl Process {
    /// Waits until it has ended.
    #[expect(
        deprecated,
        reason = "its successor is unsafe, for descriptors that are closed elsewhere; this one is owned"
    )]
    pub async fn ended(self) {
        let handle = AsyncFd::with_interest(self.handle, Interest::READABLE).unwrap();
        let _ = handle.readable().await.unwrap();
    }
}
