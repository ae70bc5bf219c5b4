//! Many names and many files in one call: `boxagnts:box/files`, see engine/wit/files.wit.
//!
//! A search of a tree opens every file of it. By wasi:filesystem each of them costs a dozen crossings and system calls; here
//! it costs an open, a look and a read. The folders are those of the run, and the kernel itself keeps every path beneath them.
use crate::run::{Dir, State};
use std::ffi::{CStr, CString};
use std::io::Error;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use wasmtime::Result;
use wasmtime::component::Linker;

pub const INTERFACE: &str = "boxagnts:box/files@0.1.0";
pub const WIT: &str = include_str!("../wit/files.wit");
const MAX_LIST_BYTES: usize = 32 << 20;
const MAX_READ_BYTES: usize = 16 << 20;

struct Mount {
    guest: Vec<u8>, // without slashes around it: "" for the root
    host: CString,
    dir: Option<OwnedFd>, // opened when it is first asked for
}

/// The folders of a run
pub struct Files {
    mounts: Vec<Mount>,
}

type Fallible<T> = std::result::Result<T, i32>;

fn errno() -> i32 {
    Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}

fn open(dir: i32, path: &CString, flags: i32, resolve: u64) -> Fallible<OwnedFd> {
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = (flags | libc::O_CLOEXEC) as u64;
    how.resolve = resolve;
    let fd = unsafe { libc::syscall(libc::SYS_openat2, dir, path.as_ptr(), &how, size_of::<libc::open_how>()) };
    if fd < 0 { Err(errno()) } else { Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) }) }
}

impl Files {
    pub fn new(dirs: &[Dir]) -> Files {
        let mount = |dir: &Dir| {
            let (host, guest) = unsafe { (CStr::from_ptr(dir.host_path), CStr::from_ptr(dir.guest_path)) };
            let guest = guest.to_bytes();
            let guest = guest.strip_prefix(b"/").unwrap_or(guest);
            Mount { guest: guest.strip_suffix(b"/").unwrap_or(guest).to_vec(), host: host.to_owned(), dir: None }
        };
        Files { mounts: dirs.iter().map(mount).collect() }
    }

    /// Opens what a guest path names, in the mount with the longest name that holds it.
    fn open(&mut self, path: &[u8], flags: i32) -> Fallible<OwnedFd> {
        let path = path.strip_prefix(b"/").unwrap_or(path);
        let path = if path == b"." { b"" } else { path };
        let holds = |guest: &[u8]| {
            guest.is_empty() || path.strip_prefix(guest).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
        };
        let mount = self.mounts.iter_mut().filter(|m| holds(&m.guest)).max_by_key(|m| m.guest.len());
        let Some(mount) = mount else { return Err(libc::ENOENT) };
        let rest = &path[mount.guest.len()..];
        let rest = rest.strip_prefix(b"/").unwrap_or(rest);
        let rest = CString::new(if rest.is_empty() { b"." } else { rest }).map_err(|_| libc::EINVAL)?;
        if mount.dir.is_none() {
            mount.dir = Some(open(libc::AT_FDCWD, &mount.host, libc::O_PATH | libc::O_DIRECTORY, 0)?);
        }
        let dir = mount.dir.as_ref().map_or(-1, |d| d.as_raw_fd());
        open(dir, &rest, flags, libc::RESOLVE_BENEATH | libc::RESOLVE_NO_MAGICLINKS)
    }

    fn list(&mut self, path: &[u8]) -> Vec<u8> {
        let mut out = vec![0; 4];
        if let Err(error) = self.open(path, libc::O_RDONLY | libc::O_DIRECTORY).and_then(|dir| entries(&dir, &mut out)) {
            out.truncate(0);
            out.extend_from_slice(&(-error).to_le_bytes());
        }
        out
    }

    fn read(&mut self, paths: &[u8], max_each: usize, max_all: usize) -> Vec<u8> {
        let (each, all) = (max_each.min(MAX_READ_BYTES), max_all.min(MAX_READ_BYTES));
        let mut out = Vec::with_capacity(all + 8);
        for path in paths.strip_suffix(b"\0").unwrap_or(paths).split(|&c| c == 0) {
            let start = out.len();
            out.extend_from_slice(&[0; 8]);
            let (status, more) = match self.open(path, libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY) {
                Err(error) => (-error, false),
                Ok(file) => match start_of(&file, each, &mut out) {
                    Err(error) => (-error, false),
                    Ok(more) => ((out.len() - start - 8) as i32, more),
                },
            };
            if start > 0 && out.len() > all {
                out.truncate(start);
                break;
            }
            out[start..start + 4].copy_from_slice(&status.to_le_bytes());
            out[start + 4..start + 8].copy_from_slice(&u32::from(more).to_le_bytes());
        }
        out
    }
}

/// Appends the entries of an open folder. Only the kernel's own records: no look at each entry.
fn entries(dir: &OwnedFd, out: &mut Vec<u8>) -> Fallible<()> {
    let mut records = vec![0u8; 32 << 10];
    loop {
        let n = unsafe { libc::syscall(libc::SYS_getdents64, dir.as_raw_fd(), records.as_mut_ptr(), records.len()) };
        if n < 0 {
            return Err(errno());
        }
        let mut rest = &records[..n as usize];
        if rest.is_empty() {
            return Ok(());
        }
        // struct linux_dirent64: two times 64 bits, the record's size in 16, the kind in 8, the name and its NUL
        while rest.len() > 19 {
            let size = usize::from(u16::from_le_bytes([rest[16], rest[17]])).clamp(20, rest.len());
            let name = rest[19..size].split(|&c| c == 0).next().unwrap_or(&[]);
            if name != b"." && name != b".." {
                out.push(kind(dir, rest[18], name));
                out.extend_from_slice(name);
                out.push(0);
            }
            rest = &rest[size..];
        }
        if out.len() > MAX_LIST_BYTES {
            return Err(libc::EOVERFLOW);
        }
    }
}

fn kind(dir: &OwnedFd, kind: u8, name: &[u8]) -> u8 {
    match kind {
        libc::DT_REG => b'f',
        libc::DT_DIR => b'd',
        libc::DT_LNK => b'l',
        libc::DT_UNKNOWN => looked_up(dir, name), // file systems that do not keep it
        _ => b'o',
    }
}

fn looked_up(dir: &OwnedFd, name: &[u8]) -> u8 {
    let mut st: libc::stat = unsafe { std::mem::zeroed() };
    let Ok(name) = CString::new(name) else { return b'o' };
    if unsafe { libc::fstatat(dir.as_raw_fd(), name.as_ptr(), &mut st, libc::AT_SYMLINK_NOFOLLOW) } != 0 {
        return b'o';
    }
    match st.st_mode & libc::S_IFMT {
        libc::S_IFREG => b'f',
        libc::S_IFDIR => b'd',
        libc::S_IFLNK => b'l',
        _ => b'o',
    }
}

/// Appends at most `max` bytes of an open file; says whether it goes on.
fn start_of(file: &OwnedFd, max: usize, out: &mut Vec<u8>) -> Fallible<bool> {
    let mut st: libc::stat = unsafe { std::mem::zeroed() };
    if unsafe { libc::fstat(file.as_raw_fd(), &mut st) } != 0 {
        return Err(errno());
    }
    if st.st_mode & libc::S_IFMT != libc::S_IFREG {
        return Err(libc::EINVAL);
    }
    // A byte more than it has: a short read is the end. Files that do not know their size (/proc) are read up to `max`.
    let size = usize::try_from(st.st_size).unwrap_or(0);
    let room = if size == 0 { max } else { max.min(size.saturating_add(1)) };
    out.reserve(room);
    let mut have = 0;
    while have < room {
        let at = out.spare_capacity_mut().as_mut_ptr();
        let n = unsafe { libc::read(file.as_raw_fd(), at.cast(), room - have) };
        if n < 0 {
            return Err(errno());
        }
        unsafe { out.set_len(out.len() + n as usize) };
        have += n as usize;
        if n == 0 || (size > 0 && have == size) {
            return Ok(false);
        }
    }
    Ok(true)
}

pub fn add_to_linker(linker: &mut Linker<State>) -> Result<()> {
    let mut files = linker.instance(INTERFACE)?;
    files.func_wrap("entries", |mut store, (path,): (Vec<u8>,)| Ok((store.data_mut().files.list(&path),)))?;
    files.func_wrap("contents", |mut store, (paths, each, all): (Vec<u8>, u32, u32)| {
        Ok((store.data_mut().files.read(&paths, each as usize, all as usize),))
    })?;
    Ok(())
}
