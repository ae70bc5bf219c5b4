//! A tool: WebAssembly in, compiled bytes out; compiled bytes in, something that runs out.
use crate::engine::Engine;
use crate::run::State;
use crate::{files, fill, process, slice};
use std::ffi::c_char;
use std::borrow::Cow;
use wasi_preview1_component_adapter_provider as adapter;
use wasmparser::{Parser, Payload};
use wasmtime::component::Component;
use wasmtime::{Engine as Wasmtime, Error, Result, bail};
use wasmtime_wasi::p2::bindings::CommandPre;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

pub struct Tool {
    pub pre: CommandPre<State>,
    pub wasmtime: Wasmtime,
    pub fuel: bool,
    starts_others: bool,
}

/// The fifth byte tells a core module (version 1) from a component.
fn is_core_module(wasm: &[u8]) -> bool {
    wasm.starts_with(b"\0asm\x01\0\0\0")
}

fn imports(wasm: &[u8], module: &str) -> bool {
    let sections = Parser::new(0).parse_all(wasm).map_while(|section| section.ok());
    let imports = sections.filter_map(|section| match section {
        Payload::ImportSection(imports) => Some(imports.into_imports()),
        _ => None,
    });
    imports.flatten().any(|import| import.is_ok_and(|import| import.module == module))
}

/// A module does not bring the types of what it imports beyond WASI: they are known here.
fn with_types(wasm: &[u8]) -> std::result::Result<Cow<'_, [u8]>, Box<dyn std::error::Error>> {
    let mut typed = Cow::from(wasm);
    let known = [(process::INTERFACE, process::WIT, "program"), (files::INTERFACE, files::WIT, "searcher")];
    for (_, wit, world) in known.into_iter().filter(|(interface, ..)| imports(wasm, interface)) {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("box.wit", wit)?;
        let world = resolve.select_world(&[package], Some(world))?;
        embed_component_metadata(typed.to_mut(), &resolve, world, StringEncoding::UTF8)?;
    }
    Ok(typed)
}

fn wrap(wasm: &[u8]) -> Result<Vec<u8>> {
    let typed = with_types(wasm).map_err(|e| Error::msg(format!("this module cannot be given types: {e}")))?;
    let encode = || {
        ComponentEncoder::default()
            .module(&typed)?
            .adapter(
                adapter::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
                adapter::WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
            )?
            .encode()
    };
    encode().map_err(|e| Error::msg(format!("this module is not a wasip1 command: {e:#}")))
}

fn compile(engine: &Engine, wasm: &[u8]) -> Result<Vec<u8>> {
    if !wasm.starts_with(b"\0asm") {
        bail!("this is not WebAssembly: it does not start with \\0asm");
    }
    if is_core_module(wasm) {
        return engine.wasmtime.precompile_component(&wrap(wasm)?);
    }
    engine.wasmtime.precompile_component(wasm)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn bxe_compile(
    engine: &Engine, wasm: *const u8, wasm_size: usize, ret_bytes: &mut *mut u8, ret_size: &mut usize,
    err: *mut c_char, err_size: usize,
) -> i32 {
    match compile(engine, unsafe { slice(wasm, wasm_size) }) {
        Ok(bytes) => {
            let bytes = Box::leak(bytes.into_boxed_slice());
            *ret_bytes = bytes.as_mut_ptr();
            *ret_size = bytes.len();
            0
        }
        Err(e) => {
            unsafe { fill(err, err_size, &format!("{e:#}")) };
            -1
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn bxe_bytes_free(bytes: *mut u8, size: usize) {
    if !bytes.is_null() {
        drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(bytes, size)) });
    }
}

fn load(engine: &Engine, compiled: &[u8]) -> Result<Tool> {
    let component = unsafe { Component::deserialize(&engine.wasmtime, compiled)? };
    let kind = component.component_type();
    let starts_others = kind.imports(&engine.wasmtime).any(|(name, _)| name == process::INTERFACE);
    let pre = CommandPre::new(engine.linker.instantiate_pre(&component)?)?;
    Ok(Tool { pre, wasmtime: engine.wasmtime.clone(), fuel: engine.fuel, starts_others })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn bxe_tool_load(
    engine: &Engine, compiled: *const u8, size: usize, err: *mut c_char, err_size: usize,
) -> *mut Tool {
    match load(engine, unsafe { slice(compiled, size) }) {
        Ok(tool) => Box::into_raw(Box::new(tool)),
        Err(e) => {
            unsafe { fill(err, err_size, &format!("{e:#}")) };
            std::ptr::null_mut()
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn bxe_tool_starts_others(tool: &Tool) -> bool {
    tool.starts_others
}

#[unsafe(no_mangle)]
pub extern "C" fn bxe_tool_free(tool: Option<Box<Tool>>) {
    drop(tool);
}
