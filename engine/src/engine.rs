//! An engine: options, and the linker with everything a guest may import.
use crate::run::State;
use crate::{clock, files, fill, process, string};
use std::ffi::c_char;
use std::hash::{DefaultHasher, Hash, Hasher};
use wasmtime::component::Linker;
use wasmtime::{Config, Engine as Wasmtime, InstanceAllocationStrategy, PoolingAllocationConfig, Result};

/// Runs at a time on one engine (BXE_ROOM): address space only, until they are there
const ROOM: u32 = 512;

pub struct Engine {
    pub wasmtime: Wasmtime,
    pub linker: Linker<State>,
    pub fuel: bool,
}

#[repr(C)]
pub struct EngineConfig {
    max_stack_bytes: usize,
    fuel: bool,
    run: bool,
    target: *const c_char,
}

fn options(c: &EngineConfig) -> Result<Config> {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .consume_fuel(c.fuel)
        .wasm_component_model(true)
        .memory_init_cow(true)
        .max_wasm_stack(c.max_stack_bytes)
        .async_stack_size(c.max_stack_bytes + (1 << 20));
    if !c.target.is_null() {
        config.target(&unsafe { string(c.target) })?;
    }
    if c.run {
        let mut pool = PoolingAllocationConfig::default();
        pool.total_component_instances(ROOM)
            .total_core_instances(4 * ROOM)
            .total_memories(2 * ROOM)
            .total_tables(4 * ROOM)
            .total_stacks(ROOM)
            .max_tables_per_module(16)
            .max_tables_per_component(64)
            .max_memories_per_module(4)
            .max_memories_per_component(16)
            .max_memory_size(1 << 30)
            .max_core_instance_size(4 << 20)
            .max_component_instance_size(4 << 20)
            .table_elements(1_000_000)
            .linear_memory_keep_resident(128 << 10)
            .table_keep_resident(8 << 10)
            .max_unused_warm_slots(16);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    Ok(config)
}

fn make(c: &EngineConfig) -> Result<Engine> {
    let wasmtime = Wasmtime::new(&options(c)?)?;
    let mut linker = Linker::new(&wasmtime);
    if c.run {
        // Sockets are linked, because most components import them, and refused (run.rs).
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        process::add_to_linker(&mut linker)?;
        files::add_to_linker(&mut linker)?;
        clock::register(&wasmtime);
    }
    Ok(Engine { wasmtime, linker, fuel: c.fuel })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn bxe_engine_new(config: &EngineConfig, err: *mut c_char, err_size: usize) -> *mut Engine {
    match make(config) {
        Ok(engine) => Box::into_raw(Box::new(engine)),
        Err(e) => {
            unsafe { fill(err, err_size, &format!("{e:#}")) };
            std::ptr::null_mut()
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn bxe_engine_free(engine: Option<Box<Engine>>) {
    drop(engine);
}

#[unsafe(no_mangle)]
pub extern "C" fn bxe_engine_compat(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine.wasmtime.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}
