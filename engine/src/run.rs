//! One run: a store of its own, made, driven to its end under its limits, dropped.
use crate::budget::{self, Budget};
use crate::clock::Ticking;
use crate::files::Files;
use crate::http::{Answers, Hooks, Pump, Request};
use crate::input::Input;
use crate::output::Output;
use crate::process::Process;
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
use wasmtime::{
    AsContextMut, Error, PoolConcurrencyLimitError, ResourceLimiter, Result, Store, Trap, UpdateDeadline,
};
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// Handles that a guest may hold: the host pays for each of them.
const MAX_HANDLES: usize = 10_000;
/// Bytes that one call from guest to host may carry.
const MAX_HOST_CALL_BYTES: usize = 64 << 20;
/// Fuel between two moments at which a run that shares its budget says what it burnt
const FUEL_STEP: u64 = 10_000_000;

/// Ends of runs that did not come to a status of their own, as shells number them
const STATUS_SETUP: i32 = 126;
/// How Wasmtime's error begins when a count of `Sizes` is reached; it has no type of its own.
const TOO_MANY: &str = "resource limit exceeded: ";
const STATUS_TRAP: i32 = 128 + 6;
const STATUS_NO_READER: i32 = 128 + 13;

#[repr(C)]
#[derive(Clone, Copy, PartialEq, Debug)]
#[allow(dead_code)]
pub enum Limit { None, Time, Fuel, Cpu, Memory, Stack, Table, Output, Network, Cancelled, Room, Instances }

#[repr(C)]
pub enum Exit { Ok, Error, Trap, Setup }

#[repr(C)]
pub struct Dir {
    pub host_path: *const c_char,
    pub guest_path: *const c_char,
    writable: bool,
}

type Read = extern "C" fn(*mut c_void, *mut u8, usize) -> i64;
type Write = extern "C" fn(*mut c_void, i32, *const u8, usize) -> i32;
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
    budget: *const Budget,
    cancel: *const Cancel,
    user: *mut c_void,
    read: Option<Read>,
    write: Write,
    process: *const Process,
    ask: Option<Ask>,
    answer_fd: i32,
    answer: Option<Answer>,
}

#[repr(C)]
pub struct RunResult {
    limit: Limit,
    exit: Exit,
    status: i32,
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
    pub no_reader: AtomicBool,
    pub stopped: AtomicBool,
    pub network: AtomicBool,
}

/// The C side of one run
#[derive(Clone)]
pub struct Host {
    pub user: *mut c_void,
    pub read: Option<Read>,
    pub write: Write,
    pub process: *const Process,
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
    pub hooks: Hooks,
    pub files: Files,
    sizes: Sizes,
    meter: Meter,
    stopped: Limit,
    /// What the guest said that its status is
    pub status: Option<i32>,
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
    budget: Arc<Budget>,
    memory: usize,
    elements: usize,
    elements_max: usize,
    count: usize,
    denied: Limit,
}

impl Drop for Sizes {
    fn drop(&mut self) {
        self.budget.give_memory(self.memory);
    }
}

impl ResourceLimiter for Sizes {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        if maximum.is_some_and(|max| desired > max) {
            return Ok(false); // the guest's own maximum
        }
        let more = desired.saturating_sub(current);
        if !self.budget.take_memory(more) {
            self.denied = Limit::Memory;
            return Ok(false);
        }
        self.memory += more;
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

/// What this run has spent of its budget so far
struct Meter {
    budget: Arc<Budget>,
    cpu: Duration,
    fuel_left: Option<u64>,
}

impl Meter {
    /// Says the limit that was reached.
    fn read(&mut self, fuel_left: Option<u64>) -> Limit {
        let now = cpu_time();
        let cpu = self.budget.spend_cpu((now - self.cpu).as_micros() as u64);
        self.cpu = now;
        let (before, after) = (self.fuel_left.unwrap_or(0), fuel_left.unwrap_or(0));
        let fuel = self.budget.spend_fuel(before.saturating_sub(after));
        self.fuel_left = self.fuel_left.and(fuel_left);
        match (cpu, fuel) {
            (false, _) => Limit::Cpu,
            (_, false) => Limit::Fuel,
            _ => Limit::None,
        }
    }
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
    if run.read.is_some() {
        b.stdin(Input { host: host.clone() });
    } else if !input.is_empty() {
        b.stdin(MemoryInputPipe::new(Bytes::copy_from_slice(input)));
    }
    Ok(b.build())
}

fn store(
    tool: &Tool, run: &Run, budget: &Arc<Budget>, host: &Host, answers: &Arc<Mutex<Answers>>,
) -> Result<Store<State>> {
    let mut table = ResourceTable::new();
    table.set_max_capacity(MAX_HANDLES);
    let hooks = Hooks { host: host.clone(), answers: answers.clone(), request_bytes: run.request_bytes };
    let sizes = Sizes {
        budget: budget.clone(),
        memory: 0,
        elements: 0,
        elements_max: run.table_elements,
        count: run.instances,
        denied: Limit::None,
    };
    let fuel_left = tool.fuel.then(|| budget.fuel_left());
    let meter = Meter { budget: budget.clone(), cpu: cpu_time(), fuel_left };
    let wasi = wasi(run, host)?;
    let http = WasiHttpCtx::new();
    let files = Files::new(unsafe { slice(run.dirs, run.dir_count) });
    let state = State { wasi, table, http, hooks, files, sizes, meter, stopped: Limit::None, status: None };
    let mut store = Store::new(&tool.wasmtime, state);
    store.limiter(|state| &mut state.sizes);
    store.set_hostcall_fuel(MAX_HOST_CALL_BYTES);
    if let Some(fuel) = fuel_left {
        store.set_fuel(fuel)?;
        if !run.budget.is_null() {
            // Only then what is left is known at a tick also inside a loop without calls.
            store.fuel_async_yield_interval(Some(FUEL_STEP))?;
        }
    }
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| match read_meter(&mut store) {
        // Yielding gives the time limit, the stop button and open requests their turn.
        Limit::None => Ok(UpdateDeadline::Yield(1)),
        limit => {
            store.data_mut().stopped = limit;
            Err(Trap::Interrupt.into())
        }
    });
    Ok(store)
}

fn read_meter(mut store: impl AsContextMut<Data = State>) -> Limit {
    let mut store = store.as_context_mut();
    let fuel_left = store.get_fuel().ok();
    store.data_mut().meter.read(fuel_left)
}

/// Drives the guest; also says which limit ended the wait for it.
fn drive(tool: &Tool, run: &Run, store: &mut Store<State>, mut pump: Pump) -> (Limit, Result<Result<(), ()>>) {
    thread_local! {
        static WAITING: Runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
        /// Needs descriptors of its own: only where a guest may ask for the network
        static ASKING: Runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    }
    let runtime = if run.ask.is_some() { &ASKING } else { &WAITING };
    let never = Cancel::default();
    let cancel = unsafe { run.cancel.as_ref() }.unwrap_or(&never);
    let time = if run.time_ms == 0 { Duration::from_secs(365 * 86400) } else { Duration::from_millis(run.time_ms) };
    runtime.with(|runtime| {
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

struct End {
    limit: Limit,
    exit: Exit,
    status: i32,
    message: String,
}

/// Which limit it was, how the guest ended, and in words
fn judge(waited: Limit, end: Result<Result<(), ()>>, state: &State, marks: &Marks) -> End {
    let limit = if waited != Limit::None { waited } else { state.stopped };
    let ended = |exit, status, message| End { limit, exit, status, message };
    let returned = |usual: i32| match state.status.unwrap_or(usual) {
        0 => ended(Exit::Ok, 0, String::new()),
        status => ended(Exit::Error, status, String::new()),
    };
    let mut end = match end {
        Ok(Ok(())) => returned(0),
        Ok(Err(())) => returned(1),
        Err(e) => match (e.downcast_ref::<I32Exit>(), e.downcast_ref::<Trap>()) {
            (Some(I32Exit(0)), _) => returned(0),
            (Some(_), _) => returned(1),
            (None, Some(trap)) => {
                let mut end = ended(Exit::Trap, STATUS_TRAP, trap.to_string());
                match trap {
                    Trap::OutOfFuel => end.limit = Limit::Fuel,
                    Trap::StackOverflow => end.limit = Limit::Stack,
                    _ => {}
                }
                end
            }
            (None, None) if e.is::<PoolConcurrencyLimitError>() => {
                let end = ended(Exit::Setup, STATUS_SETUP, format!("{e:#}"));
                End { limit: Limit::Room, ..end }
            }
            (None, None) if e.root_cause().to_string().starts_with(TOO_MANY) => {
                let end = ended(Exit::Trap, STATUS_TRAP, format!("{:#}", e.root_cause()));
                End { limit: Limit::Instances, ..end }
            }
            (None, None) if marks.no_reader.load(Relaxed) => ended(Exit::Error, STATUS_NO_READER, String::new()),
            (None, None) => ended(Exit::Trap, STATUS_TRAP, format!("{:#}", e.root_cause())),
        },
    };
    let noted = [
        (marks.stopped.load(Relaxed), Limit::Cancelled),
        (marks.output.load(Relaxed), Limit::Output),
        (true, state.sizes.denied),
        (marks.network.load(Relaxed), Limit::Network),
    ];
    for (is_so, limit) in noted {
        if end.limit == Limit::None && is_so {
            end.limit = limit;
        }
    }
    end
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn bxe_run(tool: &Tool, run: &Run, ret: &mut RunResult) {
    let (started, cpu_started, _ticking) = (Instant::now(), cpu_time(), Ticking::new());
    let own = || Budget::new(run.fuel, run.cpu_ms, run.memory_bytes);
    let budget = unsafe { budget::of(run.budget, own) };
    let marks = Arc::new(Marks::default());
    let host = Host {
        user: run.user,
        read: run.read,
        write: run.write,
        process: run.process,
        ask: run.ask,
        answer_fd: run.answer_fd,
        answer: run.answer,
        marks: marks.clone(),
    };
    let answers = Arc::new(Mutex::new(Answers::default()));
    let (fuel_before, mut memory) = (budget.fuel_left(), 0);
    let end = match store(tool, run, &budget, &host, &answers) {
        Err(e) => End { limit: Limit::None, exit: Exit::Setup, status: STATUS_SETUP, message: format!("{e:#}") },
        Ok(mut store) => {
            let pump = Pump::new(host, answers);
            let (waited, end) = drive(tool, run, &mut store, pump);
            let spent = read_meter(&mut store);
            if store.data().stopped == Limit::None && !run.budget.is_null() {
                store.data_mut().stopped = spent;
            }
            memory = store.data().sizes.memory;
            judge(waited, end, store.data(), &marks)
        }
    };
    *ret = RunResult {
        limit: end.limit,
        exit: end.exit,
        status: end.status,
        fuel_used: fuel_before - budget.fuel_left().min(fuel_before),
        memory_peak_bytes: memory as u64,
        cpu_us: (cpu_time() - cpu_started).as_micros() as u64,
        wall_us: started.elapsed().as_micros() as u64,
        message: [0; 400],
    };
    unsafe { fill(ret.message.as_mut_ptr(), ret.message.len(), &end.message) };
}
