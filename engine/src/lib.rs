//! The C binding over Wasmtime. `engine.h` is the contract; every item here mirrors a line of it.
//! Nothing here decides: limits are numbers of the caller, everything else is a callback.
mod budget;
mod clock;
mod engine;
mod files;
mod http;
mod input;
mod output;
mod process;
mod run;
mod tool;

use std::ffi::{CStr, CString, c_char};

type PanicHandler = extern "C" fn(*const c_char);

#[unsafe(no_mangle)]
pub extern "C" fn bxe_version() -> *const c_char {
    c"wasmtime 48.0.8".as_ptr()
}

#[unsafe(no_mangle)]
pub extern "C" fn bxe_set_panic_handler(handler: Option<PanicHandler>) {
    std::panic::set_hook(Box::new(move |info| {
        if let Some(handler) = handler {
            handler(text(&info.to_string()).as_ptr());
        }
    }));
}

/// A C string of any text: it ends at the first NUL.
fn text(s: &str) -> CString {
    CString::new(s.split('\0').next().unwrap_or("")).unwrap_or_default()
}

/// Copies text into a C buffer of `size` bytes, cut at a character, NUL ended.
unsafe fn fill(buf: *mut c_char, size: usize, message: &str) {
    if buf.is_null() || size == 0 {
        return;
    }
    let mut n = message.len().min(size - 1);
    while !message.is_char_boundary(n) {
        n -= 1;
    }
    unsafe {
        std::ptr::copy_nonoverlapping(message.as_ptr(), buf.cast(), n);
        *buf.add(n) = 0;
    }
}

/// A C array; (NULL, 0) is the empty one.
unsafe fn slice<'a, T>(p: *const T, n: usize) -> &'a [T] {
    if n == 0 { &[] } else { unsafe { std::slice::from_raw_parts(p, n) } }
}

/// Bytes that are not UTF-8 become U+FFFD: guests only ever see text here.
unsafe fn string(p: *const c_char) -> String {
    unsafe { CStr::from_ptr(p) }.to_string_lossy().into_owned()
}
