//! One run: a store of its own, made, driven to its end under its limits, dropped.
use crate::clock::Ticking;
use crate::http::{Answers, Hooks, Pump, Request};
use crate::output::Output;
use crate::tool::Tool;
use crate::{fill, slice, string};
use bytes::Bytes;
use std::ffi::{c_char, c_void};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use wasmtime::component::ResourceTable;
use wasmtime::{Error, ResourceLimiter, Result, Store, Trap, UpdateDeadline};
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// Handles that a guest may hold: the host pays for each of them.
const MAX_HANDLES: usize = 10_000;
/// Bytes that one call from guest to host may carry.
const MAX_HOST_CALL_BYTES: usize = 64 << 20;

#[repr(C)]
#[derive(Clone, Copy, PartialEq, Debug)]
#[allow(dead_code)]
pub enum Limit { None, Time, Fuel, Cpu, Memory, Stack, Table, Output, Network, Cancelled }

#[repr(C)]
pub enum Exit { Ok, Error, Trap, Setup }

#[repr(C)]
pub struct Dir {
    host_path: *const c_char,
    guest_path: *const c_char,
    writable: bool,
}

type Write = extern "C" fn(*mut c_void, i32, *const u8, usize) -> bool;
type Ask = extern "C" fn(*mut c_void, &Request) -> i32;
type Answer = extern "C" fn(*mut c_void, &mut Answers) -> i32;

#[repr(C)]
pub struct Run {
    argv: *const *const c_char,
    argc: usize,
    env: *const *const c_char,
    env_count: usize,
    input: *const u8,
    input_size: usize,
    dirs: *const Dir,
    dir_count: usize,
    fuel: u64,
    time_ms: u64,
    cpu_ms: u64,
    memory_bytes: usize,
    table_elements: usize,
    instances: usize,
    request_bytes: usize,
    cancel: *const Cancel,
    user: *mut c_void,
    write: Write,
    ask: Option<Ask>,
    answer_fd: i32,
    answer: Option<Answer>,
}

#[repr(C)]
pub struct RunResult {
    limit: Limit,
    exit: Exit,
    fuel_used: u64,
    memory_peak_bytes: u64,
    cpu_us: u64,
    wall_us: u64,
    message: [c_char; 400],
}

/// What callbacks noted during the run
#[derive(Default)]
pub struct Marks {
    pub output: AtomicBool,
    pub network: AtomicBool,
}

/// The C side of one run
#[derive(Clone)]
pub struct Host {
    pub user: *mut c_void,
    pub write: Write,
    pub ask: Option<Ask>,
    pub answer_fd: i32,
    pub answer: Option<Answer>,
    pub marks: Arc<Marks>,
}
// The run's own thread is the only one that calls back: its runtime is a current-thread one.
unsafe impl Send for Host {}
unsafe impl Sync for Host {}

#[derive(Default)]
pub struct Cancel {
    fired: AtomicBool,
    wake: Notify,
}

#[unsafe(no_mangle)]
pub extern "C" fn bxe_cancel_new() -> Box<Cancel> {
    Box::default()
}

#[unsafe(no_mangle)]
pub extern "C" fn bxe_cancel_fire(cancel: &Cancel) {
    cancel.fired.store(true, Relaxed);
    cancel.wake.notify_one();
}

#[unsafe(no_mangle)]
pub extern "C" fn bxe_cancel_free(cancel: Option<Box<Cancel>>) {
    drop(cancel);
}

pub struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    http: WasiHttpCtx,
    hooks: Hooks,
    sizes: Sizes,
    stopped: Limit,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

/// Memory and tables, counted over everything that the guest instantiates
struct Sizes {
    memory: usize,
    memory_max: usize,
    elements: usize,
    elements_max: usize,
    count: usize,
    denied: Limit,
}

impl ResourceLimiter for Sizes {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if maximum.is_some_and(|max| desired > max) {
            return Ok(false); // the guest's own maximum
        }
        if total > self.memory_max {
            self.denied = Limit::Memory;
            return Ok(false);
        }
        self.memory = total;
        Ok(true)
    }
    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let total = self.elements.saturating_add(desired.saturating_sub(current));
        if maximum.is_some_and(|max| desired > max) {
            return Ok(false);
        }
        if total > self.elements_max {
            self.denied = Limit::Table;
            return Ok(false);
        }
        self.elements = total;
        Ok(true)
    }
    fn instances(&self) -> usize {
        self.count
    }
    fn tables(&self) -> usize {
        self.count
    }
    fn memories(&self) -> usize {
        self.count
    }
}

/// Processor time of the calling thread
fn cpu_time() -> Duration {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut t) };
    Duration::new(t.tv_sec.unsigned_abs(), t.tv_nsec.unsigned_abs() as u32)
}

fn wasi(run: &Run, host: &Host) -> Result<WasiCtx> {
    let mut b = WasiCtxBuilder::new();
    // File calls run on this thread: no second thread per call, and the process's limits on files name the call.
    b.allow_blocking_current_thread(true);
    b.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
    for arg in unsafe { slice(run.argv, run.argc) } {
        b.arg(unsafe { string(*arg) });
    }
    for variable in unsafe { slice(run.env, run.env_count) } {
        let variable = unsafe { string(*variable) };
        let (name, value) = variable.split_once('=').unwrap_or((&variable, ""));
        b.env(name, value);
    }
    for dir in unsafe { slice(run.dirs, run.dir_count) } {
        let (path, name) = unsafe { (string(dir.host_path), string(dir.guest_path)) };
        let perms = if dir.writable { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
        b.preopened_dir(&path, &name, perms).map_err(|e| Error::msg(format!("the folder {path}: {e:#}")))?;
    }
    b.stdout(Output { host: host.clone(), fd: 1 });
    b.stderr(Output { host: host.clone(), fd: 2 });
    let input = unsafe { slice(run.input, run.input_size) };
    if !input.is_empty() {
        b.stdin(MemoryInputPipe::new(Bytes::copy_from_slice(input)));
    }
    Ok(b.build())
}

fn store(tool: &Tool, run: &Run, host: &Host, answers: &Arc<Mutex<Answers>>) -> Result<Store<State>> {
    let mut table = ResourceTable::new();
    table.set_max_capacity(MAX_HANDLES);
    let hooks = Hooks { host: host.clone(), answers: answers.clone(), request_bytes: run.request_bytes };
    let sizes = Sizes {
        memory: 0,
        memory_max: run.memory_bytes,
        elements: 0,
        elements_max: run.table_elements,
        count: run.instances,
        denied: Limit::None,
    };
    let wasi = wasi(run, host)?;
    let state = State { wasi, table, http: WasiHttpCtx::new(), hooks, sizes, stopped: Limit::None };
    let mut store = Store::new(&tool.wasmtime, state);
    store.limiter(|state| &mut state.sizes);
    store.set_hostcall_fuel(MAX_HOST_CALL_BYTES);
    if tool.fuel {
        store.set_fuel(if run.fuel == 0 { u64::MAX } else { run.fuel })?;
    }
    let cpu_start = cpu_time();
    let cpu_max = Duration::from_millis(run.cpu_ms);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |mut store| {
        if !cpu_max.is_zero() && cpu_time() - cpu_start >= cpu_max {
            store.data_mut().stopped = Limit::Cpu;
            return Err(Trap::Interrupt.into());
        }
        // Yielding gives the time limit, the stop button and open requests their turn.
        Ok(UpdateDeadline::Yield(1))
    });
    Ok(store)
}

/// Drives the guest; also says which limit ended the wait for it.
fn drive(tool: &Tool, run: &Run, store: &mut Store<State>, mut pump: Pump) -> (Limit, Result<Result<(), ()>>) {
    thread_local! {
        static RUNTIME: Runtime = Builder::new_current_thread().enable_time().enable_io().build().expect("a runtime");
    }
    let never = Cancel::default();
    let cancel = unsafe { run.cancel.as_ref() }.unwrap_or(&never);
    let time = if run.time_ms == 0 { Duration::from_secs(365 * 86400) } else { Duration::from_millis(run.time_ms) };
    RUNTIME.with(|runtime| {
        runtime.block_on(async {
            let mut timer = pin!(tokio::time::sleep(time));
            let mut cancelled = pin!(cancel.wake.notified());
            let mut guest = pin!(async {
                let command = tool.pre.instantiate_async(&mut *store).await?;
                command.wasi_cli_run().call_run(&mut *store).await
            });
            poll_fn(|cx| {
                let stop = |limit| Poll::Ready((limit, Err(Trap::Interrupt.into())));
                if cancelled.as_mut().poll(cx).is_ready() || cancel.fired.load(Relaxed) {
                    return stop(Limit::Cancelled);
                }
                if timer.as_mut().poll(cx).is_ready() {
                    return stop(Limit::Time);
                }
                if let Poll::Ready(end) = guest.as_mut().poll(cx) {
                    return Poll::Ready((Limit::None, end));
                }
                pump.poll(cx);
                Poll::Pending
            })
            .await
        })
    })
}

/// Which limit it was, how the guest ended, and in words
fn judge(waited: Limit, end: Result<Result<(), ()>>, state: &State, marks: &Marks) -> (Limit, Exit, String) {
    let mut limit = match (waited, state.stopped) {
        (Limit::None, stopped) => stopped,
        (waited, _) => waited,
    };
    let output = marks.output.load(Relaxed);
    let (exit, message) = match end {
        Ok(Ok(())) => (Exit::Ok, String::new()),
        Ok(Err(())) => (Exit::Error, String::new()),
        Err(e) => match (e.downcast_ref::<I32Exit>(), e.downcast_ref::<Trap>()) {
            (Some(I32Exit(0)), _) => (Exit::Ok, String::new()),
            (Some(_), _) => (Exit::Error, String::new()),
            (None, Some(trap)) => {
                match trap {
                    Trap::OutOfFuel => limit = Limit::Fuel,
                    Trap::StackOverflow => limit = Limit::Stack,
                    _ => {}
                }
                (Exit::Trap, trap.to_string())
            }
            (None, None) => (Exit::Trap, format!("{:#}", e.root_cause())),
        },
    };
    if limit == Limit::None && output {
        limit = Limit::Output;
    }
    if limit == Limit::None {
        limit = state.sizes.denied;
    }
    if limit == Limit::None && marks.network.load(Relaxed) {
        limit = Limit::Network;
    }
    (limit, exit, message)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn bxe_run(tool: &Tool, run: &Run, ret: &mut RunResult) {
    let (started, cpu_started, _ticking) = (Instant::now(), cpu_time(), Ticking::new());
    let (user, write, ask) = (run.user, run.write, run.ask);
    let marks = Arc::new(Marks::default());
    let host = Host { user, write, ask, answer_fd: run.answer_fd, answer: run.answer, marks: marks.clone() };
    let answers = Arc::new(Mutex::new(Answers::default()));
    let mut result = RunResult {
        limit: Limit::None,
        exit: Exit::Setup,
        fuel_used: 0,
        memory_peak_bytes: 0,
        cpu_us: 0,
        wall_us: 0,
        message: [0; 400],
    };
    let message = match store(tool, run, &host, &answers) {
        Err(e) => format!("{e:#}"),
        Ok(mut store) => {
            let pump = Pump::new(host, answers);
            let (waited, end) = drive(tool, run, &mut store, pump);
            let (limit, exit, message) = judge(waited, end, store.data(), &marks);
            (result.limit, result.exit) = (limit, exit);
            result.memory_peak_bytes = store.data().sizes.memory as u64;
            if tool.fuel {
                let given = if run.fuel == 0 { u64::MAX } else { run.fuel };
                result.fuel_used = given - store.get_fuel().unwrap_or(0).min(given);
            }
            message
        }
    };
    unsafe { fill(result.message.as_mut_ptr(), result.message.len(), &message) };
    result.cpu_us = (cpu_time() - cpu_started).as_micros() as u64;
    result.wall_us = started.elapsed().as_micros() as u64;
    *ret = result;
}
