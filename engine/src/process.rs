//! wit/process.wit: what a guest asks about processes and pipes is handed on to C.
use crate::run::State;
use std::ffi::c_void;
use std::sync::atomic::Ordering::Relaxed;
use wasmtime::component::{Linker, WasmList};
use wasmtime::{Result, StoreContextMut, Trap};

pub const INTERFACE: &str = "boxagnts:box/process@0.1.0";
pub const WIT: &str = include_str!("../wit/process.wit");

const NOT_HERE: i32 = -52; // ENOSYS of WASI
/// Of a callback: the run is to stop.
const STOP: i32 = i32::MIN;
const PIECE: u32 = 64 << 10;

type User = *mut c_void;

#[repr(C)]
pub struct Process {
    pipe: extern "C" fn(User) -> i32,
    spawn: extern "C" fn(User, *const u8, usize) -> i32,
    wait: extern "C" fn(User, i32, i64) -> i32,
    kill: extern "C" fn(User, i32, i32) -> i32,
    read: extern "C" fn(User, i32, *mut u8, u32) -> i32,
    write: extern "C" fn(User, i32, *const u8, usize) -> i32,
    close: extern "C" fn(User, i32, i32) -> i32,
}

type Store<'a> = StoreContextMut<'a, State>;

fn ask(store: Store<'_>, question: impl FnOnce(&Process, User) -> i32) -> Result<i32> {
    let host = &store.data().hooks.host;
    let process = unsafe { host.process.as_ref() };
    match process.map_or(NOT_HERE, |process| question(process, host.user)) {
        STOP => {
            host.marks.stopped.store(true, Relaxed);
            Err(Trap::Interrupt.into())
        }
        answer => Ok(answer),
    }
}

fn bytes_of(store: &Store<'_>, list: &WasmList<u8>) -> (*const u8, usize) {
    let bytes = list.as_le_slice(store);
    (bytes.as_ptr(), bytes.len())
}

pub fn add_to_linker(linker: &mut Linker<State>) -> Result<()> {
    let mut at = linker.instance(INTERFACE)?;
    at.func_wrap("pipe", |store: Store<'_>, (): ()| Ok((ask(store, |p, user| (p.pipe)(user))?,)))?;
    at.func_wrap("spawn", |store: Store<'_>, (request,): (WasmList<u8>,)| {
        let (bytes, n) = bytes_of(&store, &request);
        Ok((ask(store, |p, user| (p.spawn)(user, bytes, n))?,))
    })?;
    at.func_wrap("wait", |store: Store<'_>, (pid, timeout_ms): (i32, i64)| {
        Ok((ask(store, |p, user| (p.wait)(user, pid, timeout_ms))?,))
    })?;
    at.func_wrap("kill", |store: Store<'_>, (pid, status): (i32, i32)| {
        Ok((ask(store, |p, user| (p.kill)(user, pid, status))?,))
    })?;
    at.func_wrap("read", |store: Store<'_>, (pipe, max): (i32, u32)| {
        let mut bytes = vec![0; max.min(PIECE) as usize];
        let n = ask(store, |p, user| (p.read)(user, pipe, bytes.as_mut_ptr(), bytes.len() as u32))?;
        bytes.truncate(usize::try_from(n).unwrap_or(0));
        Ok((bytes,))
    })?;
    at.func_wrap("write", |store: Store<'_>, (pipe, list): (i32, WasmList<u8>)| {
        let (bytes, n) = bytes_of(&store, &list);
        Ok((ask(store, |p, user| (p.write)(user, pipe, bytes, n))?,))
    })?;
    at.func_wrap("close", |store: Store<'_>, (pipe, end): (i32, i32)| {
        Ok((ask(store, |p, user| (p.close)(user, pipe, end))?,))
    })?;
    at.func_wrap("exit", |mut store: Store<'_>, (status,): (i32,)| {
        store.data_mut().status = Some(status & 0xff);
        Ok(())
    })?;
    Ok(())
}
