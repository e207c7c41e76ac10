//! What the agent cannot do, because decoders see hostile bitstreams: open sockets, start programs,
//! write files, read what is not part of the system's software, look into other processes, use
//! memory without bound, outlive its server.
//!
//! The filter of system calls is a list of what is refused: GStreamer's plugins are of many makers
//! and differ from version to version, so that a list of what is allowed would break elsewhere.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, Signal};
use seccompiler::{SeccompAction, SeccompFilter, TargetArch};

/// File descriptors: some for each input and output.
const MAX_FILES: u64 = 4096;

/// What the agent reads: libraries, plugins, and what libraries ask of the system.
const READ: &[&str] = &[
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/opt",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/dev/null",
    "/dev/urandom",
    "/proc",
    "/sys/devices/system",
];

/// Variables that name further files or folders (colon-separated) that GStreamer reads.
const READ_VARIABLES: &[&str] =
    &["GST_PLUGIN_PATH", "GST_PLUGIN_PATH_1_0", "GST_PLUGIN_SYSTEM_PATH", "GST_REGISTRY"];

/// The system calls that are refused. Pairs of sockets stay allowed: GStreamer wakes its threads by
/// them, and they lead nowhere else.
const REFUSED: &[libc::c_long] = &[
    libc::SYS_socket,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_open,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_personality,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
];

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A limit is refused.
    #[error("{0}")]
    Limit(#[from] rustix::io::Errno),
    /// The filter of system calls is refused.
    #[error("{0}")]
    Calls(#[from] seccompiler::Error),
    /// The filter of system calls cannot be made for this processor.
    #[error("{0}")]
    Filter(#[from] seccompiler::BackendError),
    /// The rules for files are refused.
    #[error("{0}")]
    Files(#[from] landlock::RulesetError),
}

/// Takes from a process that starts agents what it does not need. It has to keep sockets and files.
///
/// # Errors
/// When the system refuses.
pub fn limit_parent() -> Result<(), SandboxError> {
    // Private keys are in its memory.
    lower(Resource::Core, 0)?;
    rustix::thread::set_no_new_privs(true)?;
    Ok(())
}

/// Takes what needs no preparation: limits, no new privileges, an end with the server.
///
/// The agent ends with the *thread* that started it, as Linux has it; a server starts agents on a
/// thread that lives as long as itself.
///
/// # Errors
/// When the system refuses.
pub fn limit(memory_mib: u64) -> Result<(), SandboxError> {
    lower(Resource::Core, 0)?;
    lower(Resource::Nofile, MAX_FILES)?;
    lower(Resource::Data, memory_mib.saturating_mul(1024 * 1024))?;
    rustix::thread::set_no_new_privs(true)?;
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    Ok(())
}

/// Lowers a limit for good. One that is lower already stays.
fn lower(resource: Resource, to: u64) -> rustix::io::Result<()> {
    let present = rustix::process::getrlimit(resource);
    let to = present.maximum.map_or(to, |maximum| maximum.min(to));
    let soft = present.current.map_or(to, |current| current.min(to));
    // As many files as allowed: the usual soft limit is for programs that use `select`.
    let soft = if matches!(resource, Resource::Nofile) { to } else { soft };
    rustix::process::setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(to) })
}

/// Takes all that GStreamer's start needed and decoding does not. Threads that exist are included
/// in the filter of system calls but not in the rules for files, so there should be none yet.
///
/// # Errors
/// When the kernel refuses. A kernel without rules for files (before 5.13) is accepted, with a
/// warning.
pub fn enter() -> Result<(), SandboxError> {
    restrict_files()?;
    let refused: BTreeMap<i64, Vec<seccompiler::SeccompRule>> =
        REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let errno = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    let filter = SeccompFilter::new(refused, SeccompAction::Allow, errno, arch)?;
    let program: seccompiler::BpfProgram = filter.try_into()?;
    seccompiler::apply_filter_all_threads(&program)?;
    Ok(())
}

fn restrict_files() -> Result<(), SandboxError> {
    let abi = ABI::V5;
    let named = READ_VARIABLES.iter().filter_map(std::env::var_os);
    let named: Vec<PathBuf> =
        named.flat_map(|paths| std::env::split_paths(&paths).collect::<Vec<_>>()).collect();
    let read = READ.iter().map(PathBuf::from).chain(named);
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .create()?
        .add_rules(path_beneath_rules(read, AccessFs::from_read(abi)))?
        .restrict_self()?;
    if status.ruleset == landlock::RulesetStatus::NotEnforced {
        tracing::warn!("this kernel has no Landlock: the agent may read and write files");
    }
    Ok(())
}

/// The socket that was inherited as standard input.
///
/// # Errors
/// When standard input is no socket.
pub fn inherited_socket() -> io::Result<UnixStream> {
    let descriptor = io::stdin().as_fd().try_clone_to_owned()?;
    rustix::net::sockopt::socket_type(&descriptor)?;
    Ok(UnixStream::from(descriptor))
}
