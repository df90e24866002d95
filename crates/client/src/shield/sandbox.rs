//! Shuts the scanner in: whoever takes it over by a file that it reads has nothing to take over.
//!
//! It may read what it was given and write to what is open already. It may not open or make anything
//! else (Landlock), talk to anybody or start anything (seccomp), or take more than its share (rlimits).

#[cfg(target_os = "linux")]
pub(super) use self::linux::shut_in;

/// This system has nothing of the kind that we know of.
#[cfg(not(target_os = "linux"))]
pub(super) fn shut_in(_: &[std::path::PathBuf], _: usize, _: u64) -> Result<(), String> {
    Err("this system has no sandbox that is known here".to_owned())
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeMap;
    use std::env::consts::ARCH;
    use std::path::PathBuf;

    use landlock::{
        ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
        RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
    };
    use rustix::process::{Resource, Rlimit, setrlimit};
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};

    /// Memory that it may ask for: what a scan may hold, the rules, and what its libraries need.
    const MEMORY: u64 = 512 << 20;

    /// From now on this thread can do nothing but read what is under `roots`: so many files, with so many bytes.
    pub(in super::super) fn shut_in(
        roots: &[PathBuf],
        files: usize,
        bytes: u64,
    ) -> Result<(), String> {
        let limited = limit(files as u64, bytes);
        let closed = close_files(roots);
        let silent = silence();
        // All of them, whatever comes of the first.
        limited.and(closed).and(silent)
    }

    fn limit(files: u64, bytes: u64) -> Result<(), String> {
        let limits = [
            (Resource::Data, MEMORY),
            (Resource::Core, 0),
            (Resource::Fsize, 0),
            (Resource::Nofile, 64),
            // Each file may take all of a scan's own limit, which ends the scan and not the process.
            (Resource::Cpu, 60 + 5 * files + bytes / 10_000_000),
        ];
        for (resource, most) in limits {
            let limit = Rlimit {
                current: Some(most),
                maximum: Some(most),
            };
            let set = setrlimit(resource, limit);
            set.map_err(|error| format!("the system sets no limits to it: {error}"))?;
        }
        Ok(())
    }

    fn close_files(roots: &[PathBuf]) -> Result<(), String> {
        let failed = |error: &dyn std::error::Error| format!("the kernel has no Landlock: {error}");
        let abi = ABI::V6;
        let ruleset = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(abi))
            .and_then(|it| it.handle_access(AccessNet::from_all(abi)))
            .and_then(|it| it.scope(Scope::from_all(abi)))
            .and_then(Ruleset::create);
        let mut ruleset = ruleset.map_err(|it| failed(&it))?;
        for root in roots {
            let root = PathFd::new(root).map_err(|it| failed(&it))?;
            let rule = PathBeneath::new(root, AccessFs::ReadFile | AccessFs::ReadDir);
            ruleset = ruleset.add_rule(rule).map_err(|it| failed(&it))?;
        }
        let status = ruleset.restrict_self().map_err(|it| failed(&it))?;
        match status.ruleset {
            RulesetStatus::NotEnforced => {
                Err("the kernel has no Landlock: it could read other files".to_owned())
            }
            // Older kernels know less of networks, which the filter closes too.
            RulesetStatus::PartiallyEnforced | RulesetStatus::FullyEnforced => Ok(()),
        }
    }

    /// No sockets, no programs, no other processes: what asks for one is told that it may not.
    fn silence() -> Result<(), String> {
        let calls = [
            libc::SYS_socket,
            libc::SYS_socketpair,
            libc::SYS_connect,
            libc::SYS_bind,
            libc::SYS_listen,
            libc::SYS_sendto,
            libc::SYS_sendmsg,
            libc::SYS_execve,
            libc::SYS_execveat,
            libc::SYS_clone,
            libc::SYS_clone3,
            libc::SYS_kill,
            libc::SYS_tkill,
            libc::SYS_ptrace,
            libc::SYS_process_vm_readv,
            libc::SYS_process_vm_writev,
            libc::SYS_pidfd_open,
            libc::SYS_io_uring_setup,
            libc::SYS_bpf,
            libc::SYS_keyctl,
            libc::SYS_mount,
            libc::SYS_unshare,
            libc::SYS_setns,
            libc::SYS_open_by_handle_at,
            libc::SYS_userfaultfd,
            libc::SYS_perf_event_open,
        ];
        let rules: BTreeMap<_, _> = calls.into_iter().map(|it| (it, Vec::new())).collect();
        let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
        let failed = |error: &dyn std::error::Error| format!("the kernel takes no filter: {error}");
        let arch = TargetArch::try_from(ARCH).map_err(|it| failed(&it))?;
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, refused, arch);
        let filter = filter.map_err(|it| failed(&it))?;
        let program = BpfProgram::try_from(filter).map_err(|it| failed(&it))?;
        apply_filter(&program).map_err(|it| failed(&it))
    }
}

#[cfg(all(test, target_os = "linux"))]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::env;
    use std::fs::{self, File};
    use std::io::Write as _;
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::path::Path;
    use std::process::Command;

    use super::shut_in;

    const FOLDER: &str = "TEST_SHUT_IN_FOLDER";

    /// What a process does that is shut in: the test itself, begun once more with a folder.
    fn try_everything(folder: &Path, port: u16) {
        shut_in(&[folder.join("given")], 0, 0).unwrap();
        assert_eq!(fs::read(folder.join("given/file")).unwrap(), b"yes");
        fs::read(folder.join("other")).unwrap_err();
        fs::read("/etc/passwd").unwrap_err();
        fs::read_dir("/").unwrap_err();
        File::create(folder.join("given/new")).unwrap_err();
        File::options()
            .append(true)
            .open(folder.join("given/file"))
            .unwrap_err();
        fs::remove_file(folder.join("given/file")).unwrap_err();
        TcpStream::connect(("127.0.0.1", port)).unwrap_err();
        UdpSocket::bind("127.0.0.1:0").unwrap_err();
        std::os::unix::net::UnixStream::pair().unwrap_err();
        Command::new("/bin/true").spawn().unwrap_err();
    }

    #[test]
    fn whoever_is_shut_in_reads_what_it_was_given_and_nothing_else() {
        if let Some(folder) = env::var_os(FOLDER) {
            let port = env::var("TEST_SHUT_IN_PORT").unwrap().parse().unwrap();
            return try_everything(Path::new(&folder), port);
        }
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("given")).unwrap();
        for name in ["given/file", "other"] {
            File::create(folder.path().join(name))
                .unwrap()
                .write_all(b"yes")
                .unwrap();
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "--nocapture"])
            .arg("shield::sandbox::tests::whoever_is_shut_in_reads_what_it_was_given_and_nothing_else")
            .env(FOLDER, folder.path())
            .env("TEST_SHUT_IN_PORT", port.to_string())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(
            child.status.success() && said.contains("1 passed"),
            "{said}"
        );
        assert_eq!(fs::read(folder.path().join("given/file")).unwrap(), b"yes");
    }
}
