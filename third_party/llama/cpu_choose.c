/*
 * Which of ggml's CPU back ends runs: the only definition of ggml_backend_cpu_reg in the binary.
 *
 * llama.sh compiles ggml's CPU code twice and hides everything of each copy but its entry, so that
 * no function of the AVX-512 copy can be called on a machine without it. This asks the processor
 * once and hands out one of the two. BOXAGNTS_CPU=avx2 or avx512 takes that one or fails: for tests
 * and for machines where the choice is not the faster one.
 *
 * Runs in the model child only, before any model is loaded. Exit status 78 (EX_CONFIG) means that
 * the built-in model runner cannot run on this machine; the words on stderr are for the user.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_CPU_UNUSABLE = 78 };

struct ggml_backend_reg;

struct ggml_backend_reg *ggml_backend_cpu_reg(void);
struct ggml_backend_reg *ggml_backend_cpu_reg_avx2(void);
struct ggml_backend_reg *ggml_backend_cpu_reg_avx512(void);

_Noreturn static void refuse(const char *why) {
    fprintf(stderr,
            "the built-in model runner cannot run here: %s; use a model of another provider\n",
            why);
    exit(EXIT_CPU_UNUSABLE);
}

/* Each list is what the compiler flags of that copy allow the code to use (llama-parts.sh). */
static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("f16c") && __builtin_cpu_supports("bmi2");
}

static bool has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
           __builtin_cpu_supports("avx512vnni");
}

struct ggml_backend_reg *ggml_backend_cpu_reg(void) {
    const char *forced = getenv("BOXAGNTS_CPU");
    if (forced && !*forced) {
        forced = NULL;
    }
    if (forced && strcmp(forced, "avx2") != 0 && strcmp(forced, "avx512") != 0) {
        refuse("BOXAGNTS_CPU must be avx2 or avx512");
    }
    __builtin_cpu_init();
    bool may_512 = !forced || strcmp(forced, "avx512") == 0;
    if (may_512 && has_avx512()) {
        return ggml_backend_cpu_reg_avx512();
    }
    if (forced && may_512) {
        refuse("BOXAGNTS_CPU=avx512 is set and this processor has no AVX-512 (with VBMI and VNNI)");
    }
    if (!has_avx2()) {
        refuse("this processor has no AVX2");
    }
    return ggml_backend_cpu_reg_avx2();
}
