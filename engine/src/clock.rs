//! One thread advances the epoch of every engine each 10 ms, and only while calls run.
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, Once};
use std::time::Duration;
use wasmtime::{Engine, EngineWeak};

const TICK: Duration = Duration::from_millis(10);
/// Ticks without a call before the thread goes to sleep: waking it for each of a row of calls would cost more.
const LINGER: u32 = 20;

static ENGINES: Mutex<Vec<EngineWeak>> = Mutex::new(Vec::new());
static ACTIVE: AtomicUsize = AtomicUsize::new(0);
static ASLEEP: AtomicBool = AtomicBool::new(false);
static SLEEP: Mutex<()> = Mutex::new(());
static WAKE: Condvar = Condvar::new();
static START: Once = Once::new();

pub fn register(engine: &Engine) {
    ENGINES.lock().unwrap().push(engine.weak());
}

/// Held by a run: the clock ticks while one exists.
pub struct Ticking(());

impl Ticking {
    pub fn new() -> Ticking {
        ACTIVE.fetch_add(1, SeqCst);
        START.call_once(|| {
            let thread = std::thread::Builder::new().name("bxe-clock".into()).stack_size(64 << 10);
            thread.spawn(clock).expect("the clock thread");
        });
        if ASLEEP.load(SeqCst) {
            let _held = SLEEP.lock().unwrap();
            ASLEEP.store(false, SeqCst);
            WAKE.notify_one();
        }
        Ticking(())
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        ACTIVE.fetch_sub(1, SeqCst);
    }
}

fn clock() {
    let mut idle = 0;
    loop {
        std::thread::sleep(TICK);
        ENGINES.lock().unwrap().retain(|weak| match weak.upgrade() {
            Some(engine) => {
                engine.increment_epoch();
                true
            }
            None => false,
        });
        idle = if ACTIVE.load(SeqCst) == 0 { idle + 1 } else { 0 };
        if idle >= LINGER {
            idle = 0;
            let mut held = SLEEP.lock().unwrap();
            ASLEEP.store(true, SeqCst);
            while ACTIVE.load(SeqCst) == 0 && ASLEEP.load(SeqCst) {
                held = WAKE.wait(held).unwrap();
            }
            ASLEEP.store(false, SeqCst);
        }
    }
}
