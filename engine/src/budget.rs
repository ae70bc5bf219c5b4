//! What the runs of one call share: fuel, processor time and memory, counted by atomic numbers.
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

pub struct Budget {
    fuel_max: u64,
    cpu_us_max: u64,
    memory_max: usize,
    fuel: AtomicU64,
    cpu_us: AtomicU64,
    memory: AtomicUsize,
    memory_peak: AtomicUsize,
}

#[repr(C)]
pub struct Used {
    fuel: u64,
    cpu_us: u64,
    memory_peak_bytes: u64,
}

impl Budget {
    /// 0: no limit of fuel or processor time
    pub fn new(fuel: u64, cpu_ms: u64, memory_bytes: usize) -> Budget {
        let or_endless = |n: u64| if n == 0 { u64::MAX } else { n };
        Budget {
            fuel_max: or_endless(fuel),
            cpu_us_max: or_endless(cpu_ms.saturating_mul(1000)),
            memory_max: memory_bytes,
            fuel: AtomicU64::new(0),
            cpu_us: AtomicU64::new(0),
            memory: AtomicUsize::new(0),
            memory_peak: AtomicUsize::new(0),
        }
    }

    pub fn fuel_left(&self) -> u64 {
        self.fuel_max.saturating_sub(self.fuel.load(Relaxed))
    }

    /// False when no more is left.
    pub fn spend_fuel(&self, fuel: u64) -> bool {
        fuel < self.fuel_max - self.fuel.fetch_add(fuel, Relaxed).min(self.fuel_max)
    }

    pub fn spend_cpu(&self, us: u64) -> bool {
        us + self.cpu_us.fetch_add(us, Relaxed) < self.cpu_us_max
    }

    /// All or nothing
    pub fn take_memory(&self, bytes: usize) -> bool {
        let total = self.memory.fetch_add(bytes, Relaxed).saturating_add(bytes);
        if total > self.memory_max {
            self.give_memory(bytes);
            return false;
        }
        self.memory_peak.fetch_max(total, Relaxed);
        true
    }

    pub fn give_memory(&self, bytes: usize) {
        self.memory.fetch_sub(bytes, Relaxed);
    }

    pub fn used(&self) -> Used {
        Used {
            fuel: self.fuel.load(Relaxed),
            cpu_us: self.cpu_us.load(Relaxed),
            memory_peak_bytes: self.memory_peak.load(Relaxed) as u64,
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn bxe_budget_new(fuel: u64, cpu_ms: u64, memory_bytes: usize) -> *const Budget {
    Arc::into_raw(Arc::new(Budget::new(fuel, cpu_ms, memory_bytes)))
}

#[unsafe(no_mangle)]
pub extern "C" fn bxe_budget_used(budget: &Budget, ret: &mut Used) {
    *ret = budget.used();
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn bxe_budget_free(budget: *const Budget) {
    if !budget.is_null() {
        drop(unsafe { Arc::from_raw(budget) });
    }
}

/// Of a run: the shared budget, or one of its own
pub unsafe fn of(shared: *const Budget, own: impl FnOnce() -> Budget) -> Arc<Budget> {
    if shared.is_null() {
        return Arc::new(own());
    }
    unsafe {
        Arc::increment_strong_count(shared);
        Arc::from_raw(shared)
    }
}
