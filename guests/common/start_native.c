// start_native.c - start.h for the test builds of this machine (common/process_native.c)
#include "common/start.h"

#include <stdio.h>

#include "common/process.h"

extern char **environ;

int32_t bx_start_env(char *const *argv, char *const *env, int32_t in, int32_t out, int32_t err) {
    struct bxp_spawn spawn = {.argv = (const char *const *)argv,
                              .env = (const char *const *)env,
                              .in = in,
                              .out = out,
                              .err = err};
    while (argv[spawn.argc]) {
        spawn.argc++;
    }
    while (env[spawn.env_count]) {
        spawn.env_count++;
    }
    fflush(NULL);
    return bxp_spawn(&spawn);
}

int32_t bx_start(char *const *argv, int32_t in, int32_t out, int32_t err) {
    return bx_start_env(argv, environ, in, out, err);
}
